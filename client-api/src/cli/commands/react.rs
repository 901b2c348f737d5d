//! `xom boost`, `unboost`, `like` and `unlike`.

use serde_json::json;

use super::super::{Call, CliError, card};

/// Defines the arguments of a command that acts on one status through one route.
macro_rules! reaction {
    ($name:ident, $about:literal, $example:literal, $action:literal) => {
        #[doc = $about]
        #[derive(Debug, clap::Args)]
        #[command(after_help = $example)]
        pub struct $name {
            /// A Mastodon id, an entry id or its unique prefix
            status: String,
        }

        impl $name {
            /// Acts.
            pub fn execute(&self, call: &Call) -> Result<(), CliError> {
                act(call, &self.status, $action)
            }
        }
    };
}

reaction!(BoostArgs, "Pass a status on to your followers.", "Example:\n  xom boost 115012345678901234", "reblog");
reaction!(UnboostArgs, "Take a boost back.", "Example:\n  xom unboost 115012345678901234", "unreblog");
reaction!(LikeArgs, "Like a status.", "Example:\n  xom like 115012345678901234", "favourite");
reaction!(UnlikeArgs, "Take a like back.", "Example:\n  xom unlike 115012345678901234", "unfavourite");

fn act(call: &Call, status: &str, action: &str) -> Result<(), CliError> {
    let client = call.client()?;
    let id = client.find_status(status)?;
    let answer = client.post(&format!("/api/v1/statuses/{id}/{action}"), &json!({}))?;
    call.output.show(&answer, |output| card::status(output, &answer))
}
