//! Checks of a running node: its clock, the table of who is where, its peers, and what it warns of itself.

use xom_node::model::{Health, NodeStatus};

use super::Check;

/// From so many seconds on the clock is worth mending.
const CLOCK_SECS_LOW: u64 = 60;
/// From so many seconds on the node signs nothing (`LOG-15`).
const CLOCK_SECS_MAX: u64 = 600;

/// What a running node says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Its status.
    pub status: &'a NodeStatus,
    /// How it stands.
    pub health: &'a Health,
}

/// Every check, in the order in which they are shown.
const CHECKS: [fn(Found<'_>) -> Check; 4] = [clock, table, peers, bans];

/// All of them, and one for each warning of the node.
pub fn checks(found: Found<'_>) -> Vec<Check> {
    let warning = |text: &String| Check::warn("node", text.clone(), "see `xom status`");
    CHECKS.iter().map(|check| check(found)).chain(found.status.warnings.iter().map(warning)).collect()
}

fn clock(found: Found<'_>) -> Check {
    let Some(ahead_ms) = found.health.clock_ahead_ms else {
        return Check::unknown("clock", "too few peers have told their time, so there is nothing to compare with");
    };
    let secs = ahead_ms.unsigned_abs() / 1_000;
    let side = if ahead_ms > 0 { "behind" } else { "ahead of" };
    let differs = format!("this machine's clock is {secs} seconds {side} those of its peers");
    let mend = "set the clock of this machine, for good with `timedatectl set-ntp true`";
    match secs {
        secs if secs < CLOCK_SECS_LOW => {
            Check::ok("clock", "this machine's clock is within a minute of those of its peers")
        }
        secs if secs <= CLOCK_SECS_MAX => Check::warn("clock", differs, mend),
        _ => Check::fail("clock", differs + ", so nothing is signed", mend),
    }
}

fn table(found: Found<'_>) -> Check {
    let Health { table_nodes, searches, .. } = found.health;
    if *table_nodes == 0 {
        let advice = "name a node that is on with --bootstrap, or follow somebody by invite";
        return Check::warn("table", "no node is known that could tell where an identity lives", advice);
    }
    Check::ok("table", format!("{table_nodes} nodes can be asked where an identity lives, {searches} searches go on"))
}

fn peers(found: Found<'_>) -> Check {
    let (known, connected, in_sync) =
        (found.health.peers_known, found.status.peers_connected, found.health.peers_in_sync);
    match (known, connected) {
        (0, _) => Check::warn("peers", "this node knows no other", "follow somebody: `xom follow INVITE`"),
        (_, 0) => Check::fail(
            "peers",
            format!("none of the {known} known peers is connected"),
            "look whether this machine is online; `xom peers` shows when each was last seen",
        ),
        _ => Check::ok("peers", format!("{connected} of {known} known peers are connected, {in_sync} in sync")),
    }
}

fn bans(found: Found<'_>) -> Check {
    match found.health.peers_banned {
        0 => Check::ok("bans", "nobody is kept away"),
        count => Check::warn("bans", format!("{count} peers are kept away for a while"), "`xom peers bans` says why"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    fn status() -> NodeStatus {
        NodeStatus { peers_connected: 1, ..NodeStatus::default() }
    }

    fn health() -> Health {
        Health { clock_ahead_ms: Some(50), table_nodes: 3, peers_known: 2, ..Health::default() }
    }

    fn states(status: &NodeStatus, health: &Health) -> Vec<(&'static str, State)> {
        checks(Found { status, health }).iter().map(|check| (check.name, check.state)).collect()
    }

    #[test]
    fn a_healthy_node_has_nothing_to_do() {
        assert!(states(&status(), &health()).iter().all(|(_, state)| *state == State::Ok));
    }

    #[test]
    fn a_clock_that_is_off_warns_and_one_that_stops_signing_fails() {
        let at =
            |ahead_ms| clock(Found { status: &status(), health: &Health { clock_ahead_ms: ahead_ms, ..health() } });
        let of = |ms: Option<i64>| at(ms).state;
        assert_eq!(
            [None, Some(59_999), Some(-60_000), Some(600_999), Some(601_000), Some(-31_536_000_000)].map(of),
            [State::Unknown, State::Ok, State::Warn, State::Warn, State::Fail, State::Fail]
        );
        assert!(at(Some(-700_000)).found.contains("700 seconds ahead of"));
        assert!(at(Some(700_000)).found.contains("700 seconds behind"));
    }

    #[test]
    fn a_node_that_is_alone_or_offline_or_warns_is_told_what_to_do() {
        let alone = Health { table_nodes: 0, peers_known: 0, ..health() };
        let found = states(&NodeStatus { peers_connected: 0, ..status() }, &alone);
        assert!(found.contains(&("table", State::Warn)) && found.contains(&("peers", State::Warn)), "{found:?}");
        let offline = states(&NodeStatus { peers_connected: 0, ..status() }, &health());
        assert!(offline.contains(&("peers", State::Fail)), "{offline:?}");
        let warns = NodeStatus { warnings: vec!["the words are not confirmed".into()], ..status() };
        let banned = Health { peers_banned: 1, ..health() };
        let all = checks(Found { status: &warns, health: &banned });
        assert!(all.iter().any(|check| check.name == "node" && check.found.contains("words")), "{all:?}");
        assert!(all.iter().filter(|check| check.state != State::Ok).all(|check| check.advice.is_some()), "{all:?}");
    }
}
