//! The beginning of a run on a new machine: pairing with a device that has the identity already.

use serde_json::json;
use tokio::sync::oneshot;
use xom_node::{Handle, JoinError, NodeConfig};

use super::{failed, first_identity};
use crate::cli::{CliError, Output, ask};

/// The settings of a node that makes no identity.
pub(super) fn without_identity(config: NodeConfig) -> NodeConfig {
    NodeConfig { first_username: None, ..config }
}

/// Joins the identity of an offer; fails where somebody lives here already whose device key signs.
pub(super) async fn join(node: &Handle, output: &Output, offer: &str, name: Option<&str>) -> Result<(), CliError> {
    let locals = node.read(|reader| reader.local_identities()).await;
    let locals = locals.map_err(|error| failed("can't read the data folder", &error))?;
    let mut in_vain = false;
    for local in &locals {
        in_vain |= node.signs_nothing(local.did).await.map_err(|error| failed("can't read the data folder", &error))?;
    }
    if let Some(local) = locals.first().filter(|_| !in_vain) {
        let name = &local.username;
        let refused = format!("{name} lives in this data folder already; name an empty one with --data-dir");
        return Err(CliError::Usage(refused));
    }
    let joined = node.join(offer, name, async |digits| compare(output, digits).await).await;
    let joined = joined.map_err(|error| match error {
        JoinError::Offer(_) => CliError::Usage(error.to_string()),
        JoinError::Ended(_) => CliError::Refused(error.to_string()),
        _ => CliError::Failed(error.to_string()),
    })?;
    let value = json!({
        "did": joined.did.to_string(),
        "username": joined.username,
        "device": joined.device.to_string(),
    });
    output.show(&value, |_| format!("This machine is now a device of {} ({}).\n", joined.username, joined.did))?;
    first_identity(node).await.map(drop)
}

/// Asks on a thread of its own, which may wait for a line for ever: the other side may end it meanwhile.
async fn compare(output: &Output, digits: String) -> bool {
    if ask::show_digits(output, &digits).is_err() {
        return false;
    }
    let (reply, answer) = oneshot::channel();
    let asked = std::thread::Builder::new().name("xom-ask".into()).spawn(move || reply.send(ask::is_yes()));
    asked.is_ok() && answer.await.unwrap_or(false)
}
