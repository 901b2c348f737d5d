//! The people of a node: whose identities live on it, who may log in by name and password, and what each may do.
//!
//! What is kept are client records: of this node alone, in no backup. So an identity without a record has no password,
//! and after a restore nobody logs in by name until the owner has set passwords anew.

pub mod limits;
pub mod password;
pub mod registry;
pub mod role;
mod rows;
mod tries;

pub use password::{Password, PasswordError};
pub use registry::{Newcomer, People, PeopleError, Person};
pub use role::{Registration, Role, Terms};
