//! The first run on a terminal: shows the 24 words, asks for three of them back, and for a passphrase.
//!
//! Words go to the terminal alone, never to stdout, which may be a file, and the screen is cleared before
//! they are asked for.

use std::io::{self, Write};

use zeroize::Zeroizing;

use super::{CliError, secret};

/// How often words may be wrong before it is left for later.
const TRIES: usize = 3;
/// Words on a line.
const COLUMNS: usize = 4;
/// Clears the screen and what can be scrolled back to.
const CLEAR: &str = "\u{1b}[2J\u{1b}[3J\u{1b}[H";

/// How a confirmation on the terminal ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The words are confirmed.
    Confirmed,
    /// It is left for later.
    Postponed,
}

/// What was asked for and what the owner typed.
pub(super) struct Typed {
    /// The three words.
    pub(super) answers: Vec<Zeroizing<String>>,
    /// The passphrase that was chosen; none to keep the control key in the words alone.
    pub(super) passphrase: Option<Zeroizing<String>>,
}

/// Shows the words until Enter is pressed.
pub(super) fn show(words: &str) -> Result<(), CliError> {
    say(&format!(
        "These 24 words are your identity. Write them down on paper, in this order, and keep them where nobody\n\
         else finds them: they bring everything back when this machine is gone. They are shown only now.\n\n{}\n\
         Press Enter when you have written them down.",
        grid(words).as_str()
    ))?;
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(|error| failed(&error))?;
    say(CLEAR)
}

/// Asks for words until they are right; `asked` names the places and `confirm` takes the answers. Left empty, it
/// is for later. A passphrase is asked for once, unless it is `chosen` already, be it none.
pub(super) fn confirm(
    mut chosen: Option<Option<Zeroizing<String>>>,
    mut asked: impl FnMut() -> Result<Vec<usize>, CliError>,
    mut confirm: impl FnMut(Typed) -> Result<(), CliError>,
) -> Result<Ended, CliError> {
    for _ in 0..TRIES {
        let mut answers = Vec::new();
        for place in asked()? {
            let word = secret::ask(&format!("Word number {place} (empty: later): "))?;
            if word.trim().is_empty() {
                return Ok(Ended::Postponed);
            }
            answers.push(word);
        }
        let passphrase = match &chosen {
            Some(passphrase) => passphrase.clone(),
            None => secret::ask_new(
                "A passphrase to seal the control key with (empty: keep it nowhere but in the words): ",
            )?,
        };
        match confirm(Typed { answers, passphrase: passphrase.clone() }) {
            Ok(()) => return Ok(Ended::Confirmed),
            Err(CliError::KeyClosed { code, said }) if code == "passphrase-refused" => say(&format!("{said}.\n"))?,
            Err(CliError::KeyClosed { code, said }) if code == "wrong-words" => {
                chosen = Some(passphrase);
                say(&format!("{said}.\n"))?;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(Ended::Postponed)
}

/// The words with their numbers, in columns.
pub(super) fn grid(words: &str) -> Zeroizing<String> {
    let mut grid = Zeroizing::new(String::with_capacity(1_024));
    for (index, word) in words.split(' ').enumerate() {
        let end = if (index + 1) % COLUMNS == 0 { "\n" } else { "" };
        grid.push_str(&format!("{:>4} {word:<10}{end}", index + 1));
    }
    grid
}

/// Writes to the terminal.
pub(super) fn say(text: &str) -> Result<(), CliError> {
    let mut terminal = io::stderr().lock();
    writeln!(terminal, "{text}").map_err(|error| failed(&error))
}

fn failed(error: &io::Error) -> CliError {
    CliError::Failed(format!("can't use the terminal: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_shown_with_their_numbers_in_order() {
        let words: Vec<String> = (1..=24).map(|number| format!("w{number}")).collect();
        let grid = grid(&words.join(" "));
        assert_eq!(grid.lines().count(), 6);
        assert!(grid.lines().nth(5).is_some_and(|line| line.contains("24 w24")), "{}", *grid);
        assert_eq!(grid.split_whitespace().count(), 48);
    }
}
