//! `xom keep`: copies that this node holds for others.

use clap::Subcommand;
use serde_json::{Value, json};

use super::super::{Call, CliError, Output, card, printable_line};
use super::status::bytes;
use super::timeline::path_segment;
use crate::settings::{Size, Span};

/// Keep copies of what others post, so that it can be had while their own machines are off.
///
/// This node then fetches everything of theirs, serves it to whoever follows them, and to themselves if they
/// lose their machine. It shows nothing of it in your timeline. Others can find out that you keep them, unless
/// you say --quiet.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Example:\n  xom keep did:xom:…\n  xom keep 'xom:did:xom:…?a=…' --quota 500MB --for 6mo\n  xom keep \
    list\n  xom keep end did:xom:…"
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// A DID, an invite, or a name such as lan@….xom
    who: Option<String>,
    #[command(flatten)]
    terms: TermsArgs,
    /// Don't state it in the table by which nodes find each other
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Whom this node keeps, and how much of them it holds
    #[command(after_help = "Example:\n  xom keep list --json")]
    List,
    /// Let somebody be kept who asks for it, on these terms at most
    ///
    /// What you say is kept in keep-policy.json in the data folder, which you may edit too.
    #[command(after_help = "Example:\n  xom keep allow did:xom:… --quota 500MB")]
    Allow(WhoArgs),
    /// Refuse somebody who asks to be kept, and end what he was granted
    #[command(after_help = "Example:\n  xom keep deny did:xom:…")]
    Deny {
        /// A DID, or a name such as lan@….xom
        who: String,
    },
    /// Who asks to be kept, and waits for you
    #[command(after_help = "Example:\n  xom keep requests")]
    Requests,
    /// Ask somebody to keep you; without anybody, see `xom copies`
    #[command(after_help = "Example:\n  xom keep ask 'xom:did:xom:…?a=…' --quota 2GB --for 1y")]
    Ask(WhoArgs),
    /// Stop keeping somebody, and give the space back unless you follow them
    #[command(after_help = "Example:\n  xom keep end did:xom:…")]
    End {
        /// A DID, or a name such as lan@….xom
        who: String,
    },
}

#[derive(Debug, clap::Args)]
struct WhoArgs {
    /// A DID, or a name such as lan@….xom
    who: String,
    #[command(flatten)]
    terms: TermsArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct TermsArgs {
    /// How much of the disk it may take [default: 2GB]
    #[arg(long, value_name = "SIZE")]
    quota: Option<Size>,
    /// For how long, such as 1y, 6mo or 30d [default: 1y]
    #[arg(long = "for", value_name = "TIME")]
    span: Option<Span>,
}

impl TermsArgs {
    /// The members of a request.
    pub(super) fn put_into(&self, body: &mut Value) {
        if let Some(Size(quota)) = self.quota {
            body["quota_bytes"] = quota.into();
        }
        if let Some(Span(for_ms)) = self.span {
            body["for_ms"] = for_ms.into();
        }
    }
}

impl Args {
    /// Carries the command out.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        match (&self.command, &self.who) {
            (Some(Command::List), _) => {
                let list = call.client()?.get("/api/xom/v1/keeps", &[])?;
                call.output.show(&list, |output| show(output, &list))
            }
            (Some(Command::End { who }), _) => {
                let path = format!("/api/xom/v1/keeps/{}", path_segment(who.trim()));
                let answer = call.client()?.delete(&path)?;
                call.output.show(&answer, |_| format!("You don't keep {} any more.", printable_line(who.trim())))
            }
            (Some(Command::Allow(args)), _) => {
                let mut body = json!({});
                args.terms.put_into(&mut body);
                let who = args.who.trim();
                let answer = call.client()?.post(&format!("/api/xom/v1/keeps/{}/allow", path_segment(who)), &body)?;
                call.output.show(&answer, |_| match answer["kept"] == true {
                    true => format!("You keep {} from now on.", printable_line(who)),
                    false => format!("{} is kept as soon as they ask for it.", printable_line(who)),
                })
            }
            (Some(Command::Deny { who }), _) => {
                let path = format!("/api/xom/v1/keeps/{}/deny", path_segment(who.trim()));
                let answer = call.client()?.post(&path, &json!({}))?;
                call.output.show(&answer, |_| format!("{} is refused.", printable_line(who.trim())))
            }
            (Some(Command::Requests), _) => {
                let list = call.client()?.get("/api/xom/v1/keeps/requests", &[])?;
                call.output.show(&list, |output| requests(output, &list))
            }
            (Some(Command::Ask(args)), _) => {
                let mut body = json!({ "who": args.who.trim() });
                args.terms.put_into(&mut body);
                let answer = call.client()?.post("/api/xom/v1/keepers", &body)?;
                call.output.show(&answer, |_| match card::text(&answer, "state").as_str() {
                    "kept" => "You are kept.".to_owned(),
                    "refused" => "They don't want to.".to_owned(),
                    "waiting" => "Asked; their owner decides. See `xom copies`.".to_owned(),
                    _ => "Asked as soon as a node of theirs is reached. See `xom copies`.".to_owned(),
                })
            }
            (None, Some(who)) => {
                let mut body = json!({ "who": who.trim(), "quiet": self.quiet });
                self.terms.put_into(&mut body);
                let answer = call.client()?.post("/api/xom/v1/keeps", &body)?;
                call.output.show(&answer, |_| {
                    let (did, until) = (card::text(&answer, "did"), card::text(&answer, "until"));
                    let quota = bytes(card::number(&answer, "quota_bytes"));
                    format!("You keep {did}: up to {quota}, until {until}. What they wrote comes as soon as a node that has it is reached.")
                })
            }
            (None, None) => Err(CliError::Usage("whom? Give a DID, an invite or a name".to_owned())),
        }
    }
}

fn requests(output: &Output, list: &Value) -> String {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        return "Nobody has asked.".to_owned();
    }
    let row = |wish: &Value| {
        let (quota, days) = (bytes(card::number(wish, "quota_bytes")), card::number(wish, "for_ms") / 86_400_000);
        ("wishes to be kept", printable_line(&format!("{}: {quota} for {days} days", card::text(wish, "did"))))
    };
    let rows: Vec<_> = list.iter().map(row).collect();
    output.table(&rows) + "\nAnswer with `xom keep allow` or `xom keep deny`."
}

fn show(output: &Output, list: &Value) -> String {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        return "You keep nobody. Begin with `xom keep <DID>`.".to_owned();
    }
    let mut rows = Vec::new();
    for item in list {
        let (held, quota) = (bytes(card::number(item, "bytes")), bytes(card::number(item, "quota_bytes")));
        let height = card::number(item, "height");
        rows.push(("identity", printable_line(&card::text(item, "did"))));
        rows.push((
            "log",
            match item["log"].as_str() {
                Some(log) => printable_line(&format!("{log}: {height} entries, {held} of {quota}")),
                None => format!("nothing has come yet, of at most {quota}"),
            },
        ));
        rows.push(("until", printable_line(&card::text(item, "until"))));
    }
    output.table(&rows)
}
