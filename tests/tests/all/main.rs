//! Tests of the repository itself.

mod architecture;
mod dependencies;
