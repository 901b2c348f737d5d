//! The first run on the page: the 24 words are shown, three of them asked back, a passphrase chosen; or all of
//! it is left for later. For the owner who is logged in, and nothing of it is ever cached.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use xom_node::keys::{AccessError, Confirmation, Keep, PhraseState};

use super::fault::Fault;
use super::layout::{self, csrf};
use super::texts;
use super::visitor::{Form, Visitor};
use crate::http::Params;

/// Where the owner goes after the login: to the words, until they are confirmed or left for later.
pub(super) fn after_login(phrase: PhraseState) -> &'static str {
    match phrase {
        PhraseState::Unconfirmed => "/welcome",
        PhraseState::Postponed | PhraseState::Absent => "/",
    }
}

/// `/welcome`: the words.
pub(super) async fn show(visitor: Visitor) -> Result<Response, Fault> {
    if visitor.keys.phrase == PhraseState::Absent {
        return Ok(Redirect::to("/").into_response());
    }
    let (words, _) = visitor.node.keyring(visitor.did).words().await?;
    let main = html! {
        section.card.notice.welcome {
            h1 { (texts::WELCOME) }
            p { (texts::WORDS_WHAT) }
            ol.words { @for word in words.split(' ') { li translate="no" { (word) } } }
            p { (texts::WORDS_HOW) }
            div.row {
                (later(&visitor))
                a.button.primary href="/welcome/check" { (texts::WORDS_WRITTEN) }
            }
        }
    };
    Ok(layout::bare(texts::WELCOME, &main).into_response())
}

/// `/welcome/check`: which words are asked for, and the passphrase.
pub(super) async fn check(visitor: Visitor) -> Result<Response, Fault> {
    if visitor.keys.phrase == PhraseState::Absent {
        return Ok(Redirect::to("/").into_response());
    }
    Ok(questions(&visitor, None).await?.into_response())
}

/// Takes the words and the passphrase.
pub(super) async fn confirm(form: Form) -> Result<Response, Fault> {
    let Form { visitor, mut params } = form;
    let confirmation = match confirmation(&mut params) {
        Ok(confirmation) => confirmation,
        Err(why) => return again(&visitor, why).await,
    };
    match visitor.node.keyring(visitor.did).confirm(confirmation).await {
        Ok(()) => Ok(Redirect::to("/").into_response()),
        Err(xom_node::CommandError::Access(error @ (AccessError::WrongWords | AccessError::Passphrase(_)))) => {
            again(&visitor, &error.to_string()).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Leaves it for later.
pub(super) async fn postpone(form: Form) -> Result<Redirect, Fault> {
    let Form { visitor, .. } = form;
    visitor.node.keyring(visitor.did).postpone().await?;
    Ok(Redirect::to("/"))
}

/// What every page says until it is mended: words that are not confirmed, a device key that is sealed.
pub(super) fn banner(visitor: &Visitor) -> Markup {
    html! {
        @if visitor.keys.phrase != PhraseState::Absent {
            section.banner aria-label=(texts::REMINDER) { p { (texts::WORDS_REMINDER) " " a href="/welcome" { (texts::WORDS_CONFIRM) } } }
        }
        @if visitor.keys.is_waiting() {
            section.banner aria-label=(texts::READ_ONLY) { p { (texts::WAITING) } }
        } @else if !visitor.keys.device_open {
            section.banner aria-label=(texts::UNLOCK) { p { (texts::SEALED) " " a href="/unlock" { (texts::UNLOCK) } } }
        }
    }
}

async fn again(visitor: &Visitor, why: &str) -> Result<Response, Fault> {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, questions(visitor, Some(why)).await?).into_response())
}

async fn questions(visitor: &Visitor, why: Option<&str>) -> Result<Markup, Fault> {
    let (_, asked) = visitor.node.keyring(visitor.did).words().await?;
    let main = html! {
        section.card.notice.welcome {
            h1 { (texts::WORDS_CHECK) }
            @if let Some(why) = why { p.fault role="alert" { (why) } }
            form.fields method="post" action="/welcome/confirm" autocomplete="off" {
                (csrf(visitor))
                @for place in asked.0 {
                    label {
                        (texts::WORD_NUMBER) " " (place)
                        input type="text" name="word[]" required autocomplete="off" autocapitalize="none" spellcheck="false";
                    }
                }
                p { (texts::PASSPHRASE_WHAT) }
                label { (texts::PASSPHRASE_NEW) input type="password" name="new_passphrase" autocomplete="new-password"; }
                label { (texts::PASSPHRASE_AGAIN) input type="password" name="again" autocomplete="new-password"; }
                label.check { input type="checkbox" name="device" value="true"; " " (texts::SEAL_DEVICE) }
                button.primary { (texts::WORDS_CONFIRM) }
            }
            div.row { a href="/welcome" { (texts::WORDS_AGAIN) } (later(visitor)) }
        }
    };
    Ok(layout::bare(texts::WORDS_CHECK, &main))
}

fn later(visitor: &Visitor) -> Markup {
    html! {
        form method="post" action="/welcome/postpone" { (csrf(visitor)) button.quiet { (texts::LATER) } }
    }
}

/// What the form says; else what is wrong with it.
fn confirmation(params: &mut Params) -> Result<Confirmation, &'static str> {
    let words = params.take_secrets("word");
    let (new, again) = (params.take_secret("new_passphrase"), params.take_secret("again"));
    if new != again {
        return Err(texts::PASSPHRASES_DIFFER);
    }
    let device = params.flag("device").unwrap_or(false);
    let keep = match new {
        Some(passphrase) => Keep::Sealed { passphrase, device },
        None if device => return Err(texts::PASSPHRASE_MISSING),
        None => Keep::InWords,
    };
    Ok(Confirmation { words, keep })
}
