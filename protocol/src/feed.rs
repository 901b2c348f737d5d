//! Published feeds: the language that scores and filters are written in (`FEED-1` to `FEED-12`), the documents that
//! publish them, and the order that comes of them (`ALG-1` to `ALG-12`).
//!
//! The language is a profile of CEL, the Common Expression Language: what is written here means the same there, and
//! what could grow, loop or differ between machines is left out. Pure: rows of values come in, an order that explains
//! itself goes out.

mod algorithm;
mod author;
mod builtin;
mod compiler;
mod document;
mod error;
mod features;
mod function;
mod lexer;
mod number;
mod program;
mod ranking;
mod scope;
mod value;

pub use algorithm::{Algorithm, AlgorithmError, Judgement, ParameterError, Parameters, Unusable};
pub use author::AuthorError;
pub use builtin::{BUILTINS, Builtin};
pub use document::{
    Cap, CapBy, Case, Clause, DOCUMENT_VERSION, Document, Expected, From, Mix, Param, Source, Term, Texts,
};
pub use error::{RunError, SourceError};
pub use features::{FEATURES, FEATURES_VERSION, Feature};
pub use program::Program;
pub use ranking::{Bucket, Candidate, KeptOut, Moved, Ranked, Ranking, Reason};
pub use scope::{Field, Scope};
pub use value::{Shape, Type, Value};
