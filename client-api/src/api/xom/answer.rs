//! Answers that several routes share.

use serde::Serialize;
use utoipa::ToSchema;

/// An object without members: it is done, and there is nothing to say.
#[derive(Serialize, ToSchema)]
pub struct Nothing {}

/// Whom it was about.
#[derive(Serialize, ToSchema)]
pub struct About {
    /// The DID.
    pub(super) did: String,
}
