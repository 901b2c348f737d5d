//! An edit that turns the options of a poll around under the votes (`BODY-4`).

use xom_node::model::StatusContent;
use xom_protocol::body::{Body, Edit, Poll, Post};

use super::Stage;
use super::persona::{Persona, TEN_YEARS_MS, now_ms};
use crate::harness::{Over, wait_until};

fn asked(options: [&str; 2], text: &str) -> Post {
    let options = options.map(str::to_owned).to_vec();
    let poll = Poll { options, multiple: false, hide_totals: false, ends: now_ms() + TEN_YEARS_MS };
    Post { text: text.to_owned(), poll: Some(poll), ..Post::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn body_4_an_edit_does_not_turn_the_options_of_a_poll_around_under_the_votes() {
    let mut stage = Stage::new(Over::Tcp).await;
    let persona = Persona::new("asks");
    let mut chain = persona.chain();
    let poll = chain.write(&Body::Post(asked(["yes", "no"], "shall we?")));
    chain.write(&Body::Edit(Edit { target: poll, rev: 1, post: asked(["no", "yes"], "shall we, really?") }));
    let plain = chain.post("no question");
    chain.write(&Body::Edit(Edit { target: plain, rev: 1, post: asked(["a", "b"], "a question after all") }));
    let (_peer, _line) = stage.served(&persona, &chain, 4).await;
    let did = persona.did();
    let edited = async || {
        let shown = stage.shown(did).await;
        (shown == ["shall we, really?", "a question after all"]).then_some(())
    };
    wait_until("the edits are shown", edited).await;
    let polls: Vec<Option<Vec<String>>> = stage
        .alice
        .statuses_of(did)
        .await
        .into_iter()
        .map(|status| match status.content {
            StatusContent::Post(view) => view.poll.map(|shown| shown.poll.options),
            StatusContent::Repost(_) => None,
        })
        .collect();
    assert_eq!(polls, [Some(vec!["yes".to_owned(), "no".to_owned()]), None]);
    stage.goes_on().await;
}
