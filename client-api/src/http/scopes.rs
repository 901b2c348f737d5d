//! What a token of an app must be allowed for each route: one row each. A route without a row is for the owner's own
//! token alone, so that what is new is closed to apps until somebody decides.
//!
//! Parameters stand as `{}`, whatever the router calls them.

use axum::http::Method;

use crate::oauth::Scopes;

/// The scope that every token of a user has; a row with it asks for no more than a user.
const ANY: &str = "";

/// Methods, route below its prefix, and the scope that is needed.
type Row = (&'static str, &'static str, &'static str);

/// Mastodon's API, below `/api`.
const THEIRS: &[Row] = &[
    ("GET", "/v1/accounts/verify_credentials", "profile"),
    ("PATCH", "/v1/accounts/update_credentials", "write:accounts"),
    ("GET", "/v1/accounts", "read:accounts"),
    ("POST", "/v1/accounts", "write:accounts"),
    ("GET", "/v1/accounts/{}", "read:accounts"),
    ("GET", "/v1/accounts/lookup", "read:accounts"),
    ("GET", "/v1/accounts/search", "read:accounts"),
    ("GET", "/v1/accounts/relationships", "read:follows"),
    ("GET", "/v1/accounts/familiar_followers", "read:follows"),
    ("GET", "/v1/accounts/{}/statuses", "read:statuses"),
    ("GET", "/v1/accounts/{}/followers", "read:accounts"),
    ("GET", "/v1/accounts/{}/following", "read:accounts"),
    ("GET", "/v1/accounts/{}/featured_tags", "read:accounts"),
    ("GET", "/v1/accounts/{}/endorsements", "read:accounts"),
    ("GET", "/v1/accounts/{}/lists", "read:lists"),
    ("POST", "/v1/accounts/{}/follow", "write:follows"),
    ("POST", "/v1/accounts/{}/unfollow", "write:follows"),
    ("POST", "/v1/accounts/{}/remove_from_followers", "write:follows"),
    ("POST", "/v1/accounts/{}/block", "write:blocks"),
    ("POST", "/v1/accounts/{}/unblock", "write:blocks"),
    ("POST", "/v1/accounts/{}/mute", "write:mutes"),
    ("POST", "/v1/accounts/{}/unmute", "write:mutes"),
    ("POST", "/v1/accounts/{}/note", "write:accounts"),
    ("POST", "/v1/accounts/{}/pin", "write:accounts"),
    ("POST", "/v1/accounts/{}/unpin", "write:accounts"),
    ("POST", "/v1/accounts/{}/endorse", "write:accounts"),
    ("POST", "/v1/accounts/{}/unendorse", "write:accounts"),
    ("GET", "/v1/announcements", ANY),
    ("POST", "/v1/announcements/{}/dismiss", "write:accounts"),
    ("PUT DELETE", "/v1/announcements/{}/reactions/{}", "write:favourites"),
    ("GET", "/v1/async_refreshes/{}", "read"),
    ("GET", "/v1/blocks", "read:blocks"),
    ("GET", "/v1/bookmarks", "read:bookmarks"),
    ("GET", "/v1/conversations", "read:statuses"),
    ("DELETE", "/v1/conversations/{}", "write:conversations"),
    ("POST", "/v1/conversations/{}/read", "write:conversations"),
    ("GET", "/v1/custom_emojis", ANY),
    ("GET", "/v1/directory", ANY),
    ("GET", "/v1/domain_blocks", "read:blocks"),
    ("POST DELETE", "/v1/domain_blocks", "write:blocks"),
    ("GET", "/v1/domain_blocks/preview", "read:blocks"),
    ("GET", "/v1/endorsements", "read:accounts"),
    ("GET", "/v1/favourites", "read:favourites"),
    ("GET", "/v1/featured_tags", "read:accounts"),
    ("GET", "/v1/featured_tags/suggestions", "read:accounts"),
    ("POST", "/v1/featured_tags", "write:accounts"),
    ("DELETE", "/v1/featured_tags/{}", "write:accounts"),
    ("GET", "/v1/filters", "read:filters"),
    ("GET", "/v1/filters/{}", "read:filters"),
    ("POST", "/v1/filters", "write:filters"),
    ("PUT DELETE", "/v1/filters/{}", "write:filters"),
    ("GET", "/v2/filters", "read:filters"),
    ("GET", "/v2/filters/{}", "read:filters"),
    ("GET", "/v2/filters/{}/keywords", "read:filters"),
    ("GET", "/v2/filters/{}/statuses", "read:filters"),
    ("GET", "/v2/filters/keywords/{}", "read:filters"),
    ("GET", "/v2/filters/statuses/{}", "read:filters"),
    ("POST", "/v2/filters", "write:filters"),
    ("PUT DELETE", "/v2/filters/{}", "write:filters"),
    ("POST", "/v2/filters/{}/keywords", "write:filters"),
    ("POST", "/v2/filters/{}/statuses", "write:filters"),
    ("PUT DELETE", "/v2/filters/keywords/{}", "write:filters"),
    ("DELETE", "/v2/filters/statuses/{}", "write:filters"),
    ("GET", "/v1/follow_requests", "read:follows"),
    ("POST", "/v1/follow_requests/{}/authorize", "write:follows"),
    ("POST", "/v1/follow_requests/{}/reject", "write:follows"),
    ("GET", "/v1/followed_tags", "read:follows"),
    ("GET", "/v1/instance/domain_blocks", ANY),
    ("GET", "/v1/lists", "read:lists"),
    ("GET", "/v1/lists/{}", "read:lists"),
    ("GET", "/v1/lists/{}/accounts", "read:lists"),
    ("POST", "/v1/lists", "write:lists"),
    ("PUT DELETE", "/v1/lists/{}", "write:lists"),
    ("POST DELETE", "/v1/lists/{}/accounts", "write:lists"),
    ("GET", "/v1/markers", "read:statuses"),
    ("POST", "/v1/markers", "write:statuses"),
    ("POST", "/v1/media", "write:media"),
    ("POST", "/v2/media", "write:media"),
    ("GET PUT DELETE", "/v1/media/{}", "write:media"),
    ("GET", "/v1/mutes", "read:mutes"),
    ("GET", "/v1/notifications", "read:notifications"),
    ("GET", "/v1/notifications/{}", "read:notifications"),
    ("GET", "/v1/notifications/unread_count", "read:notifications"),
    ("GET", "/v1/notifications/policy", "read:notifications"),
    ("GET", "/v1/notifications/requests", "read:notifications"),
    ("GET", "/v1/notifications/requests/{}", "read:notifications"),
    ("GET", "/v1/notifications/requests/merged", "read:notifications"),
    ("POST", "/v1/notifications/clear", "write:notifications"),
    ("POST", "/v1/notifications/{}/dismiss", "write:notifications"),
    ("POST", "/v1/notifications/dismiss", "write:notifications"),
    ("PUT PATCH", "/v1/notifications/policy", "write:notifications"),
    ("POST", "/v1/notifications/requests/accept", "write:notifications"),
    ("POST", "/v1/notifications/requests/dismiss", "write:notifications"),
    ("POST", "/v1/notifications/requests/{}/accept", "write:notifications"),
    ("POST", "/v1/notifications/requests/{}/dismiss", "write:notifications"),
    ("GET", "/v2/notifications", "read:notifications"),
    ("GET", "/v2/notifications/{}", "read:notifications"),
    ("GET", "/v2/notifications/{}/accounts", "read:notifications"),
    ("GET", "/v2/notifications/unread_count", "read:notifications"),
    ("GET", "/v2/notifications/policy", "read:notifications"),
    ("POST", "/v2/notifications/{}/dismiss", "write:notifications"),
    ("PUT PATCH", "/v2/notifications/policy", "write:notifications"),
    ("GET", "/v1/polls/{}", "read:statuses"),
    ("POST", "/v1/polls/{}/votes", "write:statuses"),
    ("GET", "/v1/preferences", "read:accounts"),
    ("GET", "/v1/profile", "profile"),
    ("PATCH", "/v1/profile", "write:accounts"),
    ("DELETE", "/v1/profile/avatar", "write:accounts"),
    ("DELETE", "/v1/profile/header", "write:accounts"),
    ("GET POST PUT DELETE", "/v1/push/subscription", "push"),
    ("POST", "/v1/reports", "write:reports"),
    ("GET", "/v1/scheduled_statuses", "read:statuses"),
    ("GET", "/v1/scheduled_statuses/{}", "read:statuses"),
    ("PUT DELETE", "/v1/scheduled_statuses/{}", "write:statuses"),
    ("GET", "/v1/search", "read:search"),
    ("GET", "/v2/search", "read:search"),
    ("GET", "/v1/statuses", "read:statuses"),
    ("POST", "/v1/statuses", "write:statuses"),
    ("GET", "/v1/statuses/{}", "read:statuses"),
    ("PUT DELETE", "/v1/statuses/{}", "write:statuses"),
    ("GET", "/v1/statuses/{}/card", "read:statuses"),
    ("GET", "/v1/statuses/{}/context", "read:statuses"),
    ("GET", "/v1/statuses/{}/favourited_by", "read:accounts"),
    ("GET", "/v1/statuses/{}/history", "read:statuses"),
    ("GET", "/v1/statuses/{}/quotes", "read:statuses"),
    ("GET", "/v1/statuses/{}/reblogged_by", "read:accounts"),
    ("GET", "/v1/statuses/{}/source", "read:statuses"),
    ("POST", "/v1/statuses/{}/bookmark", "write:bookmarks"),
    ("POST", "/v1/statuses/{}/unbookmark", "write:bookmarks"),
    ("POST", "/v1/statuses/{}/favourite", "write:favourites"),
    ("POST", "/v1/statuses/{}/unfavourite", "write:favourites"),
    ("POST", "/v1/statuses/{}/mute", "write:mutes"),
    ("POST", "/v1/statuses/{}/unmute", "write:mutes"),
    ("POST", "/v1/statuses/{}/pin", "write:accounts"),
    ("POST", "/v1/statuses/{}/unpin", "write:accounts"),
    ("POST", "/v1/statuses/{}/quotes/{}/revoke", "write:statuses"),
    ("POST", "/v1/statuses/{}/reblog", "write:statuses"),
    ("POST", "/v1/statuses/{}/unreblog", "write:statuses"),
    ("POST", "/v1/statuses/{}/translate", "read:statuses"),
    ("PUT", "/v1/statuses/{}/interaction_policy", "write:statuses"),
    ("GET", "/v1/streaming", "read:statuses"),
    ("GET", "/v1/streaming/user", "read:statuses"),
    ("GET", "/v1/streaming/user/notification", "read:notifications"),
    ("GET", "/v1/streaming/public", "read:statuses"),
    ("GET", "/v1/streaming/public/local", "read:statuses"),
    ("GET", "/v1/streaming/public/remote", "read:statuses"),
    ("GET", "/v1/streaming/hashtag", "read:statuses"),
    ("GET", "/v1/streaming/hashtag/local", "read:statuses"),
    ("GET", "/v1/streaming/list", "read:lists"),
    ("GET", "/v1/streaming/direct", "read:statuses"),
    ("GET", "/v1/suggestions", "read:accounts"),
    ("DELETE", "/v1/suggestions/{}", "write:accounts"),
    ("GET", "/v2/suggestions", "read:accounts"),
    ("GET", "/v1/tags/{}", "read:follows"),
    ("POST", "/v1/tags/{}/follow", "write:follows"),
    ("POST", "/v1/tags/{}/unfollow", "write:follows"),
    ("POST", "/v1/tags/{}/feature", "write:accounts"),
    ("POST", "/v1/tags/{}/unfeature", "write:accounts"),
    ("GET", "/v1/timelines/direct", "read:statuses"),
    ("GET", "/v1/timelines/home", "read:statuses"),
    ("GET", "/v1/timelines/link", "read:statuses"),
    ("GET", "/v1/timelines/list/{}", "read:lists"),
    ("GET", "/v1/timelines/public", "read:statuses"),
    ("GET", "/v1/timelines/tag/{}", "read:statuses"),
    ("GET", "/v1/trends", "read:statuses"),
    ("GET", "/v1/trends/links", "read:statuses"),
    ("GET", "/v1/trends/statuses", "read:statuses"),
    ("GET", "/v1/trends/tags", "read:statuses"),
];

/// Our own API, below `/api/xom/v1`: what apps may be given. Keys, devices, guardians, export, backup, import, bans and
/// the apps themselves stay with the owner.
const OURS: &[Row] = &[
    ("GET", "/identity", "profile"),
    ("GET", "/identities/{}", "xom:entries"),
    ("GET", "/identities/{}/document", "xom:entries"),
    ("GET", "/logs", "xom:entries"),
    ("POST", "/entries", "xom:entries"),
    ("GET", "/entries/{}", "xom:entries"),
    ("GET POST", "/records/{}", "xom:records"),
    ("GET PUT DELETE", "/records/{}/{}", "xom:records"),
    ("GET", "/events", ANY),
    ("GET POST", "/invites", "xom:invites"),
    ("POST", "/follow", "write:follows"),
    ("GET", "/keepers", "xom:copies"),
    ("GET", "/statuses/{}/copies", "xom:copies"),
    ("GET", "/statuses/find", "read:statuses"),
    ("GET", "/feeds", "read:statuses"),
    ("POST", "/feeds/try", "read:statuses"),
    ("GET", "/feeds/{}", "read:statuses"),
    ("GET POST", "/feeds/{}/page", "read:statuses"),
    ("GET", "/status", "xom:network"),
    ("GET", "/sync", "xom:network"),
    ("GET", "/peers", "xom:network"),
];

/// Whether a token with these scopes may call a route; `route` is as the router has matched it.
pub fn allows(method: &Method, route: &str, granted: &Scopes) -> bool {
    needed(method, route).is_some_and(|scope| scope == ANY || granted.cover(scope))
}

/// What of our own API tells of the whole node: open to apps of its owner alone.
const OF_NODE: [&str; 4] = ["/api/xom/v1/logs", "/api/xom/v1/status", "/api/xom/v1/sync", "/api/xom/v1/peers"];

/// Whether only an app of somebody with the role of the owner may call a route.
pub fn is_of_node(route: &str) -> bool {
    OF_NODE.contains(&route)
}

/// The scope that a route needs; none where it is for the owner alone.
pub fn needed(method: &Method, route: &str) -> Option<&'static str> {
    if route == "/oauth/userinfo" {
        return Some("profile");
    }
    let (rows, rest) = match route.strip_prefix("/api/xom/v1") {
        Some(rest) => (OURS, rest),
        None => (THEIRS, route.strip_prefix("/api")?),
    };
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    let found = rows.iter().find(|(methods, row, _)| is_same(row, rest) && methods.split(' ').any(|m| m == method));
    found.map(|(_, _, scope)| *scope)
}

/// Compares a row's route with a matched one, whose parameters have names.
fn is_same(row: &str, route: &str) -> bool {
    let mut segments = route.split('/');
    let each = row.split('/').all(|wanted| {
        segments.next().is_some_and(|found| found == wanted || (wanted == "{}" && found.starts_with('{')))
    });
    each && segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::oauth::scope;

    /// What is answered without a token, and needs no row.
    const OPEN: [&str; 13] = [
        "/v1/apps",
        "/v1/apps/verify_credentials",
        "/v1/streaming/health",
        "/v1/instance",
        "/v2/instance",
        "/v1/instance/rules",
        "/v1/instance/extended_description",
        "/v1/instance/peers",
        "/v1/instance/activity",
        "/v1/instance/privacy_policy",
        "/v1/instance/terms_of_service",
        "/v1/instance/terms_of_service/{date}",
        "/v1/instance/translation_languages",
    ];

    /// The routes that a file of the router names.
    fn routes(prefix: &str, source: &str) -> BTreeSet<String> {
        let named = source.split(".route(").skip(1).filter_map(|rest| rest.split('"').nth(1));
        named.filter(|route| route.starts_with('/')).map(|route| format!("{prefix}{route}")).collect()
    }

    #[test]
    fn r_api_8_every_route_of_mastodon_says_which_scope_an_app_needs() {
        let files = [
            ("/v1", include_str!("../api/v1.rs")),
            ("/v1", include_str!("../api/v1/media.rs")),
            ("/v2", include_str!("../api/v2.rs")),
        ];
        let all: BTreeSet<String> = files.into_iter().flat_map(|(prefix, source)| routes(prefix, source)).collect();
        assert!(all.contains("/v1/statuses/{id}/context"), "{all:?}");
        let is_known =
            |route: &String| OPEN.contains(&route.as_str()) || THEIRS.iter().any(|(_, row, _)| is_same(row, route));
        let lost: Vec<&String> = all.iter().filter(|route| !is_known(route)).collect();
        assert!(lost.is_empty(), "apps can't call these; give each a row in http/scopes.rs: {lost:?}");
    }

    #[test]
    fn every_row_names_a_scope_that_there_is() {
        for (methods, route, scope) in THEIRS.iter().chain(OURS) {
            assert!(*scope == ANY || scope::is_known(scope), "{methods} {route}: {scope}");
        }
    }

    #[test]
    fn r_api_8_what_apps_must_not_do_has_no_row() {
        let all = Scopes::parse(
            "read write follow push xom:entries xom:invites xom:network xom:copies xom:records admin:read",
        )
        .unwrap();
        for (method, route) in [
            (Method::GET, "/api/xom/v1/keys"),
            (Method::GET, "/api/xom/v1/phrase"),
            (Method::POST, "/api/xom/v1/passphrase"),
            (Method::POST, "/api/xom/v1/unlock"),
            (Method::POST, "/api/xom/v1/devices/pair"),
            (Method::POST, "/api/xom/v1/devices/{id}/remove"),
            (Method::POST, "/api/xom/v1/guardians"),
            (Method::GET, "/api/xom/v1/export"),
            (Method::POST, "/api/xom/v1/backup"),
            (Method::GET, "/api/xom/v1/apps"),
            (Method::POST, "/api/xom/v1/apps/{id}/revoke"),
            (Method::POST, "/api/xom/v1/login-links"),
            (Method::POST, "/api/xom/v1/statuses/{id}/erase"),
            (Method::GET, "/api/v1/admin/accounts"),
            (Method::DELETE, "/api/v1/timelines/home"),
            (Method::GET, "/metrics"),
        ] {
            assert!(!allows(&method, route, &all), "{method} {route}");
        }
        assert!(allows(&Method::GET, "/api/v1/timelines/home", &all));
    }

    #[test]
    fn r_api_8_a_token_that_reads_does_not_write() {
        let reads = Scopes::parse("read").unwrap();
        for (methods, route, scope) in THEIRS {
            for method in methods.split(' ').map(|name| Method::from_bytes(name.as_bytes()).unwrap()) {
                let expected = *scope == ANY || *scope == "profile" || scope.starts_with("read");
                assert_eq!(allows(&method, &format!("/api{route}"), &reads), expected, "{method} {route}");
            }
        }
    }

    #[test]
    fn parameters_fit_whatever_they_are_called_and_nothing_else_does() {
        assert!(is_same("/v1/tags/{}/follow", "/v1/tags/{name}/follow"));
        for other in ["/v1/tags/{name}", "/v1/tags/{name}/follow/x", "/v1/tags/x/follow", "/v2/tags/{name}/follow"] {
            assert!(!is_same("/v1/tags/{}/follow", other), "{other}");
        }
        assert_eq!(needed(&Method::HEAD, "/api/v1/lists"), Some("read:lists"));
    }
}
