//! `/api/v1/tags/:name`, following it, and `/api/v1/followed_tags`. Public posts with a followed tag stand at home.

use axum::Json;
use axum::extract::Path;
use xom_node::private::{TAG, cursor_of};

use crate::api::entities::Tag;
use crate::api::private;
use crate::api::text::{Token, fold, tokens};
use crate::http::link::{LinkHeader, PageSize, Paging};
use crate::http::{ApiError, Call, Params};

const TAGS: PageSize = PageSize { default: 100, max: 200 };
/// Most tags that are followed: each is looked at for every page of home.
const TAGS_FOLLOWED_MAX: usize = 200;
/// Longest tag that can be followed, bytes.
const TAG_BYTES_MAX: usize = 120;

/// A tag.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Tag>, ApiError> {
    let name = tag(&name)?;
    let (viewer, key) = (call.viewer(), key(&name));
    let following = call.node.read(move |reader| reader.setting(&viewer, &key)).await?.is_some();
    Ok(Json(Tag::new(&call.base, &name).followed(following)))
}

/// Follows it.
pub async fn follow(call: Call, Path(name): Path<String>, _params: Params) -> Result<Json<Tag>, ApiError> {
    let name = tag(&name)?;
    if name.len() > TAG_BYTES_MAX {
        return Err(ApiError::invalid(format!("a tag of more than {TAG_BYTES_MAX} bytes can't be followed")));
    }
    let viewer = call.viewer();
    if call.node.read(move |reader| reader.settings(&viewer, TAG)).await?.len() >= TAGS_FOLLOWED_MAX {
        return Err(ApiError::invalid(format!("no more than {TAGS_FOLLOWED_MAX} tags can be followed")));
    }
    private::add(&call, key(&name)).await?;
    Ok(Json(Tag::new(&call.base, &name).followed(true)))
}

/// Follows it no more.
pub async fn unfollow(call: Call, Path(name): Path<String>, _params: Params) -> Result<Json<Tag>, ApiError> {
    let name = tag(&name)?;
    private::remove(&call, [key(&name)]).await?;
    Ok(Json(Tag::new(&call.base, &name).followed(false)))
}

/// Those that are followed, newest first.
pub async fn followed(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<Tag>>), ApiError> {
    let paging = Paging::read(&params, TAGS)?;
    let (viewer, page) = (call.viewer(), *paging.page());
    let settings = call.node.read(move |reader| reader.settings(&viewer, TAG)).await?;
    let named = |(key, value): (String, Vec<u8>)| Some((cursor_of(&value)?, key.strip_prefix(TAG)?.to_owned()));
    let mut found = private::page_of(settings.into_iter().filter_map(named).collect(), &page);
    let link = paging.finish(&mut found, &call.base, &call.uri, |(cursor, _)| *cursor);
    Ok((link, Json(found.iter().map(|(_, name)| Tag::new(&call.base, name).followed(true)).collect())))
}

/// The tag of an address as tags compare; what no post could have as its tag is not found.
pub(super) fn tag(name: &str) -> Result<String, ApiError> {
    let written = format!("#{}", name.trim_start_matches('#'));
    match tokens(&written)[..] {
        [Token::Tag(tag)] => Ok(fold(&tag[1..])),
        _ => Err(ApiError::not_found()),
    }
}

fn key(name: &str) -> String {
    format!("{TAG}{name}")
}
