//! `xom dev`: for those who build apps.

use std::net::SocketAddr;

use super::super::{CliError, Output};
use crate::run;

/// Run a node to try an app on
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom dev --demo\n  xom dev --demo --http 127.0.0.1:9000\n\nThe node lives in a \
    throw-away folder of its own, on a network of its own, and talks to nobody. It ends with Ctrl-C, and the \
    folder with it.")]
pub struct Args {
    /// Fill it with 20 people and 2,000 posts
    #[arg(long)]
    demo: bool,
    /// Where to serve the page and the client API [default: 127.0.0.1:7766]
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
}

impl Args {
    /// Runs until it is stopped; `folder` if a data folder was named.
    pub fn execute(&self, folder: bool, output: &Output) -> Result<(), CliError> {
        if folder {
            return Err(CliError::Usage("`xom dev` makes a folder of its own; leave --data-dir out".to_owned()));
        }
        run::dev(self.http, self.demo, output)
    }
}
