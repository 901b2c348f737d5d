//! `/.well-known`: where `NodeInfo` is, and who has a page here.

use std::future::{Ready, ready};

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::http::call::Anonymous;
use crate::http::{ApiError, App, Base, Params};

/// The one link to `NodeInfo` 2.0.
pub fn nodeinfo(Anonymous(base): Anonymous) -> Ready<Json<Value>> {
    let rel = "http://nodeinfo.diaspora.software/ns/schema/2.0";
    ready(Json(json!({"links": [{"rel": rel, "href": base.url("/nodeinfo/2.0")}]})))
}

/// `host-meta` (RFC 6415): where `WebFinger` is.
pub fn host_meta(Anonymous(base): Anonymous) -> Ready<Response> {
    let template = base.url("/.well-known/webfinger?resource={uri}");
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\n  \
         <Link rel=\"lrdd\" template=\"{template}\"/>\n</XRD>\n"
    );
    ready(([(header::CONTENT_TYPE, "application/xrd+xml; charset=utf-8")], text).into_response())
}

/// `webfinger` (RFC 7033): the page of an identity of this node, named as `acct:lan@home.example` or by its page.
///
/// It says where somebody is, not who: what proves an identity is its DID.
pub async fn webfinger(
    State(app): State<App>,
    Anonymous(base): Anonymous,
    params: Params,
) -> Result<Response, ApiError> {
    let resource = params.text("resource").ok_or_else(|| ApiError::invalid("resource is missing"))?;
    let username = username(&base, &resource).ok_or_else(ApiError::not_found)?;
    let identity = app.identity(Some(username)).await?.ok_or_else(ApiError::not_found)?;
    let page = base.account(&identity.username);
    let found = json!({
        "subject": format!("acct:{}@{}", identity.username, base.authority()),
        "aliases": [page, identity.did.to_string()],
        "links": [{ "rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": page }],
    });
    Ok(([(header::CONTENT_TYPE, "application/jrd+json; charset=utf-8")], found.to_string()).into_response())
}

/// The user name in a resource, if it is one of this server.
fn username<'r>(base: &Base, resource: &'r str) -> Option<&'r str> {
    if let Some(page) = resource.strip_prefix(base.as_str()) {
        return page.strip_prefix("/@");
    }
    let (name, host) = resource.strip_prefix("acct:").unwrap_or(resource).rsplit_once('@')?;
    let is_here = host.eq_ignore_ascii_case(base.authority()) || host.eq_ignore_ascii_case(base.domain());
    is_here.then(|| name.trim_start_matches('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_of_this_server_names_a_user_and_one_of_another_does_not() {
        let base = Base::new("https", "home.example:7443");
        for resource in [
            "acct:lan@home.example:7443",
            "acct:lan@HOME.example",
            "lan@home.example",
            "@lan@home.example",
            "https://home.example:7443/@lan",
        ] {
            assert_eq!(username(&base, resource), Some("lan"), "{resource}");
        }
        for resource in
            ["acct:lan@evil.example", "lan", "https://evil.example/@lan", "https://home.example:7443/lan", ""]
        {
            assert_eq!(username(&base, resource), None, "{resource}");
        }
    }
}
