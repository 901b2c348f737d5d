//! Who could see a post, by whom it was addressed to. In doubt it was private.

use serde_json::Value;

use super::contents::{ArchivedVisibility, PrivateAudience};

/// The names of everybody: in full, and the two short forms of JSON-LD.
const PUBLIC: [&str; 3] = ["https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"];

/// The audience of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    Public(ArchivedVisibility),
    Private(PrivateAudience),
}

impl Audience {
    /// Of an activity and its object. Where both name an audience, the narrower one holds.
    pub(super) fn of(activity: &Value, object: &Value) -> Self {
        match (Self::named(object), Self::named(activity)) {
            (Some(inner), Some(outer)) => {
                if inner.breadth() <= outer.breadth() {
                    inner
                } else {
                    outer
                }
            }
            (Some(named), None) | (None, Some(named)) => named,
            (None, None) => Self::Private(PrivateAudience::Direct),
        }
    }

    fn named(object: &Value) -> Option<Self> {
        let (to, cc) = (addresses(&object["to"]), addresses(&object["cc"]));
        let has_public = |list: &[&str]| list.iter().any(|address| PUBLIC.contains(address));
        if to.is_empty() && cc.is_empty() {
            None
        } else if has_public(&to) {
            Some(Self::Public(ArchivedVisibility::Public))
        } else if has_public(&cc) {
            Some(Self::Public(ArchivedVisibility::Unlisted))
        } else if to.iter().chain(&cc).any(|address| address.ends_with("/followers")) {
            Some(Self::Private(PrivateAudience::Followers))
        } else {
            Some(Self::Private(PrivateAudience::Direct))
        }
    }

    fn breadth(self) -> u8 {
        match self {
            Self::Private(PrivateAudience::Direct) => 0,
            Self::Private(PrivateAudience::Followers) => 1,
            Self::Public(ArchivedVisibility::Unlisted) => 2,
            Self::Public(ArchivedVisibility::Public) => 3,
        }
    }
}

/// One address or a list of them.
fn addresses(value: &Value) -> Vec<&str> {
    match value {
        Value::String(address) => vec![address],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ArchivedVisibility, Audience, PrivateAudience};

    const EVERYBODY: &str = "https://www.w3.org/ns/activitystreams#Public";

    fn check(to: serde_json::Value, cc: serde_json::Value, expected: Audience) {
        let object = json!({"to": to, "cc": cc});
        assert_eq!(Audience::of(&json!({}), &object), expected, "of {object}");
        assert_eq!(Audience::of(&object, &object), expected, "of {object}, twice");
    }

    #[test]
    fn to_everybody_is_public_and_cc_to_everybody_is_unlisted() {
        let public = Audience::Public(ArchivedVisibility::Public);
        let followers = "https://m.example/users/lan/followers";
        check(json!([EVERYBODY]), json!([followers]), public);
        check(json!("as:Public"), json!(null), public);
        check(json!(["Public"]), json!([]), public);
        check(json!([followers]), json!([EVERYBODY]), Audience::Public(ArchivedVisibility::Unlisted));
    }

    #[test]
    fn everything_else_is_private() {
        let (followers, bob) = ("https://m.example/users/lan/followers", "https://m.example/users/bob");
        check(json!([followers]), json!([bob]), Audience::Private(PrivateAudience::Followers));
        check(json!([bob]), json!([]), Audience::Private(PrivateAudience::Direct));
        check(json!(null), json!(null), Audience::Private(PrivateAudience::Direct));
        check(json!({"id": EVERYBODY}), json!(17), Audience::Private(PrivateAudience::Direct));
        check(json!([format!("{EVERYBODY}/followers.example")]), json!([]), Audience::Private(PrivateAudience::Direct));
    }

    #[test]
    fn where_activity_and_object_differ_the_narrower_one_holds() {
        let (public, direct) = (json!({"to": [EVERYBODY]}), json!({"to": ["https://m.example/users/bob"]}));
        assert_eq!(Audience::of(&public, &direct), Audience::Private(PrivateAudience::Direct));
        assert_eq!(Audience::of(&direct, &public), Audience::Private(PrivateAudience::Direct));
        assert_eq!(Audience::of(&public, &json!("https://m.example/1")), Audience::Public(ArchivedVisibility::Public));
    }
}
