//! The page of consent: where the owner lets an app in, and nobody else can.
//!
//! The session's cookie is never sent along from other sites, so who comes from one is led here once more from our own
//! page. Nothing but the owner's click makes a code, and no fault of an app leads anybody to its address.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{DOCTYPE, Markup, html};

use super::fault::Fault;
use super::layout::{self, csrf};
use super::login;
use super::texts::{self as common, apps as texts};
use super::visitor::{Form, Visitor};
use crate::api::compose::now_ms;
use crate::http::call::Anonymous;
use crate::http::headers::page_policy_with_forms_to;
use crate::http::{App, Base, Params};
use crate::oauth::limits::STATE_BYTES_MAX;
use crate::oauth::pkce::Challenge;
use crate::oauth::{Client, Consent, RedirectUri, Scopes};

/// The address of the page.
pub(super) const PATH: &str = "/oauth/authorize";
/// What the form carries of the request, to be read once more when it is sent.
const CARRIED: [&str; 7] =
    ["client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method"];

/// What an app asks for; all of it has been checked.
struct Asked {
    client: Arc<Client>,
    redirect: RedirectUri,
    scopes: Scopes,
    state: Option<String>,
    challenge: Option<Challenge>,
}

/// `GET /oauth/authorize`: asks the owner.
pub(super) async fn ask(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    visitor: Result<Visitor, Response>,
    params: Params,
) -> Result<Response, Fault> {
    let asked = match read(&app, &params).await? {
        Ok(asked) => asked,
        Err(why) => return Ok(wrong(&why)),
    };
    let here = uri.path_and_query().map_or(PATH, |whole| whole.as_str());
    let Ok(visitor) = visitor else {
        let from_elsewhere =
            headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
        return Ok(if from_elsewhere { once_more(here) } else { log_in_first(here) });
    };
    let page = consent(&app, &visitor, &asked, &params).await?;
    let policy = HeaderValue::from_str(&page_policy_with_forms_to(&target(&asked.redirect)));
    let policy = policy.map_err(|_| crate::http::ErrorKind::Internal)?;
    Ok(([(header::CONTENT_SECURITY_POLICY, policy)], page).into_response())
}

/// `POST /oauth/authorize`: the owner's answer.
pub(super) async fn answer(State(app): State<App>, Anonymous(base): Anonymous, form: Form) -> Result<Response, Fault> {
    let Form { visitor, params } = form;
    let asked = match read(&app, &params).await? {
        Ok(asked) => asked,
        Err(why) => return Ok(wrong(&why)),
    };
    if params.text("answer").as_deref() != Some("allow") {
        if asked.redirect.is_out_of_band() {
            return Ok(notice(common::FAULT, texts::DENIED).into_response());
        }
        return Ok(back(&asked, &base, &[("error", "access_denied"), ("error_description", texts::DENIED)]));
    }
    let consent = Consent {
        client: asked.client.id.clone(),
        did: visitor.did,
        redirect: asked.redirect.clone(),
        scopes: asked.scopes.clone(),
        challenge: asked.challenge,
    };
    let code = app.registry().consent(consent, now_ms()).map_err(crate::http::ApiError::from)?;
    if asked.redirect.is_out_of_band() {
        return Ok(shown(&code).into_response());
    }
    Ok(back(&asked, &base, &[("code", &code)]))
}

/// Reads a request; else says what is wrong with it.
async fn read(app: &App, params: &Params) -> Result<Result<Asked, String>, Fault> {
    let wrong = |why: &str| Ok(Err(why.to_owned()));
    let client = app.registry().client(&params.text("client_id").unwrap_or_default()).await?;
    let Some(client) = client else { return wrong(texts::UNKNOWN) };
    let asked = params.text("redirect_uri").unwrap_or_default();
    let Some(redirect) = client.redirect(&asked) else { return wrong(texts::ELSEWHERE) };
    let state = params.raw_text("state");
    if state.as_ref().is_some_and(|state| state.len() > STATE_BYTES_MAX) {
        return wrong(texts::STATE);
    }
    if params.text("response_type").as_deref() != Some("code") {
        return wrong(texts::RESPONSE);
    }
    let scopes = match Scopes::parse(&params.text("scope").unwrap_or_default()) {
        Ok(scopes) if client.scopes.cover_all(&scopes) => scopes,
        Ok(_) => return wrong(texts::SCOPE),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let (challenge, method) = (params.text("code_challenge"), params.text("code_challenge_method"));
    Ok(match Challenge::read(challenge.as_deref(), method.as_deref()) {
        Ok(challenge) => Ok(Asked { client, redirect, scopes, state, challenge }),
        Err(error) => Err(error.to_string()),
    })
}

/// Sends the browser to the app, with who answers (RFC 9207).
fn back(asked: &Asked, base: &Base, pairs: &[(&str, &str)]) -> Response {
    let mut pairs = pairs.to_vec();
    pairs.extend(asked.state.as_deref().map(|state| ("state", state)));
    pairs.push(("iss", base.as_str()));
    Redirect::to(&asked.redirect.with(&pairs)).into_response()
}

/// Where forms of the page may lead in the end, as a source of a content security policy.
fn target(redirect: &RedirectUri) -> String {
    let origin = redirect.origin();
    // Such sources have no numbers in brackets.
    match origin.split_once("://[") {
        Some((scheme, _)) => format!("{scheme}:"),
        None if redirect.is_out_of_band() => String::new(),
        None => origin.to_owned(),
    }
}

async fn consent(app: &App, visitor: &Visitor, asked: &Asked, params: &Params) -> Result<Markup, Fault> {
    let identities = app.node().read(|reader| reader.owned_identities()).await?;
    let own = identities.iter().find(|identity| identity.did == visitor.did);
    let others: Vec<&str> =
        identities.iter().filter(|other| other.did != visitor.did).map(|other| other.username.as_str()).collect();
    let username = own.map_or("", |own| own.username.as_str());
    let main = html! {
        section.card.notice.consent {
            h1 { (texts::CONSENT) }
            p {
                (texts::CALLS_ITSELF) " “" strong { bdi { (asked.client.name) } } "” " (texts::WANTS_AS) " "
                strong { "@" (username) } "."
            }
            p { (destination(&asked.redirect)) }
            @if let Some(website) = &asked.client.website { p.hint { (texts::SITE) " " code { (website) } "." } }
            p.hint { (texts::ANY_NAME) }
            p { (texts::MAY) }
            ul.scopes { @for (name, meaning) in asked.scopes.explained() { li { (meaning) " " code.hint { (name) } } } }
            @if asked.challenge.is_none() { p.fault role="note" { (texts::NO_PKCE) } }
            form method="post" action=(PATH) {
                (csrf(visitor))
                @for name in CARRIED {
                    @if let Some(value) = params.raw_text(name) { input type="hidden" name=(name) value=(value); }
                }
                div.row {
                    button name="answer" value="deny" { (texts::DENY) }
                    button.primary name="answer" value="allow" { (texts::ALLOW) }
                }
            }
            @if let Some(other) = others.first() {
                p.hint { (texts::OTHERS) " " code { "xom open --as " (other) } }
            }
        }
    };
    Ok(layout::bare(texts::CONSENT, &main))
}

fn destination(redirect: &RedirectUri) -> Markup {
    let is_web = redirect.origin().contains("://");
    html! {
        @if redirect.is_out_of_band() { (texts::GOES_NOWHERE) }
        @else if is_web { (texts::GOES_TO) " " strong { code { (redirect.origin()) } } "." }
        @else { (texts::GOES_TO_APP) " " strong { code { (redirect.origin()) } } "." }
    }
}

/// Leads here once more, from our own page: then the cookie comes along.
fn once_more(here: &str) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="refresh" content={ "0;url=" (here) };
                title { (texts::GOING_ON) }
                link rel="stylesheet" href="/style.css";
            }
            body { p { a href=(here) { (texts::GO_ON) } } }
        }
    };
    page.into_response()
}

fn log_in_first(here: &str) -> Response {
    let main = html! {
        section.card.notice {
            h1 { (common::LOG_IN) }
            p { (texts::LOG_IN_FIRST) }
            pre { code { (common::LOG_IN_COMMAND) } }
            form.fields method="get" action="/login" {
                input type="hidden" name="next" value=(here);
                label { (texts::PASTE) input type="text" name="t" required autocomplete="off"; }
                button.primary { (texts::USE_LINK) }
            }
            p { a href=(here) { (texts::LOGGED_IN) } }
        }
        section.card.notice { (login::by_name(None, here)) }
    };
    (StatusCode::UNAUTHORIZED, layout::bare(common::LOG_IN, &main)).into_response()
}

fn shown(code: &str) -> Markup {
    let main = html! {
        section.card.notice {
            h1 { (texts::CODE) }
            p { (texts::CODE_HOW) }
            input.copy type="text" readonly value=(code) aria-label=(texts::CODE);
        }
    };
    layout::bare(texts::CODE, &main)
}

fn wrong(why: &str) -> Response {
    let main = html! {
        section.card.notice {
            h1 { (texts::WRONG) }
            p.fault role="alert" { (why) }
            p { (texts::WRONG_HOW) }
        }
    };
    (StatusCode::BAD_REQUEST, layout::bare(texts::WRONG, &main)).into_response()
}

fn notice(title: &str, text: &str) -> Markup {
    layout::bare(title, &html! { section.card.notice { h1 { (title) } p { (text) } } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_the_page_lets_the_form_lead_to_the_app_alone() {
        let of = |uri: &str| target(&RedirectUri::parse(uri).unwrap());
        assert_eq!(of("https://elk.example/cb?x=1"), "https://elk.example");
        assert_eq!(of("http://127.0.0.1:5000/cb"), "http://127.0.0.1:5000");
        assert_eq!(of("http://[::1]:5000/cb"), "http:");
        assert_eq!(of("com.app.X:/cb"), "com.app.X:");
        assert_eq!(of("urn:ietf:wg:oauth:2.0:oob"), "");
    }
}
