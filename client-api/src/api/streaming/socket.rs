//! Streams over WebSocket: many on one socket, subscribed and ended by messages.

use std::future::{Ready, ready};
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::call::StreamCall;
use super::channel::Channel;
use super::feed::{Cursor, Cut, Item};
use crate::http::{ApiError, ErrorKind, Params};

/// Longest message of a client, bytes.
const MESSAGE_BYTES_MAX: usize = 4 << 10;
/// Most streams on one socket.
const CHANNELS_MAX: usize = 64;
/// How often the client is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(30);
/// Longest time in which nothing is heard of a client.
const SILENCE_MAX: Duration = Duration::from_secs(90);
/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a client asks for.
#[derive(Deserialize)]
struct Wish {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    stream: String,
    tag: Option<String>,
    list: Option<ListId>,
}

/// The id of a list, as text or as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum ListId {
    Text(String),
    Number(u64),
}

impl ListId {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

#[derive(Serialize)]
struct Frame<'a> {
    stream: Vec<String>,
    event: &'a str,
    payload: &'a str,
}

/// Opens a socket, subscribed to what the address names.
pub(super) fn get(
    stream: StreamCall,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    params: Params,
) -> Ready<Result<Response, ApiError>> {
    ready(open(stream, upgrade, &params))
}

fn open(
    stream: StreamCall,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    params: &Params,
) -> Result<Response, ApiError> {
    let mut channels = Vec::new();
    if let Some(name) = params.text("stream").filter(|name| !name.is_empty()) {
        channels.push(Channel::read(&name, params.text("tag").as_deref(), params.text("list").as_deref())?);
    }
    let upgrade = upgrade.map_err(|_| {
        ApiError::with_text(ErrorKind::Malformed, "This address is a WebSocket; server-sent events are below it")
    })?;
    let cursor = stream.call.app.streams().open(&stream)?;
    let (stopping, ended) = (stream.stopping.clone(), stream.call.ended());
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES_MAX).max_frame_size(MESSAGE_BYTES_MAX);
    let upgrade = upgrade.protocols(stream.protocol);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let over = async move {
            tokio::select! {
                () = stopping.cancelled() => Cut::Stopping,
                () = ended => Cut::TokenEnded,
            }
        };
        serve(socket, cursor, channels, over).await;
    }))
}

/// Serves a socket until one side ends it.
async fn serve(mut socket: WebSocket, cursor: Cursor, channels: Vec<Channel>, over: impl Future<Output = Cut>) {
    let cut = tokio::select! {
        cut = over => Some(cut),
        cut = talk(&mut socket, cursor, channels) => cut,
    };
    let Some(cut) = cut else { return };
    let code = match cut {
        Cut::TooSlow | Cut::Silent | Cut::TokenEnded => close_code::POLICY,
        Cut::Missed => close_code::AGAIN,
        Cut::Stopping => close_code::AWAY,
    };
    let farewell = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(cut.reason()) }));
    if tokio::time::timeout(FAREWELL, socket.send(farewell)).await.is_err() {
        tracing::debug!(?cut, "a client took no farewell");
    }
}

/// Carries events out and wishes in; answers why this side ends it, if it does.
async fn talk(socket: &mut WebSocket, mut cursor: Cursor, mut channels: Vec<Channel>) -> Option<Cut> {
    let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        let answers = tokio::select! {
            message = socket.recv() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Text(text))) => hear(&mut channels, &text).into_iter().collect(),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => Vec::new(),
                }
            }
            found = cursor.next(&channels) => match found {
                Ok(items) => items.iter().flat_map(|(_, item)| frames(&channels, item)).collect(),
                Err(cut) => return Some(cut),
            },
            _ = ping.tick() => {
                if heard.elapsed() >= SILENCE_MAX {
                    return Some(Cut::Silent);
                }
                vec![Message::Ping(bytes::Bytes::new())]
            }
        };
        for answer in answers {
            socket.send(answer).await.ok()?;
        }
    }
}

/// Takes a wish; answers what was wrong with it.
fn hear(channels: &mut Vec<Channel>, text: &str) -> Option<Message> {
    let taken = serde_json::from_str::<Wish>(text).map_err(|_| "The message could not be read".to_owned());
    let taken = taken.and_then(|wish| {
        let list = wish.list.map(ListId::text);
        let channel = Channel::read(&wish.stream, wish.tag.as_deref(), list.as_deref());
        let channel = channel.map_err(|error| error.text().to_owned())?;
        match wish.kind.as_str() {
            "subscribe" if channels.contains(&channel) => {}
            "subscribe" if channels.len() >= CHANNELS_MAX => return Err("Too many streams on one socket".to_owned()),
            "subscribe" => channels.push(channel),
            "unsubscribe" => channels.retain(|known| *known != channel),
            _ => return Err("Unknown message type".to_owned()),
        }
        Ok(())
    });
    let error = taken.err()?;
    Some(Message::Text(json!({"error": error, "status": 400}).to_string().into()))
}

/// One frame for each stream that takes an event.
fn frames(channels: &[Channel], item: &Item) -> Vec<Message> {
    let takers = channels.iter().filter(|channel| channel.takes(&item.facets));
    let frames = takers.filter_map(|channel| {
        let frame = Frame { stream: channel.labels(), event: item.event, payload: &item.payload };
        serde_json::to_string(&frame).ok()
    });
    frames.map(|frame| Message::Text(frame.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::streaming::Facets;

    fn text(message: &Message) -> serde_json::Value {
        let Message::Text(text) = message else { panic!("{message:?}") };
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn streams_are_subscribed_once_ended_and_bounded() {
        let mut channels = Vec::new();
        let mut say = |text: &str| hear(&mut channels, text).map(|answer| answer.to_text().unwrap().to_owned());
        assert_eq!(say(r#"{"type":"subscribe","stream":"user"}"#), None);
        assert_eq!(say(r#"{"type":"subscribe","stream":"user"}"#), None);
        for bad in ["x", "{}", r#"{"type":"subscribe","stream":"all"}"#, r#"{"type":"sing","stream":"user"}"#] {
            assert!(say(bad).unwrap().contains("error"), "{bad}");
        }
        for number in 1..CHANNELS_MAX {
            assert_eq!(say(&format!(r#"{{"type":"subscribe","stream":"hashtag","tag":"t{number}"}}"#)), None);
        }
        assert!(say(r#"{"type":"subscribe","stream":"public"}"#).unwrap().contains("Too many"));
        assert_eq!(say(r#"{"type":"unsubscribe","stream":"user"}"#), None);
        assert_eq!(say(r#"{"type":"subscribe","stream":"public"}"#), None);
        assert_eq!(channels.len(), CHANNELS_MAX);
    }

    #[test]
    fn a_frame_names_its_stream_and_carries_text() {
        let facets = Facets { home: true, tags: vec!["xóm".into()], ..Facets::default() };
        let item = Item { event: "update", payload: r#"{"id":"1"}"#.into(), facets };
        let channels = [
            Channel::User,
            Channel::read("hashtag", Some("Xóm"), None).unwrap(),
            Channel::read("public", None, None).unwrap(),
        ];
        let frames: Vec<_> = frames(&channels, &item).iter().map(text).collect();
        assert_eq!(frames.len(), 2);
        assert_eq!(frames[0], json!({"stream": ["user"], "event": "update", "payload": "{\"id\":\"1\"}"}));
        assert_eq!(frames[1]["stream"], json!(["hashtag", "Xóm"]));
    }
}
