//! `/api/xom/v1/records/:kind`: what an app keeps in its user's name, in a kind of its own: named, replaceable, on all
//! his devices, in his export, and to be read by whoever follows him (`BODY-6`).

use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use xom_node::command::Command;
use xom_node::model::{AppRecord, RecordsOf};
use xom_protocol::Did;
use xom_protocol::body::Record;
use xom_protocol::limits::RECORD_VALUE_BYTES_MAX;

use super::{cursor, once};
use crate::api::entities::{Account, timestamp};
use crate::http::link::LinkHeader;
use crate::http::{ApiError, Base, Call, ErrorKind, Sent};

/// Bytes of a key that the node chooses.
const KEY_BYTES: usize = 15;
/// Records of a page where it is not said.
const PAGE_DEFAULT: usize = 40;
/// Most records of a page.
const PAGE_MAX: usize = 100;

/// A record.
#[derive(Serialize, ToSchema)]
pub struct RecordView {
    /// The app's kind.
    kind: String,
    /// Its name among the records of this kind and author.
    key: String,
    /// Whose.
    did: String,
    /// Mastodon's entity `Account` of its author.
    #[schema(value_type = Object)]
    account: Account,
    /// Its value: any JSON.
    value: Value,
    /// The entry that holds it, a CID.
    entry: String,
    /// When this value was put.
    updated_at: String,
}

/// A page of records.
#[derive(Serialize, ToSchema)]
pub struct RecordList {
    /// The records, newest first.
    records: Vec<RecordView>,
    /// Where the next page begins, for `cursor`; null on the last one. A page may be short and not the last.
    next: Option<String>,
}

/// What was put or taken back.
#[derive(Serialize, ToSchema)]
pub struct RecordStored {
    /// The app's kind.
    kind: String,
    /// The key.
    key: String,
    /// The entry that was signed, a CID; none where nothing had to change.
    entry: Option<String>,
}

/// Whose records are asked for, and which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RecordsQuery {
    /// A DID: only of this identity. Without it, the own ones and those of whom the caller follows.
    did: Option<String>,
    /// Everybody's that are held on this node.
    all: Option<bool>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Most records of the page, 1 to 100; 40 where it is missing.
    limit: Option<u64>,
}

/// Whose record is asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RecordQuery {
    /// The DID of its author; the caller's own where it is missing.
    did: Option<String>,
}

/// List records
///
/// Records of a kind, newest first: the caller's own and those of whom he follows, or of one identity, or all that are
/// held here. Whom the caller blocks or mutes is left out.
#[utoipa::path(get, path = "/records/{kind}", operation_id = "listRecords", tag = "records",
    params(("kind" = String, Path, description = "The app's kind, with a dot in it: `board.ask`"), RecordsQuery),
    responses((status = 200, description = "A page of records", body = RecordList)))]
pub async fn list(
    call: Call,
    Path(kind): Path<String>,
    Sent(query): Sent<RecordsQuery>,
) -> Result<(LinkHeader, Json<RecordList>), ApiError> {
    check_kind(&kind)?;
    let of = match (&query.did, query.all.unwrap_or(false)) {
        (Some(did), _) => RecordsOf::One(read_did(did)?),
        (None, true) => RecordsOf::All,
        (None, false) => RecordsOf::Followed,
    };
    let limit = usize::try_from(query.limit.unwrap_or(PAGE_DEFAULT as u64)).unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let before = query.cursor.as_deref().map(cursor::read).transpose()?;
    let viewer = call.viewer();
    let page = call.node.read(move |reader| reader.app_records(&viewer, &kind, &of, before, limit)).await?;
    let next = page.next.filter(|_| page.has_more).map(cursor::write);
    let link = next.as_deref().and_then(|next| cursor::link(&call.base, &call.uri, next));
    let records = page.records.iter().filter_map(|record| view(&call.base, record)).collect();
    Ok((link, Json(RecordList { records, next })))
}

/// Read a record
///
/// The value that stands, of the caller or of `did`.
#[utoipa::path(get, path = "/records/{kind}/{key}", operation_id = "getRecord", tag = "records",
    params(("kind" = String, Path, description = "The app's kind"), ("key" = String, Path, description = "The key"),
        RecordQuery),
    responses((status = 200, description = "The record", body = RecordView)))]
pub async fn get(
    call: Call,
    Path((kind, key)): Path<(String, String)>,
    Sent(query): Sent<RecordQuery>,
) -> Result<Json<RecordView>, ApiError> {
    let author = query.did.as_deref().map_or(Ok(call.viewer()), read_did)?;
    let found = call.node.read(move |reader| reader.app_record(&author, &kind, &key)).await?;
    let found = found.and_then(|record| view(&call.base, &record));
    found.map(Json).ok_or_else(ApiError::not_found)
}

/// Add a record
///
/// Puts the body, any JSON, under a new key. With an `Idempotency-Key` the same request sent again adds nothing.
#[utoipa::path(post, path = "/records/{kind}", operation_id = "addRecord", tag = "records",
    params(("kind" = String, Path, description = "The app's kind, with a dot in it: `board.ask`")),
    request_body(content = Value, description = "The value: any JSON of at most 64 KiB"),
    responses((status = 201, description = "It is signed and stored", body = RecordStored)))]
pub async fn add(
    call: Call,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<RecordStored>), ApiError> {
    let key = match once::key(&headers)? {
        // The same key of the same request, also where nothing is left of the answer: it adds nothing twice.
        Some(given) => once::digest(&call, given),
        None => {
            let mut random = [0; 32];
            getrandom::fill(&mut random).map_err(|_| ErrorKind::Unavailable)?;
            random
        }
    };
    let key = BASE32_NOPAD.encode(&key[..KEY_BYTES]).to_ascii_lowercase();
    Ok((StatusCode::CREATED, store(&call, kind, key, &headers, &body).await?))
}

/// Put a record
///
/// Puts the body, any JSON, in place of what is there; what it replaces is erased. Anybody who follows the caller can
/// read it.
#[utoipa::path(put, path = "/records/{kind}/{key}", operation_id = "putRecord", tag = "records",
    params(("kind" = String, Path, description = "The app's kind, with a dot in it: `board.ask`"),
        ("key" = String, Path, description = "1 to 128 characters of A-Z, a-z, 0-9 and `-._~:`")),
    request_body(content = Value, description = "The value: any JSON of at most 64 KiB"),
    responses((status = 200, description = "It is signed and stored", body = RecordStored)))]
pub async fn put(
    call: Call,
    Path((kind, key)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<RecordStored>, ApiError> {
    store(&call, kind, key, &headers, &body).await
}

/// Delete a record
///
/// Takes the record back. It is hidden at once, and purged wherever it was held as an erased post is.
#[utoipa::path(delete, path = "/records/{kind}/{key}", operation_id = "deleteRecord", tag = "records",
    params(("kind" = String, Path, description = "The app's kind"), ("key" = String, Path, description = "The key")),
    responses((status = 200, description = "It is erased", body = RecordStored)))]
pub async fn delete(call: Call, Path((kind, key)): Path<(String, String)>) -> Result<Json<RecordStored>, ApiError> {
    let command = Command::DeleteRecord { kind: kind.clone(), key: key.clone() };
    let done = call.node.command(call.viewer(), command).await?;
    let entry = done.entry.ok_or_else(ApiError::not_found)?;
    Ok(Json(RecordStored { kind, key, entry: Some(entry.to_string()) }))
}

async fn store(
    call: &Call,
    kind: String,
    key: String,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Json<RecordStored>, ApiError> {
    check_kind(&kind)?;
    if !Record::is_key(&key) {
        return Err(ApiError::invalid("key is 1 to 128 characters of A-Z, a-z, 0-9 and -._~:"));
    }
    let value = value_of(headers, body)?;
    let command = Command::PutRecord { kind: kind.clone(), key: key.clone(), value };
    let done = call.node.command(call.viewer(), command).await?;
    Ok(Json(RecordStored { kind, key, entry: done.entry.map(|entry| entry.to_string()) }))
}

/// The body as a text of JSON, as it was sent but for white space around it.
fn value_of(headers: &HeaderMap, body: &[u8]) -> Result<String, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type != "application/json" {
        return Err(ErrorKind::UnsupportedType.into());
    }
    // As a value first: what is nested too deep for whoever reads it is not stored.
    let _: Value = serde_json::from_slice(body).map_err(|_| ErrorKind::Malformed)?;
    let value: &RawValue = serde_json::from_slice(body).map_err(|_| ErrorKind::Malformed)?;
    let mut text = value.get().to_owned();
    // Outside of texts these are white space; inside JSON has none of them.
    if text.contains('\r') {
        text = text.replace('\r', "");
    }
    if text.contains('\u{7f}') {
        text = text.replace('\u{7f}', "\\u007f");
    }
    match text.len() {
        0..=RECORD_VALUE_BYTES_MAX => Ok(text),
        _ => Err(ApiError::invalid(format!("the value is longer than {RECORD_VALUE_BYTES_MAX} bytes"))),
    }
}

fn check_kind(kind: &str) -> Result<(), ApiError> {
    let is_kind = Record::is_kind(kind);
    let text = "kind is 1 to 64 characters of a-z, 0-9, dot and hyphen, with a dot between others";
    is_kind.then_some(()).ok_or_else(|| ApiError::invalid(text))
}

fn read_did(text: &str) -> Result<Did, ApiError> {
    text.trim().parse().map_err(|_| ApiError::invalid("did is no DID"))
}

/// A record as clients see it; none where its author has put no JSON there, or deeper than anybody reads.
fn view(base: &Base, record: &AppRecord) -> Option<RecordView> {
    Some(RecordView {
        kind: record.kind.clone(),
        key: record.key.clone(),
        did: record.account.did.to_string(),
        account: Account::new(base, &record.account),
        value: serde_json::from_str(&record.value).ok()?,
        entry: record.entry.to_string(),
        updated_at: timestamp(record.time_ms),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str, body: &[u8]) -> Result<String, u16> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]);
        value_of(&headers, body).map_err(|error| error.kind().status().as_u16())
    }

    #[test]
    fn a_value_is_any_json_as_it_was_sent_and_nothing_else() {
        let json = "application/json; charset=utf-8";
        for (sent, kept) in [("1.50", "1.50"), (" {\r\n}\n", "{\n}"), ("\"\u{7f}\"", "\"\\u007f\""), ("null", "null")] {
            assert_eq!(read(json, sent.as_bytes()).as_deref(), Ok(kept));
        }
        for (content_type, body, status) in
            [(json, "", 400), (json, "{", 400), (json, "1 2", 400), ("text/plain", "1", 415), ("", "1", 415)]
        {
            assert_eq!(read(content_type, body.as_bytes()), Err(status), "{body}");
        }
        assert_eq!(read(json, format!("\"{}\"", "x".repeat(RECORD_VALUE_BYTES_MAX)).as_bytes()), Err(422));
        assert_eq!(read(json, b"\"\xff\""), Err(400));
        // Such a depth is stored by nobody who reads it back.
        assert_eq!(read(json, "[".repeat(10_000).as_bytes()), Err(400));
    }
}
