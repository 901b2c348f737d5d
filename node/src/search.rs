//! Searching: what words are, what a person asks for, and whether a text answers it. Pure: the tables are those of the
//! views, and the reader reads them.

mod query;
pub(crate) mod words;

pub(crate) use query::texts;
pub use query::{AuthorNamed, SearchQuery};
