//! Admission: the author of a thread lets others' replies reach those who follow only him (`ADM-1`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{OpaqueReason, check_reference, ensure};
use crate::entry::Reference;
use crate::limits::ADMIT_ENTRIES_MAX;

/// Names entries of others that belong to a thread of the author (`ADM-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admit {
    /// What is admitted: a reply or its edit first, then what it is shown with.
    pub entries: Vec<Reference>,
}

impl Admit {
    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        ensure((1..=ADMIT_ENTRIES_MAX).contains(&self.entries.len()), "ADM-1", "number of entries")?;
        let distinct: BTreeSet<_> = self.entries.iter().map(|reference| reference.entry).collect();
        ensure(distinct.len() == self.entries.len(), "ADM-1", "an entry that is named twice")?;
        self.entries.iter().try_for_each(check_reference)
    }
}
