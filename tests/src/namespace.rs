//! Network namespaces: a test runs once more in one of its own, where it may make links, addresses and filters.

use std::process::Command;

/// Set in the namespace.
const INSIDE: &str = "XOM_TEST_INSIDE_NAMESPACE";

/// True in the run that is in a namespace.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs one test of this program again, in a namespace in which the shell has run `setup`. Says so loudly where
/// the machine allows none, and leaves it at that.
///
/// # Panics
/// If the test fails there.
pub fn run_inside(test: &str, setup: &str) {
    let script = format!("{setup} && exec \"$@\"");
    let inside = |command: &[&str]| {
        let mut call = Command::new("unshare");
        call.args(["--net", "--map-root-user", "sh", "-c", &script, "sh"]).args(command).env(INSIDE, "1");
        call
    };
    let allowed = inside(&["true"]).output();
    if !allowed.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: {test}: this machine allows no such network namespace: {allowed:?}");
        return;
    }
    let own = std::env::current_exe().expect("this program");
    let own = own.to_str().expect("a path of text");
    let status = inside(&[own, "--exact", test, "--nocapture"]).status().expect("runs");
    assert!(status.success(), "{test} failed in the namespace");
}
