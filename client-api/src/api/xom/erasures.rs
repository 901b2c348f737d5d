//! `/api/xom/v1/erasures`: erases many own entries at once, or only counts them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::Json;
use serde_json::{Value, json};
use xom_node::command::Command;
use xom_node::model::EraseScope;

use super::access;
use crate::api::entities::read_day_or_time;
use crate::http::{ApiError, Call, Params};

/// Entries of one request; whoever asks goes on while `left` is not 0.
const ENTRIES_MAX: usize = 1_024;
/// Entries of one group commit.
const BATCH_MAX: usize = 128;
/// After so long no further commit is begun, so that a slow disk ends no request without an answer.
const BEGIN_MAX: Duration = Duration::from_secs(8);

/// Erases what `before` (a time), `device` or `everything` says, with `now` by an order of the control key; with
/// `dry_run` nothing. `retire` with `everything` ends the identity once nothing is left.
pub async fn post(call: Call, mut params: Params) -> Result<Json<Value>, ApiError> {
    let access = access::take(&call, &mut params)?;
    let (scope, retire) = (scope(&params)?, params.flag("retire").unwrap_or(false));
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
    let dry_run = params.flag("dry_run").unwrap_or(false);
    if !dry_run {
        let now = params.flag("now").unwrap_or(false);
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
    Ok(Json(json!({ "found": found.len(), "kinds": kinds, "erased": erased, "left": left, "retired": retired })))
}

fn scope(params: &Params) -> Result<EraseScope, ApiError> {
    let everything = params.flag("everything").unwrap_or(false);
    match (params.text("before"), params.text("device"), everything) {
        (Some(before), None, false) => {
            let ms = read_day_or_time(&before).ok_or_else(|| ApiError::invalid("before is no date like 2026-03-12"))?;
            Ok(EraseScope::Before(ms))
        }
        (None, Some(device), false) => {
            device.parse().map(EraseScope::Device).map_err(|_| ApiError::invalid("device is no device"))
        }
        (None, None, true) => Ok(EraseScope::Everything),
        _ => Err(ApiError::invalid("give before, device or everything, and one of them only")),
    }
}
