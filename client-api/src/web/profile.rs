//! Somebody's page: who they are, what they wrote.

use axum::extract::{Path, Query};
use maud::{Markup, html};
use xom_node::model::{Account, AccountId, AuthorFilter, Relationship, Status};

use super::card::cards;
use super::fault::Page;
use super::home::{self, Paging};
use super::layout::{self, Tab, avatar, counts, csrf, did, display_name, pager};
use super::prose::prose;
use super::texts;
use super::visitor::{Id, Visitor};
use crate::http::ApiError;

/// `/accounts/:id`.
pub(super) async fn show(visitor: Visitor, Id(id): Id, Query(paging): Query<Paging>) -> Page {
    let account = visitor.node.read(move |reader| reader.account_by_id(AccountId(id))).await?;
    page(&visitor, account, paging).await
}

/// `/@acct`: a name or a DID.
pub(super) async fn show_by_name(visitor: Visitor, Path(acct): Path<String>, Query(paging): Query<Paging>) -> Page {
    let account = visitor.node.read(move |reader| reader.resolve_account(&acct)).await?;
    page(&visitor, account, paging).await
}

async fn page(visitor: &Visitor, account: Option<Account>, paging: Paging) -> Page {
    let account = account.ok_or_else(ApiError::not_found)?;
    let (viewer, author) = (visitor.did, account.did);
    let read = move |reader: &xom_node::Reader| {
        let filter = AuthorFilter::default();
        let statuses = reader.author_statuses(Some(&viewer), &author, &filter, &paging.bounds())?;
        Ok((statuses, reader.relationship(&viewer, &author)?))
    };
    let (mut statuses, relationship): (Vec<Status>, Relationship) = visitor.node.read(read).await?;
    let path = format!("/accounts/{}", account.id.0);
    let older = Paging::cut(&mut statuses, |status| status.id.0);
    let main = html! {
        (head(visitor, &account, relationship, &path))
        (cards(visitor, &statuses, &path, texts::EMPTY_LIST))
        (pager(&path, older, paging.is_first()))
    };
    let side = home::side(visitor).await?;
    Ok(layout::page(visitor, display_name(&account), Tab::None, &side, &main))
}

pub(super) fn head(visitor: &Visitor, account: &Account, relationship: Relationship, path: &str) -> Markup {
    html! {
        section.card.profile {
            @if let Some(header) = &account.header { img.wide src={ "/media/" (header.blob) } alt=""; }
            div.head {
                (avatar(account))
                div.names {
                    h1 { bdi { (display_name(account)) } }
                    p.acct { "@" (account.acct) @if relationship.followed_by { " " span.badge { (texts::FOLLOWS_YOU) } } }
                }
                @if account.did != visitor.did {
                    form method="post" action={ (path) "/follow" } {
                        (csrf(visitor))
                        input type="hidden" name="back" value=(path);
                        @if relationship.following {
                            button.quiet name="do" value="unfollow" { (texts::UNFOLLOW) }
                        } @else {
                            button.primary name="do" value="follow" { (texts::FOLLOW) }
                        }
                    }
                }
            }
            div.bio { (prose(&account.bio, &[])) }
            @if !account.fields.is_empty() {
                dl.fields {
                    @for field in &account.fields {
                        dt { (field.name) }
                        dd { (prose(&field.value, &[])) }
                    }
                }
            }
            (did(account, texts::DID))
            p.links { a href={ "/accounts/" (account.id.0) "/history" } { (texts::history::LINK) } }
            (counts(account))
        }
    }
}
