//! Secrets that commands need: read from files, or typed on a terminal without being shown. Never from
//! arguments or variables, which other users of the machine can see (R-API-10).

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::output::complain;
use super::{CliError, Client};

/// Longest file with a secret that is read, bytes.
const SECRET_BYTES_MAX: u64 = 4_096;

/// What a command takes that has something signed by the control key.
#[derive(Debug, Default, clap::Args)]
pub(super) struct ControlArgs {
    /// The file with the passphrase that the control key is sealed with; without it, the terminal asks
    #[arg(long, value_name = "FILE", conflicts_with = "words_file")]
    passphrase_file: Option<PathBuf>,
    /// The file with the 24 words
    #[arg(long, value_name = "FILE")]
    words_file: Option<PathBuf>,
}

impl ControlArgs {
    /// The words of the file that was named.
    pub(super) fn words(&self) -> Result<Option<Zeroizing<String>>, CliError> {
        self.words_file.as_deref().map(read).transpose()
    }

    /// Sends `body` with what opens the control key. Where nothing was named and the key is closed, asks on
    /// the terminal for what the node wants.
    pub(super) fn post(&self, client: &Client, path: &str, body: Value) -> Result<Value, CliError> {
        Opener::of(self)?.post(client, path, body)
    }
}

/// What opens the control key, for several requests: it is asked for once.
pub(super) struct Opener {
    secret: Option<(&'static str, Zeroizing<String>)>,
}

impl Opener {
    /// Reads the file that was named, if one was.
    pub(super) fn of(args: &ControlArgs) -> Result<Self, CliError> {
        let secret = match (&args.passphrase_file, &args.words_file) {
            (Some(file), _) => Some(("passphrase", read(file)?)),
            (_, Some(file)) => Some(("words", read(file)?)),
            _ => None,
        };
        Ok(Self { secret })
    }

    /// Sends `body`; see [`ControlArgs::post`].
    pub(super) fn post(&mut self, client: &Client, path: &str, body: Value) -> Result<Value, CliError> {
        if let Some((name, secret)) = &self.secret {
            return send(client, path, body, name, secret);
        }
        match client.post(path, &body) {
            Err(CliError::KeyClosed { code, said }) if is_interactive() => {
                let (name, prompt) = match code.as_str() {
                    "control-key-sealed" => ("passphrase", "Passphrase: "),
                    "words-needed" => ("words", "The 24 words: "),
                    _ => return Err(CliError::KeyClosed { code, said }),
                };
                let (name, secret) = self.secret.insert((name, ask(prompt)?));
                send(client, path, body, name, secret)
            }
            answered => answered,
        }
    }
}

/// The secret in a file, without the white space around it.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let mut text = Zeroizing::new(String::new());
    let file = File::open(path).map_err(|cause| CliError::file(path, cause))?;
    file.take(SECRET_BYTES_MAX).read_to_string(&mut text).map_err(|cause| CliError::file(path, cause))?;
    let secret = Zeroizing::new(text.trim().to_owned());
    if secret.is_empty() {
        return Err(CliError::file(path, io::Error::new(io::ErrorKind::InvalidData, "is empty")));
    }
    Ok(secret)
}

/// Asks on the terminal, without showing what is typed.
pub(super) fn ask(prompt: &str) -> Result<Zeroizing<String>, CliError> {
    let typed = rpassword::prompt_password(prompt);
    typed.map(Zeroizing::new).map_err(|error| CliError::Failed(format!("can't ask on the terminal: {error}")))
}

/// Asks for a new passphrase, twice; none where it is left empty.
pub(super) fn ask_new(prompt: &str) -> Result<Option<Zeroizing<String>>, CliError> {
    loop {
        let typed = ask(prompt)?;
        if typed.trim().is_empty() {
            return Ok(None);
        }
        if *ask("The same again: ")? == *typed {
            return Ok(Some(typed));
        }
        complain("the two are not the same; try again");
    }
}

/// True if somebody can be asked.
pub(super) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn send(client: &Client, path: &str, mut body: Value, name: &str, secret: &str) -> Result<Value, CliError> {
    body[name] = json!(secret);
    client.post(path, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_file_is_read_without_the_white_space_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "  correct horse\n").unwrap();
        assert_eq!(*read(&path).unwrap(), "correct horse");
        std::fs::write(&path, "\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().ends_with("is empty"));
        assert!(read(&folder.path().join("none")).is_err());
    }
}
