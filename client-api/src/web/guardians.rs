//! `/guardians`: who can bring this identity back, a recovery that goes on, and whom the owner is asked to
//! help.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use xom_node::model::Account;
use xom_node::recovery::{GuardiansView, RecoveryView, RequestState, RequestView};
use xom_protocol::Did;
use xom_protocol::phrase::Phrase;
use zeroize::Zeroizing;

use super::fault::{Fault, Page};
use super::home;
use super::layout::{self, Tab, csrf, moment, name};
use super::texts::guardians as texts;
use super::visitor::{Form, Visitor};
use crate::http::{ApiError, Params};
use xom_node::{CommandError, ControlAccess};

/// The path of the page.
const PATH: &str = "/guardians";

/// `/guardians`.
pub(super) async fn show(visitor: Visitor) -> Page {
    page(&visitor, None).await
}

/// Names other guardians, by the words.
pub(super) async fn set(mut form: Form) -> Result<Response, Fault> {
    let answer = try_set(&form.visitor, &mut form.params).await;
    answered(&form.visitor, answer).await
}

/// A guardian approves.
pub(super) async fn approve(Path(code): Path<String>, mut form: Form) -> Result<Response, Fault> {
    let visitor = &form.visitor;
    let answer = match access(&mut form.params) {
        Ok(access) => visitor.node.approve_recovery(visitor.did, code, access).await.map(|_| ()),
        Err(error) => Err(error),
    };
    answered(visitor, answer.map_err(ApiError::from)).await
}

/// A guardian refuses.
pub(super) async fn refuse(Path(code): Path<String>, form: Form) -> Result<Response, Fault> {
    let visitor = &form.visitor;
    let answer = visitor.node.refuse_recovery(visitor.did, code).await;
    answered(visitor, answer.map(|_| ()).map_err(ApiError::from)).await
}

/// A device asks the guardians to wait once more, or the owner stops the recovery.
pub(super) async fn answer_recovery(mut form: Form) -> Result<Response, Fault> {
    let visitor = &form.visitor;
    let answer = match form.params.text("do").as_deref() {
        Some("cancel") => match access(&mut form.params) {
            Ok(access) => visitor.node.cancel_recovery(visitor.did, access).await,
            Err(error) => Err(error),
        },
        _ => visitor.node.postpone_recovery(visitor.did).await,
    };
    answered(visitor, answer.map_err(ApiError::from)).await
}

async fn try_set(visitor: &Visitor, params: &mut Params) -> Result<(), ApiError> {
    let words = params.take_secret("words").unwrap_or_default();
    let words = Phrase::parse(&words).map_err(|error| ApiError::invalid(error.to_string()))?;
    let mut guardians = Vec::new();
    let named = params.text("accounts").unwrap_or_default();
    for who in named.split(|c: char| c.is_whitespace() || c == ',').filter(|who| !who.is_empty()) {
        guardians.push(guardian(visitor, who.to_owned()).await?);
    }
    if guardians.is_empty() {
        return Err(ApiError::invalid(texts::NOBODY));
    }
    let need = params.number("need")?.unwrap_or(1);
    visitor.node.set_guardians(visitor.did, guardians, need, words, None).await?;
    Ok(())
}

async fn guardian(visitor: &Visitor, who: String) -> Result<Did, ApiError> {
    if let Ok(did) = who.parse() {
        return Ok(did);
    }
    let wanted = who.clone();
    let account = visitor.node.read(move |reader| reader.resolve_account(wanted.trim_start_matches('@'))).await?;
    let account = account.ok_or_else(|| ApiError::invalid(format!("nobody is known here as {who:?}; give the DID")))?;
    Ok(account.did)
}

/// What a form says to open the control key: one field takes passphrase or words.
fn access(params: &mut Params) -> Result<ControlAccess, CommandError> {
    let secret: Zeroizing<String> = params.take_secret("secret").unwrap_or_default();
    match Phrase::parse(&secret) {
        _ if secret.trim().is_empty() => Ok(ControlAccess::Kept),
        Ok(words) => Ok(ControlAccess::Words(words)),
        Err(_) => Ok(ControlAccess::Passphrase(secret)),
    }
}

async fn answered(visitor: &Visitor, answer: Result<(), ApiError>) -> Result<Response, Fault> {
    match answer {
        Ok(()) => Ok(Redirect::to(PATH).into_response()),
        Err(error) => {
            let shown = page(visitor, Some(error.text())).await?;
            Ok((error.kind().status(), shown).into_response())
        }
    }
}

async fn page(visitor: &Visitor, refused: Option<&str>) -> Page {
    let did = visitor.did;
    let guardians = visitor.node.guardians(did).await?;
    let recovery = visitor.node.recovery(did).await?;
    let mut requests = visitor.node.recovery_requests().await?;
    requests.retain(|request| request.guardian == did);
    let known = guardians.as_ref().map(|guardians| guardians.known.clone()).unwrap_or_default();
    let wanted: Vec<Did> = known.into_iter().chain(requests.iter().map(|request| request.account)).collect();
    let read = move |reader: &xom_node::Reader| wanted.iter().map(|did| reader.account(did)).collect();
    let accounts: Vec<Option<Account>> = visitor.node.read(read).await?;
    let accounts: Vec<Account> = accounts.into_iter().flatten().collect();
    let missing = visitor.node.missing(did).await?;
    let main = html! {
        h1.title { (texts::TITLE) }
        @for sentence in missing.sentences(texts::YOU) { p.card.notice { (sentence) } }
        @if let Some(refused) = refused { p.card.notice role="alert" { (refused) } }
        @if let Some(recovery) = &recovery { (own_recovery(visitor, recovery)) }
        (own_guardians(visitor, guardians.as_ref(), &accounts))
        section.card.requests {
            h2 { (texts::REQUESTS) }
            p { (texts::REQUESTS_HOW) }
            @if requests.is_empty() { p.empty { (texts::NO_REQUESTS) } }
            @for request in &requests { (request_card(visitor, request, &accounts)) }
        }
    };
    let side = home::side(visitor).await?;
    Ok(layout::page(visitor, texts::TITLE, Tab::None, &side, &main))
}

fn who(did: &Did, accounts: &[Account]) -> Markup {
    match accounts.iter().find(|account| account.did == *did) {
        Some(account) => name(account),
        None => html! { code { (did) } },
    }
}

fn own_recovery(visitor: &Visitor, recovery: &RecoveryView) -> Markup {
    html! {
        section.card.recovery {
            h2 { (texts::RECOVERY) }
            p { code { (recovery.code) } }
            @if recovery.finished {
                p { (texts::RECOVERY_FINISHED) }
            } @else {
                p { (texts::RECOVERY_GOES_ON) }
                form method="post" action={ (PATH) "/recovery" } {
                    (csrf(visitor))
                    @if recovery.postponed { p { (texts::POSTPONED) } }
                    @if !recovery.postponed_here { button name="do" value="postpone" { (texts::POSTPONE) } }
                    label { (texts::SECRET) input type="password" name="secret" autocomplete="off"; }
                    button.danger name="do" value="cancel" { (texts::CANCEL) }
                }
            }
        }
    }
}

fn own_guardians(visitor: &Visitor, guardians: Option<&GuardiansView>, accounts: &[Account]) -> Markup {
    html! {
        section.card.guardians {
            h2 { (texts::YOURS) }
            @match guardians {
                None => p { (texts::NONE) },
                Some(guardians) => {
                    p { (texts::need(guardians.need, guardians.count)) }
                    ul { @for did in &guardians.known { li { (who(did, accounts)) } } }
                }
            }
            details {
                summary { (texts::SET) }
                form method="post" action=(PATH) {
                    (csrf(visitor))
                    label { (texts::ACCOUNTS) textarea name="accounts" rows="3" required {} }
                    label { (texts::NEED) input type="number" name="need" min="1" max="16" value="2" required; }
                    label { (texts::WORDS) input type="password" name="words" autocomplete="off" required; }
                    button.primary { (texts::SET) }
                }
            }
        }
    }
}

fn request_card(visitor: &Visitor, request: &RequestView, accounts: &[Account]) -> Markup {
    let path = format!("{PATH}/requests/{}", request.code);
    let can_approve =
        matches!(request.state, RequestState::Asked | RequestState::Refused | RequestState::Started { .. });
    html! {
        div.request {
            p { (who(&request.account, accounts)) " · " (moment(request.asked_ms)) }
            p { (texts::CODE) " " code.code { (request.code) } }
            p { (texts::state(request.state)) @if let RequestState::Started { due_ms } = request.state { " " (moment(due_ms)) } }
            @if can_approve {
                form method="post" action={ (path) "/approve" } {
                    (csrf(visitor))
                    label { (texts::SECRET) input type="password" name="secret" autocomplete="off"; }
                    button.primary { (texts::APPROVE) }
                }
            }
            @if request.state == RequestState::Asked {
                form method="post" action={ (path) "/refuse" } {
                    (csrf(visitor))
                    button.quiet { (texts::REFUSE) }
                }
            }
        }
    }
}

/// A banner for every page, while a recovery of the own identity goes on.
pub(super) fn banner(recovery: &RecoveryView) -> Markup {
    html! {
        @if !recovery.finished {
            p.card.notice.warning role="alert" { (texts::BANNER) " " a href=(PATH) { (texts::BANNER_LINK) } }
        }
    }
}
