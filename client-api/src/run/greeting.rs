//! What `xom run` prints once it serves.

use std::net::SocketAddr;

use serde_json::{Value, json};
use xom_node::keys::AccessError;
use xom_node::{CommandError, Handle};

use super::hint::Hint;
use crate::cli::{CliError, Output};
use crate::settings::Settings;

/// Stands where the invite would.
const LOCKED: &str = "the device key is sealed; open it with `xom unlock`";
/// Stands there for an identity that was restored.
const WAITING: &str =
    "none: this identity was restored and is only read; stop the node, and run `xom recover` or `xom join`";

/// What the owner needs to begin.
pub(super) struct Greeting {
    /// The one-time login link of the page.
    pub login: String,
    /// The first identity.
    pub did: String,
    /// An invite to it; else what is said in its place, since the key that signs it is sealed or not there.
    pub invite: Result<String, &'static str>,
    /// Where the client API is served.
    pub http: SocketAddr,
    /// The addresses of the TLS listener, for other machines.
    pub https: Vec<String>,
    /// Where peers find the node.
    pub listen: Vec<String>,
}

impl Greeting {
    /// Asks the node for its part.
    pub(super) async fn of(
        handle: &Handle,
        did: xom_protocol::Did,
        login: String,
        http: SocketAddr,
    ) -> Result<Self, CliError> {
        let failed = |error: String| CliError::Failed(format!("the node can't answer: {error}"));
        let invite = match handle.invite(did).await {
            Ok(invite) => Ok(invite),
            Err(CommandError::Access(AccessError::DeviceSealed)) => Err(LOCKED),
            Err(CommandError::Access(AccessError::NoDevice)) => Err(WAITING),
            Err(error) => return Err(failed(error.to_string())),
        };
        let status = handle.status().await.map_err(|error| failed(error.to_string()))?;
        Ok(Self { login, did: did.to_string(), invite, http, https: Vec::new(), listen: status.listen })
    }

    /// Prints it, with the hint of a node for developers.
    pub(super) fn print(&self, settings: &Settings, output: &Output, hint: Option<&Hint>) -> Result<(), CliError> {
        let mut value = self.json(settings);
        if let Some(hint) = hint {
            value["token"] = json!(hint.token);
            value["curl"] = json!(hint.curl);
        }
        output.show(&value, |output| {
            let mut rows = vec![
                ("your page", format!("{}  (valid once, for 10 minutes)", self.login)),
                ("your DID", self.did.clone()),
                ("your invite", self.invite.clone().unwrap_or_else(str::to_owned)),
                ("data folder", settings.data_dir.display().to_string()),
            ];
            rows.extend(self.https.iter().map(|url| ("over TLS", url.clone())));
            rows.extend(hint.map(|hint| ("your token", hint.token.clone())));
            let try_it = hint.map(|hint| format!("\nTry it:\n\n{}\n", hint.curl)).unwrap_or_default();
            format!("xóm is running; press Ctrl-C to stop.\n\n{}{try_it}", output.table(&rows))
        })
    }

    fn json(&self, settings: &Settings) -> Value {
        json!({
            "login": self.login,
            "did": self.did,
            "invite": self.invite.as_ref().ok(),
            "data_dir": settings.data_dir,
            "http": self.http.to_string(),
            "https": self.https,
            "listen": self.listen,
        })
    }
}
