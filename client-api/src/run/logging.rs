//! Log lines: to stderr, filtered by `XOM_LOG` (default `warn`).

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// What is logged where nobody says otherwise: warnings, but none of the table's, which has one whenever it is empty,
/// as it is at each start and on a machine alone.
const DEFAULT: &str = "warn,libp2p_kad::behaviour=error";

/// Starts logging. A filter that can't be read is replaced by the default, and said so.
pub(super) fn start() {
    let wanted = std::env::var("XOM_LOG").unwrap_or_default();
    let wanted = if wanted.is_empty() { DEFAULT.to_owned() } else { wanted };
    let (filter, refused) = match EnvFilter::try_new(&wanted) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(DEFAULT), Some(error)),
    };
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init();
    if started.is_ok()
        && let Some(error) = refused
    {
        tracing::warn!("XOM_LOG is not a filter, using the default: {error}");
    }
}
