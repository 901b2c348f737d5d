//! `/api/v1/trends/{tags,links,statuses}`: what is much used at present among what this node holds, by the formula of
//! decision 0074.

use axum::Json;
use serde::Serialize;
use xom_node::private::TAG;
use xom_node::{TrendingDay, Trends};

use crate::api::entities::tag::{History, history};
use crate::api::entities::{Status, Tag};
use crate::api::v2::search::Part;
use crate::http::link::{PageSize, STATUSES};
use crate::http::{ApiError, Call, Params};

/// Tags and links.
const TRENDS: PageSize = PageSize { default: 10, max: 20 };

/// A web address that is much named. Nothing is fetched from it, so that nothing is known but its name.
#[derive(Debug, Clone, Serialize)]
pub struct TrendsLink {
    url: String,
    title: String,
    description: &'static str,
    r#type: &'static str,
    author_name: &'static str,
    author_url: &'static str,
    authors: [(); 0],
    provider_name: String,
    provider_url: &'static str,
    html: &'static str,
    width: u64,
    height: u64,
    image: Option<String>,
    image_description: &'static str,
    embed_url: &'static str,
    blurhash: Option<String>,
    published_at: Option<String>,
    history: Vec<History>,
}

/// Tags.
pub async fn tags(call: Call, params: Params) -> Result<Json<Vec<Tag>>, ApiError> {
    let part = Part::read(&params, TRENDS)?;
    let viewer = call.viewer();
    let read = call.node.read(move |reader| {
        let mut found = Vec::new();
        for tag in part.of(reader.trends(&viewer)?.tags) {
            let followed = reader.setting(&viewer, &format!("{TAG}{}", tag.name))?.is_some();
            found.push((tag, followed));
        }
        Ok(found)
    });
    let shown = read
        .await?
        .into_iter()
        .map(|(tag, followed)| Tag::new(&call.base, &tag.name).followed(followed).with_history(history(&tag.days)));
    Ok(Json(shown.collect()))
}

/// Web addresses.
pub async fn links(call: Call, params: Params) -> Result<Json<Vec<TrendsLink>>, ApiError> {
    let part = Part::read(&params, TRENDS)?;
    Ok(Json(
        part.of(trends(&call).await?.links).into_iter().map(|link| TrendsLink::new(link.url, &link.days)).collect(),
    ))
}

/// Posts.
pub async fn statuses(call: Call, params: Params) -> Result<Json<Vec<Status>>, ApiError> {
    let part = Part::read(&params, STATUSES)?;
    let found = part.of(trends(&call).await?.statuses);
    Ok(Json(crate::api::entities::status::statuses(&call.base, &found)))
}

async fn trends(call: &Call) -> Result<Trends, ApiError> {
    let viewer = call.viewer();
    Ok(call.node.read(move |reader| reader.trends(&viewer)).await?)
}

impl TrendsLink {
    fn new(url: String, days: &[TrendingDay]) -> Self {
        let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let host = host.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
        Self {
            title: url.clone(),
            url,
            description: "",
            r#type: "link",
            author_name: "",
            author_url: "",
            authors: [],
            provider_name: host,
            provider_url: "",
            html: "",
            width: 0,
            height: 0,
            image: None,
            image_description: "",
            embed_url: "",
            blurhash: None,
            published_at: None,
            history: history(days),
        }
    }
}
