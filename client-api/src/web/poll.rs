//! A poll in a card, and voting in it.

use axum::response::Redirect;
use maud::{Markup, html};
use xom_node::command::Command;
use xom_node::model::{PollView, StatusId};

use super::fault::Fault;
use super::layout::{csrf, moment};
use super::react::back;
use super::session::now_ms;
use super::texts;
use super::visitor::{Form, Id, Visitor};
use crate::http::ApiError;

/// Options with their counts; or, while it runs and the visitor has not voted, a form.
pub(super) fn show(visitor: &Visitor, id: StatusId, poll: &PollView, back: &str) -> Markup {
    let ended = poll.closed || poll.poll.ends <= now_ms();
    let votes: u64 = poll.votes.iter().sum();
    let foot = html! {
        p.meta {
            (poll.voters) " " (texts::VOTERS) " · "
            @if ended { (texts::POLL_ENDED) } @else { (texts::POLL_ENDS) " " (moment(poll.poll.ends)) }
        }
    };
    if ended || !poll.own.is_empty() {
        return html! {
            div.poll {
                @for (place, option) in poll.poll.options.iter().enumerate() {
                    @let count = poll.votes.get(place).copied().unwrap_or(0);
                    label { span dir="auto" { (option) } strong { (count) } progress value=(count) max=(votes.max(1)) {} }
                }
                (foot)
            }
        };
    }
    let kind = if poll.poll.multiple { "checkbox" } else { "radio" };
    html! {
        form.poll method="post" action={ "/statuses/" (id.0) "/vote" } {
            (csrf(visitor))
            input type="hidden" name="back" value={ (back) "#s" (id.0) };
            @for (place, option) in poll.poll.options.iter().enumerate() {
                label.choice { input type=(kind) name="choices[]" value=(place); " " span dir="auto" { (option) } }
            }
            button { (texts::VOTE) }
            (foot)
        }
    }
}

/// Votes.
pub(super) async fn vote(Id(id): Id, form: Form) -> Result<Redirect, Fault> {
    let choices: Option<Vec<u64>> = form.params.texts("choices").iter().map(|text| text.parse().ok()).collect();
    let choices =
        choices.filter(|choices| !choices.is_empty()).ok_or_else(|| ApiError::invalid("no choice was made"))?;
    form.visitor.node.command(form.visitor.did, Command::Vote { status: StatusId(id), choices }).await?;
    Ok(Redirect::to(&back(&form.params)))
}
