//! `/api/v2/notifications`: notifications in groups. Likes and reposts of one status are one group, and so are the
//! follows of one day; everything else stands alone.

pub mod policy;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use serde_json::{Value, json};
use xom_node::model::{self, AccountId, NotificationKind, Page};

use crate::api::entities::notification::{kind_name, kind_of};
use crate::api::entities::status::statuses;
use crate::api::entities::{Account, Status, timestamp};
use crate::api::v1::notifications::away;
use crate::http::link::{LinkHeader, PageSize, Paging};
use crate::http::{ApiError, Call, Params};

const GROUPS: PageSize = PageSize { default: 40, max: 80 };
/// Most notifications that are looked at for one page of groups, or for one group.
const LOOKED_AT_MAX: usize = 400;
/// Most accounts that are named of a group.
const SAMPLE_MAX: usize = 8;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// A page of groups, with what they refer to.
#[derive(Debug, Clone, Serialize)]
pub struct Grouped {
    accounts: Vec<Account>,
    statuses: Vec<Status>,
    notification_groups: Vec<Group>,
}

/// A group of notifications.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    group_key: String,
    notifications_count: usize,
    #[serde(rename = "type")]
    kind: &'static str,
    most_recent_notification_id: u64,
    page_min_id: String,
    page_max_id: String,
    latest_page_notification_at: String,
    sample_account_ids: Vec<String>,
    status_id: Option<String>,
}

/// A page of groups, the one with the newest notification first.
pub async fn list(call: Call, params: Params) -> Result<(LinkHeader, Json<Grouped>), ApiError> {
    let paging = Paging::read(&params, GROUPS)?;
    let limit = paging.page().limit - 1;
    let kinds =
        |name| -> Vec<NotificationKind> { params.texts(name).iter().filter_map(|kind| kind_of(kind)).collect() };
    let (wanted, excluded, grouped) = (kinds("types"), kinds("exclude_types"), params.texts("grouped_types"));
    if wanted.is_empty() && !params.texts("types").is_empty() {
        return Ok((
            None,
            Json(Grouped { accounts: Vec::new(), statuses: Vec::new(), notification_groups: Vec::new() }),
        ));
    }
    let from = params.id("account_id")?.map(AccountId);
    let (viewer, page) = (call.viewer(), Page { limit: LOOKED_AT_MAX, ..*paging.page() });
    let read = call.node.read(move |reader| {
        let wanted = (!wanted.is_empty()).then_some(&wanted[..]);
        reader.notifications(&viewer, wanted, &excluded, from, &page)
    });
    let may = |kind: NotificationKind| grouped.is_empty() || grouped.iter().any(|name| name == kind_name(kind));
    let found = read.await?;
    let whole = found.len() < LOOKED_AT_MAX;
    let (taken, cut) = up_to(found, limit, page.min_id.is_some(), &may);
    let answer = answer(&call, &taken, &may);
    // The header is made of notifications, not of groups, so that the next page begins where this one ends.
    let ends = taken.first().zip(taken.last()).map(|(first, last)| (first.id.0, last.id.0));
    let link = ends.and_then(|ends| paging.header(&call.base, &call.uri, ends, cut || !whole));
    Ok((link, Json(answer)))
}

/// One group.
pub async fn get(call: Call, Path(key): Path<String>) -> Result<Json<Grouped>, ApiError> {
    let members = members(&call, &key).await?;
    Ok(Json(answer(&call, &members, &|_| true)))
}

/// Who is in a group.
pub async fn accounts(call: Call, Path(key): Path<String>) -> Result<Json<Vec<Account>>, ApiError> {
    let members = members(&call, &key).await?;
    Ok(Json(named(&call, members.iter().map(|one| &one.account))))
}

/// Puts a group away.
pub async fn dismiss(call: Call, Path(key): Path<String>, _params: Params) -> Result<Json<Value>, ApiError> {
    let members = members(&call, &key).await?;
    away::put_away(&call, members.iter().map(|one| one.id.0).collect()).await?;
    Ok(Json(json!({})))
}

/// The newest notifications of at most `limit` groups, and whether some were left; the oldest of them where the page
/// goes upwards.
fn up_to(
    found: Vec<model::Notification>,
    limit: usize,
    upwards: bool,
    may: &impl Fn(NotificationKind) -> bool,
) -> (Vec<model::Notification>, bool) {
    let mut keys = std::collections::BTreeSet::new();
    let mut fits = |one: &model::Notification| {
        keys.insert(group_key(one, may));
        keys.len() <= limit
    };
    let total = found.len();
    let taken: Vec<_> = if upwards {
        let mut taken: Vec<_> = found.into_iter().rev().take_while(|one| fits(one)).collect();
        taken.reverse();
        taken
    } else {
        found.into_iter().take_while(|one| fits(one)).collect()
    };
    let cut = taken.len() < total;
    (taken, cut)
}

async fn members(call: &Call, key: &str) -> Result<Vec<model::Notification>, ApiError> {
    let viewer = call.viewer();
    let page = Page { limit: LOOKED_AT_MAX, ..Page::default() };
    let mut found = match key.strip_prefix("ungrouped-") {
        Some(id) => {
            let id = model::NotificationId(id.parse().map_err(|_| ApiError::not_found())?);
            call.node.read(move |reader| reader.notification(&viewer, id)).await?.into_iter().collect()
        }
        None => {
            let kind = key.split('-').next().and_then(kind_of).ok_or_else(ApiError::not_found)?;
            call.node.read(move |reader| reader.notifications(&viewer, Some(&[kind]), &[], None, &page)).await?
        }
    };
    if !key.starts_with("ungrouped-") {
        found.retain(|one| group_key(one, &|_| true) == key);
    }
    if found.is_empty() { Err(ApiError::not_found()) } else { Ok(found) }
}

/// What the notifications of a group have in common.
fn group_key(one: &model::Notification, may: &impl Fn(NotificationKind) -> bool) -> String {
    let status = one.status.as_ref().map(|status| status.id.0);
    match (one.kind, status) {
        (NotificationKind::Favourite | NotificationKind::Reblog, Some(status)) if may(one.kind) => {
            format!("{}-{status}", kind_name(one.kind))
        }
        (NotificationKind::Follow, _) if may(one.kind) => format!("follow-{}", one.time_ms / DAY_MS),
        _ => format!("ungrouped-{}", one.id.0),
    }
}

fn answer(call: &Call, found: &[model::Notification], may: &impl Fn(NotificationKind) -> bool) -> Grouped {
    let mut groups: Vec<Group> = Vec::new();
    let mut shown = BTreeMap::new();
    for one in found {
        let key = group_key(one, may);
        if let Some(status) = &one.status {
            shown.entry(status.id).or_insert_with(|| status.clone());
        }
        let account = one.account.id.0.to_string();
        match groups.iter_mut().find(|group| group.group_key == key) {
            Some(group) => {
                group.notifications_count += 1;
                group.page_min_id = one.id.0.to_string();
                if group.sample_account_ids.len() < SAMPLE_MAX && !group.sample_account_ids.contains(&account) {
                    group.sample_account_ids.push(account);
                }
            }
            None => groups.push(Group {
                group_key: key,
                notifications_count: 1,
                kind: kind_name(one.kind),
                most_recent_notification_id: one.id.0,
                page_min_id: one.id.0.to_string(),
                page_max_id: one.id.0.to_string(),
                latest_page_notification_at: timestamp(one.time_ms),
                sample_account_ids: vec![account],
                status_id: one.status.as_ref().map(|status| status.id.0.to_string()),
            }),
        }
    }
    let samples = |one: &&model::Notification| {
        let id = one.account.id.0.to_string();
        groups.iter().any(|group| group.sample_account_ids.contains(&id))
    };
    let accounts = named(call, found.iter().filter(samples).map(|one| &one.account));
    let shown: Vec<model::Status> = shown.into_values().collect();
    Grouped { accounts, statuses: statuses(&call.base, &shown), notification_groups: groups }
}

/// Accounts, each once.
fn named<'a>(call: &Call, accounts: impl Iterator<Item = &'a std::sync::Arc<model::Account>>) -> Vec<Account> {
    let each: BTreeMap<AccountId, _> = accounts.map(|account| (account.id, account)).collect();
    each.into_values().map(|account| Account::new(&call.base, account)).collect()
}
