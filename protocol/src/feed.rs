//! Published feeds: the language that scores and filters are written in (`FEED-1` to `FEED-12`).
//!
//! A profile of CEL, the Common Expression Language: what is written here means the same there, and what could grow,
//! loop or differ between machines is left out. Pure: a row of values comes in, a value or an error goes out.

mod compiler;
mod error;
mod function;
mod lexer;
mod number;
mod program;
mod scope;
mod value;

pub use error::{RunError, SourceError};
pub use program::Program;
pub use scope::{Field, Scope};
pub use value::{Shape, Type, Value};
