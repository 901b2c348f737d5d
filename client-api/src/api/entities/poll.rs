//! Polls; a poll has the id of its status.

use serde::Serialize;
use xom_node::model::{PollView, StatusId};

use super::timestamp;

/// A poll.
#[derive(Debug, Clone, Serialize)]
pub struct Poll {
    id: String,
    expires_at: Option<String>,
    expired: bool,
    multiple: bool,
    votes_count: u64,
    voters_count: Option<u64>,
    voted: bool,
    own_votes: Vec<u64>,
    options: Vec<PollOption>,
    emojis: [(); 0],
}

#[derive(Debug, Clone, Serialize)]
struct PollOption {
    title: String,
    votes_count: Option<u64>,
}

impl Poll {
    /// A poll as it stands at `now_ms`.
    pub fn new(status: StatusId, view: &PollView, now_ms: u64) -> Self {
        let expired = view.closed || view.poll.ends <= now_ms;
        let hidden = view.poll.hide_totals && !expired;
        let option = |(at, title): (usize, &String)| PollOption {
            title: title.clone(),
            votes_count: (!hidden).then(|| view.votes.get(at).copied().unwrap_or(0)),
        };
        Self {
            id: status.0.to_string(),
            expires_at: Some(timestamp(view.poll.ends)),
            expired,
            multiple: view.poll.multiple,
            votes_count: view.votes.iter().sum(),
            voters_count: Some(view.voters),
            voted: !view.own.is_empty(),
            own_votes: view.own.clone(),
            options: view.poll.options.iter().enumerate().map(option).collect(),
            emojis: [],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hide_totals: bool, now_ms: u64, expected: Option<u64>) {
        let poll = xom_protocol::body::Poll {
            options: vec!["a".into(), "b".into()],
            multiple: false,
            hide_totals,
            ends: 1_000,
        };
        let view = PollView { poll, votes: vec![3, 1], voters: 4, closed: false, own: vec![] };
        assert_eq!(Poll::new(StatusId(1), &view, now_ms).options[0].votes_count, expected);
    }

    #[test]
    fn hidden_counts_show_when_the_poll_has_ended() {
        check(false, 0, Some(3));
        check(true, 0, None);
        check(true, 1_000, Some(3));
    }
}
