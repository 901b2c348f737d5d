//! The commands.

pub(super) mod account;
pub(super) mod app;
pub(super) mod backup;
pub(super) mod bootstrap;
pub(super) mod compact;
pub(super) mod copies;
pub(super) mod dev;
pub(super) mod device;
pub(super) mod doctor;
pub(super) mod door;
pub(super) mod erase;
pub(super) mod export;
pub(super) mod feed;
pub(super) mod follow;
pub(super) mod guardians;
pub(super) mod id;
pub(super) mod identity;
pub(super) mod import;
pub(super) mod init;
pub(super) mod invite;
pub(super) mod join;
pub(super) mod keep;
pub(super) mod lock;
pub(super) mod notifications;
pub(super) mod open;
pub(super) mod passphrase;
pub(super) mod peers;
pub(super) mod phrase;
pub(super) mod post;
pub(super) mod profile;
pub(super) mod react;
pub(super) mod recover;
pub(super) mod refuse;
pub(super) mod restore;
pub(super) mod run;
pub(super) mod show;
pub(super) mod status;
pub(super) mod swarm_key;
pub(super) mod timeline;
pub(super) mod tls;
pub(super) mod unlock;
pub(super) mod verify;
pub(super) mod views;

use super::{Call, CliError, Command};
use crate::settings::RunFlags;

/// Carries a command out.
pub(super) fn execute(call: &Call, command: &Command, run_flags: &RunFlags) -> Result<(), CliError> {
    match command {
        Command::Run(args) => args.execute(call, run_flags),
        Command::Init(args) => args.execute(call),
        Command::Phrase(args) => args.execute(call),
        Command::Passphrase(args) => args.execute(call),
        Command::Unlock(args) => args.execute(call),
        Command::Post(args) => args.execute(call),
        Command::Timeline(args) => args.execute(call),
        Command::Id(args) => args.execute(call),
        Command::Invite(args) => args.execute(call),
        Command::Follow(args) => args.execute(call),
        Command::Unfollow(args) => args.execute(call),
        Command::Show(args) => args.execute(call),
        Command::Reply(args) => args.execute(call),
        Command::Boost(args) => args.execute(call),
        Command::Unboost(args) => args.execute(call),
        Command::Like(args) => args.execute(call),
        Command::Unlike(args) => args.execute(call),
        Command::Erase(args) => args.execute(call),
        Command::Profile(args) => args.execute(call),
        Command::Notifications(args) => args.execute(call),
        Command::Lock(args) => args.execute(call),
        Command::Identity(args) => args.execute(call),
        Command::Guardians(args) => args.execute(call),
        Command::Recover(args) => args.execute(call),
        Command::Dev(args) => args.execute(false, &call.output),
        Command::Account(args) => args.execute(call),
        Command::App(args) => args.execute(call),
        Command::Device(args) => args.execute(call),
        Command::Join(args) => args.execute(call),
        Command::Copies(args) => args.execute(call),
        Command::Keep(args) => args.execute(call),
        Command::Peers(args) => args.execute(call),
        Command::Bootstrap(args) => args.execute(call),
        Command::Door(args) => args.execute(call),
        Command::Feed(args) => args.execute(call),
        Command::Refuse(args) => args.execute(call),
        Command::Status(args) => args.execute(call),
        Command::Doctor(args) => args.execute(call),
        Command::SwarmKey(args) => args.execute(call),
        Command::Tls(args) => args.execute(call),
        Command::Export(args) => args.execute(call),
        Command::Backup(args) => args.execute(call),
        Command::Restore(args) => args.execute(call),
        Command::Verify(args) => args.execute(call),
        Command::Import(args) => args.execute(call),
        Command::Open(args) => args.execute(call),
        Command::Views(args) => args.execute(call),
        Command::Compact(args) => args.execute(call),
    }
}
