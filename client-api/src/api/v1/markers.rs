//! `/api/v1/markers`: how far the caller has read. Of this node alone: the ids are its own.

use axum::Json;
use serde_json::{Map, Value, json};
use xom_node::Reader;
use xom_node::StoreError;
use xom_protocol::Did;

use crate::api::compose::now_ms;
use crate::api::entities::timestamp;
use crate::api::private::MARKER;
use crate::http::form::parse_id;
use crate::http::{ApiError, Call, Params};

/// The timelines that have one.
const TIMELINES: [&str; 2] = ["home", "notifications"];

/// The last id read, how often it was set, and when, milliseconds since 1970.
type Marker = (u64, u64, u64);

/// Those of `timeline[]`.
pub async fn get(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let wanted = params.texts("timeline");
    let viewer = call.viewer();
    let read = call.node.read(move |reader| {
        let mut found = Map::new();
        for timeline in TIMELINES.into_iter().filter(|timeline| wanted.iter().any(|name| name == timeline)) {
            if let Some(marker) = marker(reader, &viewer, timeline)? {
                found.insert(timeline.to_owned(), shown(marker));
            }
        }
        Ok(found)
    });
    Ok(Json(Value::Object(read.await?)))
}

/// Sets them: `home[last_read_id]`, `notifications[last_read_id]`.
pub async fn post(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let mut wanted = Vec::new();
    for timeline in TIMELINES {
        let Some(text) = params.below(timeline).and_then(|below| below.text("last_read_id")) else { continue };
        let id = parse_id(text.trim()).ok_or_else(|| ApiError::invalid("last_read_id is not a number"))?;
        wanted.push((timeline, id));
    }
    let (viewer, now_ms) = (call.viewer(), now_ms());
    let put = call.node.records(move |records| {
        let mut found = Map::new();
        for (timeline, id) in &wanted {
            let key = key(&viewer, timeline);
            let version =
                records.get(MARKER, &key)?.and_then(|value| read(&value)).map_or(0, |(_, version, _)| version);
            let marker = (*id, version + 1, now_ms);
            records.put(MARKER, &key, &write(marker))?;
            found.insert((*timeline).to_owned(), shown(marker));
        }
        Ok(found)
    });
    Ok(Json(Value::Object(put.await?)))
}

/// How far a timeline was read.
pub fn last_read(reader: &Reader, viewer: &Did, timeline: &str) -> Result<Option<u64>, StoreError> {
    Ok(marker(reader, viewer, timeline)?.map(|(id, _, _)| id))
}

fn marker(reader: &Reader, viewer: &Did, timeline: &str) -> Result<Option<Marker>, StoreError> {
    Ok(reader.record(MARKER, &key(viewer, timeline))?.and_then(|value| read(&value)))
}

fn key(viewer: &Did, timeline: &str) -> Vec<u8> {
    [&viewer.0, timeline.as_bytes()].concat()
}

fn write((id, version, ms): Marker) -> Vec<u8> {
    [id, version, ms].iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn read(bytes: &[u8]) -> Option<Marker> {
    let (numbers, []) = bytes.as_chunks::<8>() else { return None };
    let [id, version, ms] = numbers.iter().map(|number| u64::from_be_bytes(*number)).collect::<Vec<_>>()[..] else {
        return None;
    };
    Some((id, version, ms))
}

fn shown((id, version, ms): Marker) -> Value {
    json!({ "last_read_id": id.to_string(), "version": version, "updated_at": timestamp(ms) })
}
