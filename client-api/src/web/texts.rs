//! All texts of the page in one place, so that another language is one more of these.

pub(super) mod apps;
pub(super) mod copies;
pub(super) mod devices;
pub(super) mod guardians;
pub(super) mod history;
pub(super) mod holders;
pub(super) mod keys;

/// The name of the network.
pub(super) const NAME: &str = "xóm";
pub(super) const HOME: &str = "Home";
pub(super) const PUBLIC: &str = "Public";
pub(super) const NOTIFICATIONS: &str = "Notifications";
pub(super) const LOG_OUT: &str = "Log out";
pub(super) const SKIP: &str = "Skip to the content";

pub(super) const LOG_IN: &str = "Log in";
pub(super) const LOG_IN_HOW: &str =
    "This is somebody's own node. If it is yours, make a login link on the machine that it runs on:";
pub(super) const LOG_IN_COMMAND: &str = "xom open";
pub(super) const LOG_IN_THEN: &str = "Open the link in this browser. It is valid once, for 10 minutes.";
pub(super) const LOG_IN_BY_NAME: &str = "Log in with the name and password that you have on this node.";
pub(super) const USERNAME: &str = "Name";
pub(super) const PASSWORD: &str = "Password";
pub(super) const LOG_IN_WRONG: &str = "No such name and password.";
pub(super) const LOG_IN_OWNER: &str =
    "If the node is yours, you can also make a login link on the machine that it runs on:";
pub(super) const OWNERS: &str = "This is for the owner of the node.";
pub(super) const REPORTS: &str = "Reports";
pub(super) const REPORTS_WHAT: &str = "What people of this node have reported. Nobody else is told.";
pub(super) const REPORTS_NONE: &str = "Nothing has been reported.";
pub(super) const REPORTED: &str = "reported";
pub(super) const LINK_SPENT: &str = "This login link has been used already, or is older than 10 minutes. Make another:";

pub(super) const FAULT: &str = "That did not work";
pub(super) const NOT_FOUND: &str = "There is nothing here, or this node does not hold it.";
pub(super) const FORBIDDEN: &str =
    "The form is not from this login. Go back, load the page again and send it once more.";
pub(super) const BACK_HOME: &str = "Back home";

/// For one, and for any other number.
pub(super) const POSTS: [&str; 2] = ["post", "posts"];
pub(super) const FOLLOWING: [&str; 2] = ["following", "following"];
pub(super) const FOLLOWERS: [&str; 2] = ["follower", "followers"];
pub(super) const YOUR_DID: &str = "Your DID: the address that stays, whatever name you use";
pub(super) const DID: &str = "DID";
pub(super) const SHOW_DID: &str = "show all";

pub(super) const INVITE: &str = "Invite a neighbour";
pub(super) const INVITE_HOW: &str = "Who opens this with xom follows you and finds this node:";
pub(super) const INVITE_QR: &str = "QR code of your invite";
pub(super) const INVITE_LINK: &str = "Your invite link";
pub(super) const FOLLOW_SOMEBODY: &str = "Follow somebody";
pub(super) const FOLLOW_HOW: &str = "Invite, DID or name";
pub(super) const FOLLOW: &str = "Follow";
pub(super) const UNFOLLOW: &str = "Unfollow";
pub(super) const FOLLOWS_YOU: &str = "follows you";

pub(super) const COMPOSE: &str = "New post";
pub(super) const COMPOSE_HINT: &str = "What is new in the hamlet?";
pub(super) const REPLY_HINT: &str = "Your answer";
pub(super) const POST: &str = "Post";
pub(super) const REPLY: &str = "Reply";
pub(super) const MORE_OPTIONS: &str = "Picture, warning, language";
pub(super) const WARNING: &str = "Content warning";
pub(super) const WARNING_HINT: &str = "What the text is hidden behind";
pub(super) const LANGUAGE: &str = "Language";
pub(super) const NO_LANGUAGE: &str = "not given";
pub(super) const PICTURE: &str = "Picture, sound or video";
pub(super) const ALT: &str = "Description for those who can't see or hear it";
pub(super) const UNLISTED: &str = "Keep it out of public and tag timelines";

/// Languages of the composer: BCP 47 tag and name.
pub(super) const LANGUAGES: [(&str, &str); 10] = [
    ("vi", "Tiếng Việt"),
    ("en", "English"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("id", "Bahasa Indonesia"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("pt", "Português"),
    ("zh", "中文"),
];

pub(super) const BOOST: &str = "Boost";
pub(super) const UNBOOST: &str = "Take the boost back";
pub(super) const LIKE: &str = "Like";
pub(super) const UNLIKE: &str = "Take the like back";
pub(super) const ERASE: &str = "Erase";
pub(super) const ERASE_SURE: &str = "It is hidden everywhere at once, and its bytes go seven days later.";
pub(super) const MORE: &str = "More";
pub(super) const BOOSTED: &str = "boosted";
pub(super) const IN_REPLY: &str = "an answer";
pub(super) const EDITED: &str = "edited";
pub(super) const DISPUTED: &str = "disputed: two versions of this author's log are known";
pub(super) const SENSITIVE: &str = "Sensitive media";
pub(super) const NO_ALT: &str = "no description";
pub(super) const DOWNLOAD: &str = "Download";
pub(super) const IMPORTED_FROM: &str = "first published at";
pub(super) const VOTE: &str = "Vote";
pub(super) const VOTERS: &str = "voted";
pub(super) const POLL_ENDED: &str = "ended";
pub(super) const POLL_ENDS: &str = "ends";

pub(super) const EMPTY_HOME: &str = "It is quiet here. Write something, follow somebody, or pass your invite on.";
pub(super) const EMPTY_LIST: &str = "Nothing here yet.";
pub(super) const OLDER: &str = "Older";
pub(super) const NEWEST: &str = "Newest";
pub(super) const THREAD: &str = "Thread";

pub(super) const MENTIONED_YOU: &str = "mentioned or answered you";
pub(super) const BOOSTED_YOU: &str = "boosted your post";
pub(super) const LIKED_YOU: &str = "likes your post";
pub(super) const FOLLOWED_YOU: &str = "follows you";
pub(super) const POLL_OVER: &str = "A poll of yours has ended";
pub(super) const EDITED_BOOST: &str = "edited a post that you boosted";

pub(super) const WELCOME: &str = "Your 24 words";
pub(super) const WORDS_WHAT: &str = "These words are your identity. They bring everything back when this machine is \
    lost, and there is nobody else who could. Write them down on paper, in this order.";
pub(super) const WORDS_HOW: &str = "Keep the paper where nobody else finds it: who has the words is you. Next, three \
    of them are asked for. Then they are deleted from this machine.";
pub(super) const WORDS_WRITTEN: &str = "I have written them down";
pub(super) const WORDS_CHECK: &str = "Give three words back";
pub(super) const WORD_NUMBER: &str = "Word number";
pub(super) const WORDS_AGAIN: &str = "Show me the words again";
pub(super) const WORDS_CONFIRM: &str = "Confirm the words";
pub(super) const WORDS_REMINDER: &str = "Your 24 words are not confirmed yet. Until then they lie on this machine, readable for whoever can read its files.";
pub(super) const REMINDER: &str = "Reminder";
pub(super) const LATER: &str = "Later";
pub(super) const PASSPHRASE: &str = "Passphrase";
pub(super) const PASSPHRASE_WHAT: &str = "A passphrase seals the key that may change your identity, so that it can be \
    used on this machine without the words. Leave it empty to keep that key nowhere but in the words.";
pub(super) const PASSPHRASE_NEW: &str = "Passphrase, at least 8 characters";
pub(super) const PASSPHRASE_AGAIN: &str = "The same again";
pub(super) const PASSPHRASES_DIFFER: &str = "The two passphrases are not the same.";
pub(super) const PASSPHRASE_MISSING: &str = "To seal the device key, choose a passphrase.";
pub(super) const SEAL_DEVICE: &str =
    "Seal the key that posts, too: after each start nothing is posted until the passphrase is given";
pub(super) const SEALED: &str =
    "The key that signs your posts is sealed. This node goes on to sync and to keep, and posts nothing.";
pub(super) const READ_ONLY: &str = "Only read";
pub(super) const WAITING: &str = "This identity was restored and has no device key here yet, so nothing is signed: \
    you can read what came back, and others can fetch it. Stop the node, and run xom recover with the 24 words, or \
    xom join beside a device that still works.";
pub(super) const UNLOCK: &str = "Open it";
pub(super) const UNLOCK_WHAT: &str = "Give the passphrase. The key stays open until the node stops.";

/// How long ago something was, short; none if it is so long ago that the date says more.
pub(super) fn ago(secs: u64) -> Option<String> {
    match secs {
        ..60 => Some("now".to_owned()),
        60..3600 => Some(format!("{} min", secs / 60)),
        3600..86_400 => Some(format!("{} h", secs / 3600)),
        86_400..604_800 => Some(format!("{} d", secs / 86_400)),
        _ => None,
    }
}
