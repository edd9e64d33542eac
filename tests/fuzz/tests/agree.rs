//! Oracle and machine agree on some programs, in every mode; the command runs many more.

use sx_fuzz::Fuzzer;
use sx_fuzz::coverage::Coverage;
use sx_fuzz::run::MODES;

#[test]
fn oracle_and_machine_agree() {
    let mut fuzzer = Fuzzer::new(&[], None).expect("the core library loads");
    let mut coverage = Coverage::default();
    let modes: Vec<_> = MODES.iter().collect();
    for seed in 0..60 {
        if let Err(mismatch) = fuzzer.check(seed, &modes, &mut coverage) {
            panic!(
                "seed {seed}, mode {}\n{}",
                mismatch.mode.name,
                fuzzer.shrink(seed, &mismatch)
            );
        }
    }
    let report = coverage.report();
    assert!(report.contains("Control") && report.contains("perform"), "{report}");
}

/// `cargo test -p sx-fuzz --features planted-faults -- --nocapture` shows how each was found.
#[cfg(feature = "planted-faults")]
#[test]
fn every_planted_fault_is_found() {
    let command = std::process::Command::new(env!("CARGO_BIN_EXE_sx-fuzz"))
        .arg("--faults")
        .output();
    let output = command.expect("the fuzzer runs");
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    assert!(output.status.success(), "{text}");
}
