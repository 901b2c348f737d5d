//! `/api/v1/notifications`: what happened to the caller, newest first.

pub mod away;
pub mod requests;

use axum::Json;
use xom_node::model::{AccountId, NotificationId, NotificationKind, NotificationScope};

use crate::api::entities::Notification;
use crate::api::entities::notification::kind_of;
use crate::api::lookup::Id;
use crate::http::link::{LinkHeader, PageSize, Paging};
use crate::http::{ApiError, Call, Params};

const NOTIFICATIONS: PageSize = PageSize { default: 40, max: 80 };

/// A page of them.
pub async fn list(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<Notification>>), ApiError> {
    let paging = Paging::read(&params, NOTIFICATIONS)?;
    let kinds =
        |name| -> Vec<NotificationKind> { params.texts(name).iter().filter_map(|kind| kind_of(kind)).collect() };
    let (wanted, excluded) = (kinds("types"), kinds("exclude_types"));
    if wanted.is_empty() && !params.texts("types").is_empty() {
        // Only kinds that never happen here.
        return Ok((None, Json(Vec::new())));
    }
    let waiting = params.flag("include_filtered").unwrap_or(false);
    let scope = if waiting { NotificationScope::All } else { NotificationScope::Accepted };
    let from = params.id("account_id")?.map(AccountId);
    let (viewer, page) = (call.viewer(), *paging.page());
    let read = call.node.read(move |reader| {
        let wanted = (!wanted.is_empty()).then_some(&wanted[..]);
        reader.notifications_in(&viewer, scope, wanted, &excluded, from, &page)
    });
    let mut found = read.await?;
    let link = paging.finish(&mut found, &call.base, &call.uri, |notification| notification.id.0);
    Ok((link, Json(found.iter().map(|notification| Notification::new(&call.base, notification)).collect())))
}

/// One of them.
pub async fn get(call: Call, Id(id): Id) -> Result<Json<Notification>, ApiError> {
    let viewer = call.viewer();
    let found = call.node.read(move |reader| reader.notification(&viewer, NotificationId(id))).await?;
    let found = found.ok_or_else(ApiError::not_found)?;
    Ok(Json(Notification::new(&call.base, &found)))
}
