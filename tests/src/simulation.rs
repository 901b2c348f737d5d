//! A seeded simulation of many nodes that follow each other, sleep, lose their streams, and of mallory among them.
//!
//! Real are the sync machine of both ends of each stream with all its frames, the entries with their chains,
//! signatures and commitments, and their verification. Modelled are connections, addresses and the table of who is
//! where, the disk, what an identity is made of, and time. Nothing here reads a clock: one seed gives one result.

mod audit;
mod dice;
mod graph;
mod links;
mod people;
mod plan;
mod plot;
mod report;
mod rhythm;
mod store;
mod tally;
mod world;

pub use plan::{Mallory, Plan};
pub use plot::plot;
pub use report::{Delivered, Report, Share, Spread, page};

/// Lives through a plan from its beginning to its end.
pub fn simulate(plan: &Plan) -> Report {
    world::World::new(*plan).live()
}
