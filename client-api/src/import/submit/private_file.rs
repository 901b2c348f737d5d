//! Posts that were never public, kept where only the owner can read them: `imports/private-….json`, mode 0600.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::SubmitError;
use crate::import::contents::PrivatePost;

/// Adds `posts` of `actor` to their file in `folder`; none is made for no posts. Answers with the file's path.
pub(super) fn keep<E: Error>(
    folder: &Path,
    actor: &str,
    posts: &[PrivatePost],
) -> Result<Option<PathBuf>, SubmitError<E>> {
    if posts.is_empty() {
        return Ok(None);
    }
    let name = format!("private-{}.json", HEXLOWER.encode(&Sha256::digest(actor)[..6]));
    let path = folder.join(name);
    write(&path, actor, posts).map_err(|cause| SubmitError::Folder { what: path.display().to_string(), cause })?;
    Ok(Some(path))
}

/// Replaces the file as a whole, so that it is never half there; what an earlier archive had stays in it.
fn write(path: &Path, actor: &str, posts: &[PrivatePost]) -> io::Result<()> {
    let mut kept = earlier(path)?;
    let new: BTreeSet<&str> = posts.iter().map(|post| post.source_url.as_str()).collect();
    kept.retain(|post| !post["source_url"].as_str().is_some_and(|url| new.contains(url)));
    for post in posts {
        kept.push(serde_json::to_value(post)?);
    }
    // Made with mode 0600.
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    serde_json::to_writer_pretty(&mut file, &json!({ "actor": actor, "posts": kept }))?;
    file.flush()?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn earlier(path: &Path) -> io::Result<Vec<Value>> {
    let mut file: Value = match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    match file["posts"].take() {
        Value::Array(posts) => Ok(posts),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "what is there was not written by an import")),
    }
}
