//! Tests of the HTTP server as a whole, on a real node without peers: routes through the router, guards over real
//! sockets, the page.

mod accounts;
#[cfg(test)]
mod acme;
mod apps;
mod backup;
#[cfg(test)]
mod described;
mod devices;
mod discover;
#[cfg(test)]
mod endpoints;
mod entities;
mod erasures;
mod feeds;
#[cfg(test)]
mod golden;
mod guards;
#[cfg(test)]
mod harness;
mod house;
mod keeping;
#[cfg(test)]
mod keys;
mod media;
mod native;
#[cfg(test)]
mod operations;
mod page;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod people;
#[cfg(test)]
mod personal;
mod program;
#[cfg(test)]
mod push;
#[cfg(test)]
mod records;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod requests;
mod scheduled;
mod search;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod sockets;
mod statuses;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod tls_program;
#[cfg(test)]
mod welcome;
