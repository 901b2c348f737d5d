//! The client API, the page and the command line of a xom node.
//!
//! Knows HTTP, JSON and HTML; it must never know tables or swarms, which are the node's.

pub mod api;
mod archive_page;
pub mod cli;
pub mod demo;
pub mod doctor;
pub mod http;
pub mod import;
pub mod oauth;
pub mod outgoing;
pub mod people;
pub mod push;
pub mod run;
pub mod settings;
pub mod tls;
pub mod web;
