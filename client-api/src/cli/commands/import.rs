//! `xom import mastodon`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::Value;

use super::super::client::Upload;
use super::super::{Call, CliError, Client};
use crate::import::archive::Medium;
use crate::import::submit::{NodeApi, SubmitError, import_mastodon};

/// Take over what was written elsewhere.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom import mastodon archive-20260101.tar.gz")]
pub struct Args {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    /// A Mastodon archive: .tar.gz, .zip or folder
    ///
    /// Public and unlisted posts become signed entries with their original time; they show in their old place in
    /// your profile and in nobody's home. Posts for followers or single people are counted, not published.
    /// Running it twice adds nothing.
    #[command(after_help = "Example:\n  xom import mastodon archive-20260101.tar.gz")]
    Mastodon {
        /// The archive
        archive: PathBuf,
    },
}

impl Args {
    /// Imports.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let Source::Mastodon { archive } = &self.source;
        let client = call.client()?;
        let summary = import_mastodon(archive, &call.data_dir, &client).map_err(|error| match error {
            SubmitError::Node(error) => error,
            other => CliError::Failed(other.to_string()),
        })?;
        let value = serde_json::to_value(&summary).map_err(|error| CliError::Failed(error.to_string()))?;
        call.output.show(&value, |_| super::super::printable(&summary.to_string()))
    }
}

impl NodeApi for Client {
    type Error = CliError;

    fn post(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        Self::post(self, path, body)
    }

    fn upload(&self, path: &str, fields: &[(String, String)], name: &str, medium: Medium) -> Result<Value, CliError> {
        let Medium { file, bytes } = medium;
        self.post_form(path, fields, vec![Upload { field: "file", name: name.to_owned(), file, bytes }])
    }

    fn refusal(error: &CliError) -> Option<String> {
        match error {
            CliError::Refused(said) | CliError::NotFound(said) => Some(said.clone()),
            _ => None,
        }
    }
}
