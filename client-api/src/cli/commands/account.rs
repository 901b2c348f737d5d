//! `xom account`: the people of this node.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::secret::{ask_new, is_interactive, read};
use super::super::{Call, CliError, Client, card};
use crate::people::Role;

/// The people of this node: add somebody, list them, give a password or a role, close an account.
///
/// Everybody has an identity and a password, and logs in on the page and in apps by name.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom account add minh\n  xom account list")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make an identity for somebody, with a password to log in
    #[command(after_help = "Example:\n  xom account add minh --role moderator")]
    Add {
        /// The user name: 1 to 30 of a-z, 0-9 and _
        #[arg(value_name = "NAME")]
        name: String,
        /// owner, moderator or member
        #[arg(long, default_value = "member")]
        role: Role,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Show everybody: roles, and who can log in
    #[command(after_help = "Example:\n  xom account list --json")]
    List,
    /// Close an account: nobody logs in any more; what was written stays, and so do the keys
    #[command(after_help = "Example:\n  xom account remove minh")]
    Remove {
        /// The user name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Give somebody another password; it opens a closed account too
    #[command(after_help = "Example:\n  xom account password lan --password-file password.txt")]
    Password {
        /// The user name
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Let somebody do more, or less
    #[command(after_help = "Example:\n  xom account role minh moderator")]
    Role {
        /// The user name
        #[arg(value_name = "NAME")]
        name: String,
        /// owner, moderator or member
        role: Role,
    },
    /// Make a code with which one person may register, where the setting `registration` is `invite`
    #[command(after_help = "Example:\n  xom account invite")]
    Invite,
}

#[derive(Debug, clap::Args)]
struct PasswordArgs {
    /// The file with the password; without it the terminal asks, and an empty answer has one made and shown once
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PasswordArgs {
    /// Sends `body` with the password; without one the node makes it.
    fn post(&self, client: &Client, path: &str, mut body: Value) -> Result<Value, CliError> {
        let password = match &self.password_file {
            Some(file) => Some(read(file)?),
            None if is_interactive() => ask_new("Password (empty: one is made): ")?,
            None => None,
        };
        if let Some(password) = password {
            body["password"] = json!(password.as_str());
        }
        client.post(path, &body)
    }
}

impl Args {
    /// Does what is asked.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        let path = |name: &str, rest: &str| format!("/api/xom/v1/accounts/{}{rest}", card::segment(name));
        match &self.command {
            Command::Add { name, role, password } => {
                let body = json!({ "username": name, "role": role.name() });
                let added = password.post(&client, "/api/xom/v1/accounts", body)?;
                call.output.show(&added, |_| with_password(&added, &format!("@{name} lives on this node now.")))
            }
            Command::List => {
                let people = client.get("/api/xom/v1/accounts", &[])?;
                call.output.show(&people, |_| {
                    people.as_array().map_or(&[][..], Vec::as_slice).iter().map(one).collect::<Vec<_>>().join("\n")
                })
            }
            Command::Remove { name } => {
                let closed = client.delete(&path(name, "")).map_err(|error| unknown(error, name))?;
                call.output.show(&closed, |_| format!("Nobody logs in as @{name} any more."))
            }
            Command::Password { name, password } => {
                let set = password.post(&client, &path(name, "/password"), json!({}));
                let set = set.map_err(|error| unknown(error, name))?;
                let said = format!("@{name} has another password; who had logged in by the old one is logged out.");
                call.output.show(&set, |_| with_password(&set, &said))
            }
            Command::Role { name, role } => {
                let set = client.post(&path(name, "/role"), &json!({ "role": role.name() }));
                let set = set.map_err(|error| unknown(error, name))?;
                call.output.show(&set, |_| format!("@{name} is {role} now."))
            }
            Command::Invite => {
                let code = client.post("/api/xom/v1/accounts/codes", &json!({}))?;
                let said = "is good once, for 7 days; who registers gives it as invite_code.";
                call.output.show(&code, |_| format!("{} {said}", card::text(&code, "code")))
            }
        }
    }
}

fn with_password(answer: &Value, said: &str) -> String {
    match card::text(answer, "password").as_str() {
        "" => said.to_owned(),
        password => format!("{said}\nThe password, shown this once: {password}"),
    }
}

fn one(person: &Value) -> String {
    let is = |name: &str| person[name].as_bool().unwrap_or(false);
    let login = match (is("closed"), is("has_password")) {
        (true, _) => "closed",
        (false, true) => "logs in by password",
        (false, false) => "no password",
    };
    format!(
        "@{}  {}  {login}  {}",
        card::text(person, "username"),
        card::text(person, "role"),
        card::text(person, "did")
    )
}

fn unknown(error: CliError, name: &str) -> CliError {
    match error {
        CliError::NotFound(_) => CliError::NotFound(format!("nobody called {name} lives on this node")),
        other => other,
    }
}
