//! What is around every page, and the small pieces that several pages show.

use maud::{DOCTYPE, Markup, html};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use xom_node::model::Account;

use super::session::now_ms;
use super::visitor::Visitor;
use super::{icons, texts, welcome};

/// Which entry of the navigation is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Home,
    Public,
    Notifications,
    None,
}

/// A page with navigation, main column and side column.
pub(super) fn page(visitor: &Visitor, title: &str, tab: Tab, side: &Markup, main: &Markup) -> Markup {
    let entry = |to: Tab, href: &str, icon: Markup, text: &str| {
        html! {
            a href=(href) aria-current=[(to == tab).then_some("page")] { (icon) span { (text) } }
        }
    };
    let body = html! {
        header.top {
            div.inner {
                a.brand href="/" { (icons::brand()) span { (texts::NAME) } }
                nav {
                    (entry(Tab::Home, "/", icons::home(), texts::HOME))
                    (entry(Tab::Public, "/public", icons::globe(), texts::PUBLIC))
                    (entry(Tab::Notifications, "/notifications", icons::bell(), texts::NOTIFICATIONS))
                    form method="post" action="/logout" {
                        (csrf(visitor))
                        button.quiet { (icons::door()) span { (texts::LOG_OUT) } }
                    }
                }
            }
        }
        (welcome::banner(visitor))
        div.columns.home[tab == Tab::Home] {
            aside { (side) }
            main id="main" { (main) }
        }
    };
    document(title, &body)
}

/// A page without navigation, for those who are not logged in.
pub(super) fn bare(title: &str, main: &Markup) -> Markup {
    let body = html! {
        header.top { div.inner { a.brand href="/" { (icons::brand()) span { (texts::NAME) } } } }
        div.columns.single { main id="main" { (main) } }
    };
    document(title, &body)
}

fn document(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (texts::NAME) }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/style.css";
            }
            body {
                a.skip href="#main" { (texts::SKIP) }
                (body)
            }
        }
    }
}

/// The hidden field that every form carries.
pub(super) fn csrf(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="csrf" value=(visitor.csrf); }
}

/// The picture of an account. Decoration: the name stands beside it.
pub(super) fn avatar(account: &Account) -> Markup {
    let source = match &account.avatar {
        Some(avatar) => format!("/media/{}", avatar.blob),
        None => format!("/avatars/{}.svg", account.did),
    };
    html! { img.avatar src=(source) alt="" width="44" height="44" loading="lazy"; }
}

/// The name of an account as a link to its page.
pub(super) fn name(account: &Account) -> Markup {
    html! {
        a.who href={ "/accounts/" (account.id.0) } {
            strong { bdi { (display_name(account)) } }
            " " span.acct { "@" (account.acct) }
        }
    }
}

/// The display name, or else the user name.
pub(super) fn display_name(account: &Account) -> &str {
    if account.name.trim().is_empty() { &account.username } else { &account.name }
}

/// A time, as how long ago it was; with the whole of it for machines and on hovering.
pub(super) fn time(ms: u64) -> Markup {
    let Some(then) = date_time(ms) else { return html! {} };
    let short = texts::ago(now_ms().saturating_sub(ms) / 1000).unwrap_or_else(|| then.date().to_string());
    html! { time datetime=(machine(then)) title=(whole(then)) { (short) } }
}

/// A time as a whole.
pub(super) fn moment(ms: u64) -> Markup {
    let Some(then) = date_time(ms) else { return html! {} };
    html! { time datetime=(machine(then)) { (whole(then)) } }
}

fn date_time(ms: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(ms / 1000).ok()?).ok()
}

fn machine(then: OffsetDateTime) -> String {
    then.format(&Rfc3339).unwrap_or_default()
}

fn whole(then: OffsetDateTime) -> String {
    then.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).unwrap_or_default()
}

/// Posts, following, followers.
pub(super) fn counts(account: &Account) -> Markup {
    let counts = [
        (account.statuses, texts::POSTS),
        (account.following, texts::FOLLOWING),
        (account.followers, texts::FOLLOWERS),
    ];
    html! {
        ul.counts {
            @for (count, [one, many]) in counts { li { strong { (count) } " " (if count == 1 { one } else { many }) } }
        }
    }
}

/// A DID: its beginning, and all of it in a field that is easy to copy.
pub(super) fn did(account: &Account, label: &str) -> Markup {
    let whole = account.did.to_string();
    let short: String = whole.chars().take(20).collect();
    html! {
        details.did {
            summary title=(label) { code { (short) "…" } " " span.hint { (texts::SHOW_DID) } }
            input.copy type="text" readonly value=(whole) aria-label=(label);
        }
    }
}

/// The link to the next page of a list, if there is one.
pub(super) fn pager(path: &str, older_than: Option<u64>, first: bool) -> Markup {
    html! {
        nav.pager {
            @if !first { a.button.quiet href=(path) { (texts::NEWEST) } }
            @if let Some(id) = older_than { a.button.quiet href={ (path) "?max_id=" (id) } { (texts::OLDER) } }
        }
    }
}
