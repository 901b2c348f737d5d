//! The apps that the owner has let in, and putting them out.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};

use super::fault::{Fault, Page};
use super::home;
use super::layout::{self, Tab, csrf, moment};
use super::texts::apps as texts;
use super::visitor::{Form, Visitor};
use crate::http::{App, ErrorKind};
use crate::oauth::Grant;

/// `/apps`: the logins of the visitor's identity.
pub(super) async fn show(State(app): State<App>, visitor: Visitor) -> Page {
    let mut grants = app.registry().grants().await?;
    grants.retain(|grant| grant.did == Some(visitor.did));
    let main = html! {
        h1.title { (texts::TITLE) }
        section.card.apps {
            @if grants.is_empty() { p { (texts::NONE) } } @else {
                p.hint { (texts::WHAT) }
                ul { @for grant in &grants { li { (one(&visitor, grant)) } } }
            }
        }
    };
    Ok(layout::page(&visitor, texts::TITLE, Tab::None, &home::side(&visitor).await?, &main))
}

/// Ends one login.
pub(super) async fn revoke(State(app): State<App>, Path(id): Path<String>, form: Form) -> Result<Redirect, Fault> {
    let did = form.visitor.did;
    match app.registry().end(|grant| grant.did == Some(did) && grant.id() == id).await? {
        0 => Err(ErrorKind::NotFound.into()),
        _ => Ok(Redirect::to("/apps")),
    }
}

fn one(visitor: &Visitor, grant: &Grant) -> Markup {
    html! {
        p { strong { bdi { (grant.client.name) } } " " @if let Some(website) = &grant.client.website { code { (website) } } }
        p.hint {
            (texts::SINCE) " " (moment(grant.created_ms)) " · "
            @match grant.last_used_ms() { Some(ms) => { (texts::LAST) " " (moment(ms)) }, None => { (texts::NEVER) } }
        }
        p.hint { code { (grant.scopes) } }
        form method="post" action={ "/apps/" (grant.id()) "/revoke" } {
            (csrf(visitor))
            button.danger { (texts::REVOKE) }
        }
    }
}
