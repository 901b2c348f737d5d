//! What `xom doctor` looks at, and what it says of it: each check with what was found and what to do.
//!
//! It only looks; it mends nothing. A check is a function from what is known to a [`Check`], so that one more is one
//! more line in a list.

pub mod folder;
pub mod ports;
pub mod running;

use serde_json::{Value, json};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Ok,
    /// Could not be looked at.
    Unknown,
    /// Works, and will not for ever, or not as well as it could.
    Warn,
    /// Does not work.
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at, one word.
    pub name: &'static str,
    /// How it came out.
    pub state: State,
    /// What was found, a sentence without a full stop.
    pub found: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl State {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl Check {
    /// As it should be.
    pub fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Ok, found: found.into(), advice: None }
    }

    /// Could not be looked at.
    pub fn unknown(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Unknown, found: found.into(), advice: None }
    }

    /// Could be better.
    pub fn warn(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, state: State::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    /// Does not work.
    pub fn fail(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, state: State::Fail, found: found.into(), advice: Some(advice.into()) }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({ "check": self.name, "state": self.state.name(), "found": self.found, "advice": self.advice })
    }
}
