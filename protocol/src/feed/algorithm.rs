//! An algorithm that was checked: what its document says holds together, and its test cases come out as they should.

mod check;

use std::collections::BTreeMap;

use super::document::{Document, From, Source};
use super::error::{RunError, SourceError};
use super::features::Feature;
use super::program::Program;
use super::value::{Shape, Type, Value};
use crate::encoding::EncodingError;
use crate::ids::AlgorithmId;
use crate::rule::Rule;

/// A checked algorithm. Only [`Algorithm::check`] and [`Algorithm::decode`] make one, so holding it is the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Algorithm {
    id: AlgorithmId,
    document: Document,
    reads: Vec<&'static Feature>,
    filters: Vec<Program>,
    terms: Vec<Program>,
    cost: u64,
}

/// Why a document is no algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlgorithmError {
    /// Not the bytes of a document (`ALG-1`).
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// More bytes than allowed, or of another version (`ALG-1`).
    #[error("{0}")]
    Form(&'static str),
    /// A member outside of its bounds.
    #[error("{member}: {what}")]
    Member {
        /// Which one.
        member: String,
        /// What is wrong.
        what: &'static str,
        /// The rule.
        rule: Rule,
    },
    /// An expression that is none (`ALG-5`).
    #[error("{member}: {error}")]
    Source {
        /// The filter or term.
        member: String,
        /// What is wrong.
        error: SourceError,
    },
    /// A feature that is read and not declared (`ALG-4`).
    #[error("{member} reads {feature}, which is not among what the algorithm says that it reads")]
    Undeclared {
        /// The filter or term.
        member: String,
        /// The feature.
        feature: String,
    },
    /// A feature that is declared and not read (`ALG-4`).
    #[error("says that it reads {feature} and does not")]
    Unread {
        /// The feature.
        feature: String,
    },
    /// All expressions together cost more than allowed (`ALG-5`).
    #[error(
        "filters and terms cost up to {cost} for each post, at most {} are allowed",
        crate::limits::ALGORITHM_COST_MAX
    )]
    TooCostly {
        /// The sum.
        cost: u64,
    },
    /// A test case that comes out otherwise (`ALG-6`).
    #[error("test case {case:?}: {what} is {found} and should be {wanted}")]
    Case {
        /// Its name.
        case: String,
        /// What differs.
        what: String,
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
}

impl AlgorithmError {
    /// The rule that is broken.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Encoding(EncodingError::Shape(_)) | Self::Form(_) => Rule("ALG-1"),
            Self::Encoding(error) => error.rule(),
            Self::Member { rule, .. } => *rule,
            Self::Source { .. } | Self::TooCostly { .. } => Rule("ALG-5"),
            Self::Undeclared { .. } | Self::Unread { .. } => Rule("ALG-4"),
            Self::Case { .. } => Rule("ALG-6"),
        }
    }
}

/// Why an algorithm can't be used on this version, though it is one (`ALG-3`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It draws from a community, and there are none yet.
    #[error("it draws from a community, and this version knows none")]
    Community,
}

/// Values for all parameters of one algorithm, within their bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters(Vec<Value>);

/// A parameter that can't be set so (`ALG-2`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// There is none of that name.
    #[error("no parameter {0}")]
    Unknown(String),
    /// Outside of its bounds.
    #[error("{id} is from {min} to {max}")]
    OutOfBounds {
        /// Which.
        id: String,
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
}

/// What an algorithm makes of one post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The first clause that does not keep it, by its place.
    pub withheld: Option<usize>,
    /// Clauses that have an error, and so keep it, by their places.
    pub broken: Vec<(usize, RunError)>,
    /// The value of each term; none of a post that is withheld.
    pub terms: Vec<Result<i64, RunError>>,
    /// The sum, in which an error counts 0.
    pub score: i64,
}

impl Algorithm {
    /// Checks a document: every member, every expression, every test case.
    pub fn check(document: Document) -> Result<Self, AlgorithmError> {
        check::check(document)
    }

    /// Reads and checks a document.
    pub fn decode(bytes: &[u8]) -> Result<Self, AlgorithmError> {
        Self::check(Document::decode(bytes)?)
    }

    /// The id of the document.
    pub fn id(&self) -> AlgorithmId {
        self.id
    }

    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The features that it reads, in the order of a row.
    pub fn reads(&self) -> &[&'static Feature] {
        &self.reads
    }

    /// The most that one post can cost (`ALG-5`).
    pub fn cost(&self) -> u64 {
        self.cost
    }

    /// True where its order depends on what only the reader's own nodes know.
    pub fn is_private(&self) -> bool {
        self.reads.iter().any(|feature| feature.is_private)
            || self.document.sources.iter().any(|source| matches!(source.from, From::FollowedTags | From::List))
    }

    /// Whether this version has all that it draws from.
    pub fn usable(&self) -> Result<(), Unusable> {
        let is_community = |source: &Source| source.from == From::Community;
        if self.document.sources.iter().any(is_community) { Err(Unusable::Community) } else { Ok(()) }
    }

    /// The parameters with what the reader has set; the others have their defaults (`ALG-2`).
    pub fn parameters(&self, set: &BTreeMap<String, i64>) -> Result<Parameters, ParameterError> {
        let known = |id: &String| self.document.params.iter().any(|param| param.id == *id);
        if let Some(unknown) = set.keys().find(|id| !known(id)) {
            return Err(ParameterError::Unknown(unknown.clone()));
        }
        let value = |param: &super::Param| {
            let value = set.get(&param.id).copied().unwrap_or(param.default);
            if (param.min..=param.max).contains(&value) {
                Ok(Value::Int(value))
            } else {
                Err(ParameterError::OutOfBounds { id: param.id.clone(), min: param.min, max: param.max })
            }
        };
        self.document.params.iter().map(value).collect::<Result<_, _>>().map(Parameters)
    }

    /// The row of a post: its features in the order of [`Algorithm::reads`], then the parameters. A feature that is not
    /// given, or does not fit, is 0, false or empty.
    pub fn row(&self, feature: impl Fn(&Feature) -> Option<Value>, parameters: &Parameters) -> Vec<Value> {
        let value = |read: &&'static Feature| {
            feature(read).filter(|value| read.shape.fits(value)).unwrap_or_else(|| nothing(read.shape))
        };
        self.reads.iter().map(value).chain(parameters.0.iter().cloned()).collect()
    }

    /// Filters and scores one post (`ALG-5`).
    pub fn judge(&self, row: &[Value]) -> Judgement {
        let mut judgement = Judgement { withheld: None, broken: Vec::new(), terms: Vec::new(), score: 0 };
        for (place, filter) in self.filters.iter().enumerate() {
            match filter.number(row) {
                Ok(0) => return Judgement { withheld: Some(place), ..judgement },
                Ok(_) => {}
                Err(error) => judgement.broken.push((place, error)),
            }
        }
        judgement.terms = self.terms.iter().map(|term| term.number(row)).collect();
        let sum: i128 = judgement.terms.iter().map(|term| term.map_or(0, i128::from)).sum();
        let bounded = sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        judgement.score = i64::try_from(bounded).expect("within bounds");
        judgement
    }
}

/// The value of a feature that says nothing.
fn nothing(shape: Shape) -> Value {
    match shape.of {
        Type::Int => Value::Int(0),
        Type::Bool => Value::Bool(false),
        Type::Text => Value::Text("".into()),
        Type::Ints => Value::Ints([].into()),
        Type::Texts => Value::Texts([].into()),
    }
}
