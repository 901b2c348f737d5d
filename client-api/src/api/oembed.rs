//! `/api/oembed`: how a page elsewhere shows a public post of an identity of this node. Needs no token and runs
//! nothing: a quotation with its address.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use xom_node::model::{StatusContent, StatusId};

use crate::api::entities::html;
use crate::http::call::Anonymous;
use crate::http::form::parse_id;
use crate::http::{ApiError, App, Params};

/// Width where the page asks for none, pixels.
const WIDTH: u64 = 400;
/// How long an answer may be kept, seconds: what is erased must not stay long.
const CACHE_SECS: u64 = 300;
/// Longest quotation, characters.
const QUOTED_CHARS_MAX: usize = 500;

/// The card of the post that `url` names.
pub async fn get(State(app): State<App>, Anonymous(base): Anonymous, params: Params) -> Result<Json<Value>, ApiError> {
    let url = params.text("url").ok_or_else(|| ApiError::invalid("Url can't be blank"))?;
    let id = url.trim_end_matches('/').strip_prefix(base.as_str()).and_then(|path| path.strip_prefix("/@"));
    let id = id.and_then(|path| path.split_once('/')).and_then(|(_, id)| parse_id(id));
    let id = id.ok_or_else(ApiError::not_found)?;
    let found = app.node().read(move |reader| reader.status(None, StatusId(id))).await?;
    let status = found.filter(|status| status.account.local).ok_or_else(ApiError::not_found)?;
    let StatusContent::Post(view) = &status.content else { return Err(ApiError::not_found()) };
    let account = &status.account;
    let name = if account.name.is_empty() { &account.username } else { &account.name };
    let url = base.status(&account.acct, status.id.0);
    let shown = if view.post.warning.is_empty() { &view.post.text } else { &view.post.warning };
    let text: String = shown.chars().take(QUOTED_CHARS_MAX).collect();
    let width = params.number("maxwidth")?.unwrap_or(WIDTH).min(WIDTH);
    Ok(Json(json!({
        "type": "rich",
        "version": "1.0",
        "title": format!("New post by {name}"),
        "author_name": name,
        "author_url": base.account(&account.acct),
        "provider_name": base.domain(),
        "provider_url": base.as_str(),
        "cache_age": CACHE_SECS,
        "html": format!(
            "<blockquote cite=\"{address}\"><p>{}</p><p><a href=\"{address}\">{}</a></p></blockquote>",
            escaped(&text).replace('\n', "<br>"),
            escaped(name),
            address = escaped(&url),
        ),
        "width": width,
        "height": null,
    })))
}

fn escaped(text: &str) -> String {
    let mut to = String::new();
    html::escape(&mut to, text);
    to
}
