//! `/api/xom/v1/statuses/:id/copies`: who holds a copy of an entry, and what became of it once it was erased.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use xom_node::Handle;
use xom_node::model::{CopiesReport, CopyView, FoundEntry, HereBody};
use xom_protocol::Did;
use xom_protocol::receipt::Fate;

use crate::api::entities::timestamp;
use crate::api::words::{count, day};
use crate::http::{ApiError, Call, ErrorKind};

/// Who holds copies of an entry.
#[derive(Serialize, ToSchema)]
pub struct Copies {
    /// The entry id, a CID.
    entry: String,
    /// Its id in Mastodon's API, if it is a status.
    id: Option<String>,
    /// Its kind.
    kind: String,
    /// When it was written.
    created_at: String,
    /// When it was erased, if it was.
    erased_at: Option<String>,
    /// Its body on this node: `held`, `hidden` or `purged`.
    here: &'static str,
    /// When a hidden body is purged here.
    purge_at: Option<String>,
    /// Copies that were known when it was erased, or are known now.
    known: u64,
    /// Known copies that were purged, as their holders have signed.
    purged: u64,
    /// Known copies that are hidden.
    hidden: u64,
    /// Known copies of which nothing was heard.
    silent: u64,
    /// Since when.
    silent_since: Option<String>,
    /// Copies of which nobody knew and that answered too.
    others: u64,
    /// Holders who sent the text after they had promised that it was purged.
    broken_promises: u64,
    /// All of it in a sentence.
    summary: String,
    /// Each copy.
    copies: Vec<Copy>,
}

/// A copy of an entry, with its holder's receipt.
#[derive(Serialize, ToSchema)]
pub struct Copy {
    /// Who holds it, a DID.
    holder: String,
    /// What that account is called here.
    acct: Option<String>,
    /// The device that holds it.
    device: String,
    /// It is another device of the author.
    own: bool,
    /// It was known when the entry was erased, or is known now.
    known: bool,
    /// What the holder has promised: `hidden` or `purged`; none without a receipt.
    fate: Option<&'static str>,
    /// When the receipt was given.
    answered_at: Option<String>,
    /// When it was last seen.
    last_seen_at: String,
    /// It sent the text after the promise.
    broken_promise: bool,
}

/// Show who holds copies
///
/// The copies of an own status or entry, erased or not, with the receipts of those who purged it.
#[utoipa::path(get, path = "/statuses/{id}/copies", operation_id = "getCopies", tag = "entries",
    params(("id" = String, Path, description = "A Mastodon id, an entry id, or the beginning of one")),
    responses((status = 200, description = "The copies", body = Copies)))]
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Copies>, ApiError> {
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
pub fn entity(report: &CopiesReport) -> Copies {
    let counts = report.counts();
    let (here, purge_ms) = match report.here {
        HereBody::Held => ("held", None),
        HereBody::Hidden { purge_ms } => ("hidden", Some(purge_ms)),
        HereBody::Gone => ("purged", None),
    };
    Copies {
        entry: report.entry.to_string(),
        id: report.status.map(|status| status.0.to_string()),
        kind: report.kind.to_string(),
        created_at: timestamp(report.time_ms),
        erased_at: report.erased_ms.map(timestamp),
        here,
        purge_at: purge_ms.map(timestamp),
        known: counts.known,
        purged: counts.purged,
        hidden: counts.hidden,
        silent: counts.silent,
        silent_since: counts.silent_since_ms.map(timestamp),
        others: counts.others,
        broken_promises: counts.broken,
        summary: summary(report),
        copies: report.copies.iter().map(copy).collect(),
    }
}

fn copy(copy: &CopyView) -> Copy {
    Copy {
        holder: copy.holder.to_string(),
        acct: copy.acct.clone(),
        device: copy.device.to_string(),
        own: copy.own,
        known: copy.known,
        fate: copy.fate.map(|fate| match fate {
            Fate::Hidden => "hidden",
            Fate::Purged => "purged",
        }),
        answered_at: copy.answered_ms.map(timestamp),
        last_seen_at: timestamp(copy.seen_ms),
        broken_promise: copy.broken,
    }
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
