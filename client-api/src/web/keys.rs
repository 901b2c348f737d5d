//! The passphrase on the page: set for the first time, or changed. For the owner who is logged in; what is typed
//! goes into the body of the form and is erased after use.

use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use xom_node::CommandError;
use xom_node::keys::{AccessError, Keeping, KeyState};

use super::fault::{Fault, Page};
use super::home;
use super::layout::{self, Tab, csrf};
use super::texts;
use super::texts::keys as words;
use super::visitor::{Form, Visitor};
use crate::api::xom::access;

/// Where the page goes to once the passphrase is changed.
const CHANGED: &str = "changed";

/// `/keys`: how the keys lie on this node, and the form.
pub(super) async fn show(visitor: Visitor, RawQuery(query): RawQuery) -> Page {
    let said = (query.as_deref() == Some(CHANGED)).then_some(words::CHANGED);
    page(&visitor, said, None).await
}

/// Changes the passphrase.
pub(super) async fn change(form: Form) -> Result<Response, Fault> {
    let Form { visitor, mut params } = form;
    let (new, again) = (params.take_secret("new_passphrase"), params.take_secret("again"));
    if new.is_none() || new != again {
        return again_with(&visitor, StatusCode::UNPROCESSABLE_ENTITY, texts::PASSPHRASES_DIFFER).await;
    }
    let device = params.flag("device").unwrap_or(false);
    let access = match access::of_body(&mut params) {
        Ok(access) => access,
        Err(error) => return again_with(&visitor, error.kind().status(), error.text()).await,
    };
    match visitor.node.keyring(visitor.did).set_passphrase(access, new, Some(device)).await {
        Ok(_) => Ok(Redirect::to(&format!("/keys?{CHANGED}")).into_response()),
        Err(CommandError::Access(error @ AccessError::Passphrase(_))) => {
            again_with(&visitor, StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()).await
        }
        Err(CommandError::Access(error)) => again_with(&visitor, StatusCode::FORBIDDEN, &error.to_string()).await,
        Err(error) => Err(error.into()),
    }
}

async fn again_with(visitor: &Visitor, status: StatusCode, why: &str) -> Result<Response, Fault> {
    Ok((status, page(visitor, None, Some(why)).await?).into_response())
}

async fn page(visitor: &Visitor, said: Option<&str>, why: Option<&str>) -> Page {
    let KeyState { control, device, .. } = visitor.keys;
    let main = html! {
        h1.title { (words::TITLE) }
        section.card.keys {
            dl.fields {
                dt { (words::CONTROL) }
                dd { (kept(control)) }
                dt { (words::DEVICE) }
                dd { (kept(device)) }
            }
            @if let Some(said) = said { p role="status" { (said) } }
        }
        @if !visitor.keys.is_waiting() { (form(visitor, why)) }
    };
    Ok(layout::page(visitor, words::TITLE, Tab::None, &home::side(visitor).await?, &main))
}

fn form(visitor: &Visitor, why: Option<&str>) -> Markup {
    let KeyState { control, device, .. } = visitor.keys;
    let is_sealed = control == Keeping::Sealed || device == Keeping::Sealed;
    html! {
        section.card.notice {
            h2 { @if is_sealed { (words::CHANGE) } @else { (words::SET) } }
            p { (words::WHAT) }
            @if let Some(why) = why { p.fault role="alert" { (why) } }
            form.fields method="post" action="/keys" {
                (csrf(visitor))
                // For the password managers of browsers: whose passphrase it is.
                input type="text" name="username" value=(visitor.did) autocomplete="username" hidden readonly;
                @if is_sealed {
                    label { (words::OLD) input type="password" name="passphrase" autocomplete="current-password"; }
                }
                @if control == Keeping::Absent || is_sealed {
                    label { (words::WORDS) input type="password" name="words" autocomplete="off"; }
                }
                label { (words::NEW) input type="password" name="new_passphrase" required autocomplete="new-password"; }
                label { (texts::PASSPHRASE_AGAIN) input type="password" name="again" required autocomplete="new-password"; }
                label.check {
                    input type="checkbox" name="device" value="true" checked[device == Keeping::Sealed];
                    " " (texts::SEAL_DEVICE)
                }
                button.primary { @if is_sealed { (words::CHANGE) } @else { (words::SET) } }
            }
        }
    }
}

fn kept(key: Keeping) -> &'static str {
    match key {
        Keeping::Sealed => words::SEALED,
        Keeping::Unsealed => words::UNSEALED,
        Keeping::Absent => words::ABSENT,
    }
}
