//! `/api/v2/notifications/policy`: whose notifications the caller does not want at all, and whose wait until he
//! looks at them.

use axum::Json;
use serde_json::{Value, json};
use xom_node::private::{NOTIFICATION_POLICY, NotificationPolicy, read_value, value_of};

use crate::api::private;
use crate::api::v1::notifications::requests::counts;
use crate::http::{ApiError, Call, Params};

/// What becomes of notifications of some kind of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accept,
    Filter,
    Drop,
}

impl Verdict {
    fn read(params: &Params, name: &str) -> Result<Option<Self>, ApiError> {
        match params.text(name).as_deref() {
            None => Ok(None),
            Some("accept") => Ok(Some(Self::Accept)),
            Some("filter") => Ok(Some(Self::Filter)),
            Some("drop") => Ok(Some(Self::Drop)),
            Some(_) => Err(ApiError::invalid(format!("{name} is not one of accept, filter, drop"))),
        }
    }

    fn of(drops: bool, filters: bool) -> &'static str {
        match (drops, filters) {
            (true, _) => "drop",
            (false, true) => "filter",
            (false, false) => "accept",
        }
    }

    fn set(self, drops: &mut bool, filters: &mut bool) {
        (*drops, *filters) = (self == Self::Drop, self == Self::Filter);
    }
}

/// The policy.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let policy = standing(&call).await?;
    show(&call, policy).await
}

/// Changes it. There are no private mentions and no limited accounts here: what is said of them changes nothing, and
/// is refused where it asks for more than that.
pub async fn patch(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let mut policy = standing(&call).await?;
    let mut drops = [policy.drop_not_following, policy.drop_not_followers, policy.drop_new_accounts];
    let mut filters = [policy.filter_not_following, policy.filter_not_followers, policy.filter_new_accounts];
    let names = ["for_not_following", "for_not_followers", "for_new_accounts"];
    for (at, name) in names.into_iter().enumerate() {
        if let Some(verdict) = Verdict::read(&params, name)? {
            verdict.set(&mut drops[at], &mut filters[at]);
        }
    }
    for name in ["for_private_mentions", "for_limited_accounts"] {
        if Verdict::read(&params, name)? == Some(Verdict::Drop) {
            return Err(ApiError::not_yet(&format!("{name} to drop is")));
        }
    }
    [policy.drop_not_following, policy.drop_not_followers, policy.drop_new_accounts] = drops;
    [policy.filter_not_following, policy.filter_not_followers, policy.filter_new_accounts] = filters;
    private::put(&call, NOTIFICATION_POLICY.to_owned(), value_of(&policy)).await?;
    show(&call, policy).await
}

async fn standing(call: &Call) -> Result<NotificationPolicy, ApiError> {
    let viewer = call.viewer();
    let value = call.node.read(move |reader| reader.setting(&viewer, NOTIFICATION_POLICY)).await?;
    Ok(value.and_then(|value| read_value(&value)).unwrap_or_default())
}

async fn show(call: &Call, policy: NotificationPolicy) -> Result<Json<Value>, ApiError> {
    let (requests, notifications) = counts(call).await?;
    Ok(Json(json!({
        "for_not_following": Verdict::of(policy.drop_not_following, policy.filter_not_following),
        "for_not_followers": Verdict::of(policy.drop_not_followers, policy.filter_not_followers),
        "for_new_accounts": Verdict::of(policy.drop_new_accounts, policy.filter_new_accounts),
        "for_private_mentions": "accept",
        "for_limited_accounts": "accept",
        "summary": {"pending_requests_count": requests, "pending_notifications_count": notifications},
    })))
}
