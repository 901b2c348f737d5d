//! Private settings and records as handlers put and page them. The families of settings are listed in
//! [`xom_node::private`], those of records below.

use std::collections::BTreeMap;

use xom_node::model::Page;
use xom_node::private::cursor_value;

use super::compose::now_ms;
use crate::http::{ApiError, Call, ErrorKind};

/// Records: how far a timeline was read, by DID and timeline.
pub const MARKER: &str = "marker";
/// Records: what was reported, by its id.
pub const REPORT: &str = "report";

/// Records: posts that wait for their time, by DID and id.
pub const SCHEDULED: &str = "scheduled-status";

/// Ids within a millisecond.
const IDS_PER_MS_BITS: u32 = 16;

/// A new id that sorts by time; two devices that make one in the same millisecond hardly ever make the same.
pub fn fresh_id() -> Result<u64, ApiError> {
    let mut low = [0; 2];
    getrandom::fill(&mut low).map_err(|_| ErrorKind::Unavailable)?;
    Ok(now_ms() << IDS_PER_MS_BITS | u64::from(u16::from_be_bytes(low)))
}

/// Puts one private setting of the caller; an empty value deletes it.
pub async fn put(call: &Call, key: String, value: Vec<u8>) -> Result<(), ApiError> {
    Ok(call.node.put_settings(call.viewer(), BTreeMap::from([(key, value)])).await?)
}

/// Puts something into a family that is ordered by when it came; what is there keeps its place.
pub async fn add(call: &Call, key: String) -> Result<(), ApiError> {
    let (viewer, wanted) = (call.viewer(), key.clone());
    if call.node.read(move |reader| reader.setting(&viewer, &wanted)).await?.is_some() {
        return Ok(());
    }
    put(call, key, cursor_value(fresh_id()?)).await
}

/// Takes settings of the caller away.
pub async fn remove(call: &Call, keys: impl IntoIterator<Item = String>) -> Result<(), ApiError> {
    let changes = keys.into_iter().map(|key| (key, Vec::new())).collect();
    Ok(call.node.put_settings(call.viewer(), changes).await?)
}

/// A page of what has been read whole, newest first.
pub fn page_of<T>(mut items: Vec<(u64, T)>, page: &Page) -> Vec<(u64, T)> {
    let above = page.min_id.max(page.since_id);
    items.retain(|(cursor, _)| above.is_none_or(|id| *cursor > id) && page.max_id.is_none_or(|id| *cursor < id));
    items.sort_unstable_by_key(|(cursor, _)| std::cmp::Reverse(*cursor));
    if page.min_id.is_some() {
        items.drain(..items.len().saturating_sub(page.limit));
    } else {
        items.truncate(page.limit);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(page: Page, want: &[u64]) {
        let items = [3, 1, 2, 5, 4].map(|cursor| (cursor, ())).to_vec();
        let got: Vec<u64> = page_of(items, &Page { limit: 2, ..page }).into_iter().map(|(cursor, ())| cursor).collect();
        assert_eq!(got, want, "{page:?}");
    }

    #[test]
    fn a_page_of_a_whole_list_is_what_the_node_would_give() {
        check(Page::default(), &[5, 4]);
        check(Page { max_id: Some(4), ..Page::default() }, &[3, 2]);
        check(Page { since_id: Some(2), ..Page::default() }, &[5, 4]);
        check(Page { min_id: Some(2), ..Page::default() }, &[4, 3]);
        check(Page { min_id: Some(5), ..Page::default() }, &[]);
        check(Page { max_id: Some(0), ..Page::default() }, &[]);
    }
}
