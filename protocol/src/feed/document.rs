//! Rule documents: an algorithm as it is published, named by the hash of its bytes (`ALG-1`).
//!
//! Here is the form alone. Whether a document holds together is checked by [`super::Algorithm`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::value::Value;
use crate::encoding::{self, EncodingError};
use crate::ids::AlgorithmId;
use crate::limits::ALGORITHM_BYTES_MAX;

/// The version of the form (`ALG-1`).
pub const DOCUMENT_VERSION: u32 = 1;

/// The same text in several languages, by language tag (`ALG-2`).
pub type Texts = BTreeMap<String, String>;

/// A rule document. Members that this version does not know are refused: they could mean anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Always [`DOCUMENT_VERSION`].
    pub version: u32,
    /// The version of the feature table.
    pub features: u32,
    /// What it is called.
    pub name: Texts,
    /// What it does, in plain words.
    pub summary: Texts,
    /// Where its posts come from.
    pub sources: Vec<Source>,
    /// The features that it reads, in the order of the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// What the reader may tune.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Param>,
    /// What a post must be to be shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Clause>,
    /// What its score is the sum of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<Term>,
    /// How many posts of one author or thread may stand together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caps: Vec<Cap>,
    /// How many posts of a source must stand among others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mixes: Vec<Mix>,
    /// Rows with what comes of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Case>,
    /// The licence of the document, as an SPDX expression.
    pub licence: String,
    /// What is new since the version before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: Texts,
    /// The version before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<AlgorithmId>,
}

/// Where posts come from (`ALG-3`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Which kind of source.
    pub from: From,
    /// The tag, in lower case, of a source that is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// How far back it reaches.
    pub hours: u32,
}

/// Kinds of sources (`ALG-3`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum From {
    /// Posts of those whom the reader follows, and what they pass on.
    Follows,
    /// Posts of those whom somebody follows whom the reader follows.
    FriendsOfFriends,
    /// Posts that answer the reader.
    RepliesToMe,
    /// Posts with a tag that the reader follows.
    FollowedTags,
    /// Posts with the tag that is named.
    Tag,
    /// Posts of those on a list that the reader names.
    List,
    /// Posts of a community.
    Community,
}

/// A number that the reader may tune (`ALG-2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Its name in expressions: `param.` and this.
    pub id: String,
    /// What it does.
    pub label: Texts,
    /// The least value.
    pub min: i64,
    /// The greatest value.
    pub max: i64,
    /// The value as long as the reader sets none.
    pub default: i64,
}

/// A condition that a post must meet (`ALG-5`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Its name.
    pub id: String,
    /// What it keeps.
    pub label: Texts,
    /// A truth value: true keeps the post.
    pub keep: String,
}

/// A part of the score (`ALG-5`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Its name.
    pub id: String,
    /// Why a post has it.
    pub label: Texts,
    /// A number.
    pub value: String,
}

/// What a cap counts by (`ALG-9`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapBy {
    /// Posts of one author.
    Author,
    /// Posts of one thread.
    Thread,
}

/// At most `max` of `of` posts in a row by one author or of one thread (`ALG-9`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// What is counted.
    pub by: CapBy,
    /// Most posts.
    pub max: u32,
    /// Posts in a row.
    pub of: u32,
}

/// At least `min` of each `of` posts from one source, as long as it has any (`ALG-9`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// The place of the source among the sources.
    pub source: u32,
    /// Fewest posts.
    pub min: u32,
    /// Posts in a block.
    pub of: u32,
}

/// A row with what must come of it (`ALG-6`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Features by record and name; those that are not named are 0, false or empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub row: BTreeMap<String, BTreeMap<String, Value>>,
    /// Parameters that are not at their default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, i64>,
    /// The clause that withholds it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
    /// The value of each term that is not 0, or the name of its error.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub terms: BTreeMap<String, Expected>,
    /// The sum.
    pub score: i64,
}

/// What a term must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Expected {
    /// A number.
    Number(i64),
    /// An error, by its name.
    Error(String),
}

impl Document {
    /// Reads the one form of a document. What it says is not checked.
    pub fn decode(bytes: &[u8]) -> Result<Self, EncodingError> {
        let document: Self = encoding::decode(bytes, ALGORITHM_BYTES_MAX)?;
        if document.encode() == bytes {
            Ok(document)
        } else {
            Err(EncodingError::Shape("a member that says nothing".to_owned()))
        }
    }

    /// The bytes, which are the same for the same rules.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// The id.
    pub fn id(&self) -> AlgorithmId {
        AlgorithmId::of(&self.encode())
    }
}
