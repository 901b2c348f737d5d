//! The composer: text, content warning, language, one medium with its description.

use axum::response::Redirect;
use data_encoding::BASE64URL_NOPAD;
use maud::{Markup, html};
use serde_json::json;
use xom_node::command::{Command, IdempotencyKey};
use xom_node::model::StatusId;
use xom_protocol::body::Body;
use xom_protocol::limits::{ALT_CHARS_MAX, POST_CHARS_MAX, WARNING_CHARS_MAX};

use super::fault::Fault;
use super::layout::csrf;
use super::react::back;
use super::visitor::{Form, Visitor};
use super::{icons, texts, unlock};
use crate::api::compose;
use crate::http::Params;

/// The form; `parent` is what it answers, `text` what stands in it at first.
pub(super) fn form(visitor: &Visitor, parent: Option<StatusId>, text: &str, back: &str) -> Markup {
    if visitor.keys.is_waiting() {
        return html! {};
    }
    if !visitor.keys.device_open {
        return unlock::instead_of_composer();
    }
    let hint = if parent.is_some() { texts::REPLY_HINT } else { texts::COMPOSE_HINT };
    html! {
        form.card.composer id="reply" method="post" action="/statuses" enctype="multipart/form-data" {
            (csrf(visitor))
            input type="hidden" name="back" value=(back);
            @if let Some(once) = once() { input type="hidden" name="once" value=(once); }
            @if let Some(StatusId(parent)) = parent { input type="hidden" name="in_reply_to_id" value=(parent); }
            textarea name="status" rows="3" maxlength=(POST_CHARS_MAX) placeholder=(hint) aria-label=(texts::COMPOSE) dir="auto" { (text) }
            div.row {
                details.options {
                    summary { (icons::clip()) span { (texts::MORE_OPTIONS) } }
                    div.fields { (options()) }
                }
                button.primary { @if parent.is_some() { (texts::REPLY) } @else { (texts::POST) } }
            }
        }
    }
}

fn options() -> Markup {
    html! {
        label { (texts::PICTURE) input type="file" name="file" accept="image/*,audio/*,video/*"; }
        label { (texts::ALT) input type="text" name="description" maxlength=(ALT_CHARS_MAX) dir="auto"; }
        label {
            (texts::WARNING)
            input type="text" name="spoiler_text" maxlength=(WARNING_CHARS_MAX) placeholder=(texts::WARNING_HINT) dir="auto";
        }
        label {
            (texts::LANGUAGE)
            select name="language" {
                option value="" { (texts::NO_LANGUAGE) }
                @for (tag, name) in texts::LANGUAGES { option value=(tag) lang=(tag) { (name) } }
            }
        }
        label.check { input type="checkbox" name="visibility" value="unlisted"; " " (texts::UNLISTED) }
    }
}

/// Tells one form that was shown from all others; none without entropy.
fn once() -> Option<String> {
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).is_ok().then(|| BASE64URL_NOPAD.encode(&seed))
}

/// Publishes; once, however often the same form is sent with the same post (`R-API-19`).
pub(super) async fn publish(form: Form) -> Result<Redirect, Fault> {
    let Form { visitor, params } = form;
    let params = with_upload(&visitor, params).await?;
    let post = compose::post(&visitor.node, visitor.did, &params, None).await?;
    let reply_to = params.id("in_reply_to_id")?.map(StatusId);
    let sent = |once: &str| {
        let place = format!("{once} {:?}", reply_to.map(|StatusId(id)| id));
        IdempotencyKey::new(&Body::Post(post.clone()).encode(), visitor.did, &place)
    };
    let key = params.text("once").as_deref().map(sent);
    let command = Command::Post { post: Box::new(post), reply_to, quote_of: None };
    match key {
        Some(key) => visitor.node.command_once(visitor.did, key, command).await?,
        None => visitor.node.command(visitor.did, command).await?,
    };
    Ok(Redirect::to(&back(&params)))
}

/// Stores the uploaded file, and names it in the parameters as an app would.
async fn with_upload(visitor: &Visitor, mut params: Params) -> Result<Params, Fault> {
    // Browsers send an empty part where no file was chosen.
    let Some(file) = params.take_file("file") else { return Ok(params) };
    let mut attachment = visitor.node.add_upload(file.content, file.declared_type).await?;
    compose::describe(&mut attachment, &params)?;
    let media = visitor.node.add_media(visitor.did, attachment).await?;
    let mut tree = params.tree().clone();
    tree.insert("media_ids".to_owned(), json!([media.0.to_string()]));
    Ok(Params::from_map(tree))
}
