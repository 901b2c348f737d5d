//! Guarding others: requests of recoveries that reach this node, and what the guardians who live here say
//! to them. The delay between the two approvals is measured by this node's clock alone (`REC-5`).

use redb::ReadableTable;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use xom_protocol::encoding;
use xom_protocol::identity::{IdentityRecord, RecoveryRequest, RecoveryStep, Renewal, SignedObject};
use xom_protocol::limits::{
    IDENTITY_OBJECT_BYTES_MAX, RECOVERY_REQUESTS_MAX, RECOVERY_REQUESTS_PER_ACCOUNT_MAX, RECOVERY_WAIT_SECS_MAX,
};
use xom_protocol::recover::{Answer, Ask, code};
use xom_protocol::{Did, Digest};

use super::batch::Batch;
use super::control::not_local;
use super::snapshot::Snapshot;
use super::{Store, tables};
use crate::error::{CommandError, StoreError};
use crate::keys::ControlKey;
use crate::recovery::{GuardianAct, RecoveryError, RequestState, RequestView};

/// Longest row of a request, bytes: the request and two approvals of each guardian who lives here.
const ROW_BYTES_MAX: usize = 8 * IDENTITY_OBJECT_BYTES_MAX;

/// A request as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct RequestRow {
    did: Did,
    request: ByteBuf,
    /// When it was first asked for, milliseconds since 1970.
    first_ms: u64,
    /// When it was last asked for.
    asked_ms: u64,
    /// What the guardians who live here said.
    acts: Vec<ActRow>,
    /// The `recover-start` on the identity's log, and when this node first held it.
    start: Option<(Digest, u64)>,
}

/// Whether a request is for somebody who lives here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guarded {
    /// Of an identity that is held.
    Known,
    /// Of one that came with the request.
    Stranger,
    /// It is not.
    No,
}

/// What one guardian said.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ActRow {
    guardian: Did,
    refused: bool,
    start: Option<ByteBuf>,
    finish: Option<ByteBuf>,
}

impl Store {
    /// Takes a question to the guardians who live here (`REC-3`), and answers it (`REC-6`). For an identity that was
    /// never heard of before, which anybody can make up, only where `stranger` lets it.
    pub(crate) async fn hear_recovery(&self, ask: Ask, stranger: impl FnOnce() -> bool) -> Result<Answer, StoreError> {
        let store = self.clone();
        let asked = ask.clone();
        let found = tokio::task::spawn_blocking(move || store.snapshot()?.guardians_asked(&asked));
        match found.await.unwrap_or(Err(StoreError::Stopping))? {
            Guarded::Known => {}
            Guarded::Stranger if stranger() => {}
            Guarded::Stranger | Guarded::No => return Ok(Answer::default()),
        }
        self.write(move |batch| batch.hear_recovery(&ask)).await
    }

    /// A guardian who lives here approves: the start, or once the delay is over the finish (`REC-5`).
    pub(crate) async fn approve_recovery(
        &self,
        guardian: Did,
        code: String,
        key: ControlKey,
    ) -> Result<GuardianAct, CommandError> {
        self.decide(move |batch| batch.approve_recovery(&guardian, &code, &key)).await
    }

    /// A guardian who lives here refuses. He may think better of it and approve later.
    pub(crate) async fn refuse_recovery(&self, guardian: Did, code: String) -> Result<GuardianAct, CommandError> {
        self.decide(move |batch| batch.refuse_recovery(&guardian, &code)).await
    }

    async fn decide<F>(&self, mut work: F) -> Result<GuardianAct, CommandError>
    where
        F: FnMut(&mut Batch<'_>) -> Result<GuardianAct, CommandError> + Send + 'static,
    {
        let answer = self.write(move |batch| match work(batch) {
            Err(CommandError::Store(e)) => Err(e),
            answer => Ok(answer),
        });
        answer.await?
    }
}

impl Snapshot {
    /// Whether somebody who lives here is a guardian of the identity at the place of the request. Judges
    /// by what is held and by what came with the request; stores nothing.
    fn guardians_asked(&self, ask: &Ask) -> Result<Guarded, StoreError> {
        let Ok(request) = RecoveryRequest::decode(&ask.request) else { return Ok(Guarded::No) };
        let held = self.record(&request.link.did)?;
        let guarded = if held.is_some() { Guarded::Known } else { Guarded::Stranger };
        let locals: Vec<Did> = self.locals()?.into_iter().map(|local| local.did).collect();
        let known = held.filter(|held| held.place_after(&request.link.prev).is_some());
        let record = match known {
            Some(record) => Some(record),
            None => {
                let objects = ask.objects.iter().map(|object| SignedObject::decode(object));
                let objects: Result<Vec<_>, _> = objects.collect();
                let record = objects.and_then(|objects| IdentityRecord::from_objects(self.shared.network, objects));
                record.ok().map(std::sync::Arc::new)
            }
        };
        let record = record.filter(|record| record.did() == request.link.did);
        let asked = record.is_some_and(|record| locals.iter().any(|did| is_guardian(&record, &request, did)));
        Ok(if asked { guarded } else { Guarded::No })
    }

    /// The requests that the guardians who live here were asked for, the newest first.
    pub(crate) fn recovery_requests(&self) -> Result<Vec<RequestView>, StoreError> {
        let table = self.table(tables::RECOVERY_REQUESTS)?;
        let locals: Vec<Did> = self.locals()?.into_iter().map(|local| local.did).collect();
        let mut views = Vec::new();
        for item in table.iter()? {
            let row = RequestRow::read(item?.1.value())?;
            let Some(record) = self.record(&row.did)? else { continue };
            let Ok(request) = RecoveryRequest::decode(&row.request) else { continue };
            for guardian in locals.iter().filter(|did| is_guardian(&record, &request, did)) {
                views.push(RequestView {
                    code: code(&row.request),
                    account: row.did,
                    guardian: *guardian,
                    asked_ms: row.first_ms,
                    state: row.state(&record, &request, guardian, self.shared.recovery_delay_ms()),
                });
            }
        }
        views.sort_unstable_by_key(|view| std::cmp::Reverse(view.asked_ms));
        Ok(views)
    }
}

impl Batch<'_> {
    fn hear_recovery(&mut self, ask: &Ask) -> Result<Answer, StoreError> {
        let Ok(request) = RecoveryRequest::decode(&ask.request) else { return Ok(Answer::default()) };
        let did = request.link.did;
        self.insert_identity(did, &ask.objects)?;
        let digest = request.digest();
        let held = self.recovery_request(&digest)?;
        if held.is_none() {
            self.make_room_for_request(&did)?;
        }
        let mut row = held.unwrap_or_else(|| RequestRow {
            did,
            request: ByteBuf::from(ask.request.clone()),
            first_ms: self.now_ms,
            asked_ms: self.now_ms,
            acts: Vec::new(),
            start: None,
        });
        row.asked_ms = self.now_ms;
        let Some(record) = self.identity(&did)? else { return Ok(Answer::default()) };
        row.note_start(&record, &request, self.now_ms);
        self.put_recovery_request(&digest, &row)?;
        Ok(row.answer(&record, self.now_ms, self.shared.recovery_delay_ms()))
    }

    /// Notes when a `recover-start` that is asked for was first held, however it came (`REC-5`).
    pub(super) fn note_recovery_starts(&mut self, record: &IdentityRecord) -> Result<(), StoreError> {
        for (digest, mut row) in self.recovery_request_rows()? {
            let Ok(request) = RecoveryRequest::decode(&row.request) else { continue };
            if row.did == record.did() && row.start.is_none() && row.note_start(record, &request, self.now_ms) {
                self.put_recovery_request(&digest, &row)?;
            }
        }
        Ok(())
    }

    fn approve_recovery(&mut self, guardian: &Did, code: &str, key: &ControlKey) -> Result<GuardianAct, CommandError> {
        let (digest, mut row, request) = self.request_of(guardian, code)?;
        let record = self.identity(&row.did)?.ok_or(CommandError::AccountNotFound)?;
        let own = self.identity(guardian)?.ok_or(CommandError::NotLocal(*guardian))?;
        let approve = |request: &RecoveryRequest| {
            let approval = request.approve(&own, &[key.secret()]).map_err(RecoveryError::Identity)?;
            Ok::<_, CommandError>(ByteBuf::from(encoding::encode(&approval)))
        };
        row.note_start(&record, &request, self.now_ms);
        let state = row.state(&record, &request, guardian, self.shared.recovery_delay_ms());
        let act = match state {
            RequestState::Over => return Err(RecoveryError::Over.into()),
            RequestState::Asked | RequestState::Refused => {
                self.check_other_starts(guardian, &digest, &request)?;
                row.act(guardian).start = Some(approve(&request)?);
                GuardianAct::StartApproved
            }
            RequestState::Started { due_ms } if due_ms > self.now_ms => {
                return Err(RecoveryError::NotYet { secs: (due_ms - self.now_ms).div_ceil(1_000) }.into());
            }
            RequestState::Started { .. } => {
                let recovery = record.state().recovery.as_ref().ok_or(RecoveryError::Over)?;
                row.act(guardian).finish = Some(approve(&RecoveryRequest::finish(&recovery.place))?);
                GuardianAct::FinishApproved
            }
            RequestState::StartApproved => return Err(RecoveryError::NotStarted.into()),
            RequestState::FinishApproved => GuardianAct::FinishApproved,
        };
        row.act(guardian).refused = false;
        self.put_recovery_request(&digest, &row)?;
        Ok(act)
    }

    /// A guardian approves one start at a place: two would freeze each other (`ID-16`).
    fn check_other_starts(
        &self,
        guardian: &Did,
        digest: &Digest,
        request: &RecoveryRequest,
    ) -> Result<(), CommandError> {
        for (other, row) in self.recovery_request_rows()? {
            let approved = row.acts.iter().any(|act| act.guardian == *guardian && act.start.is_some());
            let Ok(link) = RecoveryRequest::decode(&row.request).map(|request| request.link) else { continue };
            if approved && other != *digest && (link.did, link.prev) == (request.link.did, request.link.prev) {
                return Err(RecoveryError::AnotherApproved { code: code(&row.request) }.into());
            }
        }
        Ok(())
    }

    fn refuse_recovery(&mut self, guardian: &Did, code: &str) -> Result<GuardianAct, CommandError> {
        let (digest, mut row, _) = self.request_of(guardian, code)?;
        let act = row.act(guardian);
        (act.refused, act.start, act.finish) = (true, None, None);
        self.put_recovery_request(&digest, &row)?;
        Ok(GuardianAct::Refused)
    }

    /// The request with this code, of an identity that `guardian` guards.
    fn request_of(
        &mut self,
        guardian: &Did,
        wanted: &str,
    ) -> Result<(Digest, RequestRow, RecoveryRequest), CommandError> {
        if !self.own.contains_key(guardian) {
            return Err(not_local(&self.shared.folder, guardian));
        }
        let wanted = wanted.trim().to_lowercase();
        let rows = self.recovery_request_rows()?;
        let found = rows.into_iter().find(|(_, row)| code(&row.request) == wanted);
        let (digest, row) = found.ok_or(RecoveryError::NoRequest)?;
        let request = RecoveryRequest::decode(&row.request).map_err(|_| RecoveryError::NoRequest)?;
        let record = self.identity(&row.did)?.ok_or(RecoveryError::NoRequest)?;
        let guards = is_guardian(&record, &request, guardian);
        if guards { Ok((digest, row, request)) } else { Err(RecoveryError::NoRequest.into()) }
    }

    fn recovery_request_rows(&self) -> Result<Vec<(Digest, RequestRow)>, StoreError> {
        let rows = self.recovery_requests.iter()?;
        rows.map(|item| {
            let (digest, row) = item?;
            Ok((Digest(*digest.value()), RequestRow::read(row.value())?))
        })
        .collect()
    }

    fn recovery_request(&self, digest: &Digest) -> Result<Option<RequestRow>, StoreError> {
        let row = self.recovery_requests.get(&digest.0)?;
        row.map(|row| RequestRow::read(row.value())).transpose()
    }

    fn put_recovery_request(&mut self, digest: &Digest, row: &RequestRow) -> Result<(), StoreError> {
        self.recovery_requests.insert(&digest.0, encoding::encode(row).as_slice())?;
        Ok(())
    }

    /// Forgets the requests that were not asked for longest, where there are too many (`REC-3`).
    fn make_room_for_request(&mut self, did: &Did) -> Result<(), StoreError> {
        let mut rows = self.recovery_request_rows()?;
        rows.sort_unstable_by_key(|(_, row)| row.asked_ms);
        let untouched = |(_, row): &&(Digest, RequestRow)| row.acts.is_empty();
        let of_it: Vec<_> = rows.iter().filter(|(_, row)| row.did == *did).filter(untouched).collect();
        let forgotten = if of_it.len() >= RECOVERY_REQUESTS_PER_ACCOUNT_MAX {
            of_it.first().copied()
        } else if rows.len() >= RECOVERY_REQUESTS_MAX {
            rows.iter().find(untouched).or_else(|| rows.first())
        } else {
            None
        };
        if let Some((digest, _)) = forgotten {
            self.recovery_requests.remove(&digest.0)?;
        }
        Ok(())
    }
}

impl RequestRow {
    fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = |e| StoreError::Damaged(format!("request of a recovery: {e}"));
        encoding::decode(bytes, ROW_BYTES_MAX).map_err(damaged)
    }

    /// Notes the start, once it is in force on the log. True if it is new.
    fn note_start(&mut self, record: &IdentityRecord, request: &RecoveryRequest, now_ms: u64) -> bool {
        let Some(start) = started(record, request) else { return false };
        if self.start.is_some_and(|(noted, _)| noted == start) {
            return false;
        }
        self.start = Some((start, now_ms));
        true
    }

    fn act(&mut self, guardian: &Did) -> &mut ActRow {
        let at = match self.acts.iter().position(|act| act.guardian == *guardian) {
            Some(at) => at,
            None => {
                self.acts.push(ActRow { guardian: *guardian, refused: false, start: None, finish: None });
                self.acts.len() - 1
            }
        };
        &mut self.acts[at]
    }

    /// From when on the finish may be approved, milliseconds since 1970; none while nothing has started.
    fn due_ms(&self, record: &IdentityRecord, delay_ms: u64) -> Option<u64> {
        let (start, seen_ms) = self.start?;
        let recovery = record.state().recovery.as_ref().filter(|recovery| recovery.start == start);
        let postponed = recovery.is_some_and(|recovery| !recovery.postponed.is_empty());
        Some(seen_ms.saturating_add(delay_ms.saturating_mul(if postponed { 2 } else { 1 })))
    }

    fn state(&self, record: &IdentityRecord, request: &RecoveryRequest, guardian: &Did, delay_ms: u64) -> RequestState {
        let act = self.acts.iter().find(|act| act.guardian == *guardian);
        let state = record.state();
        let running = self.start.is_some_and(|(start, _)| {
            state.recovery.as_ref().is_some_and(|recovery| recovery.start == start && recovery.finished.is_none())
                && state.head == start
        });
        let can_start = self.start.is_none() && state.head == request.link.prev && state.retired.is_none();
        match act {
            _ if !running && !can_start => RequestState::Over,
            Some(act) if act.refused => RequestState::Refused,
            Some(act) if act.finish.is_some() => RequestState::FinishApproved,
            _ if running => RequestState::Started { due_ms: self.due_ms(record, delay_ms).unwrap_or(u64::MAX) },
            Some(act) if act.start.is_some() => RequestState::StartApproved,
            _ => RequestState::Asked,
        }
    }

    fn answer(&self, record: &IdentityRecord, now_ms: u64, delay_ms: u64) -> Answer {
        let acted = self.acts.iter().any(|act| act.refused || act.start.is_some());
        let due_ms = self.due_ms(record, delay_ms).filter(|_| acted).unwrap_or(now_ms);
        let list = |approval: fn(&ActRow) -> &Option<ByteBuf>| {
            self.acts.iter().filter_map(|act| approval(act).as_ref().map(|bytes| bytes.to_vec())).collect()
        };
        Answer {
            refused: self.acts.iter().any(|act| act.refused),
            wait_secs: due_ms.saturating_sub(now_ms).div_ceil(1_000).min(RECOVERY_WAIT_SECS_MAX),
            start: list(|act| &act.start),
            finish: list(|act| &act.finish),
        }
    }
}

/// True if the identity has this guardian at the place of the request (`ID-4`).
fn is_guardian(record: &IdentityRecord, request: &RecoveryRequest, guardian: &Did) -> bool {
    let place = record.place_after(&request.link.prev).filter(|place| place.seq == request.link.seq);
    place.and_then(|place| place.guardians).is_some_and(|guardians| guardians.contains(guardian))
}

/// The `recover-start` of a request, where it is in force.
fn started(record: &IdentityRecord, request: &RecoveryRequest) -> Option<Digest> {
    let RecoveryStep::Start(renewal) = &request.step else { return None };
    let renewal: &Renewal = renewal;
    let recovery = record.state().recovery.as_ref().filter(|recovery| recovery.renewal == *renewal)?;
    let place = record.place_of(&recovery.start)?;
    (place.prev == request.link.prev).then_some(recovery.start)
}
