//! `xom run`.

use super::super::{Call, CliError};
use crate::run;
use crate::settings::{RunFlags, Settings};

/// Start the node.
///
/// Prints the one-time login link of its page, its DID, an invite link and its data folder, and
/// serves until it is stopped with Ctrl-C or SIGTERM.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom run --name lan\n  xom run --data-dir /tmp/b --http 127.0.0.1:8866 \
    --listen /ip4/127.0.0.1/tcp/8867\n\nLog lines go to stderr; XOM_LOG sets what is logged (default: warn), \
    and XOM_LOG_FORMAT=json makes each an object.")]
pub struct Args {
    #[command(flatten)]
    flags: RunFlags,
}

impl Args {
    /// No flags.
    pub const NONE: Self = Self {
        flags: RunFlags {
            http: None,
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            listen: Vec::new(),
            bootstrap: Vec::new(),
            no_mdns: false,
            swarm_key: None,
            no_upnp: false,
            upload: None,
            download: None,
            metrics: false,
            network: None,
            name: None,
            author_quota: None,
            media_room: None,
            registration: None,
            registrations_per_hour: None,
            requests_per_5_min: None,
            passphrase_file: None,
            config: None,
        },
    };

    /// Runs until it is stopped; `before` are the flags that stand before `run`.
    pub fn execute(&self, call: &Call, before: &RunFlags) -> Result<(), CliError> {
        let flags = self.flags.clone().or(before.clone());
        let settings = Settings::load(call.data_dir.clone(), &flags, |name| std::env::var(name).ok())?;
        run::run(&settings, &call.output)
    }
}
