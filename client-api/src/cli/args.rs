//! What the command line accepts.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::commands::{
    account, app, backup, bootstrap, compact, copies, dev, device, doctor, door, erase, export, feed, follow,
    guardians, id, identity, import, init, invite, join, keep, lock, notifications, open, passphrase, peers, phrase,
    post, profile, react, recover, refuse, restore, run, show, status, swarm_key, timeline, tls, unlock, verify, views,
};
use super::{CliError, exit};
use crate::settings::RunFlags;

/// A node of the decentralized social network xom: one program, one folder, no server to rent.
///
/// Without a command, xom is `xom run`.
#[derive(Debug, Parser)]
#[command(name = "xom", version, after_help = exit::TABLE, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// Where the node keeps everything [default: xom in the user's data folder] [env: XOM_DATA_DIR]
    #[arg(long, value_name = "FOLDER", global = true)]
    pub data_dir: Option<PathBuf>,
    /// Print one line of JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// The identity of this node to act as [default: its first]
    #[arg(long = "as", value_name = "NAME", global = true)]
    pub identity: Option<String>,
    #[command(flatten, next_help_heading = "Options of run")]
    run: RunFlags,
    #[command(subcommand)]
    command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the node
    Run(run::Args),
    /// Make the data folder and the first identity
    Init(init::Args),
    /// Show or confirm the 24 words that bring an identity back
    Phrase(phrase::Args),
    /// Seal the keys with a passphrase, or change it
    Passphrase(passphrase::Args),
    /// Open the sealed device key of the running node
    Unlock(unlock::Args),
    /// Publish a post
    Post(post::Args),
    /// Read the home timeline
    Timeline(timeline::Args),
    /// Who I am
    Id(id::Args),
    /// Make an invite: a link by which others follow you and find this node
    Invite(invite::Args),
    /// Follow somebody
    Follow(follow::Args),
    /// Stop following somebody
    Unfollow(follow::UnfollowArgs),
    /// Show a status with its thread
    Show(show::Args),
    /// Answer a status
    Reply(post::ReplyArgs),
    /// Pass a status on to your followers
    Boost(react::BoostArgs),
    /// Take a boost back
    Unboost(react::UnboostArgs),
    /// Like a status
    Like(react::LikeArgs),
    /// Take a like back
    Unlike(react::UnlikeArgs),
    /// Take an own status back
    Erase(erase::Args),
    /// Show or change the profile
    Profile(profile::Args),
    /// What happened to you
    Notifications(notifications::Args),
    /// Lock the identity when a device is stolen
    Lock(lock::Args),
    /// Rotate keys, lift locks, answer a recovery
    Identity(identity::Args),
    /// Who can bring this identity back, and whom you help to
    Guardians(guardians::Args),
    /// Get an identity back by its words or its guardians
    Recover(recover::Args),
    /// The devices of this identity
    Device(device::Args),
    /// The people of this node
    Account(account::Args),
    /// Apps that have logged in on this node
    App(app::Args),
    /// Join the identity of another device of yours
    Join(join::Args),
    /// Who holds copies of what you post
    Copies(copies::Args),
    /// Keep copies of others' posts for them
    Keep(keep::Args),
    /// The nodes that this node knows
    Peers(peers::Args),
    /// The nodes that this one begins with
    Bootstrap(bootstrap::Args),
    /// Whose replies reach those who follow only you
    Door(door::Args),
    /// Algorithms that order posts, and what they make of yours
    Feed(feed::Args),
    /// Delete a picture from this node for good
    Refuse(refuse::Args),
    /// The state of the node
    Status(status::Args),
    /// Look for what is wrong, and say what to do
    Doctor(doctor::Args),
    /// Make the key of a closed network
    SwarmKey(swarm_key::Args),
    /// Let phones and other machines reach this node over HTTPS
    Tls(tls::Args),
    /// Write everything of an identity to a file
    Export(export::Args),
    /// Back the whole node up, sealed for the 24 words
    Backup(backup::Args),
    /// Bring a node back from a backup or an archive
    Restore(restore::Args),
    /// Check chains, signatures and bodies
    Verify(verify::Args),
    /// Take over what was written elsewhere
    Import(import::Args),
    /// Print a one-time login link for the page
    Open(open::Args),
    /// Work on what is derived from the entries
    Views(views::Args),
    /// Run a node to try an app on
    Dev(dev::Args),
    /// Give back the space of erased and replaced data
    Compact(compact::Args),
}

impl Cli {
    /// The command, `run` if none is given, and the flags of `run` that stand before it.
    pub fn chosen(&self) -> Result<(&Command, &RunFlags), CliError> {
        /// What `xom` alone means.
        static RUN: Command = Command::Run(run::Args::NONE);
        let command = self.command.as_ref().unwrap_or(&RUN);
        if !matches!(command, Command::Run(_)) && self.run != RunFlags::default() {
            return Err(CliError::Usage(
                "--http, --listen, --bootstrap, --swarm-key, --network, --name and --config before a command belong to `xom run`"
                    .to_owned(),
            ));
        }
        Ok((command, &self.run))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(args: &[&str]) -> Cli {
        Cli::try_parse_from([&["xom"], args].concat()).unwrap()
    }

    #[test]
    fn xom_without_a_command_is_run() {
        let cli = parse(&["--http", "127.0.0.1:1"]);
        let (command, before) = cli.chosen().unwrap();
        assert!(matches!(command, Command::Run(_)));
        assert_eq!(before.http.unwrap().port(), 1);
    }

    #[test]
    fn flags_of_run_before_another_command_are_refused() {
        assert!(matches!(parse(&["--http", "127.0.0.1:1", "id"]).chosen(), Err(CliError::Usage(_))));
        assert!(parse(&["--data-dir", "/d", "id", "--json", "--as", "lan"]).chosen().is_ok());
    }

    #[test]
    fn the_command_line_holds_together_and_every_command_has_an_example() {
        Cli::command().debug_assert();
        fn check(command: &clap::Command) {
            for sub in command.get_subcommands() {
                let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("xom "), "{} has no example", sub.get_name());
                check(sub);
            }
        }
        check(&Cli::command());
    }
}
