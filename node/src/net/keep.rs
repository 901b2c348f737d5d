//! `/xom/keep/1`: the devices of an author ask who holds his logs, and whether he will be kept (`KEEP-5`). One
//! question and one answer a stream; what is kept is for the store to say.

mod answering;
mod asking;

pub(super) use answering::Answering;
pub(super) use asking::{Asking, Now};

use std::io;

use xom_protocol::Rule;
use xom_protocol::keep::KeepError;

use super::frame::FrameError;
use crate::error::StoreError;

/// Why a stream brought nothing.
#[derive(Debug, thiserror::Error)]
enum Failed {
    /// The stream or its frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// What the frame says.
    #[error(transparent)]
    Form(#[from] KeepError),
    /// The identity that came along.
    #[error("an identity that breaks {0}")]
    Identity(Rule),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream could not be opened.
    #[error("{0}")]
    Open(String),
}

impl Failed {
    fn rule(&self) -> Option<Rule> {
        match self {
            Self::Frame(e) => e.rule(),
            Self::Form(e) => Some(e.rule()),
            Self::Identity(rule) => Some(*rule),
            Self::Store(_) | Self::Open(_) => None,
        }
    }

    fn late() -> Self {
        FrameError::Io(io::ErrorKind::TimedOut.into()).into()
    }

    fn ended() -> Self {
        FrameError::Io(io::ErrorKind::UnexpectedEof.into()).into()
    }
}
