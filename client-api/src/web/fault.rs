//! What could not be done, as a page.

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use xom_node::{CommandError, StoreError};

use super::{layout, texts};
use crate::http::error::plain_refusal;
use crate::http::{ApiError, ErrorKind};

/// An error of the page.
pub(super) struct Fault(ApiError);

/// What a handler of the page answers.
pub(super) type Page = Result<Markup, Fault>;

impl Fault {
    /// What the role of somebody who came in by a password does not reach.
    pub(super) fn owners() -> Self {
        Self(ApiError::with_text(ErrorKind::Forbidden, texts::OWNERS))
    }
}

impl<E: Into<ApiError>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let text = match self.0.kind() {
            ErrorKind::NotFound => texts::NOT_FOUND,
            // Without a reason of its own it was the form.
            ErrorKind::Forbidden if self.0.text() == ErrorKind::Forbidden.meaning() => texts::FORBIDDEN,
            _ => self.0.text(),
        };
        let body = html! {
            section.card.notice {
                h1 { (texts::FAULT) }
                p { (text) }
                @if self.0.kind() == ErrorKind::Locked && !self.0.is("no-device-key") { p { a href="/unlock" { (texts::UNLOCK) } } }
                p { a href="/" { (texts::BACK_HOME) } }
            }
        };
        (self.0.kind().status(), layout::bare(texts::FAULT, &body)).into_response()
    }
}

/// Gives what the framework has refused the shape of every other error of the page.
pub(super) fn shaped(answer: Response) -> Response {
    match plain_refusal(&answer) {
        Some(kind) => Fault::from(kind).into_response(),
        None => answer,
    }
}

/// Makes sure that the conversions that handlers rely on exist.
const _: fn(StoreError) -> Fault = Fault::from;
const _: fn(CommandError) -> Fault = Fault::from;
