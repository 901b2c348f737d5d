//! `/api/v2/notifications/policy`: whose notifications the caller does not want at all.

use axum::Json;
use serde_json::{Value, json};
use xom_node::private::{NOTIFICATION_POLICY, NotificationPolicy, read_value, value_of};

use crate::api::private;
use crate::http::{ApiError, Call, Params};

/// The policy.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    Ok(Json(shown(standing(&call).await?)))
}

/// Changes it. Nothing is kept apart to be looked at later: what is not accepted is dropped.
pub async fn patch(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let mut policy = standing(&call).await?;
    policy.drop_not_following = drops(&params, "for_not_following")?.unwrap_or(policy.drop_not_following);
    policy.drop_not_followers = drops(&params, "for_not_followers")?.unwrap_or(policy.drop_not_followers);
    for name in ["for_new_accounts", "for_private_mentions", "for_limited_accounts"] {
        if drops(&params, name)?.unwrap_or(false) {
            return Err(ApiError::not_yet(&format!("{name} other than accept is")));
        }
    }
    private::put(&call, NOTIFICATION_POLICY.to_owned(), value_of(&policy)).await?;
    Ok(Json(shown(policy)))
}

async fn standing(call: &Call) -> Result<NotificationPolicy, ApiError> {
    let viewer = call.viewer();
    let value = call.node.read(move |reader| reader.setting(&viewer, NOTIFICATION_POLICY)).await?;
    Ok(value.and_then(|value| read_value(&value)).unwrap_or_default())
}

fn drops(params: &Params, name: &str) -> Result<Option<bool>, ApiError> {
    match params.text(name).as_deref() {
        None => Ok(None),
        Some("accept") => Ok(Some(false)),
        Some("drop") => Ok(Some(true)),
        Some("filter") => Err(ApiError::not_yet("Notifications that wait for the owner are")),
        Some(_) => Err(ApiError::invalid(format!("{name} is not one of accept, drop"))),
    }
}

fn shown(policy: NotificationPolicy) -> Value {
    let word = |drops| if drops { "drop" } else { "accept" };
    json!({
        "for_not_following": word(policy.drop_not_following),
        "for_not_followers": word(policy.drop_not_followers),
        "for_new_accounts": "accept",
        "for_private_mentions": "accept",
        "for_limited_accounts": "accept",
        "summary": {"pending_requests_count": 0, "pending_notifications_count": 0},
    })
}
