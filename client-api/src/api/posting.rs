//! From a request to the command that publishes it.

use xom_node::Handle;
use xom_node::command::Command;
use xom_node::model::{Status, StatusContent, StatusId};
use xom_protocol::Did;

use super::compose;
use crate::http::form::parse_id;
use crate::http::{ApiError, Params};

/// What publishes a post as a client asks for it.
pub async fn command(node: &Handle, did: Did, params: &Params) -> Result<Command, ApiError> {
    let reply_to = post_named(node, did, params.id("in_reply_to_id")?).await?;
    let quoted = params.text("quoted_status_id").or_else(|| params.text("quote_id"));
    let quoted = quoted.map(|id| parse_id(&id).ok_or_else(ApiError::not_found)).transpose()?;
    let quote_of = post_named(node, did, quoted).await?;
    let post = compose::post(node, did, params, None).await?;
    Ok(Command::Post { post: Box::new(post), reply_to, quote_of })
}

/// The post of an id, of a repost what it passes on; an id that names none is a 404.
async fn post_named(node: &Handle, did: Did, id: Option<u64>) -> Result<Option<StatusId>, ApiError> {
    let Some(id) = id.map(StatusId) else { return Ok(None) };
    let found = node.read(move |reader| reader.status(Some(&did), id)).await?;
    match found.ok_or_else(ApiError::not_found)? {
        Status { content: StatusContent::Repost(reposted), .. } => Ok(Some(reposted.id)),
        status => Ok(Some(status.id)),
    }
}
