//! Getting an identity back: by its words or by guardians, on a node that has nothing of it; and what
//! guardians see of it on theirs.

mod error;
pub(crate) mod plan;
mod recovering;
mod view;

pub use error::RecoveryError;
pub use recovering::{Recovering, Stage, Wish};
pub use view::{GuardianAct, GuardiansView, RecoveryView, RequestState, RequestView};
