//! `/api/v1/domain_blocks`: hosts of which the caller wants to see nobody. In xom a host is that of one identity, such
//! as `<short DID>.xom`.

use axum::Json;
use serde_json::{Value, json};
use xom_node::private::{DOMAIN, cursor_of};

use crate::api::private;
use crate::http::link::{LinkHeader, PageSize, Paging};
use crate::http::{ApiError, Call, Params};

const DOMAINS: PageSize = PageSize { default: 100, max: 200 };
/// Longest name, bytes.
const DOMAIN_BYTES_MAX: usize = 100;

/// The hosts, newest first.
pub async fn list(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<String>>), ApiError> {
    let paging = Paging::read(&params, DOMAINS)?;
    let (viewer, page) = (call.viewer(), *paging.page());
    let settings = call.node.read(move |reader| reader.settings(&viewer, DOMAIN)).await?;
    let named = |(key, value): (String, Vec<u8>)| Some((cursor_of(&value)?, key.strip_prefix(DOMAIN)?.to_owned()));
    let mut found = private::page_of(settings.into_iter().filter_map(named).collect(), &page);
    let link = paging.finish(&mut found, &call.base, &call.uri, |(cursor, _)| *cursor);
    Ok((link, Json(found.into_iter().map(|(_, domain)| domain).collect())))
}

/// Shows nobody of a host.
pub async fn post(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    private::add(&call, key(&params)?).await?;
    Ok(Json(json!({})))
}

/// Shows them again.
pub async fn delete(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    private::remove(&call, [key(&params)?]).await?;
    Ok(Json(json!({})))
}

fn key(params: &Params) -> Result<String, ApiError> {
    let domain = params.text("domain").unwrap_or_default().trim().to_ascii_lowercase();
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':');
    if domain.is_empty() || domain.len() > DOMAIN_BYTES_MAX || !domain.bytes().all(fits) {
        return Err(ApiError::invalid("Domain is not a valid domain name"));
    }
    Ok(format!("{DOMAIN}{domain}"))
}
