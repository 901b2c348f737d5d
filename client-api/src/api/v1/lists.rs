//! `/api/v1/lists`: lists of people whom the caller follows, and `/api/v1/timelines/list/:id`.

pub mod accounts;

use axum::Json;
use serde::Serialize;
use serde_json::{Value, json};
use xom_node::private::{LIST, LIST_MEMBER, ListHead, ListReplies, read_value, value_of};

use crate::api::compose::clean_line;
use crate::api::entities::Status;
use crate::api::lookup::Id;
use crate::api::{page, private};
use crate::http::link::{LinkHeader, Paging, STATUSES};
use crate::http::{ApiError, Call, Params};

/// Most lists of an identity.
const LISTS_MAX: usize = 50;
/// Longest name, characters.
const TITLE_CHARS_MAX: usize = 200;

/// A list as clients see it.
#[derive(Debug, Clone, Serialize)]
pub struct List {
    id: String,
    title: String,
    replies_policy: ListReplies,
    exclusive: bool,
}

impl List {
    fn new(id: u64, head: ListHead) -> Self {
        Self { id: id.to_string(), title: head.title, replies_policy: head.replies, exclusive: head.exclusive }
    }
}

/// All lists of the caller, by their names.
pub async fn list(call: Call) -> Result<Json<Vec<List>>, ApiError> {
    let mut lists = all(&call).await?;
    lists.sort_by(|a, b| a.1.title.cmp(&b.1.title));
    Ok(Json(lists.into_iter().map(|(id, head)| List::new(id, head)).collect()))
}

/// A list.
pub async fn get(call: Call, id: Id) -> Result<Json<List>, ApiError> {
    Ok(Json(List::new(id.0, head(&call, id).await?)))
}

/// Makes one.
pub async fn post(call: Call, params: Params) -> Result<Json<List>, ApiError> {
    let head = change(&params, ListHead { title: String::new(), replies: ListReplies::default(), exclusive: false })?;
    if all(&call).await?.len() >= LISTS_MAX {
        return Err(ApiError::invalid(format!("You have reached the maximum number of lists, {LISTS_MAX}")));
    }
    let id = private::fresh_id()?;
    private::put(&call, key(id), value_of(&head)).await?;
    Ok(Json(List::new(id, head)))
}

/// Changes one.
pub async fn put(call: Call, id: Id, params: Params) -> Result<Json<List>, ApiError> {
    let head = change(&params, head(&call, id).await?)?;
    private::put(&call, key(id.0), value_of(&head)).await?;
    Ok(Json(List::new(id.0, head)))
}

/// Takes one away, with its members.
pub async fn delete(call: Call, id: Id) -> Result<Json<Value>, ApiError> {
    head(&call, id).await?;
    let (viewer, members) = (call.viewer(), format!("{LIST_MEMBER}{}/", id.0));
    let members = call.node.read(move |reader| reader.settings(&viewer, &members)).await?;
    private::remove(&call, members.into_iter().map(|(key, _)| key).chain([key(id.0)])).await?;
    Ok(Json(json!({})))
}

/// What home would show of its members.
pub async fn timeline(call: Call, id: Id, params: Params) -> Result<(LinkHeader, Json<Vec<Status>>), ApiError> {
    let paging = Paging::read(&params, STATUSES)?;
    head(&call, id).await?;
    let (viewer, page) = (call.viewer(), *paging.page());
    let found = call.node.read(move |reader| reader.list(&viewer, id.0, &page)).await?;
    Ok(page::statuses(&call, &paging, found))
}

fn key(id: u64) -> String {
    format!("{LIST}{id}")
}

async fn head(call: &Call, Id(id): Id) -> Result<ListHead, ApiError> {
    let viewer = call.viewer();
    let value = call.node.read(move |reader| reader.setting(&viewer, &key(id))).await?;
    value.and_then(|value| read_value(&value)).ok_or_else(ApiError::not_found)
}

async fn all(call: &Call) -> Result<Vec<(u64, ListHead)>, ApiError> {
    let viewer = call.viewer();
    let settings = call.node.read(move |reader| reader.settings(&viewer, LIST)).await?;
    let read = |(key, value): &(String, Vec<u8>)| Some((key.strip_prefix(LIST)?.parse().ok()?, read_value(value)?));
    Ok(settings.iter().filter_map(read).collect())
}

fn change(params: &Params, mut head: ListHead) -> Result<ListHead, ApiError> {
    if let Some(title) = params.raw_text("title") {
        head.title = clean_line(&title);
    }
    if head.title.is_empty() {
        return Err(ApiError::invalid("Title can't be blank"));
    }
    if head.title.chars().count() > TITLE_CHARS_MAX {
        return Err(ApiError::invalid(format!("Title is longer than {TITLE_CHARS_MAX} characters")));
    }
    match params.text("replies_policy").as_deref() {
        None => {}
        Some("followed") => head.replies = ListReplies::Followed,
        Some("list") => head.replies = ListReplies::List,
        Some("none") => head.replies = ListReplies::None,
        Some(_) => return Err(ApiError::invalid("Replies policy is not one of followed, list, none")),
    }
    head.exclusive = params.flag("exclusive").unwrap_or(head.exclusive);
    Ok(head)
}
