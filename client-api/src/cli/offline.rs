//! Work on a data folder while no node runs on it. It takes the folder's lock, so a node that runs
//! is noticed: then the command is for the node.

use std::future::Future;

use xom_node::{NodeConfig, Offline, StartError};

use super::{Call, CliError};
use crate::run::forget_address;
use crate::settings::{RunFlags, Settings};

/// Asks the running node; where none runs, opens the folder and does the work here.
pub(crate) fn with_or_without_node<T, F>(
    call: &Call,
    ask: impl FnOnce(&super::Client) -> Result<T, CliError>,
    work: impl FnOnce(Offline) -> F,
) -> Result<T, CliError>
where
    F: Future<Output = Result<T, CliError>>,
{
    match call.client().and_then(|client| ask(&client)) {
        Err(CliError::NotRunning(_)) => {}
        answered => return answered,
    }
    in_folder(call, &RunFlags::default(), Offline::open, work)
}

/// Opens the folder with `open`, and does the work.
pub(crate) fn in_folder<T, F>(
    call: &Call,
    flags: &RunFlags,
    open: fn(&NodeConfig) -> Result<Offline, StartError>,
    work: impl FnOnce(Offline) -> F,
) -> Result<T, CliError>
where
    F: Future<Output = Result<T, CliError>>,
{
    let settings = Settings::load(call.data_dir.clone(), flags, |name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::Failed(format!("can't start: {error}")))?;
    runtime.block_on(async {
        let offline = open(&settings.node())?;
        forget_address(&settings.data_dir);
        let done = work(offline.clone()).await;
        offline.close().await;
        done
    })
}
