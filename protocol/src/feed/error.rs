//! What is wrong with a source, and what can go wrong when a program runs.

use super::value::Type;
use crate::limits::{FEED_COST_MAX, FEED_DEPTH_MAX, FEED_NODES_MAX, FEED_SOURCE_BYTES_MAX};
use crate::rule::Rule;

/// A source that is no expression of the language. Places are offsets in bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Longer than any source may be (`FEED-1`).
    #[error("{bytes} bytes, at most {FEED_SOURCE_BYTES_MAX} are allowed")]
    TooLong {
        /// Bytes of the source.
        bytes: usize,
    },
    /// More literals, fields, operators and calls than allowed (`FEED-1`).
    #[error("more than {FEED_NODES_MAX} literals, fields, operators and calls at byte {at}")]
    TooManyNodes {
        /// Where the first one too many is.
        at: usize,
    },
    /// Expressions inside one another beyond the limit (`FEED-1`).
    #[error("more than {FEED_DEPTH_MAX} expressions inside one another at byte {at}")]
    TooDeep {
        /// Where the innermost one begins.
        at: usize,
    },
    /// No token of the language (`FEED-2`).
    #[error("{what} at byte {at}")]
    Token {
        /// Where it begins.
        at: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A token that can't stand here (`FEED-3`).
    #[error("expected {wanted} at byte {at}")]
    Unexpected {
        /// Where it stands.
        at: usize,
        /// What could stand here.
        wanted: &'static str,
    },
    /// A field that is not there to be read (`FEED-4`).
    #[error("{name} at byte {at} is not there to be read")]
    UnknownField {
        /// Where it stands.
        at: usize,
        /// Record and field, such as `post.age`.
        name: String,
    },
    /// A value of another type than is needed (`FEED-4`).
    #[error("expected {wanted} and found {found} at byte {at}")]
    WrongType {
        /// Where the operator, call or expression is.
        at: usize,
        /// What is needed.
        wanted: &'static str,
        /// What is there.
        found: Type,
    },
    /// A function that the language does not have, or other arguments than it takes (`FEED-8`).
    #[error("no function {name} with these arguments at byte {at}")]
    NoFunction {
        /// Where its name stands.
        at: usize,
        /// The name.
        name: String,
    },
    /// A run could cost more than allowed (`FEED-11`).
    #[error("costs up to {cost}, at most {FEED_COST_MAX} are allowed")]
    TooCostly {
        /// The bound of its cost.
        cost: u64,
    },
}

impl SourceError {
    /// The rule that the source breaks.
    pub fn rule(&self) -> Rule {
        Rule(match self {
            Self::TooLong { .. } | Self::TooManyNodes { .. } | Self::TooDeep { .. } => "FEED-1",
            Self::Token { .. } => "FEED-2",
            Self::Unexpected { .. } => "FEED-3",
            Self::UnknownField { .. } | Self::WrongType { .. } => "FEED-4",
            Self::NoFunction { .. } => "FEED-8",
            Self::TooCostly { .. } => "FEED-11",
        })
    }
}

/// What a run ends with where it has no value (`FEED-5`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum RunError {
    /// A number outside of 64 bits.
    #[error("overflow")]
    Overflow,
    /// Division by zero, or the rest of one.
    #[error("division by zero")]
    DivisionByZero,
    /// An argument for which a function has no value (`FEED-8`).
    #[error("out of domain")]
    OutOfDomain,
    /// A row that does not fit the scope of the program (`FEED-4`).
    #[error("unfit row")]
    UnfitRow,
}
