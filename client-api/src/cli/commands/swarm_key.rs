//! `xom swarm-key`: the key of a closed network, as a file that its members share.

use std::path::{Path, PathBuf};

use serde_json::json;
use xom_node::{SwarmKey, SwarmKeyError};

use super::super::{Call, CliError};

/// Make or look at the key of a closed network
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  xom swarm-key new family.key\n  xom run --swarm-key family.key\n\nThe file is all that \
    lets a node in, so pass it on as you would a key. A network that has one runs over TCP alone."
)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a key in a new file
    #[command(after_help = "Example:\n  xom swarm-key new family.key")]
    New(File),
    /// Show the fingerprint of a key, to compare it without showing it
    #[command(after_help = "Example:\n  xom swarm-key show family.key")]
    Show(File),
}

#[derive(Debug, clap::Args)]
struct File {
    /// The file; the format is that of go-ipfs
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Args {
    /// Makes or shows.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let (What::New(File { file }) | What::Show(File { file })) = &self.what;
        let key = match self.what {
            What::New(_) => SwarmKey::generate().and_then(|key| key.write_new(file).map(|()| key)),
            What::Show(_) => SwarmKey::read(file),
        };
        let fingerprint = key.map_err(|error| failed(file, error))?.fingerprint();
        let value = json!({ "file": file, "fingerprint": fingerprint });
        call.output.show(&value, |output| {
            let rows = output.table(&[("file", file.display().to_string()), ("fingerprint", fingerprint.clone())]);
            match self.what {
                What::New(_) => {
                    format!("{rows}Copy the file to every machine of the network, and start each with --swarm-key.")
                }
                What::Show(_) => rows,
            }
        })
    }
}

fn failed(file: &Path, error: SwarmKeyError) -> CliError {
    match error {
        SwarmKeyError::File(cause) => CliError::file(file, cause),
        error @ (SwarmKeyError::Form | SwarmKeyError::Entropy(_)) => {
            CliError::Failed(format!("{}: {error}", file.display()))
        }
    }
}
