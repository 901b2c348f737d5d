//! Records of apps, as a viewer sees them.

use xom_protocol::Did;
use xom_protocol::body::{Body, Record};
use xom_protocol::log::RegisterKey;

use super::{Read, Reader, Viewer};
use crate::model::{AppRecord, RecordsOf, RecordsPage};
use crate::views::register::standing;
use crate::views::{find_account, kind_hash, tables};

/// Most rows that one page looks at; whoever asks goes on behind them.
const ROWS_READ_MAX: usize = 2_000;

impl Reader {
    /// Records of a kind, newest first, behind the cursor of the page before. Whom the viewer has blocked or muted is
    /// left out.
    pub fn app_records(
        &self,
        viewer: &Did,
        kind: &str,
        of: &RecordsOf,
        before: Option<u64>,
        limit: usize,
    ) -> Read<RecordsPage> {
        let viewer = self.viewer(viewer)?;
        let only = match of {
            RecordsOf::One(did) => Some(find_account(&self.accounts, did)?.0),
            RecordsOf::Followed | RecordsOf::All => None,
        };
        let (kind, table) = (kind_hash(kind), self.table(tables::RECORDS)?);
        let mut page = RecordsPage::default();
        let rows = table.range((&kind, 0)..(&kind, before.unwrap_or(u64::MAX)))?.rev();
        for (read, row) in rows.enumerate() {
            if page.records.len() == limit || read == ROWS_READ_MAX {
                page.has_more = true;
                break;
            }
            let (key, value) = row?;
            let (author, log, seq) = value.value();
            page.next = Some(key.value().1);
            let is_wanted = match only {
                Some(only) => author == only,
                None => *of == RecordsOf::All || self.is_near(&viewer, author)?,
            };
            if is_wanted && Viewer::sees(Some(&viewer), author) {
                page.records.extend(self.record_at(author, (log, seq))?);
            }
        }
        Ok(page)
    }

    /// The record of this author, kind and key.
    pub fn app_record(&self, author: &Did, kind: &str, key: &str) -> Read<Option<AppRecord>> {
        let register = RegisterKey::record(kind, key).digest(author);
        let Some(found) = standing(&self.registers, &register)? else { return Ok(None) };
        let (account, _) = find_account(&self.accounts, author)?;
        self.record_at(account, (found.row.place.log, found.row.place.seq))
    }

    fn is_near(&self, viewer: &Viewer, author: u64) -> Read<bool> {
        Ok(author == viewer.account || self.follows.get((viewer.account, author))?.is_some())
    }

    fn record_at(&self, author: u64, place: (u32, u64)) -> Read<Option<AppRecord>> {
        let Some(body) = self.snapshot.opened(place)? else { return Ok(None) };
        let Body::Record(Record { kind, key, value, .. }) = &*body else { return Ok(None) };
        let register = RegisterKey::record(kind, key).digest(&self.account_arc(author)?.did);
        let Some(found) = standing(&self.registers, &register)? else { return Ok(None) };
        Ok(Some(AppRecord {
            account: (*self.account_arc(author)?).clone(),
            kind: kind.clone(),
            key: key.clone(),
            value: value.clone(),
            entry: found.entry,
            time_ms: found.row.time_ms,
        }))
    }
}
