//! Who follows whom: few are followed by very many, friends of friends are followed, and some follow back.

use std::collections::BTreeSet;

use super::dice::unit;
use crate::random::Random;

/// How fast the pull falls from the best known to the least: a power law, of exponent 2.25 for the numbers of followers.
const PULL: f64 = 0.8;
/// Of a hundred follows, so many go to somebody whom somebody followed follows.
const FRIENDS_OF_FRIENDS: u64 = 35;
/// Of a hundred who are followed, so many follow back.
const BACK: u64 = 25;
/// Nobody follows more than so many times the number in the middle.
const MOST: u64 = 6;

/// For each node whom it follows, ascending. Everybody follows somebody, and nobody himself.
pub(super) fn follow_graph(nodes: usize, mean: u64, random: &mut Random) -> Vec<Vec<u32>> {
    let mut ranks: Vec<u32> = (0..nodes as u32).collect();
    for at in (1..nodes).rev() {
        ranks.swap(at, random.below(at as u64 + 1) as usize);
    }
    let mut pulls = Vec::with_capacity(nodes);
    let mut sum = 0.0;
    for rank in 1..=nodes {
        sum += (rank as f64).powf(-PULL);
        pulls.push(sum);
    }
    let mut follows = vec![BTreeSet::new(); nodes];
    for node in 0..nodes {
        let wanted = number_of_follows(nodes, mean, random);
        for _ in 0..wanted * 4 {
            if follows[node].len() as u64 >= wanted {
                break;
            }
            let known = friend_of_friend(&follows, node, random).filter(|_| random.chance(FRIENDS_OF_FRIENDS));
            let by_pull = pulls.partition_point(|pull| *pull < unit(random) * sum).min(nodes - 1);
            let target = known.unwrap_or(ranks[by_pull]);
            if target as usize != node && follows[node].insert(target) && random.chance(BACK) {
                follows[target as usize].insert(node as u32);
            }
        }
        if follows[node].is_empty() {
            follows[node].insert(((node + 1) % nodes) as u32);
        }
    }
    follows.into_iter().map(|follows| follows.into_iter().collect()).collect()
}

/// Those who follow back bring the mean up to what is asked for.
fn number_of_follows(nodes: usize, mean: u64, random: &mut Random) -> u64 {
    let own = mean as f64 / (1.0 + BACK as f64 / 100.0);
    let number = 1.0 + super::dice::waiting(random, own - 1.0);
    (number.round() as u64).min(mean * MOST).min(nodes as u64 / 2)
}

fn friend_of_friend(follows: &[BTreeSet<u32>], node: usize, random: &mut Random) -> Option<u32> {
    let pick = |of: &BTreeSet<u32>, random: &mut Random| {
        let at = random.below(of.len().max(1) as u64) as usize;
        of.iter().nth(at).copied()
    };
    let friend = pick(&follows[node], random)?;
    pick(&follows[friend as usize], random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_followed_by_many_and_the_mean_is_what_was_asked_for_at_any_size() {
        for nodes in [300, 3_000] {
            let graph = follow_graph(nodes, 8, &mut Random::new(1));
            let mut followers = vec![0_u64; nodes];
            for (node, follows) in graph.iter().enumerate() {
                assert!(!follows.is_empty() && !follows.contains(&(node as u32)));
                follows.iter().for_each(|followed| followers[*followed as usize] += 1);
            }
            followers.sort_unstable();
            let mean = followers.iter().sum::<u64>() as f64 / nodes as f64;
            assert!((7.0..9.0).contains(&mean), "{mean}");
            assert!(followers[nodes - 1] > 12 * followers[nodes / 2], "{:?}", &followers[nodes - 3..]);
        }
    }
}
