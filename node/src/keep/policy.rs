//! Whom this node keeps when it is asked (`KEEP-7`): a file that its owner can read and write.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xom_protocol::Did;

use super::Terms;
use crate::store::folder::replace_file;

/// The file in the data folder.
const FILE: &str = "keep-policy.json";
/// Largest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// What all keeps that were asked for may take together where the file says nothing, bytes.
const TOTAL_BYTES: u64 = 20_000_000_000;
/// Seconds of a day have so many milliseconds.
const DAY_MS: u64 = 86_400_000;

/// What is done with a wish of somebody of whom the policy says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Others {
    /// It waits for the owner.
    #[default]
    Ask,
    /// It is refused.
    Refuse,
    /// Who is followed here is kept; all else waits.
    Followed,
}

/// Whom this node keeps when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Who may be kept, on which terms at most.
    pub allow: BTreeMap<Did, Terms>,
    /// Who is refused.
    pub deny: BTreeSet<Did>,
    /// Everybody else.
    pub others: Others,
    /// What all keeps that were asked for may take together, bytes.
    pub total_bytes: u64,
}

/// What the policy says to a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// Keep on these terms.
    Keep(Terms),
    /// Refuse.
    Refuse,
    /// Let the owner decide.
    Wait,
}

/// The policy can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// What stands in it.
    #[error("{path}: {cause}; mend it, or remove it to begin with an empty policy")]
    Form {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileForm {
    allow: BTreeMap<String, TermsForm>,
    deny: Vec<String>,
    others: Others,
    total_bytes: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsForm {
    quota_bytes: u64,
    for_days: u64,
}

impl Default for FileForm {
    fn default() -> Self {
        Self { allow: BTreeMap::new(), deny: Vec::new(), others: Others::default(), total_bytes: TOTAL_BYTES }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let (allow, deny) = (BTreeMap::new(), BTreeSet::new());
        Self { allow, deny, others: Others::default(), total_bytes: TOTAL_BYTES }
    }
}

impl Policy {
    /// Reads the policy of a data folder; the default where there is no file.
    pub(crate) fn read(folder: &Path) -> Result<Self, PolicyError> {
        let path = folder.join(FILE);
        let file = |cause| PolicyError::File { path: path.clone(), cause };
        let bytes = match std::fs::metadata(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(cause) => return Err(file(cause)),
            Ok(found) if found.len() > FILE_BYTES_MAX => return Err(file(io::ErrorKind::FileTooLarge.into())),
            Ok(_) => std::fs::read(&path).map_err(file)?,
        };
        Self::parse(&bytes).map_err(|cause| PolicyError::Form { path, cause })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let FileForm { allow, deny, others, total_bytes } = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        let did = |text: &str| text.parse::<Did>().map_err(|e| format!("{text:?}: {e}"));
        let mut policy = Self { others, total_bytes, ..Self::default() };
        for (text, TermsForm { quota_bytes, for_days }) in allow {
            let terms = Terms::new(quota_bytes, for_days.saturating_mul(DAY_MS));
            let terms = terms.ok_or_else(|| format!("{text}: the terms are out of bounds"))?;
            policy.allow.insert(did(&text)?, terms);
        }
        for text in deny {
            policy.deny.insert(did(&text)?);
        }
        Ok(policy)
    }

    /// Writes the policy into a data folder.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), PolicyError> {
        let terms =
            |terms: &Terms| TermsForm { quota_bytes: terms.quota_bytes, for_days: terms.for_ms.div_ceil(DAY_MS) };
        let form = FileForm {
            allow: self.allow.iter().map(|(did, allowed)| (did.to_string(), terms(allowed))).collect(),
            deny: self.deny.iter().map(Did::to_string).collect(),
            others: self.others,
            total_bytes: self.total_bytes,
        };
        let path = folder.join(FILE);
        let bytes = serde_json::to_vec_pretty(&form)
            .map_err(|e| PolicyError::Form { path: path.clone(), cause: e.to_string() })?;
        replace_file(&path, &bytes).map_err(|cause| PolicyError::File { path, cause })
    }

    /// Says what becomes of a wish, where keeps that were asked for have `promised` bytes together, without any of
    /// this author.
    pub fn rule(&self, author: &Did, wanted: Terms, followed: bool, promised: u64) -> Ruling {
        if self.deny.contains(author) {
            return Ruling::Refuse;
        }
        let most = match (self.allow.get(author), self.others) {
            (Some(most), _) => *most,
            (None, Others::Followed) if followed => Terms::default(),
            (None, Others::Refuse) => return Ruling::Refuse,
            (None, Others::Ask | Others::Followed) => return Ruling::Wait,
        };
        let quota_bytes = wanted.quota_bytes.min(most.quota_bytes);
        if promised.saturating_add(quota_bytes) > self.total_bytes {
            return Ruling::Wait;
        }
        Ruling::Keep(Terms { quota_bytes, for_ms: wanted.for_ms.min(most.for_ms) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn did(number: u8) -> Did {
        Did([number; 32])
    }

    fn terms(quota_bytes: u64, days: u64) -> Terms {
        Terms::new(quota_bytes, days * DAY_MS).unwrap()
    }

    #[test]
    fn keep_7_deny_outranks_allow_and_nobody_gets_more_than_he_may_or_wishes() {
        let mut policy = Policy { total_bytes: 100_000_000, ..Policy::default() };
        let wish = terms(50_000_000, 30);
        assert_eq!(policy.rule(&did(1), wish, false, 0), Ruling::Wait);
        policy.allow.insert(did(1), terms(10_000_000, 365));
        assert_eq!(policy.rule(&did(1), wish, false, 0), Ruling::Keep(terms(10_000_000, 30)));
        assert_eq!(policy.rule(&did(1), wish, false, 90_000_000), Ruling::Keep(terms(10_000_000, 30)));
        assert_eq!(policy.rule(&did(1), wish, false, 90_000_001), Ruling::Wait, "all together have enough");
        policy.deny.insert(did(1));
        assert_eq!(policy.rule(&did(1), wish, true, 0), Ruling::Refuse);
    }

    #[test]
    fn keep_7_of_others_the_policy_says_whether_they_wait_are_refused_or_are_kept_where_they_are_followed() {
        let wish = terms(50_000_000, 30);
        for (others, followed, ruling) in [
            (Others::Ask, true, Ruling::Wait),
            (Others::Refuse, true, Ruling::Refuse),
            (Others::Followed, true, Ruling::Keep(wish)),
            (Others::Followed, false, Ruling::Wait),
        ] {
            assert_eq!(Policy { others, ..Policy::default() }.rule(&did(1), wish, followed, 0), ruling, "{others:?}");
        }
    }

    #[test]
    fn a_policy_is_read_as_it_was_written_and_one_that_cannot_be_read_says_why() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Policy::read(folder.path()).unwrap(), Policy::default());
        let allow = BTreeMap::from([(did(1), terms(5_000_000, 7))]);
        let policy = Policy { allow, deny: BTreeSet::from([did(2)]), others: Others::Refuse, total_bytes: 7 };
        policy.write(folder.path()).unwrap();
        assert_eq!(Policy::read(folder.path()).unwrap(), policy);
        for bad in ["", "{\"deny\": [\"nobody\"]}", "{\"alow\": {}}", "{\"others\": \"maybe\"}"] {
            std::fs::write(folder.path().join(FILE), bad).unwrap();
            assert!(matches!(Policy::read(folder.path()), Err(PolicyError::Form { .. })), "{bad}");
        }
        std::fs::write(folder.path().join(FILE), "{}").unwrap();
        assert_eq!(Policy::read(folder.path()).unwrap(), Policy::default(), "all members have a default");
    }
}
