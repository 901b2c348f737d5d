//! `xom post` and `xom reply`.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use xom_protocol::limits::BLOB_BYTES_MAX;

use super::super::client::Upload;
use super::super::{Call, CliError, Client, card};

/// Publish a post.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom post \"Xin chào xóm!\" --lang vi\n  \
    xom post \"Our cat\" --media cat.jpg --alt \"A grey cat asleep\"\n  date | xom post -")]
pub struct Args {
    /// The text; "-" reads it from stdin
    text: String,
    #[command(flatten)]
    options: Options,
    /// Answer this status
    #[arg(long, value_name = "STATUS")]
    reply_to: Option<String>,
}

/// Answer a status.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom reply 115012345678901234 \"Chào Lan!\"")]
pub struct ReplyArgs {
    /// A Mastodon id, an entry id or its unique prefix
    status: String,
    /// The text; "-" reads it from stdin
    text: String,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, clap::Args)]
struct Options {
    /// A content warning: the text is hidden behind it
    #[arg(long, value_name = "TEXT")]
    warning: Option<String>,
    /// The language, as a BCP 47 tag
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// A file to attach; may be given several times
    #[arg(long, value_name = "FILE")]
    media: Vec<PathBuf>,
    /// The description of the media, in their order
    #[arg(long, value_name = "TEXT")]
    alt: Vec<String>,
    /// Keep it out of public and tag timelines
    #[arg(long)]
    unlisted: bool,
}

impl Args {
    /// Publishes.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        publish(call, &self.text, &self.options, self.reply_to.as_deref())
    }
}

impl ReplyArgs {
    /// Publishes an answer.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        publish(call, &self.text, &self.options, Some(&self.status))
    }
}

fn publish(call: &Call, text: &str, options: &Options, reply_to: Option<&str>) -> Result<(), CliError> {
    if options.alt.len() > options.media.len() {
        return Err(CliError::Usage("there are more --alt than --media".to_owned()));
    }
    let text = if text == "-" { read_stdin()? } else { text.to_owned() };
    let client = call.client()?;
    let mut body = Map::new();
    body.insert("status".to_owned(), json!(text));
    if let Some(parent) = reply_to {
        body.insert("in_reply_to_id".to_owned(), json!(client.find_status(parent)?));
    }
    if let Some(warning) = &options.warning {
        body.insert("spoiler_text".to_owned(), json!(warning));
    }
    if let Some(language) = &options.lang {
        body.insert("language".to_owned(), json!(language));
    }
    let visibility = if options.unlisted { "unlisted" } else { "public" };
    body.insert("visibility".to_owned(), json!(visibility));
    let media: Vec<Value> = options
        .media
        .iter()
        .enumerate()
        .map(|(place, path)| upload(&client, path, options.alt.get(place).map(String::as_str)))
        .collect::<Result<_, _>>()?;
    if !media.is_empty() {
        body.insert("media_ids".to_owned(), Value::Array(media));
    }
    let status = client.post("/api/v1/statuses", &Value::Object(body))?;
    call.output.show(&status, |output| card::status(output, &status))
}

/// Uploads a file and answers with its media id.
fn upload(client: &Client, path: &Path, alt: Option<&str>) -> Result<Value, CliError> {
    let file = read_upload("file", path)?;
    let fields: Vec<(String, String)> = alt.map(|alt| ("description".to_owned(), alt.to_owned())).into_iter().collect();
    let media = client.post_form("/api/v2/media", &fields, vec![file])?;
    media.get("id").cloned().ok_or_else(|| CliError::Failed("the node gave no id for the upload".to_owned()))
}

/// A file to be sent in a form field.
pub(super) fn read_upload<'a>(field: &'a str, path: &Path) -> Result<Upload<'a>, CliError> {
    let failed = |cause| CliError::file(path, cause);
    let mut file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let mut bytes = metadata.len();
    if !metadata.is_file() {
        // A pipe has no length before its end.
        let mut kept = tempfile::tempfile().map_err(failed)?;
        bytes = io::copy(&mut file.take(BLOB_BYTES_MAX + 1), &mut kept).map_err(failed)?;
        kept.rewind().map_err(failed)?;
        file = kept;
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Upload { field, name, file, bytes })
}

fn read_stdin() -> Result<String, CliError> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|cause| CliError::file(Path::new("stdin"), cause))?;
    Ok(text.trim_end().to_owned())
}
