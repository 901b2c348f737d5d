//! Pages of statuses and accounts with their `Link` header.

use axum::Json;
use xom_node::model;

use super::entities::{Account, Status};
use crate::http::Call;
use crate::http::link::{LinkHeader, Paging};

/// A page of statuses.
pub fn statuses(call: &Call, paging: &Paging, mut found: Vec<model::Status>) -> (LinkHeader, Json<Vec<Status>>) {
    let link = paging.finish(&mut found, &call.base, &call.uri, |status| status.id.0);
    (link, Json(super::entities::status::statuses(&call.base, &found)))
}

/// A page of accounts, each with the cursor that pages.
pub fn accounts(
    call: &Call,
    paging: &Paging,
    mut found: Vec<(u64, model::Account)>,
) -> (LinkHeader, Json<Vec<Account>>) {
    let link = paging.finish(&mut found, &call.base, &call.uri, |(cursor, _)| *cursor);
    (link, Json(found.iter().map(|(_, account)| Account::new(&call.base, account)).collect()))
}

/// A page of statuses that is ordered by something else than their ids.
pub fn set_aside(
    call: &Call,
    paging: &Paging,
    mut found: Vec<(u64, model::Status)>,
) -> (LinkHeader, Json<Vec<Status>>) {
    let link = paging.finish(&mut found, &call.base, &call.uri, |(cursor, _)| *cursor);
    let found: Vec<model::Status> = found.into_iter().map(|(_, status)| status).collect();
    (link, Json(super::entities::status::statuses(&call.base, &found)))
}
