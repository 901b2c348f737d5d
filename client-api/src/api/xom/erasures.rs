//! `/api/xom/v1/erasures`: erases many own entries at once, or only counts them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xom_node::command::Command;
use xom_node::model::EraseScope;

use super::access;
use crate::api::entities::read_day_or_time;
use crate::http::{ApiError, Call, Secret, Sent};

/// Entries of one request; whoever asks goes on while `left` is not 0.
const ENTRIES_MAX: usize = 1_024;
/// Entries of one group commit.
const BATCH_MAX: usize = 128;
/// After so long no further commit is begun, so that a slow disk ends no request without an answer.
const BEGIN_MAX: Duration = Duration::from_secs(8);

/// What is to be erased: one of `before`, `device` and `everything`.
#[derive(Deserialize, ToSchema)]
pub struct ErasuresRequest {
    /// What was written before this day or time: `2026-03-12`, or a whole time.
    before: Option<String>,
    /// What was written by this device.
    device: Option<String>,
    /// All of it.
    everything: Option<bool>,
    /// Only count.
    dry_run: Option<bool>,
    /// Purge the bytes at once, by orders that the control key signs.
    now: Option<bool>,
    /// With `everything`: end the identity once nothing is left.
    retire: Option<bool>,
    /// Opens the control key where it lies sealed.
    #[schema(value_type = Option<String>)]
    passphrase: Option<Secret>,
    /// The 24 words, where the control key does not lie here.
    #[schema(value_type = Option<String>)]
    words: Option<Secret>,
}

/// What was found and erased.
#[derive(Serialize, ToSchema)]
pub struct ErasedMany {
    /// Entries that fitted and were not erased before.
    found: usize,
    /// The same by their kinds.
    kinds: BTreeMap<String, u64>,
    /// Entries that this request erased.
    erased: u64,
    /// Entries that still stand: ask again while this is not 0.
    left: usize,
    /// The identity has ended.
    retired: bool,
}

/// Erase many own entries
///
/// Erases what `before` (a time), `device` or `everything` says, with `now` by an order of the control key; with
/// `dry_run` nothing. `retire` with `everything` ends the identity once nothing is left. Ask again while `left` is
/// not 0.
#[utoipa::path(post, path = "/erasures", operation_id = "eraseMany", tag = "entries",
    request_body = ErasuresRequest,
    responses((status = 200, description = "What was found and erased", body = ErasedMany)))]
pub async fn post(call: Call, Sent(wanted): Sent<ErasuresRequest>) -> Result<Json<ErasedMany>, ApiError> {
    let (scope, retire) = (scope(&wanted)?, wanted.retire.unwrap_or(false));
    let access = access::of(&call, wanted.passphrase, wanted.words)?;
    if retire && scope != EraseScope::Everything {
        return Err(ApiError::invalid("retire goes with everything"));
    }
    let did = call.viewer();
    let found = call.node.read(move |reader| reader.erasable(&did, scope)).await?;
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for (_, kind) in &found {
        *kinds.entry(kind.name().to_owned()).or_default() += 1;
    }
    let (began, mut erased, mut done) = (Instant::now(), 0, 0);
    let dry_run = wanted.dry_run.unwrap_or(false);
    if !dry_run {
        let now = wanted.now.unwrap_or(false);
        // Where the key is closed, nothing is begun.
        let opened = if now || retire { Some(call.node.control_key(did, access.clone()).await?) } else { None };
        let key = opened.filter(|_| now);
        for batch in found[..found.len().min(ENTRIES_MAX)].chunks(BATCH_MAX) {
            if began.elapsed() > BEGIN_MAX {
                break;
            }
            let command = |entry| Command::EraseEntry { entry, now: key.clone() };
            let commands = batch.iter().map(|(entry, _)| command(*entry)).collect();
            for answer in call.node.commands(did, commands).await {
                erased += u64::from(answer?.entry.is_some());
            }
            done += batch.len();
        }
    }
    let left = found.len() - done;
    let retired = retire && !dry_run && left == 0;
    if retired {
        call.node.retire(did, access).await?;
    }
    Ok(Json(ErasedMany { found: found.len(), kinds, erased, left, retired }))
}

fn scope(wanted: &ErasuresRequest) -> Result<EraseScope, ApiError> {
    match (&wanted.before, &wanted.device, wanted.everything.unwrap_or(false)) {
        (Some(before), None, false) => {
            let ms = read_day_or_time(before).ok_or_else(|| ApiError::invalid("before is no date like 2026-03-12"))?;
            Ok(EraseScope::Before(ms))
        }
        (None, Some(device), false) => {
            device.parse().map(EraseScope::Device).map_err(|_| ApiError::invalid("device is no device"))
        }
        (None, None, true) => Ok(EraseScope::Everything),
        _ => Err(ApiError::invalid("give before, device or everything, and one of them only")),
    }
}
