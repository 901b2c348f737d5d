//! A status as a card.

use maud::{Markup, html};
use xom_node::model::{Account, PostView, Status, StatusContent, StatusId};
use xom_protocol::body::Attachment;

use super::layout::{avatar, csrf, name, time};
use super::prose::prose;
use super::visitor::Visitor;
use super::{icons, poll, texts};

/// A card, and where its forms lead back to.
pub(super) fn card(visitor: &Visitor, status: &Status, back: &str) -> Markup {
    match &status.content {
        StatusContent::Repost(original) => html! {
            article.card.status id={ "s" (status.id.0) } {
                p.boosted { (icons::boost()) (name(&status.account)) span { (texts::BOOSTED) " · " (time(status.time_ms)) } }
                @if let StatusContent::Post(post) = &original.content { (inner(visitor, original, post, back)) }
            }
        },
        StatusContent::Post(post) => html! {
            article.card.status id={ "s" (status.id.0) } { (inner(visitor, status, post, back)) }
        },
    }
}

/// Cards, and a sentence where there are none.
pub(super) fn cards(visitor: &Visitor, statuses: &[Status], back: &str, empty: &str) -> Markup {
    html! {
        @if statuses.is_empty() { p.card.empty { (empty) } }
        @for status in statuses { (card(visitor, status, back)) }
    }
}

fn inner(visitor: &Visitor, status: &Status, post: &PostView, back: &str) -> Markup {
    let body = html! {
        (prose(&post.post.text, &post.post.mentions))
        @if let Some(poll) = &post.poll { (poll::show(visitor, status.id, poll, back)) }
        @if !post.post.attachments.is_empty() {
            @if post.post.sensitive && post.post.warning.is_empty() {
                details.warning { summary { (texts::SENSITIVE) } (media(&post.post.attachments)) }
            } @else { (media(&post.post.attachments)) }
        }
        @if let Some(quote) = &post.quote { (quoted(quote)) }
    };
    html! {
        (head(status, post))
        div.body lang=[post.post.languages.first()] {
            @if post.post.warning.is_empty() { (body) } @else {
                details.warning { summary dir="auto" { (post.post.warning) } (body) }
            }
            @if let Some(source) = &post.post.imported_from {
                p.source { (texts::IMPORTED_FROM) " " a href=(source) rel="noopener noreferrer nofollow ugc" { (host(source)) } }
            }
            @if status.disputed { p.disputed { (texts::DISPUTED) } }
        }
        (actions(visitor, status, post, back))
    }
}

fn head(status: &Status, post: &PostView) -> Markup {
    html! {
        header.head {
            (avatar(&status.account))
            div.names {
                (name(&status.account))
                p.meta {
                    a href={ "/statuses/" (status.id.0) } { (time(status.time_ms)) }
                    @if let Some((parent, _)) = post.in_reply_to {
                        " · " a href={ "/statuses/" (parent.0) } { (texts::IN_REPLY) }
                    } @else if post.post.reply.is_some() { " · " (texts::IN_REPLY) }
                    @if post.edited_ms.is_some() { " · " (texts::EDITED) }
                }
            }
        }
    }
}

fn actions(visitor: &Visitor, status: &Status, post: &PostView, back: &str) -> Markup {
    let id = status.id;
    html! {
        footer.actions {
            a.action href={ "/statuses/" (id.0) "#reply" } title=(texts::REPLY) {
                (icons::reply()) (count(texts::REPLY, post.replies))
            }
            @let (action, label) = if post.reposted { ("unboost", texts::UNBOOST) } else { ("boost", texts::BOOST) };
            (button(visitor, id, back, action, label, post.reposted, &html! { (icons::boost()) (count(label, post.reposts)) }))
            @let (action, label) = if post.favourited { ("unlike", texts::UNLIKE) } else { ("like", texts::LIKE) };
            (button(visitor, id, back, action, label, post.favourited, &html! { (icons::heart()) (count(label, post.reactions)) }))
            @if is_own(visitor, &status.account) {
                details.menu {
                    summary.action title=(texts::MORE) aria-label=(texts::MORE) { (icons::dots()) }
                    form method="post" action={ "/statuses/" (id.0) "/react" } {
                        (csrf(visitor))
                        input type="hidden" name="back" value=(back);
                        p { a href={ "/statuses/" (id.0) "/copies" } { (texts::copies::LINK) } }
                        p { (texts::ERASE_SURE) }
                        button.danger name="do" value="erase" { (texts::ERASE) }
                    }
                }
            }
        }
    }
}

fn button(
    visitor: &Visitor,
    id: StatusId,
    back: &str,
    action: &str,
    label: &str,
    pressed: bool,
    face: &Markup,
) -> Markup {
    html! {
        form method="post" action={ "/statuses/" (id.0) "/react" } {
            (csrf(visitor))
            input type="hidden" name="back" value={ (back) "#s" (id.0) };
            button.action.(action) name="do" value=(action) title=(label) aria-pressed=(pressed) { (face) }
        }
    }
}

/// A count, and for those who hear the page of what.
fn count(label: &str, number: u64) -> Markup {
    html! { span.unseen { (label) } " " span.count { @if number > 0 { (number) } } }
}

fn is_own(visitor: &Visitor, account: &Account) -> bool {
    account.did == visitor.did
}

fn quoted(status: &Status) -> Markup {
    let StatusContent::Post(post) = &status.content else { return html! {} };
    html! {
        blockquote.quote {
            (head(status, post))
            div.body { (prose(&post.post.text, &post.post.mentions)) }
        }
    }
}

/// Media, one large or several in a grid. Types that the browser need not know are offered as a download.
pub(super) fn media(attachments: &[Attachment]) -> Markup {
    html! {
        div.media.many[attachments.len() > 1] {
            @for attachment in attachments {
                @let source = format!("/media/{}", attachment.blob);
                @let alt = if attachment.alt.is_empty() { texts::NO_ALT } else { &attachment.alt };
                @match attachment.media_type.split('/').next() {
                    Some("image") => {
                        a.medium href=(source) {
                            img src=(source) alt=(alt) title=(alt) loading="lazy" width=[attachment.width] height=[attachment.height];
                        }
                    }
                    Some("video") => { video.medium src=(source) controls preload="metadata" aria-label=(alt) {} }
                    Some("audio") => { audio.medium src=(source) controls preload="metadata" aria-label=(alt) {} }
                    _ => { a.medium.file href=(source) { (icons::clip()) (texts::DOWNLOAD) ": " (alt) } }
                }
            }
        }
    }
}

fn host(url: &str) -> &str {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    bare.split(['/', '?', '#']).next().unwrap_or(bare)
}
