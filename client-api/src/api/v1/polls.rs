//! `/api/v1/polls/:id` and its votes; a poll has the id of its status.

use axum::Json;
use xom_node::command::Command;
use xom_node::model::{PollView, Status, StatusContent, StatusId};

use crate::api::compose::now_ms;
use crate::api::entities::Poll;
use crate::api::lookup::{Id, status};
use crate::http::{ApiError, Call, Params};

/// The poll.
pub async fn get(call: Call, Id(id): Id) -> Result<Json<Poll>, ApiError> {
    let found = status(&call, StatusId(id)).await?;
    Ok(Json(Poll::new(found.id, poll(&found)?, now_ms())))
}

/// Votes; choices are indexes of options, also as text.
pub async fn vote(call: Call, Id(id): Id, params: Params) -> Result<Json<Poll>, ApiError> {
    let found = status(&call, StatusId(id)).await?;
    let view = poll(&found)?;
    let mut choices = params.ids("choices")?;
    choices.sort_unstable();
    choices.dedup();
    check(view, &choices, found.account.did == call.viewer(), now_ms())?;
    call.node.command(call.viewer(), Command::Vote { status: found.id, choices }).await?;
    let found = status(&call, found.id).await?;
    Ok(Json(Poll::new(found.id, poll(&found)?, now_ms())))
}

fn check(view: &PollView, choices: &[u64], own: bool, now_ms: u64) -> Result<(), ApiError> {
    let refusal = match () {
        () if own => "You can't vote in your own poll",
        () if view.closed || view.poll.ends <= now_ms => "The poll has already ended",
        () if !view.own.is_empty() => "You have already voted on this poll",
        () if choices.is_empty() => "Choices can't be blank",
        () if choices.len() > 1 && !view.poll.multiple => "Only one choice is allowed",
        () if choices.iter().any(|choice| *choice >= view.poll.options.len() as u64) => {
            "The chosen vote option does not exist"
        }
        () => return Ok(()),
    };
    Err(ApiError::invalid(refusal))
}

fn poll(status: &Status) -> Result<&PollView, ApiError> {
    match &status.content {
        StatusContent::Post(view) => view.poll.as_ref().ok_or_else(ApiError::not_found),
        StatusContent::Repost(_) => Err(ApiError::not_found()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_must_fit_the_poll() {
        let poll = xom_protocol::body::Poll {
            options: vec!["a".into(), "b".into()],
            multiple: false,
            hide_totals: false,
            ends: 9,
        };
        let view = PollView { poll, votes: vec![0, 0], voters: 0, closed: false, own: vec![] };
        assert!(check(&view, &[1], false, 0).is_ok());
        for (choices, own, now) in
            [(&[][..], false, 0), (&[0, 1], false, 0), (&[2], false, 0), (&[0], true, 0), (&[0], false, 9)]
        {
            assert!(check(&view, choices, own, now).is_err(), "{choices:?}");
        }
        let voted = PollView { own: vec![0], ..view };
        assert!(check(&voted, &[1], false, 0).is_err());
    }
}
