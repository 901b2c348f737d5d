//! `xom profile show` and `xom profile set`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::Value;

use super::super::output::Style;
use super::super::{Call, CliError, Output, card};
use super::post::read_upload;

/// Show or change the profile.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom profile set --name \"Lan\" --bio \"Gardener\" --avatar me.jpg")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the own profile
    #[command(after_help = "Example:\n  xom profile show")]
    Show,
    /// Change what is given, leave the rest
    Set(SetArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom profile set --name \"Lan\" --field \"Garden=https://example.org\"")]
struct SetArgs {
    /// The display name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The biography
    #[arg(long, value_name = "TEXT")]
    bio: Option<String>,
    /// A picture
    #[arg(long, value_name = "FILE")]
    avatar: Option<PathBuf>,
    /// A wide picture
    #[arg(long, value_name = "FILE")]
    header: Option<PathBuf>,
    /// A free field; may be given several times, replaces all fields
    #[arg(long, value_name = "NAME=VALUE")]
    field: Vec<String>,
}

impl Args {
    /// Shows or changes.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        let account = match &self.action {
            Action::Show => client.get("/api/v1/accounts/verify_credentials", &[])?,
            Action::Set(args) => {
                let fields = args.fields()?;
                let mut files = Vec::new();
                for (name, path) in [("avatar", &args.avatar), ("header", &args.header)] {
                    files.extend(path.as_deref().map(|path| read_upload(name, path)).transpose()?);
                }
                if fields.is_empty() && files.is_empty() {
                    return Err(CliError::Usage("nothing to set; see `xom profile set --help`".to_owned()));
                }
                client.patch_form("/api/v1/accounts/update_credentials", &fields, files)?
            }
        };
        call.output.show(&account, |output| show(output, &account))
    }
}

impl SetArgs {
    fn fields(&self) -> Result<Vec<(String, String)>, CliError> {
        let mut fields = Vec::new();
        fields.extend(self.name.clone().map(|name| ("display_name".to_owned(), name)));
        fields.extend(self.bio.clone().map(|bio| ("note".to_owned(), bio)));
        for (place, field) in self.field.iter().enumerate() {
            let (name, value) =
                field.split_once('=').ok_or_else(|| CliError::Usage(format!("--field {field:?} is not NAME=VALUE")))?;
            fields.push((format!("fields_attributes[{place}][name]"), name.to_owned()));
            fields.push((format!("fields_attributes[{place}][value]"), value.to_owned()));
        }
        Ok(fields)
    }
}

fn show(output: &Output, account: &Value) -> String {
    let plain = |value: &Value, name: &str| card::plain(value.get(name).and_then(Value::as_str).unwrap_or_default());
    let mut text = format!("{}\n", card::account(output, account));
    let bio = plain(account, "note");
    if !bio.trim().is_empty() {
        text.push_str(&format!("{}\n", bio.trim()));
    }
    for field in card::list(account, "fields") {
        let name = output.paint(Style::Dim, &card::text(field, "name"));
        text.push_str(&format!("{name}  {}\n", plain(field, "value").trim()));
    }
    let [posts, following, followers] =
        ["statuses_count", "following_count", "followers_count"].map(|name| card::number(account, name));
    let counts = format!("posts {posts}  following {following}  followers {followers}");
    text + &output.paint(Style::Dim, &counts)
}
