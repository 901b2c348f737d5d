//! End to end: real processes, real sockets, loopback only.

mod backup;
mod erase;
mod first_run;
mod follow;
mod guardians;
mod import;
mod keys;
mod kill;
mod media;
mod pairing;
mod receipts;
mod recover;
mod retry;
mod settings;
mod story;
