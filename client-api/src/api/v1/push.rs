//! `/api/v1/push/subscription`: what the app of a token is pushed. One for each token, of this node alone.

use axum::Json;
use serde_json::{Map, Value, json};

use crate::http::{ApiError, Call, ErrorKind, Params};
use crate::outgoing::is_https;
use crate::push::{Alerts, Policy, Receiver, Subscription};

/// That of the caller's token.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let found = find(&call).await?.ok_or_else(ApiError::not_found)?;
    shown(&call, &found)
}

/// Subscribes, in the place of an earlier subscription of the token.
pub async fn post(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let invalid = |text: &str| ApiError::with_text(ErrorKind::Invalid, text);
    let asked = params.below("subscription").ok_or_else(|| invalid("subscription is missing"))?;
    let endpoint = asked.text("endpoint").ok_or_else(|| invalid("subscription[endpoint] is missing"))?;
    if !is_https(&endpoint) {
        return Err(invalid("subscription[endpoint] is no https:// address"));
    }
    let keys = asked.below("keys").unwrap_or_default();
    let receiver = Receiver::read(&keys.text("p256dh").unwrap_or_default(), &keys.text("auth").unwrap_or_default());
    let receiver = receiver.ok_or_else(|| invalid("subscription[keys] are no keys of Web Push"))?;
    let mut subscription = Subscription {
        did: call.viewer(),
        token: *call.token_digest(),
        endpoint,
        receiver,
        alerts: Alerts::default(),
        policy: Policy::default(),
        base: call.base.as_str().to_owned(),
    };
    wish(&mut subscription, &params)?;
    keep(&call, subscription).await
}

/// Changes which notifications are wanted.
pub async fn put(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let mut subscription = find(&call).await?.ok_or_else(ApiError::not_found)?;
    wish(&mut subscription, &params)?;
    keep(&call, subscription).await
}

/// Unsubscribes; also where there is nothing to end.
pub async fn delete(call: Call) -> Result<Json<Value>, ApiError> {
    let (did, token) = (call.viewer(), *call.token_digest());
    call.node.records(move |records| Subscription::remove(records, &did, &token)).await?;
    Ok(Json(json!({})))
}

/// Reads `data[alerts]` and `data[policy]`, each where it is given.
fn wish(subscription: &mut Subscription, params: &Params) -> Result<(), ApiError> {
    let data = params.below("data").unwrap_or_default();
    if let Some(alerts) = data.below("alerts") {
        subscription.alerts = Alerts::of(|kind| alerts.flag(kind).unwrap_or(false));
    }
    // Mastodon has it in both places.
    if let Some(name) = data.text("policy").or_else(|| params.text("policy")) {
        let unknown = || ApiError::with_text(ErrorKind::Invalid, "policy is none of all, followed, follower, none");
        subscription.policy = Policy::read(&name).ok_or_else(unknown)?;
    }
    Ok(())
}

async fn find(call: &Call) -> Result<Option<Subscription>, ApiError> {
    let (did, token) = (call.viewer(), *call.token_digest());
    Ok(call.node.read(move |reader| Subscription::find(reader, &did, &token)).await?)
}

async fn keep(call: &Call, subscription: Subscription) -> Result<Json<Value>, ApiError> {
    let did = subscription.did;
    let taken = call.node.read(move |reader| Ok(Subscription::of(reader, &did)?.len())).await?;
    let kept = subscription.clone();
    if !call.node.records(move |records| kept.put(records, taken)).await? {
        return Err(ApiError::with_text(ErrorKind::Invalid, "Too many apps are subscribed; revoke one first"));
    }
    shown(call, &subscription)
}

fn shown(call: &Call, subscription: &Subscription) -> Result<Json<Value>, ApiError> {
    let alerts: Map<String, Value> = subscription.alerts.all().map(|(kind, on)| (kind.to_owned(), json!(on))).collect();
    Ok(Json(json!({
        "id": subscription.id().to_string(),
        "endpoint": subscription.endpoint,
        // The only encoding that is spoken: RFC 8291.
        "standard": true,
        "alerts": alerts,
        "policy": subscription.policy,
        "server_key": call.app.vapid_public(),
    })))
}
