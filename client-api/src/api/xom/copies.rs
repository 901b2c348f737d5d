//! `/api/xom/v1/statuses/:id/copies`: who holds a copy of an entry, and what became of it once it was erased.

use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};
use xom_node::Handle;
use xom_node::model::{CopiesReport, CopyView, FoundEntry, HereBody};
use xom_protocol::Did;
use xom_protocol::receipt::Fate;

use crate::api::entities::timestamp;
use crate::api::words::{count, day};
use crate::http::{ApiError, Call, ErrorKind};

/// The copies of an own status or entry, erased or not, named by its local id, its entry id or a prefix of that.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let report = find(&call.node, call.viewer(), name).await?;
    Ok(Json(entity(&report)))
}

/// The report for an entry of `owner`; of another author it is not told.
pub(crate) async fn find(node: &Handle, owner: Did, name: String) -> Result<CopiesReport, ApiError> {
    let found = node.read(move |reader| reader.find_entry(&name)).await?;
    let entry = match found {
        FoundEntry::One(entry) => entry,
        FoundEntry::None => return Err(ApiError::not_found()),
        FoundEntry::Several(entries) => {
            let candidates: Vec<String> = entries.iter().map(ToString::to_string).collect();
            let text = format!("several entries begin so: {}", candidates.join(", "));
            return Err(ApiError::new(ErrorKind::Ambiguous).describe(text).with("candidates", json!(candidates)));
        }
    };
    let report = node.read(move |reader| reader.copies(&entry)).await?;
    report.filter(|report| report.author == owner).ok_or_else(ApiError::not_found)
}

/// The report as clients see it.
pub fn entity(report: &CopiesReport) -> Value {
    let counts = report.counts();
    let (here, purge_ms) = match report.here {
        HereBody::Held => ("held", None),
        HereBody::Hidden { purge_ms } => ("hidden", Some(purge_ms)),
        HereBody::Gone => ("purged", None),
    };
    json!({
        "entry": report.entry.to_string(),
        "id": report.status.map(|status| status.0.to_string()),
        "kind": report.kind,
        "created_at": timestamp(report.time_ms),
        "erased_at": report.erased_ms.map(timestamp),
        "here": here,
        "purge_at": purge_ms.map(timestamp),
        "known": counts.known,
        "purged": counts.purged,
        "hidden": counts.hidden,
        "silent": counts.silent,
        "silent_since": counts.silent_since_ms.map(timestamp),
        "others": counts.others,
        "broken_promises": counts.broken,
        "summary": summary(report),
        "copies": report.copies.iter().map(copy).collect::<Vec<_>>(),
    })
}

fn copy(copy: &CopyView) -> Value {
    json!({
        "holder": copy.holder.to_string(),
        "acct": copy.acct,
        "device": copy.device.to_string(),
        "own": copy.own,
        "known": copy.known,
        "fate": copy.fate.map(|fate| match fate {
            Fate::Hidden => "hidden",
            Fate::Purged => "purged",
        }),
        "answered_at": copy.answered_ms.map(timestamp),
        "last_seen_at": timestamp(copy.seen_ms),
        "broken_promise": copy.broken,
    })
}

/// The report in a sentence: "purged on 7 of 9 known copies, 2 not seen since 12 March".
pub fn summary(report: &CopiesReport) -> String {
    let counts = report.counts();
    if report.erased_ms.is_none() {
        return format!("held on {}", count(counts.known, "known copy", "known copies"));
    }
    let of = count(counts.known, "known copy", "known copies");
    let mut parts = Vec::new();
    match (counts.purged, counts.hidden) {
        (_, _) if counts.known == 0 => parts.push("no copy was known when it was erased".to_owned()),
        (0, 0) => parts.push(format!("no answer yet of {of}")),
        (purged, 0) => parts.push(format!("purged on {purged} of {of}")),
        (0, hidden) => parts.push(format!("hidden on {hidden} of {of}")),
        (purged, hidden) => parts.push(format!("purged on {purged} and hidden on {hidden} of {of}")),
    }
    if let Some(since) = counts.silent_since_ms {
        parts.push(format!("{} not seen since {}", counts.silent, day(since)));
    }
    if counts.others > 0 {
        parts.push(format!("{} nobody knew of answered too", count(counts.others, "copy that", "copies that")));
    }
    if counts.broken > 0 {
        parts.push(format!("{} sent the text after promising that it was purged", counts.broken));
    }
    parts.join(", ")
}
