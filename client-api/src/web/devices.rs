//! The devices of the owner: which there are, pairing another one, naming and ending them.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use maud::{Markup, html};
use xom_node::CommandError;
use xom_node::model::{DeviceView, PairState};
use xom_protocol::DeviceId;

use super::fault::Fault;
use super::home;
use super::layout::{self, Tab, csrf, moment};
use super::qr;
use super::texts::devices as texts;
use super::visitor::{Form, Visitor};
use crate::api::xom::{access, devices as api};
use crate::http::{ApiError, ErrorKind};

/// Seconds after which a page that waits for the other machine is loaded again.
const RELOAD_SECS: &str = "2";

/// `/devices`.
pub(super) async fn show(visitor: Visitor) -> Result<Response, Fault> {
    page(&visitor, None).await
}

/// Makes an offer.
pub(super) async fn pair(form: Form) -> Result<Redirect, Fault> {
    form.visitor.node.pair_begin(form.visitor.did).await?;
    Ok(Redirect::to("/devices"))
}

/// The digits are equal on both screens.
pub(super) async fn confirm(form: Form) -> Result<Redirect, Fault> {
    let digits = form.params.text("digits").unwrap_or_default();
    form.visitor.node.pair_confirm(digits).await?;
    Ok(Redirect::to("/devices"))
}

/// Stops, or the digits differ.
pub(super) async fn stop(form: Form) -> Result<Redirect, Fault> {
    form.visitor.node.pair_stop().await?;
    Ok(Redirect::to("/devices"))
}

/// Gives a device a name.
pub(super) async fn rename(Path(id): Path<String>, form: Form) -> Result<Response, Fault> {
    let name = form.params.text("name").unwrap_or_default();
    let named = form.visitor.node.name_device(form.visitor.did, device(&id)?, &name).await;
    answer(&form.visitor, named).await
}

/// Ends a device.
pub(super) async fn remove(Path(id): Path<String>, form: Form) -> Result<Response, Fault> {
    let Form { visitor, mut params } = form;
    let access = access::of_body(&mut params)?;
    let with_granted = params.flag("with_granted").unwrap_or(false);
    let kept = api::kept(&params)?;
    let ended = visitor.node.end_device_keeping(visitor.did, device(&id)?, &access, with_granted, kept).await;
    answer(&visitor, ended.map(drop)).await
}

fn device(id: &str) -> Result<DeviceId, ApiError> {
    id.parse().map_err(|_| ErrorKind::NotFound.into())
}

/// Back to the list; with the reason above it where the owner can mend it.
async fn answer(visitor: &Visitor, done: Result<(), CommandError>) -> Result<Response, Fault> {
    match done {
        Ok(()) => Ok(Redirect::to("/devices").into_response()),
        Err(CommandError::Access(error)) => {
            let page = page(visitor, Some(&error.to_string())).await?;
            Ok((StatusCode::FORBIDDEN, page).into_response())
        }
        Err(CommandError::Refused(reason)) => {
            let page = page(visitor, Some(reason)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(visitor: &Visitor, fault: Option<&str>) -> Result<Response, Fault> {
    let devices = visitor.node.devices(visitor.did).await?;
    let state = visitor.node.pair_state();
    let main = html! {
        h1.title { (texts::DEVICES) }
        @if let Some(fault) = fault { section.card.notice { p.fault role="alert" { (fault) } } }
        (pairing(visitor, &state))
        section.card.devices {
            h2 { (texts::YOURS) }
            ul { @for device in &devices { li { (one(visitor, device, &devices)) } } }
        }
    };
    let page = layout::page(visitor, texts::DEVICES, Tab::None, &home::side(visitor).await?, &main);
    Ok(match state {
        PairState::Waiting(_) | PairState::Comparing { .. } => {
            (AppendHeaders([("Refresh", RELOAD_SECS)]), page).into_response()
        }
        _ => page.into_response(),
    })
}

fn pairing(visitor: &Visitor, state: &PairState) -> Markup {
    html! {
        section.card.pairing {
            h2 { (texts::PAIR) }
            @match state {
                PairState::Waiting(offer) => {
                    p { (texts::PAIR_HOW) }
                    (qr::svg(&offer.text, texts::OFFER_QR))
                    input.copy type="text" readonly value={ "xom join '" (offer.text) "'" } aria-label=(texts::OFFER);
                    p.hint { (texts::EXPIRES) " " (moment(offer.expires_ms)) }
                    (button(visitor, "/devices/pair/stop", texts::STOP, "quiet"))
                }
                PairState::Comparing { digits, confirmed } => {
                    p.digits aria-label=(texts::DIGITS) { (digits.get(..3).unwrap_or(digits)) " " (digits.get(3..).unwrap_or_default()) }
                    @if *confirmed {
                        p role="status" { (texts::CONFIRM_THERE) }
                    } @else {
                        p { (texts::COMPARE) }
                        div.row {
                            form method="post" action="/devices/pair/confirm" {
                                (csrf(visitor))
                                input type="hidden" name="digits" value=(digits);
                                button.primary { (texts::EQUAL) }
                            }
                            (button(visitor, "/devices/pair/stop", texts::DIFFERENT, "danger"))
                        }
                    }
                }
                other => {
                    p role="status" { (ended(other)) }
                    (button(visitor, "/devices/pair", texts::PAIR_BUTTON, "primary"))
                }
            }
        }
    }
}

/// What came of the last offer, or what pairing is for.
fn ended(state: &PairState) -> String {
    match state {
        PairState::Done(device) => format!("{} {}…", texts::DONE, short(device)),
        PairState::Unanswered(device) => format!("{} {}…", texts::UNANSWERED, short(device)),
        PairState::Expired => texts::EXPIRED.to_owned(),
        PairState::Stopped => texts::STOPPED.to_owned(),
        PairState::Spent => texts::SPENT.to_owned(),
        PairState::Failed(reason) => format!("{} {reason}", texts::FAILED),
        PairState::None | PairState::Waiting(_) | PairState::Comparing { .. } => texts::PAIR_WHAT.to_owned(),
    }
}

fn one(visitor: &Visitor, device: &DeviceView, all: &[DeviceView]) -> Markup {
    let granted = all.iter().any(|other| other.is_live && other.granted_by == Some(device.device));
    html! {
        div.device {
            p {
                strong { bdi { (device.name.as_deref().unwrap_or(texts::NO_NAME)) } } " "
                @if device.is_here { span.badge { (texts::HERE) } " " }
                @if !device.is_live { span.badge.ended { (texts::ENDED) } " " }
                code { (short(&device.device)) "…" }
            }
            p.hint {
                (device.height) " " (texts::ENTRIES[usize::from(device.height != 1)])
                @if let Some(last) = device.last_ms { " · " (texts::LAST) " " (moment(last)) }
            }
            @if device.is_live {
                div.row {
                    form.rename method="post" action={ "/devices/" (device.device) "/rename" } {
                        (csrf(visitor))
                        input type="text" name="name" maxlength="64" required aria-label=(texts::NAME)
                            value=(device.name.as_deref().unwrap_or_default()) placeholder=(texts::NAME);
                        button { (texts::RENAME) }
                    }
                }
                details.remove {
                    summary { (texts::REMOVE) }
                    form.fields method="post" action={ "/devices/" (device.device) "/remove" } {
                        (csrf(visitor))
                        p { @if device.is_here { (texts::REMOVE_HERE) } @else { (texts::REMOVE_WHAT) } }
                        label { (texts::PASSPHRASE) input type="password" name="passphrase" autocomplete="off"; }
                        label { (texts::WORDS) input type="password" name="words" autocomplete="off"; }
                        label { (texts::KEEP_BEFORE) input type="datetime-local" step="1" name="before"; }
                        @if granted {
                            label.check { input type="checkbox" name="with_granted" value="true"; " " (texts::WITH_GRANTED) }
                        }
                        button.danger { (texts::REMOVE_BUTTON) }
                    }
                }
            }
        }
    }
}

fn button(visitor: &Visitor, action: &str, text: &str, class: &str) -> Markup {
    html! {
        form method="post" action=(action) {
            (csrf(visitor))
            button class=(class) { (text) }
        }
    }
}

/// The beginning of an id, enough to tell devices apart.
fn short(device: &DeviceId) -> String {
    device.to_string().chars().take(12).collect()
}
