//! Sends what happens to those who subscribed, until the node stops.
//!
//! A push may be lost, since apps read again when they open; so nothing is kept for later beyond a few attempts, and
//! whatever would be more than its share is dropped.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use xom_node::model::{Event, Notification, NotificationId};
use xom_node::{Reader, StoreError};
use xom_protocol::Did;

use super::encrypt::encrypt;
use super::key::VapidKey;
use super::message::message;
use super::subscription::{Policy, Subscription};
use crate::api::compose::now_ms;
use crate::api::entities::kind_name;
use crate::http::{App, Base};
use crate::outgoing::Outgoing;

/// Most messages under way; more are dropped.
const UNDER_WAY_MAX: usize = 64;
/// Most messages under way to one subscription, so that one that never answers holds up no other.
const UNDER_WAY_EACH_MAX: usize = 4;
/// How long to wait before each further attempt.
const AGAIN_AFTER: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];
/// How long a push service keeps a message for a device that is off: two days, as Mastodon asks.
const KEPT_SECS: &str = "172800";

/// Whoever pushes.
pub struct Pusher {
    app: App,
    key: VapidKey,
    outgoing: Outgoing,
}

/// What came of one message.
enum Sent {
    /// The push service has it, or will never take it.
    Done,
    /// The app is gone, or has unsubscribed at the push service.
    Gone,
}

impl Pusher {
    /// Pushes what happens on a node.
    pub fn new(app: App, key: VapidKey, outgoing: Outgoing) -> Self {
        Self { app, key, outgoing }
    }

    /// Goes on until `shutdown`; what is under way then is given up.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut events = self.app.node().events();
        let mut tasks: JoinSet<(Subscription, Sent)> = JoinSet::new();
        let mut under_way: HashMap<[u8; 32], usize> = HashMap::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(ended) = tasks.join_next() => {
                    let Ok((subscription, sent)) = ended else { continue };
                    if let Some(count) = under_way.get_mut(&subscription.token) {
                        *count -= 1;
                        if *count == 0 {
                            under_way.remove(&subscription.token);
                        }
                    }
                    if matches!(sent, Sent::Gone) {
                        self.forget(&subscription).await;
                    }
                }
                event = events.recv() => match event {
                    Ok(Event::Notified { viewer, notification }) => {
                        for (subscription, text) in self.wanted(viewer, notification).await {
                            let count = under_way.entry(subscription.token).or_default();
                            if tasks.len() >= UNDER_WAY_MAX || *count >= UNDER_WAY_EACH_MAX {
                                tracing::debug!("a push message was dropped: too many are under way");
                                continue;
                            }
                            *count += 1;
                            tasks.spawn(deliver(self.key.clone(), self.outgoing.clone(), subscription, text));
                        }
                        under_way.retain(|_, count| *count > 0);
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(missed)) => tracing::debug!(missed, "some push messages were dropped"),
                    Err(RecvError::Closed) => return,
                }
            }
        }
    }

    /// The subscriptions that want a notification, with what they are told.
    async fn wanted(&self, viewer: Did, id: NotificationId) -> Vec<(Subscription, Vec<u8>)> {
        let read = move |reader: &Reader| -> Result<_, StoreError> {
            let subscriptions = Subscription::of(reader, &viewer)?;
            if subscriptions.is_empty() {
                return Ok(Vec::new());
            }
            let Some(notification) = reader.notification(&viewer, id)? else { return Ok(Vec::new()) };
            let relationship = reader.relationship(&viewer, &notification.account.did)?;
            let fits = |subscription: &Subscription| {
                subscription.alerts.has(kind_name(notification.kind))
                    && match subscription.policy {
                        Policy::All => true,
                        Policy::Followed => relationship.following,
                        Policy::Follower => relationship.followed_by,
                        Policy::None => false,
                    }
            };
            let text = |subscription: Subscription| {
                let text = text_for(&subscription, &notification);
                (subscription, text)
            };
            Ok(subscriptions.into_iter().filter(fits).map(text).collect())
        };
        let found = match self.app.node().read(read).await {
            Ok(found) => found,
            Err(cause) => {
                tracing::debug!(%cause, "a push message could not be read");
                return Vec::new();
            }
        };
        let mut wanted = Vec::new();
        for (subscription, text) in found {
            // A token that has ended is told nothing more (`R-API-9`).
            match self.app.is_good(&subscription.token).await {
                Ok(true) => wanted.push((subscription, text)),
                Ok(false) => self.forget(&subscription).await,
                Err(cause) => tracing::debug!(%cause, "the token of a subscription could not be read"),
            }
        }
        wanted
    }

    async fn forget(&self, subscription: &Subscription) {
        let (did, token) = (subscription.did, subscription.token);
        let removed = self.app.node().records(move |records| Subscription::remove(records, &did, &token)).await;
        if let Err(cause) = removed {
            tracing::debug!(%cause, "a subscription could not be taken away");
        }
    }
}

fn text_for(subscription: &Subscription, notification: &Notification) -> Vec<u8> {
    let (scheme, host) = subscription.base.split_once("://").unwrap_or(("http", &subscription.base));
    message(&Base::new(scheme, host), notification)
}

/// Sends one message, again where the push service says that it is busy.
async fn deliver(key: VapidKey, outgoing: Outgoing, subscription: Subscription, text: Vec<u8>) -> (Subscription, Sent) {
    for attempt in 0..=AGAIN_AFTER.len() {
        match send(&key, &outgoing, &subscription, &text).await {
            Ok(Some(sent)) => return (subscription, sent),
            Ok(None) => {}
            Err(cause) => tracing::debug!(%cause, "a push message was not taken"),
        }
        if let Some(wait) = AGAIN_AFTER.get(attempt) {
            tokio::time::sleep(*wait).await;
        }
    }
    (subscription, Sent::Done)
}

/// One attempt; none where another may do.
async fn send(
    key: &VapidKey,
    outgoing: &Outgoing,
    subscription: &Subscription,
    text: &[u8],
) -> Result<Option<Sent>, Box<dyn std::error::Error + Send + Sync>> {
    let body = encrypt(&subscription.receiver, text)?;
    let contact = Some(subscription.base.as_str()).filter(|base| base.starts_with("https://"));
    let authorization = key.authorization(origin(&subscription.endpoint), contact, now_ms())?;
    let mut authorization = HeaderValue::try_from(authorization)?;
    authorization.set_sensitive(true);
    let request = Request::post(&subscription.endpoint)
        .header(header::AUTHORIZATION, authorization)
        .header(header::CONTENT_ENCODING, "aes128gcm")
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, body.len())
        .header("ttl", KEPT_SECS)
        .header("urgency", "normal")
        .body(Body::from(body))?;
    let status = outgoing.send(request).await?.parts.status;
    Ok(match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Some(Sent::Gone),
        StatusCode::TOO_MANY_REQUESTS => None,
        status if status.is_server_error() => None,
        status => {
            if !status.is_success() {
                tracing::debug!(%status, "a push service refused a message");
            }
            Some(Sent::Done)
        }
    })
}

/// Scheme, name and port of an address: for whom a proof is meant.
fn origin(url: &str) -> &str {
    let path = url.get("https://".len()..).and_then(|rest| rest.find(['/', '?'])).map(|at| at + "https://".len());
    path.map_or(url, |path| &url[..path])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_for_the_origin_of_the_push_service() {
        assert_eq!(origin("https://push.example:8443/a/b?c"), "https://push.example:8443");
        assert_eq!(origin("https://push.example?c/d"), "https://push.example");
        assert_eq!(origin("https://push.example"), "https://push.example");
    }
}
