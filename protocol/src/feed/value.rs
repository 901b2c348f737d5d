//! Types and values of the feed language, and the bounds that are known of a value before it is there.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of an expression (`FEED-4`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// A whole number of 64 bits with a sign.
    Int,
    /// True or false.
    Bool,
    /// Unicode text.
    Text,
    /// A list of numbers.
    Ints,
    /// A list of texts.
    Texts,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Int => "int",
            Self::Bool => "bool",
            Self::Text => "string",
            Self::Ints => "list(int)",
            Self::Texts => "list(string)",
        })
    }
}

/// A type with the bounds by which costs are told (`FEED-11`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The type.
    pub of: Type,
    /// Most items of a list; 1 of anything else.
    pub items_max: u32,
    /// Most bytes of a text, or of each text of a list; 0 of anything else.
    pub bytes_max: u32,
}

impl Shape {
    /// Of a number.
    pub const INT: Self = Self { of: Type::Int, items_max: 1, bytes_max: 0 };
    /// Of a truth value.
    pub const BOOL: Self = Self { of: Type::Bool, items_max: 1, bytes_max: 0 };

    /// Of a text of at most so many bytes.
    pub const fn text(bytes_max: u32) -> Self {
        Self { of: Type::Text, items_max: 1, bytes_max }
    }

    /// Of a list of at most so many numbers.
    pub const fn ints(items_max: u32) -> Self {
        Self { of: Type::Ints, items_max, bytes_max: 0 }
    }

    /// Of a list of at most so many texts of at most so many bytes.
    pub const fn texts(items_max: u32, bytes_max: u32) -> Self {
        Self { of: Type::Texts, items_max, bytes_max }
    }

    /// The shape of what is one of two values of one type.
    pub(super) fn either(self, other: Self) -> Self {
        Self {
            of: self.of,
            items_max: self.items_max.max(other.items_max),
            bytes_max: self.bytes_max.max(other.bytes_max),
        }
    }

    /// True where the value has this type and these bounds.
    pub fn fits(&self, value: &Value) -> bool {
        let fits_text = |text: &str| text.len() <= self.bytes_max as usize;
        match (self.of, value) {
            (Type::Int, Value::Int(_)) | (Type::Bool, Value::Bool(_)) => true,
            (Type::Text, Value::Text(text)) => fits_text(text),
            (Type::Ints, Value::Ints(items)) => items.len() <= self.items_max as usize,
            (Type::Texts, Value::Texts(items)) => {
                items.len() <= self.items_max as usize && items.iter().all(|text| fits_text(text))
            }
            _ => false,
        }
    }
}

/// A value that a field or a literal has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Text(Box<str>),
    /// Numbers.
    Ints(Box<[i64]>),
    /// Texts.
    Texts(Box<[Box<str>]>),
}

impl Value {
    /// Its type.
    pub fn of(&self) -> Type {
        match self {
            Self::Int(_) => Type::Int,
            Self::Bool(_) => Type::Bool,
            Self::Text(_) => Type::Text,
            Self::Ints(_) => Type::Ints,
            Self::Texts(_) => Type::Texts,
        }
    }

    /// The narrowest shape that fits it.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Int(_) => Shape::INT,
            Self::Bool(_) => Shape::BOOL,
            Self::Text(text) => Shape::text(bound(text.len())),
            Self::Ints(items) => Shape::ints(bound(items.len())),
            Self::Texts(items) => {
                Shape::texts(bound(items.len()), bound(items.iter().map(|text| text.len()).max().unwrap_or(0)))
            }
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// A length as a bound; longer ones than it can say fit no scope.
fn bound(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
