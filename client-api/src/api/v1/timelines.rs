//! `/api/v1/timelines`: home, public, tags.

pub mod home;
pub mod link;
pub mod public;
pub mod tag;
