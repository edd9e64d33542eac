//! What a program asks of the native tier and tells it, as `lib/core/native.sx` calls it.
//!
//! Exclusions belong to the machine, not to the tier, so that a program reads back what it said
//! where there is no tier. Code that is given up here may be what asked: it is freed when native
//! code has been left, like all retired code.
//!
//! Deliberately absent: any text; what is answered is numbers, names and places.

use super::super::Machine;
use super::super::view::{Datum, function_name};
use super::told::{code_row, exit_row, met_rows};
use super::{COUNTERS, DEEPEST, NativeStats, Tier, callees, is_compilable, place};
use sx_runtime::chunk::{Chunk, Const};
use sx_runtime::error::{Code, Raise};
use sx_runtime::instance::{Instance, builtin};
use sx_runtime::native::{Bailout, CompileJob, Compiled, Explained, Loss};
use sx_runtime::value::{Value, Word};

/// The functions that are to have no native code.
#[derive(Default)]
pub(in crate::machine) struct Exclusions {
    /// Names, in which `*` stands for any text.
    patterns: Vec<String>,
    /// Globals: whoever refers to one is excluded.
    callees: Vec<String>,
    /// Names that whoever runs the program has excluded.
    denied: Vec<String>,
    /// If not empty, every other name is excluded.
    only: Vec<String>,
}

impl Exclusions {
    /// Is there to be no native code for this chunk?
    pub(super) fn excludes(&self, chunk: &Chunk) -> bool {
        if [&self.patterns, &self.callees, &self.denied, &self.only]
            .iter()
            .all(|names| names.is_empty())
        {
            return false;
        }
        let is_callee = |name: &str| self.callees.iter().any(|callee| callee == name);
        self.matches(&function_name(chunk))
            || chunk.consts.iter().any(|constant| match constant {
                Const::Global(name) | Const::Prim(name) => is_callee(name),
                _ => false,
            })
    }

    fn matches(&self, name: &str) -> bool {
        let has_match = |patterns: &[String]| patterns.iter().any(|pattern| is_match(pattern, name));
        has_match(&self.patterns) || has_match(&self.denied) || !self.only.is_empty() && !has_match(&self.only)
    }

    /// What whoever runs the program excludes, whatever the program says.
    pub(super) fn bind(&mut self, denied: &[String], only: &[String]) {
        (self.denied, self.only) = (denied.to_vec(), only.to_vec());
    }

    /// What the program has excluded no longer is.
    fn forget(&mut self) {
        self.patterns.clear();
        self.callees.clear();
    }
}

/// Does the name match the pattern, in which `*` stands for any text?
fn is_match(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        // The leftmost place leaves most for the parts that follow.
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

impl Machine {
    /// `%native-stats`.
    pub(in crate::machine) fn native_numbers(&mut self) -> Result<Word, Raise> {
        let (mut stats, mut threshold) = (NativeStats::default(), 0);
        if let Some(tier) = &self.native {
            (stats, threshold) = (tier.stats, tier.threshold);
        }
        let mut rows = vec![Datum::Text("enabled".into()), Datum::Bool(self.native.is_some())];
        let is_below = |instance: &&Instance| {
            let calls = instance.calls.get();
            instance.builtin == builtin::NONE
                && calls > 0
                && calls < threshold
                && instance.native.borrow().code.is_none()
        };
        stats.interpreted = self.interpreted;
        stats.below = self.isolate.state.instances().filter(is_below).count() as u64;
        let counted = COUNTERS.iter().map(|(key, _)| *key).zip(stats.numbers());
        let entries = [("threshold", u64::from(threshold))].into_iter().chain(counted);
        rows.extend(entries.flat_map(|(key, n)| [Datum::Text(key.into()), Datum::Int(n as i64)]));
        self.make(&Datum::List(rows))
    }

    /// `%native-functions`: of every function that was called or compiled its name, what runs it, calls,
    /// exits, the place of its first instruction, what there is of its code, how often it was compiled, and
    /// how many of its instructions the machine has run, where that is counted.
    pub(in crate::machine) fn native_functions(&mut self) -> Result<Word, Raise> {
        let mut rows = vec![];
        for instance in self.isolate.state.instances() {
            let native = instance.native.borrow();
            let Some(outcome) = self.outcome(instance, &native) else {
                continue;
            };
            let exits = native.exits.iter().map(|left| exit_row(instance, &native, left));
            rows.push(Datum::List(vec![
                Datum::Text(function_name(&instance.chunk)),
                Datum::Text(outcome),
                Datum::Int(i64::from(instance.calls.get())),
                Datum::List(exits.collect()),
                Datum::Text(place(instance, 0)),
                native.code.as_ref().map_or(Datum::Nil, code_row),
                Datum::Int(i64::from(native.compiles)),
                Datum::Int(instance.interpreted.get() as i64),
            ]));
        }
        self.make(&Datum::List(rows))
    }

    /// `%native-code`.
    ///
    /// # Safety
    /// The word is live.
    pub(in crate::machine) unsafe fn native_code(&mut self, procedure: Word) -> Result<Word, Raise> {
        // SAFETY: by the caller.
        let value: Value<'_> = unsafe { Value::from_raw(procedure) };
        let (Some(tier), Some(instance)) = (&mut self.native, value.instance()) else {
            return Ok(Word::NIL);
        };
        let mut native = instance.native.borrow_mut();
        let job = match is_compilable(instance) {
            true => tier.job(instance, &mut native).map(|job| CompileJob {
                callees: callees(instance, &job.code, &self.exclusions, DEEPEST),
                ..job
            }),
            false => return self.make(&Datum::Text("it has no code of its own".into())),
        };
        if job.is_some() {
            // Nothing is ever entered by the numbers this code would have had.
            native.entries.pop();
        }
        drop(native);
        let explained = match job {
            Some(job) => tier.compiler.explain(job).map_err(Bailout::text),
            None => Err(Bailout::NoEntries.text()),
        };
        let answer = match explained {
            Ok(Explained { pieces, form, code }) => {
                let texts = [pieces, form, code].into_iter().map(Datum::Text);
                Datum::List(texts.chain([Datum::List(met_rows(instance))]).collect())
            }
            Err(why) => Datum::Text(why.into()),
        };
        self.make(&answer)
    }

    /// `%native-exclude`.
    ///
    /// # Safety
    /// The words are live.
    pub(in crate::machine) unsafe fn native_exclude(&mut self, pattern: Word, callers: Word) -> Result<Word, Raise> {
        // SAFETY: by the caller.
        let pattern = unsafe { name_of(pattern) }?;
        match callers.is_truthy() {
            true => self.exclusions.callees.push(pattern),
            false => self.exclusions.patterns.push(pattern),
        }
        let exclusions = &self.exclusions;
        if let Some(tier) = &mut self.native {
            let has_one = |code: &Compiled| code.inlined.iter().any(|chunk| exclusions.excludes(chunk));
            for instance in self.isolate.state.instances() {
                let has_one = instance.native.borrow().code.as_ref().is_some_and(has_one);
                if has_one || exclusions.excludes(&instance.chunk) {
                    tier.give_up(instance, Loss::Excluded);
                }
                // What is being compiled may have an excluded function in it.
                let mut native = instance.native.borrow_mut();
                native.stale |= native.pending;
            }
        }
        Ok(Word::NIL)
    }

    /// `%native-excluded?`.
    ///
    /// # Safety
    /// The word is live.
    pub(in crate::machine) unsafe fn native_excluded(&mut self, name: Word) -> Result<Word, Raise> {
        // SAFETY: by the caller.
        let name = unsafe { name_of(name) }?;
        let is_one =
            |instance: &Instance| function_name(&instance.chunk) == name && self.exclusions.excludes(&instance.chunk);
        let excluded = self.exclusions.matches(&name) || self.isolate.state.instances().any(is_one);
        Ok(if excluded { Word::TRUE } else { Word::FALSE })
    }

    /// `%native-threshold`.
    pub(in crate::machine) fn native_threshold(&mut self, calls: Word) -> Result<Word, Raise> {
        let wanted = calls.is_fixnum().then(|| calls.as_fixnum());
        let most = i64::from(u32::MAX - 1);
        let Some(threshold) = wanted.filter(|n| (1..=most).contains(n)).map(|n| n as u32) else {
            return Err(Raise::new(
                Code::Type,
                "jit-set-threshold!: expected a number of calls, 1 or more",
            ));
        };
        let Some(tier) = &mut self.native else {
            return Ok(Word::FALSE);
        };
        (tier.options.threshold, tier.threshold) = (threshold, threshold);
        for instance in self.isolate.state.instances() {
            // It is compiled when its count arrives at the threshold, so none may be beyond.
            let native = instance.native.borrow();
            let waits = native.code.is_none() && !native.pending;
            if waits && instance.calls.get() >= threshold {
                instance.calls.set(threshold - 1);
            }
        }
        Ok(Word::TRUE)
    }

    /// `%native-reset`.
    pub(in crate::machine) fn native_reset(&mut self, all: bool) -> Word {
        if all {
            self.exclusions.forget();
        }
        self.interpreted = 0;
        for instance in self.isolate.state.instances() {
            instance.interpreted.set(0);
        }
        let Some(tier) = &mut self.native else {
            return Word::NIL;
        };
        for instance in self.isolate.state.instances() {
            if all {
                tier.give_up(instance, Loss::Reset);
                let mut native = instance.native.borrow_mut();
                (native.compiles, native.refused) = (0, None);
                native.generic.clear();
                native.loops.clear();
                native.floats.clear();
                native.made_for = (0, 0);
            }
            instance.native.borrow_mut().exits.clear();
            instance.calls.set(0);
        }
        if all {
            tier.threshold = tier.options.threshold;
        }
        tier.stats = super::NativeStats::default();
        Word::NIL
    }
}

impl Tier {
    /// The function has no native code from now on, nor does it get what is being compiled.
    fn give_up(&mut self, instance: &Instance, why: Loss) {
        let mut native = instance.native.borrow_mut();
        native.stale |= native.pending;
        if let Some(code) = native.code.take() {
            self.stats.retired += 1;
            self.retire(instance, code);
            native.lost = Some(why);
            instance.start_over();
            self.log(|| format!("{}: given up: {}", function_name(&instance.chunk), why.text()));
        }
    }
}

/// The text of a string or symbol.
///
/// # Safety
/// The word is live.
unsafe fn name_of(word: Word) -> Result<String, Raise> {
    // SAFETY: by the caller.
    let value: Value<'_> = unsafe { Value::from_raw(word) };
    let name = value.as_str().map(str::to_owned);
    name.ok_or_else(|| Raise::new(Code::Type, "expected the name of a function, a string"))
}

#[cfg(test)]
mod tests {
    use super::is_match;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, name) in [
            ("f", "f"),
            ("ns-*", "ns-"),
            ("ns-*", "ns-a"),
            ("*", ""),
            ("a*b*c", "a-b-b-c"),
            ("*x", "xx"),
        ] {
            assert!(is_match(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("f", "ff"),
            ("ns-*", "ns"),
            ("a*b*c", "acb"),
            ("ab*ba", "aba"),
            ("", "f"),
        ] {
            assert!(!is_match(pattern, name), "{pattern} {name}");
        }
    }
}
