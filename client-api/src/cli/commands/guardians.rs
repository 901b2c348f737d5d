//! `xom guardians`: who can bring the own identity back, and whom one helps to.

use clap::Subcommand;
use serde_json::{Value, json};

use super::super::secret::ControlArgs;
use super::super::{Call, CliError, Output, card, printable_line};
use super::identity::{WordsArgs, kept};

/// Guardians: people who together can bring an identity back whose owner lost all devices and words.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  xom guardians set alice@….xom bob@….xom did:xom:… --need 2\n  xom guardians requests\n  \
    xom guardians approve abcd-efgh-ijkl-mnop"
)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Name the guardians, by the 24 words; they replace those before
    #[command(after_help = "Example:\n  xom guardians set alice@….xom bob@….xom did:xom:… --need 2")]
    Set(SetArgs),
    /// Have no guardians any more, by the 24 words
    #[command(after_help = "Example:\n  xom guardians clear --words-file words.txt")]
    Clear(WordsArgs),
    /// Who they are, as far as this node knows, and whether a recovery goes on
    #[command(after_help = "Example:\n  xom guardians show")]
    Show,
    /// The recoveries that you were asked for as a guardian
    #[command(after_help = "Example:\n  xom guardians requests")]
    Requests,
    /// Approve a request, by your control key: once for its start, once more when the delay is over
    ///
    /// Speak with the one who asks first, by voice, and compare the code. Whoever you approve gets the
    /// account.
    #[command(after_help = "Example:\n  xom guardians approve abcd-efgh-ijkl-mnop")]
    Approve(ApproveArgs),
    /// Refuse a request
    #[command(after_help = "Example:\n  xom guardians refuse abcd-efgh-ijkl-mnop")]
    Refuse {
        /// The code of the request
        code: String,
    },
}

#[derive(Debug, clap::Args)]
struct SetArgs {
    /// DIDs or names such as lan@….xom
    #[arg(required = true, num_args = 1..=16)]
    accounts: Vec<String>,
    /// How many of them can recover the identity [default: more than half]
    #[arg(long, value_name = "NUMBER")]
    need: Option<u64>,
    #[command(flatten)]
    words: WordsArgs,
}

#[derive(Debug, clap::Args)]
struct ApproveArgs {
    /// The code of the request, after you have compared it by voice
    code: String,
    #[command(flatten)]
    control: ControlArgs,
}

impl Args {
    /// Carries the command out.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        match &self.command {
            Command::Set(args) => {
                let body = json!({ "accounts": args.accounts, "need": args.need });
                let answer = args.words.post(&client, "/api/xom/v1/guardians", body)?;
                call.output.show(&answer, |_| {
                    let (need, count) = (card::number(&answer, "need"), card::list(&answer, "guardians").len());
                    let key = kept(&card::text(&answer, "control_key"));
                    format!("{need} of {count} guardians can bring this identity back. Tell them. {key}")
                })
            }
            Command::Clear(words) => {
                let answer = words.post(&client, "/api/xom/v1/guardians", json!({ "accounts": [] }))?;
                call.output.show(&answer, |_| "This identity has no guardians any more.".to_owned())
            }
            Command::Show => {
                let guardians = client.get("/api/xom/v1/guardians", &[])?;
                let own = client.get("/api/xom/v1/recoveries", &[])?["own"].clone();
                let answer = json!({ "guardians": guardians, "recovery": own });
                call.output.show(&answer, |output| show(output, &guardians, &own))
            }
            Command::Requests => {
                let answer = client.get("/api/xom/v1/recoveries", &[])?["requests"].clone();
                call.output.show(&answer, |output| requests(output, &answer))
            }
            Command::Approve(args) => {
                let path = format!("/api/xom/v1/recoveries/{}/approve", code(&args.code)?);
                let answer = args.control.post(&client, &path, json!({}))?;
                call.output.show(&answer, |_| match card::text(&answer, "state").as_str() {
                    "finish-approved" => {
                        "Approved for good. Once enough guardians have, the account is back.".to_owned()
                    }
                    _ => "Approved. Once enough guardians have, the recovery starts; approve again after the delay."
                        .to_owned(),
                })
            }
            Command::Refuse { code: text } => {
                let answer = client.post(&format!("/api/xom/v1/recoveries/{}/refuse", code(text)?), &json!({}))?;
                call.output.show(&answer, |_| "Refused.".to_owned())
            }
        }
    }
}

/// A code as it stands in a path.
fn code(text: &str) -> Result<String, CliError> {
    let code = text.trim().to_lowercase();
    let is_code = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_code { Ok(code) } else { Err(CliError::Usage(format!("{text:?} is not a code such as abcd-efgh-ijkl-mnop"))) }
}

fn show(output: &Output, guardians: &Value, own: &Value) -> String {
    let mut rows = Vec::new();
    if guardians.is_null() {
        rows.push(("guardians", "none; name some with `xom guardians set`".to_owned()));
    } else {
        let (need, count) = (card::number(guardians, "need"), card::number(guardians, "count"));
        rows.push(("guardians", format!("{need} of {count} can bring this identity back")));
        for guardian in card::list(guardians, "known") {
            let name = guardian["account"]["acct"].as_str().unwrap_or_default();
            rows.push(("known here", printable_line(&format!("{name} {}", card::text(guardian, "did")))));
        }
    }
    if !own.is_null() {
        let state = match (own["finished"] == true, own["postponed"] == true) {
            (true, _) => "finished",
            (false, true) => "goes on; the guardians were asked to wait once more",
            (false, false) => "goes on! Is it you? `xom identity postpone-recovery` or `cancel-recovery` if not",
        };
        rows.push(("recovery", format!("{}: {state}", card::text(own, "code"))));
    }
    output.table(&rows)
}

fn requests(output: &Output, list: &Value) -> String {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        return "Nobody has asked.".to_owned();
    }
    let rows: Vec<(&str, String)> = list
        .iter()
        .flat_map(|request| {
            let text = |name: &str| printable_line(&card::text(request, name));
            [("account", text("account")), ("code", text("code")), ("state", text("state"))]
        })
        .collect();
    output.table(&rows) + "\nApprove only whom you have spoken with, and whose code is the same."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_letters_digits_and_hyphens_in_any_case() {
        assert_eq!(code(" ABCD-efgh-IJ23-mnop ").unwrap(), "abcd-efgh-ij23-mnop");
        for bad in ["", "a/b", "../x", "a b"] {
            assert!(code(bad).is_err(), "{bad}");
        }
    }
}
