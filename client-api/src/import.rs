//! Import of what other networks give their users to take away.
//!
//! Reading an archive is apart from submitting it: the reader knows neither HTTP nor the node.

mod activity;
pub mod archive;
mod audience;
pub mod contents;
pub mod html_text;
mod media;
mod outbox;
mod poll;
pub mod submit;

#[cfg(test)]
mod sample;
