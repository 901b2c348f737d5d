//! A clock that is years ahead: kept, shown when it was seen, in nobody's way.

use xom_node::model::Page;
use xom_protocol::entry::Kind;

use super::Stage;
use super::persona::{Persona, TEN_YEARS_MS, now_ms, post};
use crate::harness::Over;

#[tokio::test(flavor = "multi_thread")]
async fn r_clk_2_r_clk_3_a_clock_ten_years_ahead_is_kept_shown_when_seen_and_pins_nothing() {
    let mut stage = Stage::new(Over::Quic).await;
    let persona = Persona::new("tomorrow");
    let mut chain = persona.chain();
    chain.write_raw(Kind::Post, &post("from the future").encode(), now_ms() + TEN_YEARS_MS);
    chain.write_raw(Kind::Post, &post("from now on").encode(), now_ms());
    let (_peer, mut line) = stage.served(&persona, &chain, 2).await;
    // Live, too.
    chain.write_raw(Kind::Post, &post("and again").encode(), now_ms() + TEN_YEARS_MS);
    line.push(chain.log(), 2, chain.entries[2..].to_vec()).await;
    stage.holds(chain.log(), 3).await;
    stage.goes_on().await;
    let statuses = stage.alice.statuses_of(persona.did()).await;
    assert_eq!(statuses.len(), 3);
    for status in statuses {
        assert!(status.time_ms <= now_ms(), "shown at {}", status.time_ms);
    }
    let (viewer, page) = (stage.alice.did(), Page { limit: 1, ..Page::default() });
    let home = stage.alice.node().read(move |reader| reader.home(&viewer, &page)).await.expect("reads");
    assert_eq!(home[0].account.did, stage.bob.did(), "the newest is on top");
    stage.nothing_refused().await;
}
