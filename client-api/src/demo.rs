//! A hamlet that never was: people who follow, answer and like each other, for developers to try their apps on.
//!
//! The same people say the same on every run; keys, and so DIDs, differ.

mod talk;

use futures::future::try_join_all;
use xom_node::command::{Command, Done};
use xom_node::model::StatusId;
use xom_node::{AdoptError, CommandError, Handle, StoreError};
use xom_protocol::body::{Poll, Post, Profile};
use xom_protocol::phrase::Phrase;
use xom_protocol::{Did, Network};
use zeroize::Zeroizing;

use crate::api::compose::{Marks, now_ms};
use talk::{Dice, NAMES, Said};

/// How many people live there.
pub const PEOPLE: usize = NAMES.len();
/// How many posts they have written, replies among them.
pub const POSTS: usize = 2_000;
/// How many others each follows; the first follows all.
const FOLLOWS: usize = 8;
/// Posts of a person that are written in one go, so that the timeline mixes people.
const GO: usize = 10;
/// How long polls run, milliseconds.
const POLL_MS: u64 = 7 * 24 * 3_600_000;

/// The hamlet can't be built.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The node can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A command was refused.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A person can't live here.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// The system gives no entropy.
    #[error("no entropy from the system: {0}")]
    Entropy(String),
}

/// The user name of the first identity, as which clients act unless they choose another.
pub fn first_name() -> &'static str {
    NAMES[0].username
}

/// Fills a node whose only identity is the first person.
pub async fn fill(node: &Handle, network: Network) -> Result<(), DemoError> {
    let first = node.read(|reader| reader.owned_identities()).await?;
    let mut people: Vec<Did> = first.iter().map(|identity| identity.did).collect();
    for name in &NAMES[people.len()..] {
        people.push(settle(node, network, name.username).await?);
    }
    let known = people.iter().zip(NAMES).enumerate().map(|(at, (did, name))| {
        let profile =
            Profile { name: Some(name.name.to_owned()), bio: Some(name.bio.to_owned()), ..Profile::default() };
        let others = (1..=if at == 0 { PEOPLE - 1 } else { FOLLOWS }).map(|step| people[(at + step) % PEOPLE]);
        let follows = others.map(Command::Follow);
        let commands = std::iter::once(Command::Profile(Box::new(profile))).chain(follows).collect();
        all(node, *did, commands)
    });
    try_join_all(known).await?;
    let mut written: Vec<StatusId> = Vec::new();
    for go in 0..POSTS / PEOPLE / GO {
        if !written.is_empty() {
            let reactions = people.iter().enumerate().map(|(at, did)| {
                let mut dice = Dice::new(!((go * PEOPLE + at) as u64));
                let reactions = (0..GO).map(|_| react(&mut dice, &written)).collect();
                all(node, *did, reactions)
            });
            try_join_all(reactions).await?;
        }
        let goes = people.iter().enumerate().map(|(at, did)| {
            let mut dice = Dice::new((go * PEOPLE + at) as u64);
            let posts = (0..GO).map(|_| post(&mut dice, &written)).collect();
            all(node, *did, posts)
        });
        let done = try_join_all(goes).await?;
        written.extend(done.into_iter().flatten().filter_map(|done| done.status));
    }
    Ok(())
}

/// A new identity that lives on the node, with words that nobody has written down.
async fn settle(node: &Handle, network: Network, username: &str) -> Result<Did, DemoError> {
    let mut entropy = Zeroizing::new([0; 32]);
    let no_entropy = |cause: &dyn std::fmt::Display| DemoError::Entropy(cause.to_string());
    getrandom::fill(entropy.as_mut_slice()).map_err(|cause| no_entropy(&cause))?;
    let phrase = Phrase::from_entropy(&entropy).map_err(|cause| no_entropy(&cause))?;
    let genesis = phrase.genesis(network);
    let did = Did(genesis.id().0);
    node.adopt(username, did, vec![genesis.encode()], phrase.device_key()).await?;
    Ok(did)
}

/// Carries out all commands; reactions to what the same person reacted to before add nothing.
async fn all(node: &Handle, did: Did, commands: Vec<Command>) -> Result<Vec<Done>, DemoError> {
    let done = node.commands(did, commands).await;
    Ok(done.into_iter().collect::<Result<_, CommandError>>()?)
}

/// What somebody likes next, or passes on.
fn react(dice: &mut Dice, written: &[StatusId]) -> Command {
    let status = written[dice.below(written.len())];
    if dice.below(10) == 0 { Command::Repost(status) } else { Command::Favourite(status) }
}

/// What somebody says next: something new, or an answer to what was said.
fn post(dice: &mut Dice, written: &[StatusId]) -> Command {
    let said = Said::next(dice);
    let reply_to = (!written.is_empty() && dice.below(4) == 0).then(|| written[dice.below(written.len())]);
    let text = if reply_to.is_some() { said.answer } else { said.text };
    let marks = Marks::find(&text);
    let poll = (reply_to.is_none() && dice.below(40) == 0).then(|| Poll {
        options: said.options.iter().map(|option| (*option).to_owned()).collect(),
        multiple: false,
        hide_totals: false,
        ends: now_ms() + POLL_MS,
    });
    let warning = if reply_to.is_none() && dice.below(50) == 0 { said.warning.to_owned() } else { String::new() };
    let languages = vec![said.language.to_owned()];
    let post = Post { text, languages, warning, poll, tags: marks.tags, links: marks.links, ..Post::default() };
    Command::Post { post: Box::new(post), reply_to, quote_of: None }
}
