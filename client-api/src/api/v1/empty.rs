//! What Mastodon has and a node of xom never holds anything of: lists that are empty, so that clients that ask see no
//! error, and single items that are not found.

use axum::Json;
use axum::extract::Path;
use serde_json::Value;

use crate::http::call::Anonymous;
use crate::http::{ApiError, Call, Params};

/// An empty list of the caller's.
pub async fn list(_call: Call, _params: Params) -> Json<[Value; 0]> {
    Json([])
}

/// An empty list of the instance's; needs no token.
pub async fn public_list(_base: Anonymous) -> Json<[Value; 0]> {
    Json([])
}

/// An item of such a list.
pub async fn item(_call: Call, _id: Path<String>, _params: Params) -> ApiError {
    ApiError::not_found()
}
