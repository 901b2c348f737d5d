//! What a request brings to have something signed by the control key: `passphrase` or `words` in its
//! body, or neither where the key lies unsealed. The one place that reads them.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use xom_node::ControlAccess;
use xom_protocol::phrase::Phrase;
use zeroize::Zeroizing;

use crate::http::{ApiError, Call, ErrorKind, Params, Secret};

/// Parameters that hold secrets. They may be in the body only: addresses are kept in histories and logs.
const SECRETS: [&str; 4] = ["passphrase", "new_passphrase", "words", "answers"];

/// What opens the control key; neither where it lies unsealed.
#[derive(Default, Deserialize, ToSchema)]
pub struct ControlRequest {
    /// The passphrase, where the control key lies sealed.
    #[schema(value_type = Option<String>)]
    pub(super) passphrase: Option<Secret>,
    /// The 24 words, where the control key does not lie here.
    #[schema(value_type = Option<String>)]
    pub(super) words: Option<Secret>,
}

/// How the control key is to be opened, by what a request of our own API has sent.
pub fn of(call: &Call, passphrase: Option<Secret>, words: Option<Secret>) -> Result<ControlAccess, ApiError> {
    refuse_in_query(call)?;
    read(passphrase.map(|secret| secret.0), words.map(|secret| secret.0))
}

/// The same from a form of the page, which has no other place than its body.
pub fn of_body(params: &mut Params) -> Result<ControlAccess, ApiError> {
    let passphrase = params.take_secret("passphrase");
    read(passphrase, params.take_secret("words"))
}

fn read(passphrase: Option<Zeroizing<String>>, words: Option<Zeroizing<String>>) -> Result<ControlAccess, ApiError> {
    match (passphrase, words) {
        (None, None) => Ok(ControlAccess::Kept),
        (Some(passphrase), None) => Ok(ControlAccess::Passphrase(passphrase)),
        (None, Some(words)) => match Phrase::parse(&words) {
            Ok(phrase) => Ok(ControlAccess::Words(phrase)),
            Err(error) => {
                Err(ApiError::with_text(ErrorKind::Forbidden, error.to_string()).with("code", json!("not-a-phrase")))
            }
        },
        (Some(_), Some(_)) => Err(ApiError::invalid("give passphrase or words, not both")),
    }
}

/// Refuses a request whose address holds a secret (R-API-10).
pub fn refuse_in_query(call: &Call) -> Result<(), ApiError> {
    let query = call.uri.query().unwrap_or_default();
    // Read as parameters are, so that no other spelling of a name gets by.
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let named = |name: &str| pairs.iter().any(|(given, _)| given.split('[').next() == Some(name));
    match SECRETS.iter().find(|name| named(name)) {
        Some(name) => Err(ApiError::invalid(format!("{name} belongs into the body, never into the address"))),
        None => Ok(()),
    }
}
