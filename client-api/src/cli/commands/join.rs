//! `xom join`.

use std::io;

use super::super::{Call, CliError};
use crate::run;
use crate::settings::{RunFlags, Settings};

/// Join the identity of another device of yours: this machine becomes a device of it.
///
/// For an empty data folder, or one whose device was removed or is an old copy: that gets a new key. Dials the node that made the offer, shows six digits to compare with its screen,
/// and then goes on as `xom run` does, fetching everything. It holds neither the phrase nor the control key.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("name", |name| name.help("A name for this machine, which only your devices know")),
    after_help = "Example:\n  xom join 'xom-pair:did:xom:…' --name 'kitchen computer'\n\nLater starts: xom run."
)]
pub struct Args {
    /// The offer that `xom device pair` printed on the other machine; `-` reads it from stdin
    #[arg(value_name = "OFFER")]
    offer: String,
    #[command(flatten)]
    flags: RunFlags,
}

impl Args {
    /// Joins, and runs until it is stopped.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let name = self.flags.name.clone();
        let flags = RunFlags { name: None, ..self.flags.clone() };
        let settings = Settings::load(call.data_dir.clone(), &flags, |name| std::env::var(name).ok())?;
        let offer = match self.offer.as_str() {
            "-" => {
                let mut line = String::new();
                let read = io::stdin().read_line(&mut line);
                read.map_err(|error| CliError::Failed(format!("can't read the offer: {error}")))?;
                line
            }
            offer => offer.to_owned(),
        };
        run::join(&settings, &call.output, offer.trim(), name.as_deref())
    }
}
