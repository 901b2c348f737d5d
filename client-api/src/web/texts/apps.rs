//! Texts of the page of consent and of the page of apps.

pub(in crate::web) const TITLE: &str = "Apps";
pub(in crate::web) const WHAT: &str =
    "These apps have logged in here. Each has a token of its own; ending one closes what it holds open at once.";
pub(in crate::web) const NONE: &str =
    "No app has logged in. In an app for Mastodon, give the address of this page as the server.";
pub(in crate::web) const SINCE: &str = "since";
pub(in crate::web) const LAST: &str = "last used";
pub(in crate::web) const NEVER: &str = "not used yet";
pub(in crate::web) const REVOKE: &str = "Log it out";

pub(in crate::web) const CONSENT: &str = "Let an app in?";
pub(in crate::web) const CALLS_ITSELF: &str = "An app that calls itself";
pub(in crate::web) const WANTS_AS: &str = "wants to act here as";
pub(in crate::web) const ANY_NAME: &str =
    "Anybody can choose any name, also this one. Go on only if you have just come from that app yourself.";
pub(in crate::web) const SITE: &str = "It says that it lives at";
pub(in crate::web) const GOES_TO: &str = "The way in is sent to";
pub(in crate::web) const GOES_TO_APP: &str =
    "The way in is sent to the program on this machine that opens addresses with";
pub(in crate::web) const GOES_NOWHERE: &str = "You are shown a code, to paste into the app yourself.";
pub(in crate::web) const MAY: &str = "It could then, until you log it out:";
pub(in crate::web) const NO_PKCE: &str = "It uses the older way of logging in, without PKCE: what is sent back to it is \
    protected by its own secret only.";
pub(in crate::web) const OTHERS: &str = "To let it in as another identity of this node, log in here as that one first:";
pub(in crate::web) const ALLOW: &str = "Let it in";
pub(in crate::web) const DENY: &str = "Refuse";

pub(in crate::web) const USE_LINK: &str = "Use this link";
pub(in crate::web) const LOG_IN_FIRST: &str = "An app asks to be let in. Only somebody who lives on this node can do that, so log in first. If it is yours, make a login link on the machine that it runs on.";
pub(in crate::web) const PASTE: &str = "Paste the link here";
pub(in crate::web) const LOGGED_IN: &str = "I am logged in, go on";
pub(in crate::web) const GOING_ON: &str = "Going on …";
pub(in crate::web) const GO_ON: &str = "Go on";

pub(in crate::web) const CODE: &str = "Your code";
pub(in crate::web) const CODE_HOW: &str = "Paste it into the app. It is good once, for one minute.";
pub(in crate::web) const DENIED: &str = "The app was not let in.";
pub(in crate::web) const WRONG: &str = "The app asked in a wrong way";
pub(in crate::web) const WRONG_HOW: &str = "Nothing was allowed, and nobody was told. Go back to the app and begin anew; if it happens again, the app has a fault.";
pub(in crate::web) const UNKNOWN: &str = "No such app is registered here (client_id).";
pub(in crate::web) const ELSEWHERE: &str =
    "It wants to be sent to an address that it has not registered (redirect_uri).";
pub(in crate::web) const STATE: &str = "What it wants back with the answer is too long (state).";
pub(in crate::web) const RESPONSE: &str = "It asks for something else than a code (response_type).";
pub(in crate::web) const SCOPE: &str = "It asks for more than it has registered for (scope).";
