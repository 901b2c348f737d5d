//! The format in which people write algorithms: TOML, with comments, compiled to a rule document.
//!
//! What a machine can say, it says: the versions, and which features are read.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::algorithm::{Algorithm, AlgorithmError};
use super::document::{Cap, Case, Clause, DOCUMENT_VERSION, Document, Mix, Param, Source, Term, Texts};
use super::features::{FEATURES, FEATURES_VERSION};
use super::program::Program;
use super::scope::Scope;
use super::value::Shape;
use crate::ids::AlgorithmId;
use crate::limits::{ALGORITHM_PARAMS_MAX, ALGORITHM_SOURCE_BYTES_MAX};

/// Why a file is no algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorError {
    /// Longer than any such file may be.
    #[error("{bytes} bytes, at most {ALGORITHM_SOURCE_BYTES_MAX} are allowed")]
    TooLong {
        /// Bytes of the file.
        bytes: usize,
    },
    /// Not TOML, or a member that is missing, unknown or of another type.
    #[error("{0}")]
    Toml(String),
    /// What it says does not hold together.
    #[error(transparent)]
    Algorithm(#[from] AlgorithmError),
}

/// What an author writes: a document without what follows from the rest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    name: Texts,
    summary: Texts,
    sources: Vec<Source>,
    #[serde(default)]
    params: Vec<Param>,
    #[serde(default)]
    filters: Vec<Clause>,
    #[serde(default)]
    terms: Vec<Term>,
    #[serde(default)]
    caps: Vec<Cap>,
    #[serde(default)]
    mixes: Vec<Mix>,
    #[serde(default)]
    cases: Vec<Case>,
    licence: String,
    #[serde(default)]
    changes: Texts,
    previous: Option<AlgorithmId>,
}

impl Algorithm {
    /// Compiles and checks what an author wrote.
    pub fn from_toml(text: &str) -> Result<Self, AuthorError> {
        if text.len() > ALGORITHM_SOURCE_BYTES_MAX {
            return Err(AuthorError::TooLong { bytes: text.len() });
        }
        let draft: Draft = toml::from_str(text).map_err(|error| AuthorError::Toml(error.to_string()))?;
        Ok(Self::check(draft.document())?)
    }
}

impl Draft {
    fn document(self) -> Document {
        Document {
            version: DOCUMENT_VERSION,
            features: FEATURES_VERSION,
            reads: self.reads(),
            name: self.name,
            summary: self.summary,
            sources: self.sources,
            params: self.params,
            filters: self.filters,
            terms: self.terms,
            caps: self.caps,
            mixes: self.mixes,
            cases: self.cases.into_iter().map(without_nothing).collect(),
            licence: self.licence,
            changes: self.changes,
            previous: self.previous,
        }
    }

    /// The features that its expressions read. What is no expression reads nothing, and is refused later.
    fn reads(&self) -> Vec<String> {
        let scope = FEATURES
            .iter()
            .fold(Scope::new(), |scope, feature| scope.with(feature.record, feature.name, feature.shape));
        let params = self.params.iter().take(ALGORITHM_PARAMS_MAX);
        let scope = params.fold(scope, |scope, param| scope.with("param", &param.id, Shape::INT));
        let sources = self.filters.iter().map(|clause| &clause.keep).chain(self.terms.iter().map(|term| &term.value));
        let programs = sources.filter_map(|source| Program::compile(source, &scope).ok());
        let read: BTreeSet<usize> = programs.flat_map(|program| program.reads().to_vec()).map(usize::from).collect();
        let features = FEATURES.iter().enumerate().filter(|(place, _)| read.contains(place));
        features.map(|(_, feature)| feature.path()).collect()
    }
}

/// A test case in its one form: without values that are the same as none.
fn without_nothing(mut case: Case) -> Case {
    use super::value::Value;
    let says_nothing = |value: &Value| match value {
        Value::Int(number) => *number == 0,
        Value::Bool(truth) => !truth,
        Value::Text(text) => text.is_empty(),
        Value::Ints(items) => items.is_empty(),
        Value::Texts(items) => items.is_empty(),
    };
    for fields in case.row.values_mut() {
        fields.retain(|_, value| !says_nothing(value));
    }
    case.row.retain(|_, fields: &mut BTreeMap<_, _>| !fields.is_empty());
    case
}
