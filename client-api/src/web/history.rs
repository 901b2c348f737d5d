//! The history of an identity in words: its devices, keys and recoveries.

use maud::html;
use xom_node::model::AccountId;

use super::fault::Page;
use super::home;
use super::layout::{self, Tab, avatar, did, display_name};
use super::texts;
use super::texts::history as words;
use super::visitor::{Id, Visitor};
use crate::api::words::history;
use crate::http::ApiError;

/// `/accounts/:id/history`.
pub(super) async fn show(visitor: Visitor, Id(id): Id) -> Page {
    let read = move |reader: &xom_node::Reader| {
        let Some(account) = reader.account_by_id(AccountId(id))? else { return Ok(None) };
        let known = reader.identity_history(&account.did)?;
        Ok(known.map(|known| (account, known)))
    };
    let (account, known) = visitor.node.read(read).await?.ok_or_else(ApiError::not_found)?;
    let main = html! {
        h1.title { (words::TITLE) }
        section.card.history {
            div.head {
                (avatar(&account))
                div.names {
                    a.who href={ "/accounts/" (id) } { strong { bdi { (display_name(&account)) } } " " span.acct { "@" (account.acct) } }
                    (did(&account, texts::DID))
                }
            }
            p.hint { (words::WHAT) }
            ol { @for line in history(&known) { li { (line.dated()) } } }
        }
    };
    Ok(layout::page(&visitor, words::TITLE, Tab::None, &home::side(&visitor).await?, &main))
}
