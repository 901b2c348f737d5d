//! People whom a search has named by DID or invite and of whom this node knows nothing yet: an account stands in for
//! them, so that a client can follow them by its id. Kept in memory, the newest ones.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use xom_node::model::{Account, AccountId};
use xom_protocol::Did;

use crate::http::{ApiError, Call};

/// Strangers that are kept.
const STRANGERS_MAX: usize = 256;
/// Longest text that is kept of one: the longest invite.
const TEXT_BYTES_MAX: usize = xom_protocol::limits::INVITE_BYTES_MAX;
/// What invites begin with.
const INVITE_PREFIX: &str = "xom:";

/// Somebody of whom nothing is known but how he was named.
#[derive(Debug, Clone)]
struct Stranger {
    account: Account,
    /// The DID or the invite.
    text: String,
}

/// Those who were named lately.
#[derive(Debug, Default)]
pub struct Strangers {
    kept: Mutex<VecDeque<Stranger>>,
}

impl Strangers {
    fn keep(&self, stranger: Stranger) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|known| known.account.id != stranger.account.id);
        kept.push_back(stranger);
        while kept.len() > STRANGERS_MAX {
            kept.pop_front();
        }
    }

    fn find(&self, id: AccountId) -> Option<Stranger> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|known| known.account.id == id).cloned()
    }

    /// The account that stands in for a stranger.
    pub fn account(&self, id: AccountId) -> Option<Account> {
        self.find(id).map(|stranger| stranger.account)
    }

    /// How a stranger was named: a DID or an invite.
    pub fn text(&self, id: AccountId) -> Option<String> {
        self.find(id).map(|stranger| stranger.text)
    }
}

/// The DID that a text names by itself or as an invite.
pub fn named_did(text: &str) -> Option<Did> {
    let did = text.strip_prefix(INVITE_PREFIX).and_then(|invite| invite.split('?').next()).unwrap_or(text);
    did.parse().ok()
}

/// An account for a DID or an invite of somebody of whom nothing is known; none where the text is neither.
pub async fn resolve(call: &Call, text: &str) -> Result<Option<Account>, ApiError> {
    let Some(did) = named_did(text).filter(|_| text.len() <= TEXT_BYTES_MAX) else { return Ok(None) };
    let account = call.node.read(move |reader| reader.stand_in(&did)).await?;
    if let Some(account) = &account {
        call.app.strangers().keep(Stranger { account: account.clone(), text: text.to_owned() });
    }
    Ok(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stranger(id: u64) -> Stranger {
        let account = Account::unknown(AccountId(id), Did([7; 32]), "user".into(), "user@x.xom".into());
        Stranger { account, text: id.to_string() }
    }

    #[test]
    fn the_newest_strangers_are_kept_each_once() {
        let strangers = Strangers::default();
        for id in 0..300 {
            strangers.keep(stranger(id));
            strangers.keep(stranger(299));
        }
        assert_eq!(strangers.kept.lock().unwrap().len(), STRANGERS_MAX);
        assert_eq!((strangers.text(AccountId(0)), strangers.text(AccountId(299))), (None, Some("299".into())));
    }

    #[test]
    fn a_did_and_an_invite_name_somebody() {
        let did = Did([7; 32]);
        assert_eq!(named_did(&did.to_string()), Some(did));
        assert_eq!(named_did(&format!("xom:{did}?a=/ip4/127.0.0.1")), Some(did));
        assert_eq!((named_did("lan"), named_did("xom:lan")), (None, None));
    }
}
