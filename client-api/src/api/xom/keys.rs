//! `/api/xom/v1/keys`, `/phrase`, `/passphrase`, `/unlock`: how the keys of the identity lie on this node, and
//! what becomes of them. Nothing here signs bytes that a caller brings (R-SIG-16).

use axum::Json;
use serde_json::{Value, json};
use xom_node::keys::{Confirmation, Keep, Keyring};
use zeroize::Zeroizing;

use super::access;
use crate::http::{ApiError, Call, Params};

/// How the keys lie in the data folder.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    state(&keyring(&call))
}

/// The 24 words, and which of them are asked for; only until they are confirmed.
pub async fn words(call: Call) -> Result<Json<Value>, ApiError> {
    let (words, asked) = keyring(&call).words().await?;
    Ok(Json(json!({ "words": words.split(' ').collect::<Vec<_>>(), "asked": asked.0 })))
}

/// Which words are asked for, without them.
pub async fn asked(call: Call) -> Result<Json<Value>, ApiError> {
    let (_, asked) = keyring(&call).words().await?;
    Ok(Json(json!({ "asked": asked.0 })))
}

/// Takes the three words in `answers`; `new_passphrase` seals the control key, and with `device` the device key
/// too; with `unsealed` it stays as it is, and else it is erased with the phrase.
pub async fn confirm(call: Call, mut params: Params) -> Result<Json<Value>, ApiError> {
    access::refuse_in_query(&call)?;
    let confirmation = confirmation(&mut params)?;
    let keyring = keyring(&call);
    keyring.confirm(confirmation).await?;
    state(&keyring)
}

/// Leaves the confirmation for later; the reminder stays.
pub async fn postpone(call: Call, _params: Params) -> Result<Json<Value>, ApiError> {
    let keyring = keyring(&call);
    keyring.postpone().await?;
    state(&keyring)
}

/// Seals what `passphrase`, `words` or nothing opens with `new_passphrase`; unseals it where there is none.
/// `device` says whether the device key is sealed too; without it that stays as it is.
pub async fn set_passphrase(call: Call, mut params: Params) -> Result<Json<Value>, ApiError> {
    let access = access::take(&call, &mut params)?;
    let new = new_passphrase(&mut params)?;
    let keyring = keyring(&call);
    keyring.set_passphrase(access, new, params.flag("device")).await?;
    state(&keyring)
}

/// Opens the sealed device key with `passphrase`, for as long as the node runs.
pub async fn unlock(call: Call, mut params: Params) -> Result<Json<Value>, ApiError> {
    access::refuse_in_query(&call)?;
    let passphrase = params.take_secret("passphrase").ok_or_else(|| ApiError::invalid("passphrase can't be blank"))?;
    let keyring = keyring(&call);
    keyring.unlock(passphrase).await?;
    state(&keyring)
}

/// What a form or request says of the three words and of what becomes of the control key.
pub(crate) fn confirmation(params: &mut Params) -> Result<Confirmation, ApiError> {
    let answers = params.take_secret("answers").ok_or_else(|| ApiError::invalid("answers can't be blank"))?;
    let words = answers.split_whitespace().map(|word| Zeroizing::new(word.to_owned())).collect();
    let device = params.flag("device").unwrap_or(false);
    let keep = match (new_passphrase(params)?, params.flag("unsealed").unwrap_or(false)) {
        (Some(passphrase), _) => Keep::Sealed { passphrase, device },
        (None, true) => Keep::Unsealed,
        (None, false) => Keep::InWords,
    };
    Ok(Confirmation { words, keep })
}

/// The new passphrase, if one is named. What is blank or no text is refused: without one, keys are unsealed.
fn new_passphrase(params: &mut Params) -> Result<Option<Zeroizing<String>>, ApiError> {
    let named = params.get("new_passphrase").is_some();
    match params.take_secret("new_passphrase") {
        None if named => Err(ApiError::invalid("new_passphrase is blank or no text")),
        new => Ok(new),
    }
}

fn keyring(call: &Call) -> Keyring {
    call.node.keyring(call.viewer())
}

fn state(keyring: &Keyring) -> Result<Json<Value>, ApiError> {
    let state = keyring.state()?;
    Ok(Json(json!({
        "control_key": state.control.name(),
        "device_key": state.device.name(),
        "device_key_open": state.device_open,
        "phrase": state.phrase.name(),
    })))
}
