//! Following and unfollowing.

use axum::response::Redirect;
use xom_node::command::Command;
use xom_node::model::AccountId;

use super::fault::Fault;
use super::react::back;
use super::visitor::{Form, Id};
use crate::http::ApiError;

/// Follows whom an invite, a DID or a name says.
pub(super) async fn follow(form: Form) -> Result<Redirect, Fault> {
    let who = form.params.text("who").unwrap_or_default().trim().to_owned();
    let visitor = &form.visitor;
    let did = if who.starts_with("xom:") || who.starts_with("did:") {
        visitor.node.follow_invite(visitor.did, who).await?
    } else {
        let account = visitor.node.read(move |reader| reader.resolve_account(&who)).await?;
        let did = account.ok_or_else(ApiError::not_found)?.did;
        visitor.node.command(visitor.did, Command::Follow(did)).await?;
        did
    };
    Ok(Redirect::to(&format!("/@{did}")))
}

/// Follows or unfollows an account that is known here.
pub(super) async fn follow_account(Id(id): Id, form: Form) -> Result<Redirect, Fault> {
    let visitor = &form.visitor;
    let account = visitor.node.read(move |reader| reader.account_by_id(AccountId(id))).await?;
    let did = account.ok_or_else(ApiError::not_found)?.did;
    let command = match form.params.text("do").as_deref() {
        Some("unfollow") => Command::Unfollow(did),
        _ => Command::Follow(did),
    };
    visitor.node.command(visitor.did, command).await?;
    Ok(Redirect::to(&back(&form.params)))
}
