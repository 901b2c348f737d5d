//! `/api/v1/timelines/tag/:tag`: public posts with tags.

use axum::Json;
use axum::extract::Path;
use xom_node::model::TagFilter;

use super::public::scope;
use crate::api::entities::Status;
use crate::api::page;
use crate::http::link::{LinkHeader, Paging, STATUSES};
use crate::http::{ApiError, Call, Params};

/// Most further tags of each kind.
const TAGS_MAX: usize = 4;

/// A page of it.
pub async fn get(
    call: Call,
    Path(tag): Path<String>,
    params: Params,
) -> Result<(LinkHeader, Json<Vec<Status>>), ApiError> {
    let paging = Paging::read(&params, STATUSES)?;
    let tags = |name| {
        let tags = params.texts(name);
        tags.iter().take(TAGS_MAX).map(|tag| tag.trim_start_matches('#').to_owned()).collect::<Vec<_>>()
    };
    let mut any = vec![tag.trim_start_matches('#').to_owned()];
    any.extend(tags("any"));
    let filter = TagFilter { any, all: tags("all"), none: tags("none") };
    let (scope, only_media) = (scope(&params), params.flag("only_media").unwrap_or(false));
    let (viewer, page) = (call.viewer(), *paging.page());
    let found = call.node.read(move |reader| reader.tag(Some(&viewer), &filter, scope, only_media, &page)).await?;
    Ok(page::statuses(&call, &paging, found))
}
