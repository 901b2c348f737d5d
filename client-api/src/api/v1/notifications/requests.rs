//! `/api/v1/notifications/requests`: people whose notifications wait, by the caller's policy, until he looks at them.
//! A request has the id of its account.

use std::collections::BTreeMap;

use axum::Json;
use serde::Serialize;
use serde_json::{Value, json};
use xom_node::model::{AccountId, NotificationRequest, NotificationScope, Page};
use xom_node::private::{NOTIFY, cursor_value};

use super::away::put_away;
use crate::api::entities::{Account, Status, timestamp};
use crate::api::lookup::Id;
use crate::api::private::{fresh_id, page_of};
use crate::http::link::{LinkHeader, PageSize, Paging};
use crate::http::{ApiError, Call, Params};

const REQUESTS: PageSize = PageSize { default: 40, max: 80 };
/// Notifications of one request that are put away at once.
const DISMISSED_MAX: usize = 1_000;

/// A request as clients see it.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    id: String,
    created_at: String,
    updated_at: String,
    notifications_count: String,
    account: Account,
    last_status: Option<Status>,
}

/// All of them, the newest first.
pub async fn list(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<Request>>), ApiError> {
    let paging = Paging::read(&params, REQUESTS)?;
    let waiting = all(&call).await?.into_iter().map(|request| (request.newest.id.0, request)).collect();
    let mut found = page_of(waiting, paging.page());
    let link = paging.finish(&mut found, &call.base, &call.uri, |(cursor, _)| *cursor);
    Ok((link, Json(found.iter().map(|(_, request)| show(&call, request)).collect())))
}

/// One of them.
pub async fn get(call: Call, id: Id) -> Result<Json<Request>, ApiError> {
    Ok(Json(show(&call, &find(&call, id).await?)))
}

/// Accepts one: whatever the policy says, of this account notifications are shown from now on, and those that waited.
pub async fn accept(call: Call, id: Id, _params: Params) -> Result<Json<Value>, ApiError> {
    let request = find(&call, id).await?;
    accept_all(&call, &[request]).await
}

/// Puts the notifications of one away.
pub async fn dismiss(call: Call, id: Id, _params: Params) -> Result<Json<Value>, ApiError> {
    let request = find(&call, id).await?;
    dismiss_all(&call, &[request]).await
}

/// Accepts those of `id[]`.
pub async fn accept_some(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let requests = named(&call, &params).await?;
    accept_all(&call, &requests).await
}

/// Dismisses those of `id[]`.
pub async fn dismiss_some(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let requests = named(&call, &params).await?;
    dismiss_all(&call, &requests).await
}

/// What is accepted shows at once.
pub async fn merged(_call: Call) -> Json<Value> {
    Json(json!({ "merged": true }))
}

/// How many requests there are, and how many notifications wait.
pub async fn counts(call: &Call) -> Result<(usize, u64), ApiError> {
    let all = all(call).await?;
    Ok((all.len(), all.iter().map(|request| request.count).sum()))
}

async fn all(call: &Call) -> Result<Vec<NotificationRequest>, ApiError> {
    let viewer = call.viewer();
    Ok(call.node.read(move |reader| reader.notification_requests(&viewer)).await?)
}

async fn find(call: &Call, Id(id): Id) -> Result<NotificationRequest, ApiError> {
    all(call).await?.into_iter().find(|request| request.account.id.0 == id).ok_or_else(ApiError::not_found)
}

async fn named(call: &Call, params: &Params) -> Result<Vec<NotificationRequest>, ApiError> {
    let ids = params.ids("id")?;
    let all = all(call).await?;
    Ok(all.into_iter().filter(|request| ids.contains(&request.account.id.0)).collect())
}

async fn accept_all(call: &Call, requests: &[NotificationRequest]) -> Result<Json<Value>, ApiError> {
    let mut changes = BTreeMap::new();
    for request in requests {
        changes.insert(format!("{NOTIFY}{}", request.account.did), cursor_value(fresh_id()?));
    }
    call.node.put_settings(call.viewer(), changes).await?;
    Ok(Json(json!({})))
}

async fn dismiss_all(call: &Call, requests: &[NotificationRequest]) -> Result<Json<Value>, ApiError> {
    let (viewer, accounts) =
        (call.viewer(), requests.iter().map(|request| request.account.id).collect::<Vec<AccountId>>());
    let read = call.node.read(move |reader| {
        let mut ids = Vec::new();
        for account in accounts {
            let page = Page { limit: DISMISSED_MAX, ..Page::default() };
            let found =
                reader.notifications_in(&viewer, NotificationScope::Waiting, None, &[], Some(account), &page)?;
            ids.extend(found.into_iter().map(|notification| notification.id.0));
        }
        Ok(ids)
    });
    put_away(call, read.await?).await?;
    Ok(Json(json!({})))
}

fn show(call: &Call, request: &NotificationRequest) -> Request {
    Request {
        id: request.account.id.0.to_string(),
        created_at: timestamp(request.oldest.0 >> 16),
        updated_at: timestamp(request.newest.time_ms),
        notifications_count: request.count.to_string(),
        account: Account::new(&call.base, &request.account),
        last_status: request.newest.status.as_ref().map(|status| Status::new(&call.base, status)),
    }
}
