//! `/api/v1/reports`: what the caller reports is kept for the owner of this node, and sent to nobody.

use axum::Json;
use serde_json::{Value, json};

use crate::api::compose::{clean, now_ms};
use crate::api::entities::{Account, timestamp};
use crate::api::lookup::{Id, account};
use crate::api::private::{REPORT, fresh_id};
use crate::http::{ApiError, Call, Params};

/// Most reports that are kept; the oldest goes.
pub const REPORTS_MAX: usize = 1_000;
/// Longest comment, characters.
const COMMENT_CHARS_MAX: usize = 1_000;
/// Most statuses of a report.
const STATUSES_MAX: usize = 100;
/// What a report may be about.
const CATEGORIES: [&str; 4] = ["spam", "legal", "violation", "other"];

/// Keeps a report.
pub async fn post(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let id = params.id("account_id")?.ok_or_else(|| ApiError::invalid("Account can't be blank"))?;
    let target = account(&call, Id(id)).await?;
    let comment = clean(params.raw_text("comment").unwrap_or_default().trim());
    if comment.chars().count() > COMMENT_CHARS_MAX {
        return Err(ApiError::invalid(format!("Comment is longer than {COMMENT_CHARS_MAX} characters")));
    }
    let category = params.text("category").unwrap_or_else(|| "other".to_owned());
    if !CATEGORIES.contains(&category.as_str()) {
        return Err(ApiError::invalid("Category is not one of spam, legal, violation, other"));
    }
    let statuses: Vec<String> =
        params.ids("status_ids")?.iter().take(STATUSES_MAX).map(|status| status.to_string()).collect();
    let id = fresh_id()?;
    let report = json!({
        "id": id.to_string(),
        "action_taken": false,
        "action_taken_at": null,
        "category": category,
        "comment": comment,
        "forwarded": false,
        "created_at": timestamp(now_ms()),
        "status_ids": statuses,
        "rule_ids": [],
        "target_account": Account::new(&call.base, &target),
    });
    let kept = json!({
        "report": report,
        "target": target.did.to_string(),
        "by": call.viewer().to_string(),
    });
    let kept = kept.to_string().into_bytes();
    let put = call.node.records(move |records| {
        let known = records.range(REPORT, &[], REPORTS_MAX)?;
        if let Some((oldest, _)) = known.first().filter(|_| known.len() == REPORTS_MAX) {
            records.remove(REPORT, oldest)?;
        }
        records.put(REPORT, &id.to_be_bytes(), &kept)
    });
    put.await?;
    Ok(Json(report))
}

/// `GET /api/xom/v1/reports`: all that are kept, newest first, with who reported.
pub async fn list(call: Call) -> Result<Json<Vec<Value>>, ApiError> {
    let kept = call.node.read(|reader| reader.records(REPORT, &[], REPORTS_MAX)).await?;
    Ok(Json(kept.iter().rev().filter_map(|(_, value)| serde_json::from_slice(value).ok()).collect()))
}
