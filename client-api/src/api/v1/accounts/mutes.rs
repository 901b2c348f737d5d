//! `/api/v1/accounts/:id/{mute,unmute,note,remove_from_followers}` and `/api/v1/{mutes,blocks}`.

use axum::Json;
use serde::Serialize;
use xom_node::model;
use xom_node::private::{MUTE, Mute, NOTE, did_of, read_value, value_of};
use xom_protocol::limits::SETTING_VALUE_BYTES_MAX;

use super::relations::relationship;
use crate::api::compose::{clean, now_ms};
use crate::api::entities::{Account, Relationship, timestamp};
use crate::api::lookup::{Id, account};
use crate::api::{page, private};
use crate::http::link::{ACCOUNTS, LinkHeader, Paging};
use crate::http::{ApiError, Call, Params};

/// Longest mute that is not for good, seconds: 100 years.
const MUTE_SECS_MAX: u64 = 100 * 366 * 86_400;

/// Somebody muted.
#[derive(Debug, Clone, Serialize)]
pub struct MutedAccount {
    #[serde(flatten)]
    account: Account,
    mute_expires_at: Option<String>,
}

/// Shows no more of somebody; his notifications too unless they are wanted, for `duration` seconds or for good.
pub async fn mute(call: Call, id: Id, params: Params) -> Result<Json<Relationship>, ApiError> {
    let other = account(&call, id).await?;
    if other.did == call.viewer() {
        return Err(ApiError::invalid("You cannot mute yourself"));
    }
    let secs = params.number("duration")?.filter(|secs| *secs > 0);
    let mute = Mute {
        cursor: private::fresh_id()?,
        notifications: params.flag("notifications").unwrap_or(true),
        until_ms: secs.map(|secs| now_ms() + secs.min(MUTE_SECS_MAX) * 1_000),
    };
    private::put(&call, format!("{MUTE}{}", other.did), value_of(&mute)).await?;
    relationship(&call, &other).await
}

/// Shows him again.
pub async fn unmute(call: Call, id: Id, _params: Params) -> Result<Json<Relationship>, ApiError> {
    let other = account(&call, id).await?;
    private::remove(&call, [format!("{MUTE}{}", other.did)]).await?;
    relationship(&call, &other).await
}

/// Notes something of somebody; an empty text takes the note away.
pub async fn note(call: Call, id: Id, params: Params) -> Result<Json<Relationship>, ApiError> {
    let other = account(&call, id).await?;
    let note = clean(params.raw_text("comment").unwrap_or_default().trim());
    if note.len() > SETTING_VALUE_BYTES_MAX {
        return Err(ApiError::invalid(format!("Comment is longer than {SETTING_VALUE_BYTES_MAX} bytes")));
    }
    private::put(&call, format!("{NOTE}{}", other.did), note.into_bytes()).await?;
    relationship(&call, &other).await
}

/// A follow is an entry of whoever follows, and nobody else can take it back.
pub async fn remove_from_followers(call: Call, id: Id, _params: Params) -> Result<Json<Relationship>, ApiError> {
    account(&call, id).await?;
    let why = "A follow is the follower's own entry, and public posts stay readable; block them to see them no more";
    Err(ApiError::invalid(why))
}

/// Whom the caller mutes.
pub async fn mutes(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<MutedAccount>>), ApiError> {
    let paging = Paging::read(&params, ACCOUNTS)?;
    let (viewer, page, now_ms) = (call.viewer(), *paging.page(), now_ms());
    let read = call.node.read(move |reader| {
        let mut muted = Vec::new();
        for (key, value) in reader.settings(&viewer, MUTE)? {
            let standing = read_value::<Mute>(&value).filter(|mute| mute.until_ms.is_none_or(|until| until > now_ms));
            let (Some(did), Some(mute)) = (did_of(&key), standing) else { continue };
            muted.push((mute.cursor, (did, mute.until_ms)));
        }
        let mut found: Vec<(u64, (model::Account, Option<u64>))> = Vec::new();
        for (cursor, (did, until_ms)) in private::page_of(muted, &page) {
            found.extend(reader.account(&did)?.map(|account| (cursor, (account, until_ms))));
        }
        Ok(found)
    });
    let mut found = read.await?;
    let link = paging.finish(&mut found, &call.base, &call.uri, |(cursor, _)| *cursor);
    let shown = found.iter().map(|(_, (account, until_ms))| MutedAccount {
        account: Account::new(&call.base, account),
        mute_expires_at: until_ms.map(timestamp),
    });
    Ok((link, Json(shown.collect())))
}

/// Whom the caller blocks.
pub async fn blocks(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<Account>>), ApiError> {
    let paging = Paging::read(&params, ACCOUNTS)?;
    let (viewer, page) = (call.viewer(), *paging.page());
    let found = call.node.read(move |reader| Ok(private::page_of(reader.blocked(&viewer)?, &page))).await?;
    Ok(page::accounts(&call, &paging, found))
}
