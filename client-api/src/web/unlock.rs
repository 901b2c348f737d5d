//! Opening the sealed device key on the page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use xom_node::CommandError;
use xom_node::keys::AccessError;

use super::fault::Fault;
use super::layout::{self, csrf};
use super::texts;
use super::visitor::{Form, Visitor};

/// `/unlock`: asks for the passphrase.
pub(super) async fn show(visitor: Visitor) -> Response {
    match visitor.keys.device_open || visitor.keys.is_waiting() {
        true => Redirect::to("/").into_response(),
        false => question(&visitor, None).into_response(),
    }
}

/// Opens the key for as long as the node runs.
pub(super) async fn open(form: Form) -> Result<Response, Fault> {
    let Form { visitor, mut params } = form;
    let passphrase = params.take_secret("passphrase").unwrap_or_default();
    match visitor.node.keyring(visitor.did).unlock(passphrase).await {
        Ok(_) => Ok(Redirect::to("/").into_response()),
        Err(CommandError::Access(error @ AccessError::WrongPassphrase)) => {
            Ok((StatusCode::FORBIDDEN, question(&visitor, Some(&error.to_string()))).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Stands where the composer would, while nothing can be signed.
pub(super) fn instead_of_composer() -> Markup {
    html! {
        section.card.notice.sealed {
            p { (texts::SEALED) }
            a.button.primary href="/unlock" { (texts::UNLOCK) }
        }
    }
}

fn question(visitor: &Visitor, why: Option<&str>) -> Markup {
    let main = html! {
        section.card.notice {
            h1 { (texts::UNLOCK) }
            p { (texts::UNLOCK_WHAT) }
            @if let Some(why) = why { p.fault role="alert" { (why) } }
            form.fields method="post" action="/unlock" {
                (csrf(visitor))
                label { (texts::PASSPHRASE) input type="password" name="passphrase" required autocomplete="current-password"; }
                button.primary { (texts::UNLOCK) }
            }
        }
    };
    layout::bare(texts::UNLOCK, &main)
}
