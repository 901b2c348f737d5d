//! `/api/xom/v1/import`: posts that were published elsewhere, taken over with their time and address.

pub mod known;
pub mod posts;
