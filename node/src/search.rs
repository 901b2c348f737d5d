//! Searching: what words are, what a person asks for, and whether a text answers it. Pure: the tables are in
//! [`crate::views`], the reading of them in [`crate::reader`].

mod query;
pub(crate) mod words;

pub(crate) use query::texts;
pub use query::{AuthorNamed, SearchQuery};
