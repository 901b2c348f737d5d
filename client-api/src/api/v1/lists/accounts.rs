//! `/api/v1/lists/:id/accounts`: the members of a list, and `/api/v1/accounts/:id/lists`.

use std::collections::BTreeMap;

use axum::Json;
use serde_json::{Value, json};
use xom_node::model::AccountId;
use xom_node::private::{LIST_MEMBER, cursor_of, cursor_value, did_of};
use xom_protocol::Did;

use super::{List, all, head};
use crate::api::entities::Account;
use crate::api::lookup::{Id, account};
use crate::api::{page, private};
use crate::http::link::{ACCOUNTS, LinkHeader, Paging};
use crate::http::{ApiError, Call, Params};

/// Most members of a list.
const MEMBERS_MAX: usize = 1_000;

/// The members, newest first; all of them where `limit` is 0.
pub async fn get(call: Call, id: Id, params: Params) -> Result<(LinkHeader, Json<Vec<Account>>), ApiError> {
    head(&call, id).await?;
    let whole = params.text("limit").is_some_and(|limit| limit.trim() == "0");
    let paging = Paging::read(&params, ACCOUNTS)?;
    let (viewer, mut page) = (call.viewer(), *paging.page());
    if whole {
        page.limit = MEMBERS_MAX;
    }
    let read = call.node.read(move |reader| {
        let members = reader.settings(&viewer, &prefix(id.0))?;
        let members = members.iter().filter_map(|(key, value)| Some((cursor_of(value)?, did_of(key)?))).collect();
        let mut found = Vec::new();
        for (cursor, did) in private::page_of(members, &page) {
            found.extend(reader.account(&did)?.map(|account| (cursor, account)));
        }
        Ok(found)
    });
    let found = read.await?;
    if whole {
        return Ok((None, Json(found.iter().map(|(_, account)| Account::new(&call.base, account)).collect())));
    }
    Ok(page::accounts(&call, &paging, found))
}

/// Takes accounts in that the caller follows.
pub async fn post(call: Call, id: Id, params: Params) -> Result<Json<Value>, ApiError> {
    head(&call, id).await?;
    let (viewer, ids) = (call.viewer(), params.ids("account_ids")?);
    let read = call.node.read(move |reader| {
        let mut wanted = Vec::new();
        for account in ids {
            let found = reader.account_by_id(AccountId(account))?;
            let followed = match &found {
                Some(found) => found.did == viewer || reader.relationship(&viewer, &found.did)?.following,
                None => false,
            };
            wanted.push(found.filter(|_| followed).map(|found| found.did));
        }
        Ok((wanted, reader.settings(&viewer, &prefix(id.0))?))
    });
    let (wanted, members) = read.await?;
    let wanted: Option<Vec<Did>> = wanted.into_iter().collect();
    let wanted =
        wanted.ok_or_else(|| ApiError::not_found().describe("only accounts that you follow can be in a list"))?;
    let mut changes = BTreeMap::new();
    for did in wanted {
        let key = format!("{}{did}", prefix(id.0));
        if members.iter().any(|(known, _)| *known == key) {
            return Err(ApiError::invalid("Account has already been taken"));
        }
        changes.insert(key, cursor_value(private::fresh_id()?));
    }
    if members.len() + changes.len() > MEMBERS_MAX {
        return Err(ApiError::invalid(format!("a list has at most {MEMBERS_MAX} members")));
    }
    call.node.put_settings(viewer, changes).await?;
    Ok(Json(json!({})))
}

/// Takes accounts out.
pub async fn delete(call: Call, id: Id, params: Params) -> Result<Json<Value>, ApiError> {
    head(&call, id).await?;
    let ids = params.ids("account_ids")?;
    let read = call.node.read(move |reader| {
        let mut keys = Vec::new();
        for account in ids {
            let found = reader.account_by_id(AccountId(account))?;
            keys.extend(found.map(|found| format!("{}{}", prefix(id.0), found.did)));
        }
        Ok(keys)
    });
    private::remove(&call, read.await?).await?;
    Ok(Json(json!({})))
}

/// Takes an account out of all lists of the caller.
pub async fn forget(call: &Call, did: Did) -> Result<(), ApiError> {
    let (viewer, lists) = (call.viewer(), all(call).await?);
    let read = call.node.read(move |reader| {
        let mut keys = Vec::new();
        for (list, _) in lists {
            let key = format!("{}{did}", prefix(list));
            keys.extend(reader.setting(&viewer, &key)?.map(|_| key));
        }
        Ok(keys)
    });
    match read.await? {
        keys if keys.is_empty() => Ok(()),
        keys => private::remove(call, keys).await,
    }
}

/// The lists that an account is in.
pub async fn of_account(call: Call, id: Id) -> Result<Json<Vec<List>>, ApiError> {
    let did = account(&call, id).await?.did;
    let (viewer, lists) = (call.viewer(), all(&call).await?);
    let read = call.node.read(move |reader| {
        let mut found = Vec::new();
        for (list, head) in lists {
            if reader.setting(&viewer, &format!("{}{did}", prefix(list)))?.is_some() {
                found.push(List::new(list, head));
            }
        }
        Ok(found)
    });
    Ok(Json(read.await?))
}

fn prefix(list: u64) -> String {
    format!("{LIST_MEMBER}{list}/")
}
