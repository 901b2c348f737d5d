//! Finding a status by what a person types: a local id, an entry id or the head of one.

use xom_protocol::EntryId;

use super::{Read, Reader};
use crate::model::{FoundStatus, StatusId};

/// How many candidates are named when a prefix fits several.
const CANDIDATES_MAX: usize = 8;
/// The bytes of a CID before the digest: version, codec, hash, length.
const CID_HEAD: [u8; 4] = [0x01, 0x71, 0x12, 0x20];

impl Reader {
    /// A Mastodon id, an entry id or its unique prefix.
    pub fn find_status(&self, text: &str) -> Read<FoundStatus> {
        let text = text.trim();
        if let Ok(id) = text.parse::<u64>()
            && self.status_row(id)?.is_some()
        {
            return Ok(FoundStatus::One(StatusId(id)));
        }
        let Some((low, high)) = digests_with_prefix(text) else { return Ok(FoundStatus::None) };
        let mut found = Vec::new();
        for row in self.status_of_entry.range::<&[u8; 32]>(&low..=&high)?.take(CANDIDATES_MAX) {
            let (entry, status) = row?;
            found.push((EntryId(*entry.value()), StatusId(status.value())));
        }
        Ok(match found.as_slice() {
            [] => FoundStatus::None,
            [(_, status)] => FoundStatus::One(*status),
            _ => FoundStatus::Several(found.into_iter().map(|(entry, _)| entry).collect()),
        })
    }
}

/// The lowest and highest digest of an entry id whose text begins with `prefix`; none if none can.
pub(super) fn digests_with_prefix(prefix: &str) -> Option<([u8; 32], [u8; 32])> {
    let digits = prefix.strip_prefix('b')?;
    let (mut low, mut high) = ([0_u8; 36], [0xff_u8; 36]);
    for (index, digit) in digits.bytes().enumerate() {
        let value = match digit {
            b'a'..=b'z' => digit - b'a',
            b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        for bit in 0..5 {
            let at = index * 5 + bit;
            let is_set = value >> (4 - bit) & 1 == 1;
            if at >= 36 * 8 {
                // The last digit is filled up with zeros.
                if is_set || at >= 290 {
                    return None;
                }
                continue;
            }
            let mask = 0x80 >> (at % 8);
            if is_set { low[at / 8] |= mask } else { high[at / 8] &= !mask }
        }
    }
    let within = low[..4] <= CID_HEAD[..] && CID_HEAD[..] <= high[..4];
    let digest = |bytes: [u8; 36]| *bytes.last_chunk::<32>().expect("36 bytes have a last 32");
    within.then(|| (digest(low), digest(high)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_of_an_entry_id_leads_to_it() {
        for seed in 0..20 {
            let entry = EntryId([seed * 13; 32]);
            let text = entry.to_string();
            for end in 1..=text.len() {
                let (low, high) = digests_with_prefix(&text[..end]).expect("a prefix");
                assert!((low..=high).contains(&entry.0), "{end} of {text}");
            }
            assert_eq!(digests_with_prefix(&text), Some((entry.0, entry.0)));
            assert_eq!(digests_with_prefix(&format!("{text}a")), None);
        }
        for bad in ["", "x", "bafk", "b1", "bafyreiA"] {
            assert_eq!(digests_with_prefix(bad), None, "{bad}");
        }
    }
}
