//! `/health`: the node serves.

use std::future::{Ready, ready};

/// 200 as soon as anything is served at all.
pub fn get() -> Ready<&'static str> {
    ready("ok\n")
}
