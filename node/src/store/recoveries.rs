//! What the owner sees of guardians and of a recovery that goes on, read from the identity's objects.

use redb::ReadableTable;
use xom_protocol::Did;
use xom_protocol::identity::RecoveryRequest;
use xom_protocol::recover::code;

use super::snapshot::Snapshot;
use super::tables;
use crate::error::StoreError;
use crate::recovery::{GuardiansView, RecoveryView, RequestState};

impl Snapshot {
    /// What the owners of local identities should know: recoveries, requests to guardians, locks, and what
    /// of their own nobody had.
    pub(crate) fn owner_warnings(&self) -> Result<Vec<String>, StoreError> {
        let mut warnings = Vec::new();
        let requests = self.recovery_requests()?;
        for local in self.locals()? {
            let name = &local.username;
            let running = self.recovery(&local.did)?.filter(|recovery| !recovery.finished);
            if let Some(recovery) = running {
                warnings.push(format!(
                    "the guardians of {name} are bringing it back on another machine, by the request {}: if that is not \
                     you, stop it with `xom identity cancel-recovery`, or ask them to wait with `xom identity \
                     postpone-recovery`",
                    recovery.code
                ));
            }
            if self.record(&local.did)?.is_some_and(|record| !record.state().locks.is_empty()) {
                warnings.push(format!("{name} is locked: lift it with `xom identity unlock`"));
            }
            let asked = requests.iter().filter(|request| request.guardian == local.did);
            let asked = asked.filter(|request| request.state == RequestState::Asked);
            warnings.extend(asked.map(|request| {
                format!("{name} is asked as a guardian of {}: see `xom guardians requests`", request.account)
            }));
            warnings.extend(self.missing(&local.did)?.sentences(name));
        }
        Ok(warnings)
    }

    /// The guardians of an identity; those who are known here by their DID.
    pub(crate) fn guardians(&self, did: &Did) -> Result<Option<GuardiansView>, StoreError> {
        let record = self.record(did)?;
        let Some(guardians) = record.and_then(|record| record.state().guardians.clone()) else { return Ok(None) };
        let mut known = Vec::new();
        for item in self.table(tables::IDENTITIES)?.iter()? {
            let did = item?.1.value().did;
            if guardians.contains(&did) {
                known.push(did);
            }
        }
        known.sort_unstable();
        Ok(Some(GuardiansView { count: guardians.members.len(), need: guardians.need, known }))
    }

    /// The recovery that guardians have started, or the one that began the present epoch.
    pub(crate) fn recovery(&self, did: &Did) -> Result<Option<RecoveryView>, StoreError> {
        let Some(record) = self.record(did)? else { return Ok(None) };
        let Some(recovery) = &record.state().recovery else { return Ok(None) };
        let Some(place) = record.place_of(&recovery.start) else { return Ok(None) };
        let request = RecoveryRequest::start(&place, recovery.renewal.clone());
        let device = self.locals()?.into_iter().find(|local| local.did == *did).map(|local| local.device);
        Ok(Some(RecoveryView {
            code: code(&request.encode()),
            devices: recovery.renewal.devices.clone(),
            postponed: !recovery.postponed.is_empty(),
            postponed_here: device.is_some_and(|device| recovery.postponed.contains(&device)),
            finished: recovery.finished.is_some(),
        }))
    }
}
