//! Boost, like and erase, each by a form of one button.

use axum::response::Redirect;
use xom_node::command::Command;
use xom_node::model::StatusId;

use super::fault::Fault;
use super::visitor::{Form, Id};
use crate::http::{ApiError, Params};

/// Does what the pressed button says.
pub(super) async fn act(Id(id): Id, form: Form) -> Result<Redirect, Fault> {
    let status = StatusId(id);
    let command = match form.params.text("do").as_deref() {
        Some("boost") => Command::Repost(status),
        Some("unboost") => Command::Unrepost(status),
        Some("like") => Command::Favourite(status),
        Some("unlike") => Command::Unfavourite(status),
        Some("erase") => Command::Erase { status, now: None },
        _ => return Err(ApiError::invalid("no such action").into()),
    };
    let erased = matches!(command, Command::Erase { .. });
    form.visitor.node.command(form.visitor.did, command).await?;
    // What became of the copies is asked for nowhere else once the post is gone.
    Ok(if erased { Redirect::to(&format!("/statuses/{id}/copies")) } else { Redirect::to(&back(&form.params)) })
}

/// Where a form leads back to: a path of this page, or home.
pub(super) fn back(params: &Params) -> String {
    params.text("back").filter(|path| is_local(path)).unwrap_or_else(|| "/".to_owned())
}

/// True for a path on this server; `//host` and `/\host` lead elsewhere.
fn is_local(path: &str) -> bool {
    let visible = path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    visible && path.starts_with('/') && !path.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_our_own_pages_only() {
        for path in ["/", "/?max_id=5#s7", "/statuses/1"] {
            assert!(is_local(path), "{path}");
        }
        for path in ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\r\nX: y", "/ a"] {
            assert!(!is_local(path), "{path}");
        }
    }
}
