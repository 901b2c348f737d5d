//! The program itself: exit codes, sentences, and what works without a node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The program, without the settings of whoever runs the tests.
fn xom(data_dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xom"));
    for name in ["XOM_HTTP", "XOM_LISTEN", "XOM_BOOTSTRAP", "XOM_NETWORK", "XOM_NAME", "XOM_CONFIG", "XOM_HOSTS"] {
        command.env_remove(name);
    }
    command.args(arguments).arg("--data-dir").arg(data_dir).stdin(Stdio::null());
    command.output().expect("xom can be run")
}

/// A data folder that does not exist yet.
fn no_folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data_dir = folder.path().join("data");
    (folder, data_dir)
}

/// Checks the exit code and that stderr is one sentence that contains `part`.
fn check(output: &Output, code: i32, part: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(part), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one line of JSON")
}

#[test]
fn every_command_that_needs_a_node_says_how_to_start_it() {
    let (folder, data_dir) = no_folder();
    let archive = folder.path().to_string_lossy().into_owned();
    let commands: [&[&str]; 22] = [
        &["post", "a"],
        &["timeline"],
        &["id"],
        &["invite"],
        &["follow", "lan"],
        &["unfollow", "lan"],
        &["show", "1"],
        &["reply", "1", "a"],
        &["boost", "1"],
        &["unboost", "1"],
        &["like", "1"],
        &["unlike", "1"],
        &["erase", "1"],
        &["profile", "show"],
        &["notifications"],
        &["peers"],
        &["status"],
        &["phrase", "show"],
        &["phrase", "confirm"],
        &["passphrase", "remove"],
        &["unlock"],
        &["import", "mastodon", &archive],
    ];
    for arguments in commands {
        check(&xom(&data_dir, arguments), 3, "xom run");
    }
    assert!(!data_dir.exists());
}

#[test]
fn a_setting_that_is_unknown_is_refused_with_its_line_and_nothing_is_made() {
    let (folder, data_dir) = no_folder();
    let config = folder.path().join("config.toml");
    fs::write(&config, "name = \"lan\"\nhtpp = \"127.0.0.1:1\"\n").expect("a file");
    let output = xom(&data_dir, &["run", "--config", &config.to_string_lossy()]);
    check(&output, 2, "config.toml, line 2: unknown field `htpp`");
    assert!(!data_dir.exists());
    check(&xom(&data_dir, &["run", "--http", "0.0.0.0:0"]), 2, "open to others");
    check(&xom(&data_dir, &["run", "--name", "Lan!"]), 2, "user name");
    assert!(!data_dir.exists());
}

#[test]
fn a_busy_port_is_named_and_nothing_is_made() {
    let (_folder, data_dir) = no_folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    check(&xom(&data_dir, &["run", "--http", &address]), 7, &address);
    assert!(!data_dir.exists());
}

#[test]
fn init_makes_an_identity_once_and_work_without_a_node_keeps_it() {
    let (_folder, data_dir) = no_folder();
    check(&xom(&data_dir, &["views", "rebuild"]), 6, "xom init");
    let made = json(&xom(&data_dir, &["init", "--name", "lan", "--json"]));
    assert_eq!(made["username"], "lan");
    let again = json(&xom(&data_dir, &["init", "--name", "other", "--json"]));
    assert_eq!(again["did"], made["did"]);
    json(&xom(&data_dir, &["views", "rebuild", "--json"]));
    json(&xom(&data_dir, &["compact", "--json"]));
    assert_eq!(json(&xom(&data_dir, &["verify", "--json"]))["faults"], serde_json::json!([]));
}

#[cfg(unix)]
#[test]
fn an_archive_which_holds_what_was_erased_lately_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, data_dir) = no_folder();
    json(&xom(&data_dir, &["init", "--json"]));
    let archive = folder.path().join("lan.tar");
    json(&xom(&data_dir, &["export", &archive.to_string_lossy(), "--json"]));
    assert_eq!(fs::metadata(&archive).expect("a file").permissions().mode() & 0o777, 0o600);
}

#[test]
fn after_a_crash_the_token_is_not_sent_to_whoever_took_the_port() {
    let (_folder, data_dir) = no_folder();
    json(&xom(&data_dir, &["init", "--json"]));
    let mallory = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = mallory.local_addr().expect("an address");
    fs::write(data_dir.join("http.addr"), format!("{address}\n")).expect("a file");
    fs::write(data_dir.join("token"), "secret\n").expect("a file");
    check(&xom(&data_dir, &["post", "a"]), 3, "xom run");
    json(&xom(&data_dir, &["compact", "--json"]));
    assert!(!data_dir.join("http.addr").exists(), "whoever has the folder next removes it");
    mallory.set_nonblocking(true).expect("a socket");
    let nobody = mallory.accept().expect_err("nobody came").kind();
    assert_eq!(nobody, std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_newer_data_folder_is_left_alone() {
    let (_folder, data_dir) = no_folder();
    json(&xom(&data_dir, &["init", "--json"]));
    fs::write(data_dir.join("format"), "999\n").expect("a file");
    for arguments in
        [&["run", "--http", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0"][..], &["init"], &["compact"]]
    {
        check(&xom(&data_dir, arguments), 6, "newer xom");
    }
    assert_eq!(fs::read_to_string(data_dir.join("format")).expect("a file"), "999\n");
}

#[test]
fn what_is_no_export_has_faults_and_an_exit_code_of_its_own() {
    let (folder, data_dir) = no_folder();
    let file = folder.path().join("some.xom");
    fs::write(&file, b"this is no export").expect("a file");
    let output = xom(&data_dir, &["verify", &file.to_string_lossy()]);
    check(&output, 8, "found");
    assert!(!data_dir.exists());
}
