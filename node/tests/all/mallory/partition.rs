//! R-FRK-6, R-FRK-8: both halves of a network hold another branch of one log, until they meet.

use super::persona::{Chain, Persona};
use super::{Line, Peer, Stage, Wares, holds, log_view};
use crate::harness::{Over, Person, text, wait_until};

/// Two branches of one log: `common` is below both.
pub(super) fn branches(persona: &Persona, common: &[&str]) -> [Chain; 2] {
    let mut first = persona.chain();
    for text in common {
        first.post(text);
    }
    let mut second = first.clone();
    first.post("a branch");
    second.post("another branch");
    [first, second]
}

/// Mallory shows a branch to somebody who follows the one that signed it.
pub(super) async fn show(to: &Person, persona: &Persona, branch: &Chain) -> (Peer, Line) {
    to.follow(persona.did().to_string()).await;
    let mut peer = Peer::dial(to).await;
    let line = Line::open(&mut peer, Wares::default().identity(persona).chain(branch)).await;
    holds(to, branch.log(), branch.position().height).await;
    (peer, line)
}

/// Waits until somebody holds a log up to this head, and has it for disputed or not.
pub(super) async fn stands(at: &Person, branch: &Chain, disputed: bool) {
    let head = branch.position().head;
    let what = format!("the log stands at {:?}, disputed: {disputed}", branch.position());
    wait_until(&what, async || {
        let view = log_view(at, branch.log()).await?;
        (view.head == head && view.disputed == disputed).then_some(())
    })
    .await;
}

/// The posts of somebody as they are shown, with whether they are disputed.
pub(super) async fn shown(at: &Person, persona: &Persona) -> Vec<(String, bool)> {
    let statuses = at.statuses_of(persona.did()).await;
    statuses.iter().map(|status| (text(status).expect("a post"), status.disputed)).collect()
}

pub(super) fn posts(common: &[&str], branch: &str, disputed: bool) -> Vec<(String, bool)> {
    let common = common.iter().map(|text| ((*text).to_owned(), false));
    common.chain([(branch.to_owned(), disputed)]).collect()
}

/// Each half has two nodes, of which one has heard mallory. When one of each half meet, all four have the fork
/// for disputed and go on showing what they saw first; once the owner decides, all four show that.
async fn check_partition(over: Over, name: &str, common: &[&str]) {
    let mut stage = Stage::new(over).await;
    let mut persona = Persona::new(name);
    let [first, second] = branches(&persona, common);
    let (carol, dave) = tokio::join!(Person::new("carol", over), Person::new("dave", over));
    let (peer, line) = show(&stage.alice, &persona, &first).await;
    let other = show(&carol, &persona, &second).await;
    stage.bob.follow(persona.did().to_string()).await;
    stage.bob.follow(stage.alice.invite().await).await;
    dave.follow(persona.did().to_string()).await;
    dave.follow(carol.invite().await).await;
    stands(&stage.bob, &first, false).await;
    stands(&dave, &second, false).await;
    drop(other);
    // The partition heals at one place.
    dave.follow(stage.bob.invite().await).await;
    let halves = [(&stage.alice, &first), (&stage.bob, &first), (&carol, &second), (&dave, &second)];
    for (person, branch) in halves {
        stands(person, branch, true).await;
    }
    for (person, branch) in [(&stage.alice, "a branch"), (&carol, "another branch")] {
        assert_eq!(shown(person, &persona).await, posts(common, branch, true));
    }
    persona.settle(&first);
    line.restock(Wares::default().identity(&persona).chain(&first)).await;
    for person in [&stage.alice, &stage.bob, &carol, &dave] {
        stands(person, &first, false).await;
        let settled = async || (shown(person, &persona).await == posts(common, "a branch", false)).then_some(());
        wait_until("the branch that was named is shown", settled).await;
        assert_eq!(person.node().verify().await.expect("verifies").faults, Vec::<String>::new());
    }
    stage.goes_on().await;
    drop((peer, line));
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_6_halves_that_were_shown_two_branches_come_to_one_verdict_when_they_meet_and_to_one_branch_once_settled()
{
    check_partition(Over::Tcp, "two faces", &["one", "two"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_8_a_fork_at_the_first_entry_of_a_log_is_disputed_from_there_and_settled_like_any_other() {
    check_partition(Over::Quic, "two beginnings", &[]).await;
}
