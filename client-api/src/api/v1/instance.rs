//! `/api/v1/instance`: the node as an instance, in the shape of old clients. Needs no token.

pub mod about;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::api::entities::{Account, instance};
use crate::api::v2::instance::contact_and_counts;
use crate::http::call::Anonymous;
use crate::http::{ApiError, App};
use crate::people::Registration;

/// The instance.
pub async fn get(State(app): State<App>, Anonymous(base): Anonymous) -> Result<Json<Value>, ApiError> {
    let (contact, counts) = contact_and_counts(&app).await?;
    let contact = contact.map(|contact| Account::new(&base, &contact));
    let mut answer = instance::v1(&base, contact.as_ref(), counts);
    answer["registrations"] = json!(app.people().registration() != Registration::Closed);
    answer["invites_enabled"] = json!(app.people().registration() == Registration::Invite);
    answer["configuration"]["vapid"]["public_key"] = json!(app.vapid_public());
    Ok(Json(answer))
}
