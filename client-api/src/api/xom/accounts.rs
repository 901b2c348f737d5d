//! `/api/xom/v1/accounts`: the people of this node. For the owner's own token only.

use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};
use xom_protocol::Did;
use zeroize::Zeroizing;

use crate::api::compose::now_ms;
use crate::http::{ApiError, Call, ErrorKind, Params};
use crate::people::limits::CODE_MS_MAX;
use crate::people::{Newcomer, Password, PeopleError, Person, Role};

/// All people, in the order in which they came.
pub async fn list(call: Call) -> Result<Json<Vec<Value>>, ApiError> {
    Ok(Json(call.app.people().list().await?.iter().map(entity).collect()))
}

/// Adds somebody: a new identity with a password, which is made and shown once where none is given.
pub async fn post(call: Call, mut params: Params) -> Result<Json<Value>, ApiError> {
    let username = params.text("username").ok_or_else(|| ApiError::invalid("username can't be blank"))?;
    let role = role(&params)?.unwrap_or(Role::Member);
    let (password, made) = password(&mut params)?;
    let newcomer = Newcomer { username: username.clone(), password: password.clone(), role };
    let did = call.app.people().add(newcomer, now_ms()).await?;
    shown(&call, &did, made.then_some(password)).await
}

/// Gives somebody another password, which opens a closed account too; made and shown once where none is given.
pub async fn set_password(call: Call, Path(name): Path<String>, mut params: Params) -> Result<Json<Value>, ApiError> {
    let did = call.app.people().find(&name).await?;
    let (password, made) = password(&mut params)?;
    call.app.people().set_password(did, password.clone(), now_ms()).await?;
    shown(&call, &did, made.then_some(password)).await
}

/// Lets somebody do more, or less.
pub async fn set_role(call: Call, Path(name): Path<String>, params: Params) -> Result<Json<Value>, ApiError> {
    let did = call.app.people().find(&name).await?;
    let role = role(&params)?.ok_or_else(|| ApiError::invalid("role can't be blank"))?;
    call.app.people().set_role(did, role).await?;
    shown(&call, &did, None).await
}

/// Closes an account: its password, sessions and apps end. What was written, and the keys, stay.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let did = call.app.people().find(&name).await?;
    call.app.people().close(did, now_ms()).await?;
    call.app.registry().end(|grant| grant.did == Some(did)).await?;
    shown(&call, &did, None).await
}

/// Makes a code with which one person may register where the setting `registration` is `invite`.
pub async fn invite(call: Call) -> Result<Json<Value>, ApiError> {
    let code = call.app.people().invite(now_ms()).await?;
    Ok(Json(json!({ "code": code.as_str(), "expires_in": CODE_MS_MAX / 1_000 })))
}

async fn shown(call: &Call, did: &Did, password: Option<Zeroizing<String>>) -> Result<Json<Value>, ApiError> {
    let people = call.app.people().list().await?;
    let person = people.iter().find(|person| person.did == *did).ok_or_else(ApiError::not_found)?;
    let mut answer = entity(person);
    if let Some(password) = password {
        answer["password"] = json!(password.as_str());
    }
    Ok(Json(answer))
}

fn entity(person: &Person) -> Value {
    json!({
        "username": person.username,
        "did": person.did.to_string(),
        "role": person.role.name(),
        "has_password": person.has_password,
        "closed": person.closed,
    })
}

fn role(params: &Params) -> Result<Option<Role>, ApiError> {
    let parse =
        |text: String| text.parse().map_err(|_| ApiError::invalid("role is not one of owner, moderator, member"));
    params.text("role").map(parse).transpose()
}

/// The password of a request, or one that is made; true for the latter.
fn password(params: &mut Params) -> Result<(Zeroizing<String>, bool), ApiError> {
    match params.take_secret("password") {
        Some(password) => Ok((password, false)),
        None => Ok((Password::make().map_err(PeopleError::from)?, true)),
    }
}

impl From<PeopleError> for ApiError {
    fn from(cause: PeopleError) -> Self {
        let (field, code) = match &cause {
            PeopleError::Store(_) => {
                let PeopleError::Store(cause) = cause else { return Self::new(ErrorKind::Internal) };
                return cause.into();
            }
            PeopleError::Make(_) => {
                tracing::error!(%cause, "an identity could not be made");
                return Self::new(ErrorKind::Internal);
            }
            PeopleError::Unknown => return Self::not_found().describe(cause.to_string()),
            PeopleError::TooMany | PeopleError::TooOften => return Self::with_text(ErrorKind::Busy, cause.to_string()),
            PeopleError::Closed | PeopleError::First => {
                return Self::with_text(ErrorKind::Forbidden, cause.to_string());
            }
            PeopleError::Name => ("username", "ERR_INVALID"),
            PeopleError::Taken => ("username", "ERR_TAKEN"),
            PeopleError::Password(_) => ("password", "ERR_INVALID"),
            PeopleError::Code => ("invite_code", "ERR_INVALID"),
        };
        let mut name = field.replace('_', " ");
        name[..1].make_ascii_uppercase();
        let details = json!({ field: [{ "error": code, "description": cause.to_string() }] });
        Self::invalid(format!("{name} {cause}")).with("details", details)
    }
}
