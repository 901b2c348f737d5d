//! `/api/xom/v1/accounts`: the people of this node. For the owner's own token only.

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use xom_protocol::Did;
use zeroize::Zeroizing;

use crate::api::compose::now_ms;
use crate::http::{ApiError, Call, ErrorKind, Secret, Sent};
use crate::people::limits::CODE_MS_MAX;
use crate::people::{Newcomer, Password, PeopleError, Person, Role};

/// Somebody who has an account on this node.
#[derive(Serialize, ToSchema)]
pub struct LocalAccount {
    /// The name with which he logs in, and which `X-Xom-As` chooses.
    username: String,
    /// His DID.
    did: String,
    /// What he may do here: `owner`, `moderator` or `member`.
    role: &'static str,
    /// He can log in with a password.
    has_password: bool,
    /// The account was closed.
    closed: bool,
    /// A password that was made just now; it is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// Somebody to be added.
#[derive(Deserialize, ToSchema)]
pub struct AccountRequest {
    /// His name.
    username: String,
    /// His password; one is made and shown where it is missing.
    #[schema(value_type = Option<String>)]
    password: Option<Secret>,
    /// What he may do: `owner`, `moderator` or `member`; the last where it is missing.
    role: Option<String>,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
pub struct PasswordRequest {
    /// The password; one is made and shown where it is missing.
    #[schema(value_type = Option<String>)]
    password: Option<Secret>,
}

/// Another role.
#[derive(Deserialize, ToSchema)]
pub struct RoleRequest {
    /// What he may do: `owner`, `moderator` or `member`.
    role: String,
}

/// A code with which one person may register.
#[derive(Serialize, ToSchema)]
pub struct RegistrationCode {
    /// The code.
    code: String,
    /// After so many seconds it is good no more.
    expires_in: u64,
}

/// List the people of this node
///
/// In the order in which they came.
#[utoipa::path(get, path = "/accounts", operation_id = "listAccounts", tag = "node",
    responses((status = 200, description = "The people", body = Vec<LocalAccount>)))]
pub async fn list(call: Call) -> Result<Json<Vec<LocalAccount>>, ApiError> {
    Ok(Json(call.app.people().list().await?.iter().map(entity).collect()))
}

/// Add somebody
///
/// A new identity with a password, which is made and shown once where none is given.
#[utoipa::path(post, path = "/accounts", operation_id = "addAccount", tag = "node", request_body = AccountRequest,
    responses((status = 200, description = "The account", body = LocalAccount)))]
pub async fn post(call: Call, Sent(wanted): Sent<AccountRequest>) -> Result<Json<LocalAccount>, ApiError> {
    let role = wanted.role.as_deref().map(role).transpose()?.unwrap_or(Role::Member);
    let (password, made) = password(wanted.password)?;
    let newcomer = Newcomer { username: wanted.username, password: password.clone(), role };
    let did = call.app.people().add(newcomer, now_ms()).await?;
    shown(&call, &did, made.then_some(password)).await
}

/// Set a password
///
/// Gives somebody another password, which opens a closed account too; made and shown once where none is given.
#[utoipa::path(post, path = "/accounts/{name}/password", operation_id = "setAccountPassword", tag = "node",
    params(("name" = String, Path, description = "The name with which he logs in")), request_body = PasswordRequest,
    responses((status = 200, description = "The account", body = LocalAccount)))]
pub async fn set_password(
    call: Call,
    Path(name): Path<String>,
    Sent(wanted): Sent<PasswordRequest>,
) -> Result<Json<LocalAccount>, ApiError> {
    let did = call.app.people().find(&name).await?;
    let (password, made) = password(wanted.password)?;
    call.app.people().set_password(did, password.clone(), now_ms()).await?;
    shown(&call, &did, made.then_some(password)).await
}

/// Set a role
///
/// Lets somebody do more, or less.
#[utoipa::path(post, path = "/accounts/{name}/role", operation_id = "setAccountRole", tag = "node",
    params(("name" = String, Path, description = "The name with which he logs in")), request_body = RoleRequest,
    responses((status = 200, description = "The account", body = LocalAccount)))]
pub async fn set_role(
    call: Call,
    Path(name): Path<String>,
    Sent(wanted): Sent<RoleRequest>,
) -> Result<Json<LocalAccount>, ApiError> {
    let did = call.app.people().find(&name).await?;
    call.app.people().set_role(did, role(&wanted.role)?).await?;
    shown(&call, &did, None).await
}

/// Close an account
///
/// Its password, sessions and apps end. What was written, and the keys, stay.
#[utoipa::path(delete, path = "/accounts/{name}", operation_id = "closeAccount", tag = "node",
    params(("name" = String, Path, description = "The name with which he logs in")),
    responses((status = 200, description = "The account", body = LocalAccount)))]
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<Json<LocalAccount>, ApiError> {
    let did = call.app.people().find(&name).await?;
    call.app.people().close(did, now_ms()).await?;
    call.app.registry().end(|grant| grant.did == Some(did)).await?;
    shown(&call, &did, None).await
}

/// Make a code for registering
///
/// One person may register with it where the setting `registration` is `invite`.
#[utoipa::path(post, path = "/accounts/codes", operation_id = "makeRegistrationCode", tag = "node",
    responses((status = 200, description = "The code", body = RegistrationCode)))]
pub async fn invite(call: Call) -> Result<Json<RegistrationCode>, ApiError> {
    let code = call.app.people().invite(now_ms()).await?;
    Ok(Json(RegistrationCode { code: code.to_string(), expires_in: CODE_MS_MAX / 1_000 }))
}

async fn shown(call: &Call, did: &Did, password: Option<Zeroizing<String>>) -> Result<Json<LocalAccount>, ApiError> {
    let people = call.app.people().list().await?;
    let person = people.iter().find(|person| person.did == *did).ok_or_else(ApiError::not_found)?;
    Ok(Json(LocalAccount { password: password.map(|password| password.to_string()), ..entity(person) }))
}

fn entity(person: &Person) -> LocalAccount {
    LocalAccount {
        username: person.username.clone(),
        did: person.did.to_string(),
        role: person.role.name(),
        has_password: person.has_password,
        closed: person.closed,
        password: None,
    }
}

fn role(text: &str) -> Result<Role, ApiError> {
    text.parse().map_err(|_| ApiError::invalid("role is not one of owner, moderator, member"))
}

/// The password of a request, or one that is made; true for the latter.
fn password(sent: Option<Secret>) -> Result<(Zeroizing<String>, bool), ApiError> {
    match sent {
        Some(password) => Ok((password.0, false)),
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
