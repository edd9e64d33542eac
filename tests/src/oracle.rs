//! The oracle as a configuration of the corpus: what a case expects is what the definition of the
//! language gives, before any machine is asked.

use sx::corpus::{Case, Configuration, MEMORY_LIMIT, Outcome};
use sx_oracle::{Oracle, TestEdge};

/// Steps the oracle takes in a second, at least.
const STEPS_A_SECOND: u64 = 4_000_000;

/// The oracle. It has no memory limit, so it leaves out what is about one.
pub struct OracleConfiguration;

impl Configuration for OracleConfiguration {
    fn name(&self) -> &str {
        "oracle"
    }

    fn takes(&self, case: &Case) -> bool {
        case.memory_limit == MEMORY_LIMIT
    }

    fn run(&self, case: &Case) -> Result<Outcome, String> {
        thread_local! {
            static ORACLE: Result<Oracle, String> = Oracle::new();
        }
        let fuel = case.time_limit.as_secs().max(1) * STEPS_A_SECOND;
        let ran = ORACLE.with(|oracle| match oracle {
            Ok(oracle) => Ok(oracle.run(case.language, &case.code, &mut TestEdge::default(), Some(fuel))),
            Err(error) => Err(error.clone()),
        })?;
        if ran.gave_up {
            return Err("the oracle gave up: too many steps, or too much memory".to_owned());
        }
        Ok(Outcome {
            value: ran.value,
            output: ran.output,
            error_output: ran.error_output,
            effects: ran.effects,
            error: ran.error,
            place: ran.places.into_iter().next(),
        })
    }
}
