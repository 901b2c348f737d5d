//! `/api/v1/profile`: the caller's profile as he edits it, plain texts instead of HTML.

use axum::Json;
use serde_json::{Value, json};
use xom_node::command::Command;
use xom_node::model::Account;
use xom_protocol::body::{Attachment, Profile};

use super::accounts::update_credentials::{change, credentials};
use crate::api::entities::CredentialAccount;
use crate::api::lookup::own_account;
use crate::http::{ApiError, Call, Params};

/// The profile.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    Ok(Json(shown(&call, &own_account(&call).await?)))
}

/// Changes it.
pub async fn patch(call: Call, mut params: Params) -> Result<Json<Value>, ApiError> {
    change(&call, &mut params).await?;
    get(call).await
}

/// Takes the picture away.
pub async fn delete_avatar(call: Call) -> Result<Json<CredentialAccount>, ApiError> {
    without(call, Profile { avatar: Some(Vec::new()), ..Profile::default() }).await
}

/// Takes the wide picture away.
pub async fn delete_header(call: Call) -> Result<Json<CredentialAccount>, ApiError> {
    without(call, Profile { header: Some(Vec::new()), ..Profile::default() }).await
}

async fn without(call: Call, profile: Profile) -> Result<Json<CredentialAccount>, ApiError> {
    let own = own_account(&call).await?;
    let is_there = if profile.avatar.is_some() { own.avatar.is_some() } else { own.header.is_some() };
    if is_there {
        call.node.command(call.viewer(), Command::Profile(Box::new(profile))).await?;
    }
    credentials(&call).await
}

fn shown(call: &Call, account: &Account) -> Value {
    let address = |picture: &Option<Attachment>| picture.as_ref().map(|picture| call.base.blob(&picture.blob));
    let alt = |picture: &Option<Attachment>| picture.as_ref().map(|picture| picture.alt.clone()).unwrap_or_default();
    let fields = account.fields.iter();
    let fields = fields.map(|field| json!({"name": field.name, "value": field.value, "verified_at": null}));
    json!({
        "id": account.id.0.to_string(),
        "display_name": account.name,
        "note": account.bio,
        "fields": fields.collect::<Vec<Value>>(),
        "avatar": address(&account.avatar),
        "avatar_static": address(&account.avatar),
        "avatar_description": alt(&account.avatar),
        "header": address(&account.header),
        "header_static": address(&account.header),
        "header_description": alt(&account.header),
        "locked": account.locked,
        "bot": account.bot,
        "hide_collections": false,
        "discoverable": false,
        "indexable": false,
        "show_media": true,
        "show_media_replies": true,
        "show_featured": true,
        "attribution_domains": [],
    })
}
