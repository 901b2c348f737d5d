//! The first run: on a terminal, without one, and the words confirmed afterwards.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::json;
use xom_tests::Home;
use xom_tests::home::text;
use xom_tests::terminal::Terminal;

fn keys(home: &Home) -> PathBuf {
    home.data_dir().join("identities").join("user")
}

fn files(home: &Home) -> Vec<String> {
    let files = std::fs::read_dir(keys(home)).expect("a folder of keys");
    let mut names: Vec<_> =
        files.map(|file| file.expect("a file").file_name().into_string().expect("a name")).collect();
    names.sort();
    names
}

/// The words between two texts on a screen: every second piece, after its number.
fn words_of(screen: &str) -> Vec<String> {
    let pieces: Vec<&str> = screen.split_whitespace().collect();
    let numbered = pieces.windows(2).filter(|pair| pair[0].parse::<usize>().is_ok());
    numbered.map(|pair| pair[1].to_owned()).filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())).collect()
}

/// Answers the three questions; `change` may spoil an answer.
fn answer(terminal: &mut Terminal, words: &[String], change: impl Fn(&str) -> String) {
    for _ in 0..3 {
        terminal.read_to("Word number ");
        let place = terminal.read_to(" (empty: later): ");
        let place: usize = place.split_whitespace().next().expect("a number").parse().expect("a number");
        terminal.type_line(&change(&words[place - 1]));
    }
}

fn shown(terminal: &mut Terminal) -> Vec<String> {
    terminal.read_to("They are shown only now.");
    let words = words_of(&terminal.read_to("Press Enter"));
    assert_eq!(words.len(), 24, "{words:?}");
    words
}

#[test]
fn xom_init_for_the_terminal_shows_the_phrase_once_and_asks_for_three_of_its_words_back() {
    let home = Home::new("user");
    let mut terminal = Terminal::run(&home, "init --name user");
    let words = shown(&mut terminal);
    assert_eq!(words.join(" "), std::fs::read_to_string(keys(&home).join("phrase")).expect("the phrase").trim());
    terminal.type_line("");
    answer(&mut terminal, &words, |word| format!("{word}x"));
    terminal.read_to("A passphrase to seal the control key with");
    terminal.type_line("correct horse battery");
    terminal.read_to("The same again: ");
    terminal.type_line("correct horse battery");
    terminal.read_to("these are not the words that were asked for");
    answer(&mut terminal, &words, str::to_uppercase);
    let (rest, done) = terminal.end();
    assert!(done, "{rest}");
    assert!(!rest.contains("correct horse") && rest.contains("The control key is sealed."), "{rest}");
    assert_eq!(files(&home), ["control.sealed", "device.key"]);

    let again = Terminal::run(&home, "init");
    let (rest, done) = again.end();
    assert!(done && !rest.contains("24 words"), "the words are shown again: {rest}");
}

#[test]
fn can_be_postponed_with_a_reminder_that_stays() {
    let mut home = Home::new("user");
    let mut terminal = Terminal::run(&home, "init --name user");
    shown(&mut terminal);
    terminal.type_line("");
    terminal.read_to(" (empty: later): ");
    terminal.type_line("");
    let (rest, done) = terminal.end();
    assert!(done && rest.contains("The words are not confirmed yet"), "{rest}");
    home.start();
    for _ in 0..2 {
        let warnings = home.xom(&["status"])["warnings"].to_string();
        assert!(warnings.contains("the 24 words of user are not confirmed"), "{warnings}");
        home.stop();
        home.start();
    }
    let mut terminal = Terminal::run(&home, "phrase confirm");
    let words = words_of(
        &home.xom(&["phrase", "show"])["words"]
            .as_array()
            .expect("words")
            .iter()
            .enumerate()
            .fold(String::new(), |all, (index, word)| format!("{all} {} {}", index + 1, text(word))),
    );
    answer(&mut terminal, &words, str::to_owned);
    terminal.read_to("A passphrase to seal the control key with");
    terminal.type_line("");
    let (rest, done) = terminal.end();
    assert!(done && rest.contains("The words are confirmed."), "{rest}");
    assert_eq!(home.xom(&["status"])["warnings"], json!([]));
    assert_eq!(files(&home), ["device.key"]);
}

#[test]
fn xom_run_without_a_terminal_never_asks_and_never_waits() {
    let home = Home::started("user");
    assert_eq!(files(&home), ["control.key", "device.key", "phrase"]);
    for name in files(&home) {
        let mode = std::fs::metadata(keys(&home).join(&name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    home.publish("before the words are confirmed");
    let warnings = home.xom(&["status"])["warnings"].to_string();
    assert!(warnings.contains("not confirmed and lie unsealed"), "{warnings}");

    let (words, passphrase) = (home.scratch().join("words"), home.scratch().join("passphrase"));
    let shown = home.xom(&["phrase", "show"]);
    let all: Vec<String> = shown["words"].as_array().expect("words").iter().map(text).collect();
    std::fs::write(&words, all.join("\n")).expect("writable");
    std::fs::write(&passphrase, "correct horse battery\n").expect("writable");
    let [words, passphrase] = [words, passphrase].map(|path| path.display().to_string());
    let state = home.xom(&["phrase", "confirm", "--words-file", &words, "--passphrase-file", &passphrase]);
    assert_eq!((&state["phrase"], &state["control_key"]), (&json!("absent"), &json!("sealed")));
    assert_eq!(files(&home), ["control.sealed", "device.key"]);
    let erased = home.publish("to be purged");
    let refused = home.run(&["erase", &erased, "--now"]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("the control key is sealed; give its passphrase, or the 24 words"), "{stderr}");
    home.xom(&["erase", &erased, "--now", "--passphrase-file", &passphrase]);
    let erased = home.publish("to be purged by the words");
    home.xom(&["erase", &erased, "--now", "--words-file", &words]);
}

#[test]
fn xom_init_in_a_script_asks_nothing_and_seals_with_a_passphrase_file() {
    let mut home = Home::new("user");
    let passphrase = home.scratch().join("passphrase");
    std::fs::write(&passphrase, "correct horse battery").expect("writable");
    let passphrase = passphrase.display().to_string();
    let made = home.xom(&["init", "--name", "user", "--passphrase-file", &passphrase, "--postpone"]);
    assert_eq!((&made["phrase"], &made["control_key"]), (&json!("postponed"), &json!("sealed")));
    assert_eq!(files(&home), ["control.sealed", "device.key", "phrase", "postponed"]);
    let again = home.xom(&["init", "--passphrase-file", &passphrase]);
    assert_eq!(again["did"], made["did"]);
    home.start();
    assert_eq!(home.did(), text(&made["did"]));
}
