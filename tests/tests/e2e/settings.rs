//! Settings of `xom run`: each environment variable, each key of the settings file and each flag works; flags win
//! over variables, and those over the file.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use xom_tests::run::{Run, free_address};

/// A folder for data folders and settings files.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    (folder, data)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn tcp(port: u16) -> String {
    format!("/ip4/127.0.0.1/tcp/{port}")
}

/// True if the node listens where it was told to.
fn listens(run: &Run, address: &str) -> bool {
    let heard = run.greeting()["listen"].as_array().expect("a list").clone();
    heard.iter().any(|found| found.as_str().is_some_and(|found| found.starts_with(address)))
}

/// The user name, as the node tells it.
fn name(run: &Run) -> Value {
    run.get("/api/xom/v1/identity")["username"].clone()
}

#[test]
fn each_variable_works_and_its_flag_wins() {
    let (folder, data) = place();
    let (http, other) = (free_address(), free_address());
    let (listen, elsewhere) = (tcp(free_address().port()), tcp(free_address().port()));
    let peer = format!("{}/p2p/12D3KooWGjMCmQmnpRCKVzdDGBHjwrqjFqjYvUvZFwNqWwUCCpHR", tcp(1));
    let variables = [
        ("XOM_DATA_DIR", path(&data)),
        ("XOM_HTTP", &http.to_string()),
        ("XOM_HOSTS", "https://xom.example, other.example"),
        ("XOM_LISTEN", &listen),
        ("XOM_BOOTSTRAP", &peer),
        ("XOM_NETWORK", "trial"),
        ("XOM_NAME", "lan"),
        ("XOM_LOG", "info"),
    ];
    let run = Run::start(&[], &variables);
    assert_eq!(run.greeting()["data_dir"], json!(data));
    assert_eq!(run.greeting()["http"], json!(http.to_string()));
    assert!(listens(&run, &listen), "{}", run.greeting());
    assert_eq!(name(&run), "lan");
    for host in ["xom.example", "other.example"] {
        assert_eq!(run.code_under(host), 200, "{host}");
    }
    assert_eq!(run.code_under("evil.example"), 421);
    let peers = run.get("/api/xom/v1/peers").to_string();
    assert!(peers.contains("12D3KooWGjMCmQmnpRCKVzdDGBHjwrqjFqjYvUvZFwNqWwUCCpHR"), "{peers}");
    assert!(run.end().contains("INFO"), "XOM_LOG");

    // The network is in the database: another one is refused, the flag's is asked for.
    let refused = Run::refused(&["--network", "main"], &variables);
    assert!(refused.contains("belongs to network trial, not to main"), "{refused}");

    let new = folder.path().join("new");
    let flags = [
        ["--data-dir", path(&new)],
        ["--http", &other.to_string()],
        ["--host", "flag.example"],
        ["--listen", &elsewhere],
        ["--network", "second"],
        ["--name", "minh"],
    ];
    let run = Run::start(flags.as_flattened(), &variables);
    assert_eq!(run.greeting()["data_dir"], json!(new));
    assert_eq!(run.greeting()["http"], json!(other.to_string()));
    assert!(listens(&run, &elsewhere) && !listens(&run, &listen), "{}", run.greeting());
    assert_eq!(name(&run), "minh");
    assert_eq!((run.code_under("flag.example"), run.code_under("xom.example")), (200, 421));
    run.end();
    let refused = Run::refused(&["--data-dir", path(&new)], &variables);
    assert!(refused.contains("belongs to network second, not to trial"), "{refused}");
}

#[test]
fn each_key_of_the_settings_file_works_and_variables_win() {
    let (folder, data) = place();
    let (http, other) = (free_address(), free_address());
    let (listen, peer) =
        (tcp(free_address().port()), format!("{}/p2p/12D3KooWGjMCmQmnpRCKVzdDGBHjwrqjFqjYvUvZFwNqWwUCCpHR", tcp(1)));
    let file = folder.path().join("xom.toml");
    let text = format!(
        "http = \"{http}\"\nhosts = [\"file.example\"]\nlisten = [\"{listen}\"]\nbootstrap = [\"{peer}\"]\n\
         network = \"trial\"\nname = \"lan\"\n"
    );
    fs::write(&file, &text).expect("a file");
    let at = ["--data-dir", path(&data)];
    let named = [("XOM_CONFIG", path(&file))];
    let run = Run::start(&at, &named);
    assert_eq!(run.greeting()["http"], json!(http.to_string()));
    assert!(listens(&run, &listen), "{}", run.greeting());
    assert_eq!(name(&run), "lan");
    assert_eq!((run.code_under("file.example"), run.code_under("variable.example")), (200, 421));
    assert!(run.get("/api/xom/v1/peers").to_string().contains("12D3KooWGjMCmQmnpRCKVzdDGBHjwrqjFqjYvUvZFwNqWwUCCpHR"));
    run.end();

    let variables = [
        ("XOM_CONFIG", path(&file)),
        ("XOM_HTTP", &other.to_string()),
        ("XOM_HOSTS", "variable.example"),
        ("XOM_LISTEN", "/ip4/127.0.0.1/tcp/0"),
        ("XOM_NAME", "minh"),
    ];
    let second = folder.path().join("second");
    let run = Run::start(&["--data-dir", path(&second)], &variables);
    assert_eq!((&run.greeting()["http"], name(&run)), (&json!(other.to_string()), json!("minh")));
    assert!(!listens(&run, &listen));
    assert_eq!((run.code_under("file.example"), run.code_under("variable.example")), (421, 200));
    run.end();

    // The folder's own file is read where none is named; a flag names another one than the variable.
    fs::write(data.join("config.toml"), text.replace(&http.to_string(), &other.to_string())).expect("a file");
    let run = Run::start(&at, &[]);
    assert_eq!(run.greeting()["http"], json!(other.to_string()));
    run.end();
    let broken = folder.path().join("broken.toml");
    fs::write(&broken, "name = \"lan\"\nhtpp = \"x\"\n").expect("a file");
    let refused = Run::refused(&[&at[..], &["--config", path(&broken)]].concat(), &named);
    assert!(refused.contains("broken.toml, line 2"), "{refused}");
    let refused = Run::refused(&at, &[("XOM_CONFIG", path(&broken))]);
    assert!(refused.contains("broken.toml, line 2"), "{refused}");
}

#[test]
fn the_data_folder_is_the_users_where_nothing_names_one_and_a_variable_that_is_wrong_is_named() {
    let (folder, _) = place();
    let quiet = ["--http", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0"];
    let home = folder.path().join("home");
    let run = Run::start(&quiet, &[("HOME", path(&home))]);
    assert_eq!(run.greeting()["data_dir"], json!(home.join(".local/share/xom")));
    run.end();
    let xdg = folder.path().join("xdg");
    let run = Run::start(&quiet, &[("HOME", path(&home)), ("XDG_DATA_HOME", path(&xdg))]);
    assert_eq!(run.greeting()["data_dir"], json!(xdg.join("xom")));
    run.end();
    for name in ["XOM_HTTP", "XOM_LISTEN", "XOM_BOOTSTRAP", "XOM_NETWORK", "XOM_UPLOAD", "XOM_DOWNLOAD", "XOM_METRICS"]
    {
        let refused = Run::refused(&[], &[("HOME", path(&home)), (name, "not this!")]);
        assert!(refused.contains(&format!("environment variable {name}")), "{refused}");
    }
}
