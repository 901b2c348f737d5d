//! `/api/v1/media` and `/api/v2/media`: uploads. A medium is ready when its upload is answered.

use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::routing::MethodRouter;
use axum::{Json, Router};
use serde_json::{Value, json};
use xom_node::model::{Media, MediaId};

use crate::api::compose::describe;
use crate::api::entities::MediaAttachment;
use crate::api::lookup::Id;
use crate::http::limits::MEDIA_BODY_BYTES_MAX;
use crate::http::{ApiError, App, Call, ErrorKind, Params};

/// Largest body with two pictures of a profile, bytes.
const PICTURES_BODY_BYTES_MAX: usize = 17 << 20;

/// Routes that take a whole medium: `/media` of both versions.
pub fn uploads(method: MethodRouter<App>) -> Router<App> {
    wide("/media", method, MEDIA_BODY_BYTES_MAX)
}

/// The route that takes the pictures of a profile.
pub fn pictures(method: MethodRouter<App>) -> Router<App> {
    wide("/accounts/update_credentials", method, PICTURES_BODY_BYTES_MAX)
}

/// The same of `/profile`.
pub fn profile(method: MethodRouter<App>) -> Router<App> {
    wide("/profile", method, PICTURES_BODY_BYTES_MAX)
}

fn wide(path: &str, method: MethodRouter<App>, bytes_max: usize) -> Router<App> {
    Router::new().route(path, method.layer(DefaultBodyLimit::max(bytes_max)))
}

/// Takes a file in.
pub async fn post(call: Call, request: Request) -> Result<Json<MediaAttachment>, ApiError> {
    // The token is checked by now; the body is read only with one of the few permits.
    let _permit = call.app.uploads().acquire().await.map_err(|_| ErrorKind::Unavailable)?;
    let mut params = Params::from_request(request, &call.app).await?;
    let file = params.take_file("file").ok_or_else(|| ApiError::invalid("File can't be blank"))?;
    let mut attachment = call.node.add_upload(file.content, file.declared_type).await?;
    describe(&mut attachment, &params)?;
    let owner = call.viewer();
    let id = call.node.add_media(owner, attachment.clone()).await?;
    Ok(Json(MediaAttachment::of_upload(&call.base, &Media { id, owner, attachment })))
}

/// An own upload.
pub async fn get(call: Call, id: Id) -> Result<Json<MediaAttachment>, ApiError> {
    let media = own(&call, id).await?;
    Ok(Json(MediaAttachment::of_upload(&call.base, &media)))
}

/// Changes the description or the focus of an own upload.
pub async fn put(call: Call, id: Id, params: Params) -> Result<Json<MediaAttachment>, ApiError> {
    let mut media = own(&call, id).await?;
    describe(&mut media.attachment, &params)?;
    call.node.update_media(media.clone()).await?;
    Ok(Json(MediaAttachment::of_upload(&call.base, &media)))
}

/// Forgets an own upload that no post has used.
pub async fn delete(call: Call, id: Id) -> Result<Json<Value>, ApiError> {
    let media = own(&call, id).await?;
    if !call.node.drop_media(media.owner, media.id).await? {
        return Err(ApiError::not_found());
    }
    Ok(Json(json!({})))
}

async fn own(call: &Call, Id(id): Id) -> Result<Media, ApiError> {
    let viewer = call.viewer();
    let found = call.node.read(move |reader| reader.media(MediaId(id))).await?;
    found.filter(|media| media.owner == viewer).ok_or_else(ApiError::not_found)
}
