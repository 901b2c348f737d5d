//! `/api/v1/instance/{extended_description,privacy_policy,terms_of_service,activity,translation_languages}`: the node
//! as an instance, in parts. Needs no token; says nothing of whom its owner reads.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::api::entities::{date, html, timestamp};
use crate::http::call::Anonymous;
use crate::http::{ApiError, App};

/// What the node is, in some words.
const DESCRIPTION: &str = "A node of xom, a decentralized social network. Who lives here keeps an own copy of what \
    he reads and writes; nobody else runs it for him.";
/// What happens to what one writes.
const PRIVACY: &str = "Public posts are readable by everybody and are kept by everybody who follows their author. \
    What is erased is hidden at once, and purged by every node that hears of it. What the owner sets for himself \
    stays on his own devices.";
/// What may be expected of the node.
const TERMS: &str = "This node is run by its owner, who answers for what he publishes on it. Whoever else has an \
    identity here has it by the owner's leave, and takes it along by its words. There is no warranty.";
/// Weeks of activity that are told, as many as Mastodon tells.
const WEEKS: u64 = 12;
/// When the texts were written, milliseconds since 1970: 2026-11-29.
const WRITTEN_MS: u64 = 1_795_910_400_000;

/// The description.
pub async fn extended_description(_base: Anonymous) -> Json<Value> {
    Json(json!({ "updated_at": timestamp(WRITTEN_MS), "content": html::of_text(DESCRIPTION) }))
}

/// What happens to what one writes.
pub async fn privacy_policy(_base: Anonymous) -> Json<Value> {
    Json(json!({ "updated_at": timestamp(WRITTEN_MS), "content": html::of_text(PRIVACY) }))
}

/// What whoever uses the node may expect of it.
pub async fn terms_of_service(_base: Anonymous) -> Json<Value> {
    Json(terms())
}

/// The same as of a day; there is one version.
pub async fn terms_of_service_of(_base: Anonymous, Path(day): Path<String>) -> Result<Json<Value>, ApiError> {
    let is_day = day.split('-').filter(|part| part.parse::<u64>().is_ok()).count() == 3;
    match day == date(WRITTEN_MS) {
        true => Ok(Json(terms())),
        false if is_day => Err(ApiError::not_found()),
        false => Err(ApiError::invalid("That is no day")),
    }
}

fn terms() -> Value {
    json!({
        "effective_date": date(WRITTEN_MS),
        "effective": true,
        "content": html::of_text(TERMS),
        "succeeded_by": null,
    })
}

/// How much who lives here wrote in the last weeks. Nobody's logins are counted.
pub async fn activity(State(app): State<App>, _base: Anonymous) -> Result<Json<Vec<Value>>, ApiError> {
    let weeks = app.node().read(|reader| reader.activity(WEEKS)).await?;
    let shown = weeks.into_iter().map(|(begin_ms, posts)| {
        json!({
            "week": (begin_ms / 1_000).to_string(),
            "statuses": posts.to_string(),
            "logins": "0",
            "registrations": "0",
        })
    });
    Ok(Json(shown.collect()))
}

/// No language is translated.
pub async fn translation_languages(_base: Anonymous) -> Json<Value> {
    Json(json!({}))
}
