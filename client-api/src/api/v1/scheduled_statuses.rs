//! `/api/v1/scheduled_statuses`: posts that wait for their time.

use axum::Json;
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use xom_node::model::{Media, MediaId};
use xom_protocol::limits::TIME_MS_MAX;

use crate::api::compose::now_ms;
use crate::api::entities::{MediaAttachment, timestamp};
use crate::api::lookup::Id;
use crate::api::posting;
use crate::api::private::page_of;
use crate::api::scheduled::{self, AHEAD_MS_MIN, Scheduled};
use crate::http::link::{LinkHeader, Paging, STATUSES};
use crate::http::{ApiError, Call, Params};

/// A post that waits, as clients see it.
#[derive(Debug, Clone, Serialize)]
pub struct ScheduledStatus {
    id: String,
    scheduled_at: String,
    params: Value,
    media_attachments: Vec<MediaAttachment>,
}

/// Those of the caller, newest first.
pub async fn list(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<ScheduledStatus>>), ApiError> {
    let paging = Paging::read(&params, STATUSES)?;
    let mut found = page_of(scheduled::all_of(&call.node, call.viewer()).await?, paging.page());
    let link = paging.finish(&mut found, &call.base, &call.uri, |(id, _)| *id);
    let mut shown = Vec::new();
    for (id, scheduled) in &found {
        shown.push(show(&call, *id, scheduled).await?);
    }
    Ok((link, Json(shown)))
}

/// One of them.
pub async fn get(call: Call, Id(id): Id) -> Result<Json<ScheduledStatus>, ApiError> {
    let all = scheduled::all_of(&call.node, call.viewer()).await?;
    let (_, scheduled) = all.into_iter().find(|(known, _)| *known == id).ok_or_else(ApiError::not_found)?;
    Ok(Json(show(&call, id, &scheduled).await?))
}

/// Gives one another time.
pub async fn put(call: Call, Id(id): Id, params: Params) -> Result<Json<ScheduledStatus>, ApiError> {
    let asked = params.text("scheduled_at").ok_or_else(|| ApiError::invalid("Scheduled at can't be blank"))?;
    let at_ms = ahead(read_time(&asked)?)?;
    let changed = scheduled::set_time(&call.node, call.viewer(), id, at_ms).await?;
    let changed = changed.ok_or_else(ApiError::not_found)?;
    Ok(Json(show(&call, id, &changed).await?))
}

/// Takes one away before it is published.
pub async fn delete(call: Call, Id(id): Id) -> Result<Json<Value>, ApiError> {
    match scheduled::remove(&call.node, call.viewer(), id).await? {
        true => Ok(Json(json!({}))),
        false => Err(ApiError::not_found()),
    }
}

/// Keeps a post for the time that the client asks for; none where that is past, and it is published now.
pub async fn keep(call: &Call, params: &Params, key: Option<String>) -> Result<Option<ScheduledStatus>, ApiError> {
    let Some(asked) = params.text("scheduled_at") else { return Ok(None) };
    let at_ms = read_time(&asked)?;
    if at_ms <= now_ms() {
        return Ok(None);
    }
    let scheduled = Scheduled::new(ahead(at_ms)?, params, key)?;
    // What could not be published now is refused now.
    posting::command(&call.node, call.viewer(), params).await?;
    let (id, scheduled) = scheduled::add(&call.node, call.viewer(), scheduled).await?;
    show(call, id, &scheduled).await.map(Some)
}

/// A time of RFC 3339 in milliseconds since 1970.
fn read_time(text: &str) -> Result<u64, ApiError> {
    let time = OffsetDateTime::parse(text.trim(), &Rfc3339).ok();
    let ms = time.and_then(|time| u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok());
    ms.filter(|ms| *ms <= TIME_MS_MAX).ok_or_else(|| ApiError::invalid("Scheduled at is not a time of RFC 3339"))
}

fn ahead(at_ms: u64) -> Result<u64, ApiError> {
    if at_ms < now_ms() + AHEAD_MS_MIN {
        return Err(ApiError::invalid("The scheduled date must be at least 5 minutes in the future"));
    }
    Ok(at_ms)
}

async fn show(call: &Call, id: u64, scheduled: &Scheduled) -> Result<ScheduledStatus, ApiError> {
    let owner = call.viewer();
    let attachments = scheduled::attachments(&call.node, scheduled).await?;
    let params = Params::from_map(scheduled.params.clone());
    let text = |name: &str| params.text(name);
    let ids: Vec<String> = scheduled.uploads.iter().map(|(shown, _, _)| shown.to_string()).collect();
    Ok(ScheduledStatus {
        id: id.to_string(),
        scheduled_at: timestamp(scheduled.at_ms),
        params: json!({
            "text": params.raw_text("status").unwrap_or_default(),
            "spoiler_text": text("spoiler_text"),
            "sensitive": params.flag("sensitive").unwrap_or(false),
            "visibility": text("visibility"),
            "language": text("language"),
            "in_reply_to_id": text("in_reply_to_id"),
            "quoted_status_id": text("quoted_status_id"),
            "quote_approval_policy": "public",
            "poll": params.get("poll"),
            "media_ids": (!ids.is_empty()).then_some(ids),
            "application_id": 0,
            "idempotency": null,
            "scheduled_at": null,
            "with_rate_limit": false,
        }),
        media_attachments: attachments
            .into_iter()
            .map(|(shown, attachment)| {
                MediaAttachment::of_upload(&call.base, &Media { id: MediaId(shown), owner, attachment })
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_its_zone_and_must_be_ahead() {
        assert_eq!(read_time("1970-01-01T07:00:01.5+07:00").unwrap(), 1_500);
        for bad in ["", "tomorrow", "2030-01-01", "1960-01-01T00:00:00Z", "9999999-01-01T00:00:00Z"] {
            assert!(read_time(bad).is_err(), "{bad}");
        }
        assert!(ahead(now_ms() + AHEAD_MS_MIN - 1_000).is_err());
        assert!(ahead(now_ms() + AHEAD_MS_MIN + 60_000).is_ok());
    }
}
