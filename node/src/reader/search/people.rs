//! Searching people by the beginnings of the words of their names.

use xom_protocol::Did;

use super::super::{Read, Reader};
use crate::model::Account;
use crate::search::words::{Word, longest_prefix, words};
use crate::views::index::{Kind, word_hash};
use crate::views::{find_account, tables};

/// Words of a question that are read.
const WORDS_MAX: usize = 8;
/// Rows of the index that are looked at: a number alone each.
const ROWS_MAX: usize = 50_000;
/// Accounts that are looked at, of those whom the viewer follows and of the others.
const ACCOUNTS_MAX: usize = 1_000;

impl Reader {
    /// Accounts whose names have words that begin as those of `text` do; first those whom the viewer follows, then the
    /// others, each by their number of followers. `following` leaves out the others.
    pub fn search_accounts(&self, viewer: &Did, text: &str, following: bool) -> Read<Vec<Account>> {
        let mut asked = words(text);
        asked.truncate(WORDS_MAX);
        let Some(longest) = asked.iter().max_by_key(|word| word.folded.chars().count()) else {
            return Ok(Vec::new());
        };
        let hash = word_hash(Kind::Name, &longest_prefix(&longest.folded));
        let (viewer, _) = find_account(&self.accounts, viewer)?;
        let (mut followed, mut others) = (Vec::new(), Vec::new());
        for row in self.table(tables::NAMES)?.range((hash, 0)..=(hash, u64::MAX))?.take(ROWS_MAX) {
            let account = row?.0.value().1;
            let side = if self.follows.get((viewer, account))?.is_some() { &mut followed } else { &mut others };
            if side.len() < ACCOUNTS_MAX {
                side.push(account);
            }
        }
        if following {
            others.clear();
        }
        let mut found = self.named(followed, &asked)?;
        found.extend(self.named(others, &asked)?);
        Ok(found)
    }

    /// Those of the accounts whose names fit.
    fn named(&self, accounts: Vec<u64>, asked: &[Word]) -> Read<Vec<Account>> {
        let mut found = Vec::new();
        for account in accounts {
            let account = self.account_arc(account)?;
            let names: Vec<Word> =
                [&account.username, &account.name].into_iter().flat_map(|name| words(name)).collect();
            if asked.iter().all(|asked| names.iter().any(|name| asked.begins(name))) {
                found.push((*account).clone());
            }
        }
        found.sort_by_key(|account| (std::cmp::Reverse(account.followers), account.id));
        Ok(found)
    }
}
