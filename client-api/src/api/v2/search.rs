//! `/api/v2/search`: people by name, DID or invite, posts by their words, id or address, tags by their beginning.

use axum::Json;
use serde::Serialize;
use xom_node::model::{self, AccountId, FoundStatus, Page, StatusContent};
use xom_node::private::TAG;
use xom_node::search::SearchQuery;
use xom_node::{Reader, StoreError};
use xom_protocol::Did;

use crate::api::entities::{Account, Status, Tag};
use crate::api::lookup::here;
use crate::api::strangers;
use crate::http::link::{PageSize, Paging};
use crate::http::{ApiError, Call, Params};

/// How many of each kind are found.
const RESULTS: PageSize = PageSize { default: 20, max: 40 };
/// How far `offset` goes.
const OFFSET_MAX: u64 = 4_000;

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Search {
    accounts: Vec<Account>,
    statuses: Vec<Status>,
    hashtags: Vec<Tag>,
}

/// Which part of the list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Passed over.
    pub offset: usize,
    /// At most.
    pub limit: usize,
}

impl Part {
    /// Reads `offset` and `limit`.
    pub fn read(params: &Params, size: PageSize) -> Result<Self, ApiError> {
        let limit = Paging::read(params, size)?.page().limit - 1;
        let offset = params.number("offset")?.unwrap_or(0).min(OFFSET_MAX);
        Ok(Self { offset: usize::try_from(offset).unwrap_or(usize::MAX), limit })
    }

    /// This part of a whole list.
    pub fn of<T>(self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip(self.offset).take(self.limit).collect()
    }
}

/// The search.
pub async fn get(call: Call, params: Params) -> Result<Json<Search>, ApiError> {
    let query = params.text("q").unwrap_or_default().trim().to_owned();
    let part = Part::read(&params, RESULTS)?;
    let page = Page { limit: part.limit, ..*Paging::read(&params, RESULTS)?.page() };
    let kind = params.text("type");
    let wants = |name: &str| !query.is_empty() && kind.as_deref().is_none_or(|kind| kind == name);
    let accounts = if wants("accounts") { find_accounts(&call, &params, &query, part).await? } else { Vec::new() };
    let (statuses, hashtags) = (wants("statuses"), wants("hashtags"));
    let (viewer, author) = (call.viewer(), params.id("account_id")?);
    let read = call.node.read(move |reader| {
        let statuses = if statuses { find_statuses(reader, &viewer, &query, author, part, &page)? } else { Vec::new() };
        let mut tags = Vec::new();
        for tag in if hashtags { part.of(reader.search_tags(&viewer, &query)?) } else { Vec::new() } {
            let followed = reader.setting(&viewer, &format!("{TAG}{}", tag.name))?.is_some();
            tags.push((tag.name, followed));
        }
        Ok((statuses, tags))
    });
    let (statuses, tags) = read.await?;
    Ok(Json(Search {
        accounts: accounts.iter().map(|account| Account::new(&call.base, account)).collect(),
        statuses: crate::api::entities::status::statuses(&call.base, &statuses),
        hashtags: tags.iter().map(|(name, followed)| Tag::new(&call.base, name).followed(*followed)).collect(),
    }))
}

/// The account that a text names exactly, then those whose name has words that begin so. With `resolve`, a DID or an
/// invite names also somebody of whom nothing is known.
pub async fn find_accounts(
    call: &Call,
    params: &Params,
    query: &str,
    part: Part,
) -> Result<Vec<model::Account>, ApiError> {
    let following = params.flag("following").unwrap_or(false);
    let (viewer, text) = (call.viewer(), here(&call.base, query));
    let read = call.node.read(move |reader| {
        let mut found = Vec::new();
        if let Some(account) = reader.resolve_account(&account_name(&text))?
            && (!following || reader.relationship(&viewer, &account.did)?.following)
        {
            found.push(account);
        }
        let exact = found.first().map(|account| account.did);
        let named = reader.search_accounts(&viewer, name_of(&text), following)?;
        found.extend(named.into_iter().filter(|account| Some(account.did) != exact));
        Ok(found)
    });
    let mut found = read.await?;
    if found.is_empty() && !following && params.flag("resolve").unwrap_or(false) {
        found.extend(strangers::resolve(call, query).await?);
    }
    Ok(part.of(found))
}

/// What to resolve: the DID of an invite, the name at the end of an account's address, or the text itself.
fn account_name(query: &str) -> String {
    if let Some(did) = strangers::named_did(query) {
        return did.to_string();
    }
    match query.split_once("://").and_then(|(_, address)| address.split_once("/@")) {
        Some((_, name)) => name.split('/').next().unwrap_or_default().to_owned(),
        None => query.to_owned(),
    }
}

/// The part of an account's name before its host, or the text itself.
fn name_of(query: &str) -> &str {
    let name = query.strip_prefix('@').unwrap_or(query);
    name.split_once('@').map_or(name, |(name, _)| name)
}

/// The one post that an id or address names, or those that hold the words.
fn find_statuses(
    reader: &Reader,
    viewer: &Did,
    query: &str,
    author: Option<u64>,
    part: Part,
    page: &Page,
) -> Result<Vec<model::Status>, StoreError> {
    let author = match author.map(AccountId) {
        Some(id) => match reader.account_by_id(id)? {
            Some(account) => Some(account.did),
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    let is_address = query.contains("://") || query.starts_with(Did::PREFIX);
    let text = if is_address { query.rsplit('/').next().unwrap_or_default() } else { query };
    if let FoundStatus::One(id) = reader.find_status(text)? {
        let fits = |status: &model::Status| {
            let is_post = matches!(status.content, StatusContent::Post(_));
            is_post && author.is_none_or(|author| author == status.account.did)
        };
        return Ok(part.of(reader.status(Some(viewer), id)?.filter(fits).into_iter().collect()));
    }
    if is_address {
        return Ok(Vec::new());
    }
    reader.search_statuses(viewer, &SearchQuery::parse(query), author.as_ref(), part.offset, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_list_begins_at_its_offset_and_has_no_more_than_its_limit() {
        assert_eq!(Part { offset: 1, limit: 2 }.of(vec![1, 2, 3, 4]), [2, 3]);
        assert_eq!(Part { offset: 3, limit: 2 }.of(vec![1, 2, 3, 4]), [4]);
        assert_eq!(Part { offset: 5, limit: 2 }.of(vec![1, 2, 3, 4]), Vec::<i32>::new());
    }

    #[test]
    fn an_invite_and_an_address_name_their_account() {
        let did = Did([7; 32]).to_string();
        assert_eq!(account_name(&format!("xom:{did}?a=/ip4/127.0.0.1")), did);
        assert_eq!(account_name("http://localhost:7766/@lan"), "lan");
        assert_eq!(account_name("http://localhost:7766/@lan@x.xom/17"), "lan@x.xom");
        assert_eq!(account_name("@lan"), "@lan");
        assert_eq!((name_of("@lan@x.xom"), name_of("lan"), name_of("@lan")), ("lan", "lan", "lan"));
    }
}
