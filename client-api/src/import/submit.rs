//! Hands the posts of an archive to a running node, by its HTTP API.
//!
//! Asks first what the node knows, so that a second run uploads nothing; then sends the rest in batches, the oldest
//! first, each batch's media before it.

mod batch;
mod private_file;
mod summary;
mod workplace;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

pub use self::summary::Summary;

use self::batch::{Batch, batches};
use self::workplace::Workplace;
use super::archive::{Archive, ArchiveError, ArchiveLimits, Medium};
use super::contents::{ArchivedMedia, ArchivedPost, Contents, NotTaken};

const KNOWN_PATH: &str = "/api/xom/v1/import/known";
const POSTS_PATH: &str = "/api/xom/v1/import/posts";
const MEDIA_PATH: &str = "/api/v2/media";

/// The node's HTTP API, as far as an import needs it.
pub trait NodeApi {
    /// What a call fails with.
    type Error: Error;

    /// Sends JSON by POST.
    ///
    /// # Errors
    /// If the node can't be reached or does not answer with success.
    fn post(&self, path: &str, body: &Value) -> Result<Value, Self::Error>;

    /// Sends a form with one file, in the field `file`, by POST.
    ///
    /// # Errors
    /// If the node can't be reached or does not answer with success.
    fn upload(&self, path: &str, fields: &[(String, String)], name: &str, medium: Medium)
    -> Result<Value, Self::Error>;

    /// What the node said, if it understood and refused; none if it is of no use to go on.
    fn refusal(error: &Self::Error) -> Option<String>;
}

/// Why an import ended before its end. What was imported by then stays; running it again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError<E: Error> {
    /// The archive can't be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The node can't be reached, or fails.
    #[error(transparent)]
    Node(E),
    /// The node's answer is not what it should be.
    #[error("the node's answer to {path} has no {lacks}")]
    Answer {
        /// What was asked.
        path: &'static str,
        /// What the answer lacks.
        lacks: &'static str,
    },
    /// Another import is running.
    #[error("another import into this data folder is running")]
    Busy,
    /// The data folder can't be written.
    #[error("{what} can't be written: {cause}")]
    Folder {
        /// The file or folder.
        what: String,
        /// What the system says.
        cause: io::Error,
    },
}

/// Imports the archive at `path` into the `node` that runs on `data_dir`; shows its progress on stderr.
///
/// # Errors
/// If the archive can't be read or the node does not do its part; a single post never fails an import.
pub fn import_mastodon<N: NodeApi>(path: &Path, data_dir: &Path, node: &N) -> Result<Summary, SubmitError<N::Error>> {
    let bar = ProgressBar::new_spinner().with_message("reading the archive");
    bar.enable_steady_tick(Duration::from_millis(100));
    let workplace = Workplace::take(data_dir)?;
    let mut archive = Archive::open(path, workplace.path(), &ArchiveLimits::default())?;
    let contents = Contents::read(&mut archive)?;
    let private_file = private_file::keep(workplace.path(), &contents.actor.id, &contents.private)?;
    let mut import = Import { node, archive, bar, summary: Summary::begin(&contents, private_file) };
    import.bar.set_length(contents.posts.len() as u64);
    import.bar.set_style(style());
    import.bar.set_message("posts");
    import.send_all(contents.posts)?;
    import.bar.finish_and_clear();
    Ok(import.summary)
}

struct Import<'n, N> {
    node: &'n N,
    archive: Archive,
    bar: ProgressBar,
    summary: Summary,
}

impl<N: NodeApi> Import<'_, N> {
    fn send_all(&mut self, posts: Vec<ArchivedPost>) -> Result<(), SubmitError<N::Error>> {
        let known = self.ask_known(&posts)?;
        self.summary.known = known.len() as u64;
        self.bar.set_position(self.summary.known);
        let new = posts.into_iter().filter(|post| !known.contains(&post.source_url));
        for batch in batches(new) {
            self.send(batch)?;
        }
        Ok(())
    }

    /// Which of the posts the node has.
    fn ask_known(&self, posts: &[ArchivedPost]) -> Result<BTreeSet<String>, SubmitError<N::Error>> {
        let asked: BTreeSet<&str> = posts.iter().map(|post| post.source_url.as_str()).collect();
        let mut known = BTreeSet::new();
        for some in posts.chunks(batch::KNOWN_MAX) {
            let source_urls: Vec<&str> = some.iter().map(|post| post.source_url.as_str()).collect();
            let answer = self.post(KNOWN_PATH, &json!({ "source_urls": source_urls }))?;
            let list = answer["known"].as_array();
            let list = list.ok_or(SubmitError::Answer { path: KNOWN_PATH, lacks: "known" })?;
            let named = list.iter().filter_map(Value::as_str).filter(|url| asked.contains(url));
            known.extend(named.map(str::to_owned));
        }
        Ok(known)
    }

    fn send(&mut self, batch: Batch) -> Result<(), SubmitError<N::Error>> {
        let mut posts = Vec::new();
        for mut post in batch.posts {
            let media = std::mem::take(&mut post.attachments);
            let mut media_ids = Vec::new();
            for attachment in &media {
                match self.upload(attachment)? {
                    Ok(id) => media_ids.push(id),
                    Err(reason) => self.summary.note(&post.source_url, reason),
                }
            }
            if media_ids.is_empty() && post.text.is_empty() && post.poll.is_none() {
                self.summary.give_up(&post.source_url);
                self.bar.inc(1);
                continue;
            }
            posts.push(batch::to_json(&post, &media_ids));
        }
        let sent = posts.len() as u64;
        if sent > 0 {
            self.submit(posts)?;
            self.bar.inc(sent);
        }
        Ok(())
    }

    /// Uploads one medium; answers with its id, or with the reason why the post must do without it.
    fn upload(&mut self, media: &ArchivedMedia) -> Result<Result<String, String>, SubmitError<N::Error>> {
        let file = media.path.rsplit('/').next().unwrap_or(&media.path);
        let medium = match self.archive.media(&media.path) {
            Ok(medium) => medium,
            // No fault of this post: once there is room again, the import goes on with all of it.
            Err(error @ ArchiveError::Disk(_)) => return Err(error.into()),
            Err(error) => return Ok(Err(format!("its media file {file} can't be read: {error}"))),
        };
        let mut fields = vec![("description".to_owned(), media.alt.clone())];
        if let Some((x, y)) = media.focus {
            fields.push(("focus".to_owned(), format!("{x},{y}")));
        }
        match self.node.upload(MEDIA_PATH, &fields, file, medium) {
            Ok(answer) => {
                let id = answer["id"].as_str().map(str::to_owned);
                self.summary.media += 1;
                id.map(Ok).ok_or(SubmitError::Answer { path: MEDIA_PATH, lacks: "id" })
            }
            Err(error) => match N::refusal(&error) {
                Some(said) => Ok(Err(format!("its media file {file} was refused: {said}"))),
                None => Err(SubmitError::Node(error)),
            },
        }
    }

    /// Sends posts whose media are uploaded, and takes down what became of each.
    fn submit(&mut self, posts: Vec<Value>) -> Result<(), SubmitError<N::Error>> {
        let sent: Vec<String> =
            posts.iter().filter_map(|post| post["source_url"].as_str().map(str::to_owned)).collect();
        let answer = self.post(POSTS_PATH, &json!({ "posts": posts }))?;
        let results = answer["results"].as_array();
        let results = results.ok_or(SubmitError::Answer { path: POSTS_PATH, lacks: "results" })?;
        let results: BTreeMap<&str, &Value> =
            results.iter().filter_map(|result| Some((result["source_url"].as_str()?, result))).collect();
        for source_url in sent {
            let result = results.get(source_url.as_str());
            let result = result.ok_or(SubmitError::Answer { path: POSTS_PATH, lacks: "result for each post" })?;
            match result["outcome"].as_str() {
                Some("imported") => self.summary.imported += 1,
                Some("known") => self.summary.known += 1,
                Some("refused") => {
                    let said = result["reason"].as_str().unwrap_or("it gave no reason");
                    let reason = format!("the node refused it: {said}");
                    self.summary.not_taken.push(NotTaken { source_url, reason });
                }
                _ => return Err(SubmitError::Answer { path: POSTS_PATH, lacks: "outcome" }),
            }
        }
        Ok(())
    }

    fn post(&self, path: &'static str, body: &Value) -> Result<Value, SubmitError<N::Error>> {
        self.node.post(path, body).map_err(SubmitError::Node)
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} {per_sec} {eta} left")
        .expect("the template is constant and valid")
        .progress_chars("=> ")
}
