//! `/api/xom/v1/openapi.json`: what this API takes and answers, made from the code of its handlers. Needs no token.

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::sync::LazyLock;

use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::described;
use crate::http::scopes;
use crate::oauth::scope;

/// Where the routes stand.
pub const PREFIX: &str = "/api/xom/v1";

/// What each group of operations is about.
const TAGS: [(&str, &str); 12] = [
    ("identities", "Who lives here and who is known; inviting and following."),
    ("devices", "The devices of an identity, and pairing new ones."),
    ("keys", "How keys lie on this node; locking and rotating."),
    ("recovery", "Guardians, and what they approve."),
    ("entries", "Signed entries, their proofs, who holds copies, and erasing."),
    ("records", "What an app keeps on its user's node, in kinds of its own."),
    ("feeds", "Algorithms, and what they make of a timeline, each post with why it stands there."),
    ("network", "Peers, the exchange with them, bans, nodes to begin with."),
    ("keeping", "Whom this node keeps, and who keeps this identity."),
    ("archives", "Export, backup and import."),
    ("apps", "The apps that were let in."),
    ("node", "The state of this node, checks and care."),
];

/// The words in front of the description.
const ABOUT: &str = "What Mastodon's API has no word for. Beside it, Mastodon's own API is served at `/api/v1` and \
    `/api/v2`. Every call but those marked so carries a token, `Authorization: Bearer …`: the owner's own, or one of an \
    app by OAuth; `X-Xom-As` chooses among several identities. Bodies may be JSON, urlencoded or multipart. Errors are \
    problem details (RFC 9457). Times are RFC 3339 in UTC, ids are opaque texts, and members may be added: ignore those \
    that you do not know.";

static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
static DOCUMENT: LazyLock<Value> = LazyLock::new(make);

/// The description, as it is served.
pub fn get() -> Ready<Response> {
    ready(([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response())
}

/// The description.
pub fn document() -> &'static Value {
    &DOCUMENT
}

fn make() -> Value {
    let mut document = serde_json::to_value(described().into_openapi()).unwrap_or_default();
    document["info"] = json!({
        "title": "xom",
        "version": env!("CARGO_PKG_VERSION"),
        "description": ABOUT,
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    });
    document["servers"] = json!([{ "url": PREFIX }]);
    document["tags"] = TAGS.iter().map(|(name, text)| json!({ "name": name, "description": text })).collect();
    let components = &mut document["components"];
    for schema in components["schemas"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        hoist_words(schema);
    }
    components["schemas"]["Problem"] = problem();
    components["responses"] = json!({ "Problem": {
        "description": "An error; `type` says of which kind",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    } });
    components["securitySchemes"] = security_schemes();
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, item) in paths {
            item.as_object_mut().into_iter().flatten().for_each(|(method, operation)| finish(path, method, operation));
        }
    }
    document
}

/// Puts the words about a member that may be null beside its forms: they were in one of them.
fn hoist_words(schema: &mut Value) {
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        hoist_words(part);
    }
    let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for member in members.values_mut() {
        let forms = member.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten();
        let words = forms.filter_map(|form| form.as_object_mut()?.remove("description")).next();
        if let Some(words) = words {
            member["description"] = words;
        }
    }
}

/// Adds to an operation what holds for all: its error answers, and which token it wants.
fn finish(path: &str, method: &str, operation: &mut Value) {
    operation["responses"]["default"] = json!({ "$ref": "#/components/responses/Problem" });
    if operation.get("security").is_some() {
        operation["security"] = json!([]);
        return;
    }
    let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap_or_default();
    operation["security"] = match scopes::needed(&method, &format!("{PREFIX}{path}")) {
        Some(scope) => json!([{ "owner": [] }, { "app": [scope] }]),
        None => json!([{ "owner": [] }]),
    };
}

fn security_schemes() -> Value {
    let scopes: BTreeMap<&str, &str> = scope::explained().collect();
    json!({
        "owner": {
            "type": "http",
            "scheme": "bearer",
            "description": "The owner's own token, from the file `token` in the data folder or `xom token`.",
        },
        "app": {
            "type": "oauth2",
            "description": "A token of an app that the owner has let in.",
            "flows": { "authorizationCode": {
                "authorizationUrl": "/oauth/authorize",
                "tokenUrl": "/oauth/token",
                "scopes": scopes,
            } },
        },
    })
}

fn problem() -> Value {
    let members = [
        ("type", "string", "Which kind of error: an address on this node, the same on every node."),
        ("title", "string", "The status code in words."),
        ("status", "integer", "The status code."),
        ("detail", "string", "What went wrong, for people."),
        ("instance", "string", "The path that was asked for."),
        ("request_id", "string", "Names this answer in the log of the node."),
        ("error", "string", "The same as `detail`, as clients of Mastodon look for it."),
        ("error_description", "string", "More about it, where there is more to say."),
        ("retry_after", "integer", "After so many seconds it is worth trying again."),
        ("code", "string", "What exactly, for programs, where one kind has several causes."),
    ];
    let described =
        |(name, kind, text): (&str, &str, &str)| (name.to_owned(), json!({ "type": kind, "description": text }));
    json!({
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "required": ["type", "title", "status", "detail", "instance", "request_id", "error"],
        "properties": members.into_iter().map(described).collect::<Map<_, _>>(),
    })
}
