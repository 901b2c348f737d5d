//! Texts of the page of guardians.

use xom_node::recovery::RequestState;

pub(in super::super) const TITLE: &str = "Guardians";
pub(in super::super) const YOU: &str = "this account";
pub(in super::super) const YOURS: &str = "Your guardians";
pub(in super::super) const NONE: &str =
    "Nobody can bring this account back yet if you lose your devices and your words. Name people whom you trust.";
pub(in super::super) const SET: &str = "Name other guardians";
pub(in super::super) const ACCOUNTS: &str = "Who: DIDs or names, one a line";
pub(in super::super) const NOBODY: &str = "nobody is named; `xom guardians clear` ends guarding";
pub(in super::super) const NEED: &str = "How many of them it takes";
pub(in super::super) const WORDS: &str = "Your 24 words";
pub(in super::super) const SECRET: &str = "Passphrase or 24 words; empty if your control key lies unsealed";

pub(in super::super) const REQUESTS: &str = "Whom you are asked to help";
pub(in super::super) const REQUESTS_HOW: &str =
    "Speak with them first, by voice, and compare the code. Whoever you approve gets the account.";
pub(in super::super) const NO_REQUESTS: &str = "Nobody has asked.";
pub(in super::super) const CODE: &str = "Code";
pub(in super::super) const APPROVE: &str = "Approve";
pub(in super::super) const REFUSE: &str = "Refuse";

pub(in super::super) const RECOVERY: &str = "A recovery of your account";
pub(in super::super) const RECOVERY_GOES_ON: &str =
    "Your guardians are bringing this account back on another machine. If that is not you, stop it.";
pub(in super::super) const RECOVERY_FINISHED: &str = "Your guardians have brought this account back.";
pub(in super::super) const POSTPONED: &str = "The guardians were asked to wait once more.";
pub(in super::super) const POSTPONE: &str = "Let them wait once more";
pub(in super::super) const CANCEL: &str = "Stop it";
pub(in super::super) const BANNER: &str = "Your guardians are bringing this account back on another machine.";
pub(in super::super) const BANNER_LINK: &str = "Is it you?";

/// How many guardians it takes.
pub(in super::super) fn need(need: u64, count: usize) -> String {
    format!("{need} of {count} can bring this account back. Those who are known here:")
}

/// How far a request is.
pub(in super::super) fn state(state: RequestState) -> &'static str {
    match state {
        RequestState::Asked => "Waits for you.",
        RequestState::Refused => "You have refused. You can still approve.",
        RequestState::StartApproved => "You have approved. Once enough others have, the delay begins.",
        RequestState::Started { .. } => "It has started. Approve once more, after",
        RequestState::FinishApproved => "You have approved for good.",
        RequestState::Over => "It is over.",
    }
}
