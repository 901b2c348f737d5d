//! `/api/xom/v1/keys`, `/phrase`, `/passphrase`, `/unlock`: how the keys of the identity lie on this node, and
//! what becomes of them. Nothing here signs bytes that a caller brings (R-SIG-16).

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xom_node::keys::{Confirmation, Keep, Keyring};
use zeroize::Zeroizing;

use super::access;
use crate::http::{ApiError, Call, Params, Secret, Sent};

/// How the keys lie in the data folder.
#[derive(Serialize, ToSchema)]
pub struct KeyState {
    /// The control key: `sealed`, `unsealed` or `absent`.
    control_key: &'static str,
    /// The device key: `sealed`, `unsealed` or `absent`.
    device_key: &'static str,
    /// The device key can sign now.
    device_key_open: bool,
    /// Whether the 24 words were written down: `confirmed`, `unconfirmed` or `postponed`.
    phrase: &'static str,
}

/// The words, and which of them are asked for.
#[derive(Serialize, ToSchema)]
pub struct PhraseWords {
    /// The 24 words, in order.
    words: Vec<String>,
    /// Three places, from 1 to 24.
    asked: Vec<u64>,
}

/// Which words are asked for.
#[derive(Serialize, ToSchema)]
pub struct AskedWords {
    /// Three places, from 1 to 24.
    asked: Vec<u64>,
}

/// The words that were asked for, and what becomes of the control key.
#[derive(Deserialize, ToSchema)]
pub struct ConfirmPhraseRequest {
    /// The three words that are asked for, with blanks between.
    #[schema(value_type = String)]
    answers: Option<Secret>,
    /// Seals the control key. Without it and without `unsealed` the control key is erased with the phrase.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    new_passphrase: NewPassphrase,
    /// With `new_passphrase`: seal the device key too.
    device: Option<bool>,
    /// Leave the control key as it is.
    unsealed: Option<bool>,
}

/// Another passphrase, or none.
#[derive(Deserialize, ToSchema)]
pub struct PassphraseRequest {
    /// Seals the keys; without it they are unsealed.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    new_passphrase: NewPassphrase,
    /// Whether the device key is sealed too; without it that stays as it is.
    device: Option<bool>,
    /// The passphrase of now.
    #[schema(value_type = Option<String>)]
    passphrase: Option<Secret>,
    /// The 24 words, where the passphrase is lost.
    #[schema(value_type = Option<String>)]
    words: Option<Secret>,
}

/// What opens the device key.
#[derive(Deserialize, ToSchema)]
pub struct UnlockRequest {
    /// The passphrase.
    #[schema(value_type = String)]
    passphrase: Secret,
}

/// A passphrase to be, if one is named. What is blank or no text is refused: without one, keys are unsealed.
#[derive(Default)]
struct NewPassphrase(Option<Secret>);

impl<'de> Deserialize<'de> for NewPassphrase {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Not as an option, for which a blank text would be none; null is.
        let text = serde_json::Value::deserialize(from)?;
        match text {
            serde_json::Value::Null => Ok(Self(None)),
            serde_json::Value::String(text) if !text.trim().is_empty() => Ok(Self(Some(Secret(Zeroizing::new(text))))),
            _ => Err(serde::de::Error::custom("is blank or no text")),
        }
    }
}

/// Show how the keys lie
///
/// Where the control key and the device key are, and whether they are sealed. Never the keys.
#[utoipa::path(get, path = "/keys", operation_id = "getKeys", tag = "keys",
    responses((status = 200, description = "How they lie", body = KeyState)))]
pub async fn get(call: Call) -> Result<Json<KeyState>, ApiError> {
    state(&keyring(&call))
}

/// Show the 24 words
///
/// And which of them are asked for; only until they are confirmed.
#[utoipa::path(get, path = "/phrase", operation_id = "getPhrase", tag = "keys",
    responses((status = 200, description = "The words", body = PhraseWords)))]
pub async fn words(call: Call) -> Result<Json<PhraseWords>, ApiError> {
    let (words, asked) = keyring(&call).words().await?;
    let words = words.split(' ').map(str::to_owned).collect();
    Ok(Json(PhraseWords { words, asked: asked.0.iter().map(|place| *place as u64).collect() }))
}

/// Show which words are asked for
///
/// Without the words.
#[utoipa::path(get, path = "/phrase/asked", operation_id = "getAskedWords", tag = "keys",
    responses((status = 200, description = "The places of the words", body = AskedWords)))]
pub async fn asked(call: Call) -> Result<Json<AskedWords>, ApiError> {
    let (_, asked) = keyring(&call).words().await?;
    Ok(Json(AskedWords { asked: asked.0.iter().map(|place| *place as u64).collect() }))
}

/// Confirm the 24 words
///
/// Takes the three words in `answers`; `new_passphrase` seals the control key, and with `device` the device key
/// too; with `unsealed` it stays as it is, and else it is erased with the phrase.
#[utoipa::path(post, path = "/phrase/confirm", operation_id = "confirmPhrase", tag = "keys",
    request_body = ConfirmPhraseRequest,
    responses((status = 200, description = "How the keys lie now", body = KeyState)))]
pub async fn confirm(call: Call, Sent(wanted): Sent<ConfirmPhraseRequest>) -> Result<Json<KeyState>, ApiError> {
    access::refuse_in_query(&call)?;
    let answers = wanted.answers.ok_or_else(|| ApiError::invalid("answers can't be blank"))?;
    let new = wanted.new_passphrase.0.map(|secret| secret.0);
    let confirmation = confirmed(&answers.0, new, wanted.device.unwrap_or(false), wanted.unsealed.unwrap_or(false));
    let keyring = keyring(&call);
    keyring.confirm(confirmation).await?;
    state(&keyring)
}

/// Leave the confirmation for later
///
/// The reminder stays.
#[utoipa::path(post, path = "/phrase/postpone", operation_id = "postponePhrase", tag = "keys",
    responses((status = 200, description = "How the keys lie", body = KeyState)))]
pub async fn postpone(call: Call, _params: Params) -> Result<Json<KeyState>, ApiError> {
    let keyring = keyring(&call);
    keyring.postpone().await?;
    state(&keyring)
}

/// Set, change or take away the passphrase
///
/// Seals what `passphrase`, `words` or nothing opens with `new_passphrase`; unseals it where there is none.
/// `device` says whether the device key is sealed too; without it that stays as it is.
#[utoipa::path(post, path = "/passphrase", operation_id = "setPassphrase", tag = "keys",
    request_body = PassphraseRequest,
    responses((status = 200, description = "How the keys lie now", body = KeyState)))]
pub async fn set_passphrase(call: Call, Sent(wanted): Sent<PassphraseRequest>) -> Result<Json<KeyState>, ApiError> {
    let access = access::of(&call, wanted.passphrase, wanted.words)?;
    let new = wanted.new_passphrase.0.map(|secret| secret.0);
    let keyring = keyring(&call);
    keyring.set_passphrase(access, new, wanted.device).await?;
    state(&keyring)
}

/// Open the device key
///
/// Opens the sealed device key with `passphrase`, for as long as the node runs.
#[utoipa::path(post, path = "/unlock", operation_id = "unlock", tag = "keys", request_body = UnlockRequest,
    responses((status = 200, description = "How the keys lie", body = KeyState)))]
pub async fn unlock(call: Call, Sent(wanted): Sent<UnlockRequest>) -> Result<Json<KeyState>, ApiError> {
    access::refuse_in_query(&call)?;
    let keyring = keyring(&call);
    keyring.unlock(wanted.passphrase.0).await?;
    state(&keyring)
}

fn confirmed(answers: &str, new: Option<Zeroizing<String>>, device: bool, is_unsealed: bool) -> Confirmation {
    let words = answers.split_whitespace().map(|word| Zeroizing::new(word.to_owned())).collect();
    let keep = match (new, is_unsealed) {
        (Some(passphrase), _) => Keep::Sealed { passphrase, device },
        (None, true) => Keep::Unsealed,
        (None, false) => Keep::InWords,
    };
    Confirmation { words, keep }
}

fn keyring(call: &Call) -> Keyring {
    call.node.keyring(call.viewer())
}

fn state(keyring: &Keyring) -> Result<Json<KeyState>, ApiError> {
    let state = keyring.state()?;
    Ok(Json(KeyState {
        control_key: state.control.name(),
        device_key: state.device.name(),
        device_key_open: state.device_open,
        phrase: state.phrase.name(),
    }))
}
