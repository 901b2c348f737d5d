//! The first page: who I am, an invite, the composer, the home timeline; and the other timelines.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use xom_node::model::{Account, Page as Bounds, PublicScope, Status, TagFilter};
use xom_node::{Reader, StoreError};

use super::card::cards;
use super::fault::{Fault, Page};
use super::layout::{self, Tab, avatar, counts, csrf, did, display_name, pager};
use super::visitor::Visitor;
use super::{compose, guardians, login, qr, texts};
use crate::http::ApiError;
use crate::http::base::encode_segment;
use crate::people::Role;

/// Statuses on a page.
pub(super) const PAGE: usize = 20;

/// The query of pages that are lists.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Paging {
    max_id: Option<u64>,
}

impl Paging {
    /// One more than is shown, to see whether there is a next page.
    pub(super) fn bounds(self) -> Bounds {
        Bounds { limit: PAGE + 1, max_id: self.max_id, ..Bounds::default() }
    }

    /// Cuts the list to a page, and says from where the next one goes on.
    pub(super) fn cut<T>(list: &mut Vec<T>, id: impl Fn(&T) -> u64) -> Option<u64> {
        let more = list.len() > PAGE;
        list.truncate(PAGE);
        list.last().map(id).filter(|_| more)
    }

    /// True on the first page.
    pub(super) fn is_first(self) -> bool {
        self.max_id.is_none()
    }
}

/// `/`: how to log in, for those who are not.
pub(super) async fn show(visitor: Result<Visitor, Response>, Query(paging): Query<Paging>) -> Result<Response, Fault> {
    let Ok(visitor) = visitor else { return Ok(login::how_to().into_response()) };
    let did = visitor.did;
    let statuses = visitor.node.read(move |reader| reader.home(&did, &paging.bounds())).await?;
    let list = List { title: texts::HOME, tab: Tab::Home, path: "/".to_owned(), empty: texts::EMPTY_HOME };
    Ok(list.show(&visitor, paging, statuses).await?.into_response())
}

/// `/public`: everything public that this node holds.
pub(super) async fn show_public(visitor: Visitor, Query(paging): Query<Paging>) -> Page {
    let did = visitor.did;
    let read = move |reader: &Reader| reader.public(Some(&did), PublicScope::All, false, &paging.bounds());
    let statuses = visitor.node.read(read).await?;
    let list = List { title: texts::PUBLIC, tab: Tab::Public, path: "/public".to_owned(), empty: texts::EMPTY_LIST };
    list.show(&visitor, paging, statuses).await
}

/// `/tags/:tag`.
pub(super) async fn show_tag(visitor: Visitor, Path(tag): Path<String>, Query(paging): Query<Paging>) -> Page {
    let did = visitor.did;
    let filter = TagFilter { any: vec![tag.clone()], ..TagFilter::default() };
    let read = move |reader: &Reader| reader.tag(Some(&did), &filter, PublicScope::All, false, &paging.bounds());
    let statuses = visitor.node.read(read).await?;
    let path = format!("/tags/{}", encode_segment(&tag));
    let list = List { title: &format!("#{tag}"), tab: Tab::None, path, empty: texts::EMPTY_LIST };
    list.show(&visitor, paging, statuses).await
}

/// One of the timelines.
struct List<'a> {
    title: &'a str,
    tab: Tab,
    path: String,
    empty: &'a str,
}

impl List<'_> {
    async fn show(&self, visitor: &Visitor, paging: Paging, mut statuses: Vec<Status>) -> Page {
        let side = side(visitor).await?;
        let older = Paging::cut(&mut statuses, |status| status.id.0);
        let main = html! {
            h1.title.unseen[self.tab == Tab::Home] { (self.title) }
            @if self.tab == Tab::Home && paging.is_first() { (compose::form(visitor, None, "", "/")) }
            (cards(visitor, &statuses, &self.path, self.empty))
            (pager(&self.path, older, paging.is_first()))
        };
        Ok(layout::page(visitor, self.title, self.tab, &side, &main))
    }
}

/// The side column: who I am, my invite, whom to follow.
pub(super) async fn side(visitor: &Visitor) -> Page {
    let me = me(visitor).await?;
    // An invite is signed by the device key, too.
    let invite = match visitor.keys.device_open {
        true => Some(visitor.node.invite(visitor.did).await?),
        false => None,
    };
    let recovery = visitor.node.recovery(visitor.did).await?;
    let banner = recovery.as_ref().map(guardians::banner).unwrap_or_default();
    Ok(html! { (banner) (side_of(visitor, &me, invite.as_deref())) })
}

pub(super) fn side_of(visitor: &Visitor, me: &Account, invite: Option<&str>) -> Markup {
    html! {
        section.card.me {
            div.head {
                (avatar(me))
                div.names {
                    a.who href={ "/accounts/" (me.id.0) } { strong { bdi { (display_name(me)) } } " " span.acct { "@" (me.acct) } }
                    (did(me, texts::YOUR_DID))
                }
            }
            (counts(me))
            p.links {
                @if visitor.role == Role::Owner { a href="/devices" { (texts::devices::DEVICES) } " · " }
                a href="/guardians" { (texts::guardians::TITLE) } " · " a href="/keys" { (texts::keys::LINK) } " · "
                @if visitor.role == Role::Owner { a href="/copies" { (texts::holders::LINK) } " · " }
                a href="/apps" { (texts::apps::TITLE) }
                @if visitor.role >= Role::Moderator { " · " a href="/reports" { (texts::REPORTS) } }
            }
        }
        @if let Some(invite) = invite { (invite_card(invite)) }
        @if !visitor.keys.is_waiting() {
            form.card.follow method="post" action="/follow" {
                (csrf(visitor))
                label { h2 { (texts::FOLLOW_SOMEBODY) } input type="text" name="who" required placeholder=(texts::FOLLOW_HOW) autocomplete="off"; }
                button { (texts::FOLLOW) }
            }
        }
    }
}

fn invite_card(invite: &str) -> Markup {
    html! {
        section.card.invite {
            input.toggle type="checkbox" id="show-invite";
            label for="show-invite" { h2 { (texts::INVITE) } }
            div.fold {
                p { (texts::INVITE_HOW) }
                (qr::svg(invite, texts::INVITE_QR))
                input.copy type="text" readonly value=(invite) aria-label=(texts::INVITE_LINK);
            }
        }
    }
}

async fn me(visitor: &Visitor) -> Result<Account, Fault> {
    let did = visitor.did;
    let account: Result<Option<Account>, StoreError> = visitor.node.read(move |reader| reader.account(&did)).await;
    Ok(account?.ok_or_else(ApiError::not_found)?)
}
