//! `/api/v2/instance`: the node as an instance. Needs no token.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use xom_node::model;

use crate::api::entities::Account;
use crate::api::entities::instance::{self, Counts};
use crate::http::call::Anonymous;
use crate::http::{ApiError, App};
use crate::people::Registration;

/// The instance.
pub async fn get(State(app): State<App>, Anonymous(base): Anonymous) -> Result<Json<Value>, ApiError> {
    let (contact, counts) = contact_and_counts(&app).await?;
    let contact = contact.map(|contact| Account::new(&base, &contact));
    let mut answer = instance::v2(&base, contact.as_ref(), counts);
    answer["registrations"]["enabled"] = json!(app.people().registration() != Registration::Closed);
    answer["configuration"]["vapid"]["public_key"] = json!(app.vapid_public());
    Ok(Json(answer))
}

/// The first identity of the node, and what it counts.
pub async fn contact_and_counts(app: &App) -> Result<(Option<model::Account>, Counts), ApiError> {
    let read = app.node().read(|reader| {
        let mut accounts = Vec::new();
        for identity in reader.local_identities()? {
            accounts.extend(reader.account(&identity.did)?);
        }
        Ok(accounts)
    });
    let accounts = read.await?;
    let statuses = accounts.iter().map(|account| account.statuses).sum();
    let counts = Counts { users: accounts.len() as u64, statuses };
    Ok((accounts.into_iter().next(), counts))
}
