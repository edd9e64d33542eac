//! Cutting a program down to the smallest one that still shows a difference.

use crate::sexp::{Sexp, atom};

/// The smallest variant of `forms` found for which `fails` holds, trying at most `tries`.
pub fn shrink(mut forms: Vec<Sexp>, tries: usize, mut fails: impl FnMut(&[Sexp]) -> bool) -> Vec<Sexp> {
    let mut left = tries;
    let mut try_out = |candidate: &[Sexp]| {
        left = left.saturating_sub(1);
        (left > 0).then(|| fails(candidate))
    };
    loop {
        let before = size(&forms);
        if !cut_forms(&mut forms, &mut try_out) || !cut_inside(&mut forms, &mut try_out) || size(&forms) == before {
            return forms;
        }
    }
}

fn size(forms: &[Sexp]) -> usize {
    crate::sexp::show(forms).len()
}

/// Leaves out runs of top-level forms; false when the tries are used up.
fn cut_forms(forms: &mut Vec<Sexp>, fails: &mut impl FnMut(&[Sexp]) -> Option<bool>) -> bool {
    let mut run = forms.len().max(1);
    while run > 0 {
        let mut at = 0;
        while at < forms.len() {
            let mut candidate = forms.clone();
            candidate.drain(at..(at + run).min(forms.len()));
            match fails(&candidate) {
                None => return false,
                Some(true) => *forms = candidate,
                Some(false) => at += run,
            }
        }
        run /= 2;
    }
    true
}

/// Replaces parts by smaller ones, the largest parts first; false when the tries are used up.
fn cut_inside(forms: &mut Vec<Sexp>, fails: &mut impl FnMut(&[Sexp]) -> Option<bool>) -> bool {
    let mut at = 0;
    while at < count(forms) {
        let mut improved = false;
        for smaller in variants(part(forms, at)) {
            let mut candidate = forms.clone();
            replace(&mut candidate, at, smaller);
            if size(&candidate) >= size(forms) {
                continue;
            }
            match fails(&candidate) {
                None => return false,
                Some(true) => {
                    *forms = candidate;
                    improved = true;
                    break;
                }
                Some(false) => {}
            }
        }
        if !improved {
            at += 1;
        }
    }
    true
}

/// What could stand in the place of a part.
fn variants(part: &Sexp) -> Vec<Sexp> {
    let mut found = vec![atom("0"), atom("nil")];
    match part {
        Sexp::Atom(_) => {}
        Sexp::Prefix(_, inner) => found.push((**inner).clone()),
        Sexp::List(items) | Sexp::Dict(items) => {
            found.extend(items.iter().filter(|item| !matches!(item, Sexp::Atom(_))).cloned());
            for i in 0..items.len() {
                let mut fewer = items.clone();
                fewer.remove(i);
                found.push(rebuilt(part, fewer));
                if i + 1 < items.len() {
                    let mut fewer = items.clone();
                    fewer.drain(i..i + 2);
                    found.push(rebuilt(part, fewer));
                }
            }
        }
    }
    found
}

fn rebuilt(like: &Sexp, items: Vec<Sexp>) -> Sexp {
    match like {
        Sexp::Dict(_) => Sexp::Dict(items),
        _ => Sexp::List(items),
    }
}

fn children(sexp: &Sexp) -> &[Sexp] {
    match sexp {
        Sexp::Atom(_) => &[],
        Sexp::Prefix(_, inner) => std::slice::from_ref(inner),
        Sexp::List(items) | Sexp::Dict(items) => items,
    }
}

fn children_mut(sexp: &mut Sexp) -> &mut [Sexp] {
    match sexp {
        Sexp::Atom(_) => &mut [],
        Sexp::Prefix(_, inner) => std::slice::from_mut(inner),
        Sexp::List(items) | Sexp::Dict(items) => items,
    }
}

/// How many parts there are.
fn count(forms: &[Sexp]) -> usize {
    forms.iter().map(|form| 1 + count(children(form))).sum()
}

/// Part number `at`, outer parts before inner ones.
fn part(forms: &[Sexp], mut at: usize) -> &Sexp {
    for form in forms {
        if at == 0 {
            return form;
        }
        let inside = count(children(form));
        if at <= inside {
            return part(children(form), at - 1);
        }
        at -= 1 + inside;
    }
    unreachable!("there is such a part")
}

fn replace(forms: &mut [Sexp], mut at: usize, new: Sexp) {
    for form in forms {
        if at == 0 {
            *form = new;
            return;
        }
        let inside = count(children(form));
        if at <= inside {
            return replace(children_mut(form), at - 1, new);
        }
        at -= 1 + inside;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sexp::{parse, show};

    #[test]
    fn what_matters_stays() {
        let forms = parse("(define x 1) (list (+ 1 (boom 2 (f x))) {:a 3}) (display \"x\")");
        let smallest = shrink(forms, 1000, |forms| show(forms).contains("boom"));
        assert_eq!(show(&smallest), "(boom)\n");
    }
}
