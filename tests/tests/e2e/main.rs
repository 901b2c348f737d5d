//! End to end: real processes, real sockets, on loopback or in namespaces of their own.

mod archive;
mod backup;
mod closed;
mod dev;
mod devices;
mod disk;
mod erase;
mod first_run;
mod follow;
mod guardians;
mod import;
mod keep;
mod keys;
mod kill;
mod lan;
mod media;
mod nat;
mod operations;
mod pairing;
mod receipts;
mod recover;
mod retry;
mod settings;
mod stand;
mod story;
mod upnp;
