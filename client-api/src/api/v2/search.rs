//! `/api/v2/search`: accounts by name, DID or invite, statuses by id or address, tags.

use axum::Json;
use serde::Serialize;
use xom_node::model::{self, FoundStatus, Page, PublicScope, TagFilter};
use xom_node::{Reader, StoreError};
use xom_protocol::Did;

use crate::api::entities::{Account, Status, Tag};
use crate::api::text::{Token, tokens};
use crate::http::link::{PageSize, Paging};
use crate::http::{ApiError, Call, Params};

/// How many of each kind are found.
const RESULTS: PageSize = PageSize { default: 20, max: 40 };
/// How many followed accounts are looked at for a part of a name.
const FOLLOWS_SEARCHED_MAX: usize = 5_000;

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Search {
    accounts: Vec<Account>,
    statuses: Vec<Status>,
    hashtags: Vec<Tag>,
}

/// The search.
pub async fn get(call: Call, params: Params) -> Result<Json<Search>, ApiError> {
    let query = params.text("q").unwrap_or_default().trim().to_owned();
    let limit = Paging::read(&params, RESULTS)?.page().limit - 1;
    // All of a kind fit the first page.
    let is_later_page = params.number("offset")?.is_some_and(|offset| offset > 0);
    let kind = params.text("type");
    let wants = |name: &str| !is_later_page && !query.is_empty() && kind.as_deref().is_none_or(|kind| kind == name);
    let (accounts, statuses, hashtags) = (wants("accounts"), wants("statuses"), wants("hashtags"));
    let followed_only = params.flag("following").unwrap_or(false);
    let viewer = call.viewer();
    let read = call.node.read(move |reader| {
        Ok((
            if accounts { find_accounts(reader, &viewer, &query, followed_only, limit)? } else { Vec::new() },
            if statuses { find_status(reader, &viewer, &query)? } else { None },
            if hashtags { find_tag(reader, &viewer, &query)? } else { None },
        ))
    });
    let (accounts, status, tag) = read.await?;
    Ok(Json(Search {
        accounts: accounts.iter().map(|account| Account::new(&call.base, account)).collect(),
        statuses: status.iter().map(|status| Status::new(&call.base, status)).collect(),
        hashtags: tag.iter().map(|tag| Tag::new(&call.base, tag)).collect(),
    }))
}

/// The account that a text names exactly, then followed accounts whose name it is a part of.
pub fn find_accounts(
    reader: &Reader,
    viewer: &Did,
    query: &str,
    followed_only: bool,
    limit: usize,
) -> Result<Vec<model::Account>, StoreError> {
    let mut found = Vec::new();
    let named = reader.resolve_account(&account_name(query))?;
    if let Some(account) = named
        && (!followed_only || reader.relationship(viewer, &account.did)?.following)
    {
        found.push(account);
    }
    let part = query.trim_start_matches('@').to_lowercase();
    let page = Page { limit: FOLLOWS_SEARCHED_MAX, ..Page::default() };
    for (_, account) in reader.following(viewer, &page)? {
        if found.len() >= limit {
            break;
        }
        let fits = account.username.contains(&part) || account.name.to_lowercase().contains(&part);
        if fits && found.iter().all(|known| known.did != account.did) {
            found.push(account);
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// What to resolve: the DID of an invite, the name at the end of an account's address, or the text itself.
fn account_name(query: &str) -> String {
    if let Some(did) = query.strip_prefix("xom:").and_then(|invite| invite.split('?').next()) {
        return did.to_owned();
    }
    match query.split_once("://").and_then(|(_, address)| address.split_once("/@")) {
        Some((_, name)) => name.split('/').next().unwrap_or_default().to_owned(),
        None => query.to_owned(),
    }
}

fn find_status(reader: &Reader, viewer: &Did, query: &str) -> Result<Option<model::Status>, StoreError> {
    let is_address = query.contains("://") || query.starts_with(Did::PREFIX);
    let text = if is_address { query.rsplit('/').next().unwrap_or_default() } else { query };
    match reader.find_status(text)? {
        FoundStatus::One(id) => reader.status(Some(viewer), id),
        FoundStatus::None | FoundStatus::Several(_) => Ok(None),
    }
}

/// A tag that some post here has.
fn find_tag(reader: &Reader, viewer: &Did, query: &str) -> Result<Option<String>, StoreError> {
    let written = format!("#{}", query.trim_start_matches('#'));
    let [Token::Tag(tag)] = tokens(&written)[..] else { return Ok(None) };
    let filter = TagFilter { any: vec![tag[1..].to_owned()], ..TagFilter::default() };
    let page = Page { limit: 1, ..Page::default() };
    let posts = reader.tag(Some(viewer), &filter, PublicScope::All, false, &page)?;
    Ok((!posts.is_empty()).then(|| tag[1..].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_and_an_address_name_their_account() {
        let did = Did([7; 32]).to_string();
        assert_eq!(account_name(&format!("xom:{did}?a=/ip4/127.0.0.1")), did);
        assert_eq!(account_name("http://localhost:7766/@lan"), "lan");
        assert_eq!(account_name("http://localhost:7766/@lan@x.xom/17"), "lan@x.xom");
        assert_eq!(account_name("@lan"), "@lan");
    }
}
