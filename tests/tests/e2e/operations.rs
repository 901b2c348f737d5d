//! What operators use, with real processes: `xom doctor`, `xom peers bans`, `/metrics`, logs as JSON.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use xom_tests::home::{DEADLINE, text};
use xom_tests::{Home, wait_until};

/// Runs `xom doctor --json`, which may find faults: its exit code, and its checks.
fn doctor(home: &Home) -> (i32, Value) {
    let output = home.run(&["doctor", "--json"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let report = serde_json::from_str(&said).unwrap_or_else(|e| panic!("no JSON ({e}): {said}, {output:?}"));
    (output.status.code().expect("it ended by itself"), report)
}

fn state(report: &Value, name: &str) -> String {
    let checks = report["checks"].as_array().expect("a list");
    let check = checks.iter().find(|check| check["check"] == name);
    text(&check.unwrap_or_else(|| panic!("no check {name}: {report}"))["state"])
}

#[test]
fn doctor_finds_what_is_wrong_with_and_without_a_running_node_and_says_what_to_do() {
    let mut home = Home::new("lan");
    let (code, report) = doctor(&home);
    assert_eq!((code, state(&report, "folder").as_str()), (8, "fail"), "there is no folder yet: {report}");

    home.start();
    let (code, report) = doctor(&home);
    assert_eq!((code, &report["ok"]), (0, &Value::Bool(true)), "{report}");
    for (name, expected) in [("folder", "ok"), ("ports", "ok"), ("clock", "unknown"), ("peers", "warn")] {
        assert_eq!(state(&report, name), expected, "{name}: {report}");
    }
    let plain = String::from_utf8_lossy(&home.run(&["doctor"]).stdout).into_owned();
    assert!(plain.contains("follow somebody"), "{plain}");

    let token = home.data_dir().join("token");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).expect("the owner may");
    let (code, report) = doctor(&home);
    assert_eq!((code, state(&report, "folder").as_str()), (8, "fail"), "{report}");
    assert!(report.to_string().contains("chmod -R go-rwx"), "{report}");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("the owner may");

    home.stop();
    let (code, report) = doctor(&home);
    assert_eq!((code, state(&report, "node").as_str()), (0, "warn"), "it can be started: {report}");
}

#[test]
fn bans_are_shown_with_their_reasons_and_can_be_lifted() {
    let home = Home::started("lan");
    let mallory = "12D3KooWGjMCmQmnpRCKVzdDGBHjwrqjFqjYvUvZFwNqWwUCCpHR";
    home.xom(&["peers", "ban", mallory, "--for", "7d", "--reason", "fills the disk"]);
    let bans = home.xom(&["peers", "bans"]);
    assert_eq!((bans[0]["peer"].as_str(), bans[0]["reason"].as_str()), (Some(mallory), Some("fills the disk")));
    home.xom(&["peers", "unban", mallory]);
    assert_eq!(home.xom(&["peers", "bans"]), serde_json::json!([]));
    let again = home.run(&["peers", "unban", mallory]);
    assert_eq!(again.status.code(), Some(5), "{again:?}");
}

#[test]
fn find_7_a_node_to_begin_with_is_dialled_without_a_restart_and_after_one_until_it_is_taken_off_the_list() {
    let other = Home::started("mai");
    let listen = text(&other.xom(&["status"])["listen"][0]);
    let mut home = Home::started("lan");
    let is_connected = |home: &Home| home.xom(&["status"])["peers_connected"] == 1;
    assert!(home.xom(&["bootstrap", "list"]).as_array().is_some_and(Vec::is_empty));
    assert_eq!(home.xom(&["bootstrap", "add", &listen])["added"], true);
    wait_until("they are connected", DEADLINE, || is_connected(&home).then_some(()));
    home.stop();
    home.start();
    assert_eq!(home.xom(&["bootstrap", "list"])[0]["address"].as_str(), Some(listen.as_str()));
    wait_until("they are connected again", DEADLINE, || is_connected(&home).then_some(()));
    home.xom(&["bootstrap", "remove", &listen]);
    assert!(home.xom(&["bootstrap", "list"]).as_array().is_some_and(Vec::is_empty));
    assert_eq!(home.run(&["bootstrap", "remove", &listen]).status.code(), Some(5));
    assert_eq!(home.run(&["bootstrap", "add", "nowhere"]).status.code(), Some(4));
}

#[test]
fn the_door_is_set_and_shown() {
    let home = Home::started("lan");
    assert_eq!(home.xom(&["door"])["door"], "open");
    assert_eq!(home.xom(&["door", "introduced"])["door"], "introduced");
    assert_eq!(home.xom(&["door"])["door"], "introduced");
    assert_eq!(home.run(&["door", "ajar"]).status.code(), Some(2));
}

#[test]
fn metrics_are_open_to_this_machine_and_logs_can_be_objects() {
    let mut home = Home::new("lan");
    let log = home.scratch().join("log");
    home.log_all(&log);
    home.variable("XOM_LOG_FORMAT", "json");
    home.start();
    let metrics = String::from_utf8(home.get_bytes(&home.url("/metrics"))).expect("text");
    assert!(metrics.contains("\nxom_peers_connected 0\n"), "{metrics}");
    home.stop();
    let lines = fs::read_to_string(&log).expect("a log");
    assert!(lines.lines().count() > 3, "{lines}");
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
}
