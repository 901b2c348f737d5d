//! Filters of an owner: what of others he would rather not read, by words or post by post.

use serde::{Deserialize, Serialize};
use xom_protocol::EntryId;

/// Where a filter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilterContext {
    /// Home and lists.
    Home,
    /// Notifications.
    Notifications,
    /// Public timelines and tags.
    Public,
    /// Threads.
    Thread,
    /// Profiles.
    Account,
}

/// A filter without its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterHead {
    /// Its name.
    pub title: String,
    /// Where it holds.
    pub context: Vec<FilterContext>,
    /// What clients do with what fits: `warn`, `blur`, or `hide`, which timelines leave out.
    pub action: String,
    /// Until when, milliseconds since 1970; none for good.
    pub until_ms: Option<u64>,
}

/// A word or phrase of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterKeyword {
    /// The phrase, as written.
    pub keyword: String,
    /// It fits whole words only.
    pub whole_word: bool,
}

/// A filter with its words and posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Its id.
    pub id: u64,
    /// The filter.
    pub head: FilterHead,
    /// Its phrases with their ids.
    pub keywords: Vec<(u64, FilterKeyword)>,
    /// Its posts with the ids of the pairs.
    pub statuses: Vec<(u64, EntryId)>,
}

/// Why a post fits a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterHit {
    /// The filter, with all its words.
    pub filter: Filter,
    /// The phrases that fit.
    pub keywords: Vec<String>,
    /// The post itself is one of the filter's.
    pub is_named: bool,
}

/// The text of a post as filters compare it, made once for all of them.
#[derive(Debug, Default)]
pub struct FilterText(String);

impl FilterText {
    /// Adds a part; no phrase fits across two of them.
    pub fn add(&mut self, part: &str) {
        self.0.push_str(&part.to_lowercase());
        self.0.push('\n');
    }

    /// True where a phrase is in the text; at its ends, where it has letters or digits there, nothing but the end of
    /// a word if whole words are wanted.
    pub fn has(&self, keyword: &FilterKeyword) -> bool {
        let phrase = keyword.keyword.to_lowercase();
        if phrase.is_empty() {
            return false;
        }
        let (first, last) = (phrase.chars().next(), phrase.chars().next_back());
        let is_word = |at: Option<char>| at.is_some_and(char::is_alphanumeric);
        self.0.match_indices(&phrase).any(|(at, _)| {
            let before = is_word(first) && is_word(self.0[..at].chars().next_back());
            let after = is_word(last) && is_word(self.0[at + phrase.len()..].chars().next());
            !keyword.whole_word || !(before || after)
        })
    }
}

impl Filter {
    /// True while it holds.
    pub fn holds(&self, now_ms: u64) -> bool {
        self.head.until_ms.is_none_or(|until| until > now_ms)
    }

    /// What of it a post fits.
    pub fn hit(&self, entry: &EntryId, text: &FilterText) -> Option<FilterHit> {
        let fitting = self.keywords.iter().filter(|(_, keyword)| text.has(keyword));
        let keywords: Vec<String> = fitting.map(|(_, keyword)| keyword.keyword.clone()).collect();
        let is_named = self.statuses.iter().any(|(_, named)| named == entry);
        let hit = !keywords.is_empty() || is_named;
        hit.then(|| FilterHit { filter: self.clone(), keywords, is_named })
    }
}

impl FilterHit {
    /// True where what fits is left out.
    pub fn hides(&self, context: FilterContext) -> bool {
        self.filter.head.action == "hide" && self.filter.head.context.contains(&context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, keyword: &str, whole_word: bool, fits: bool) {
        let mut made = FilterText::default();
        made.add(text);
        let keyword = FilterKeyword { keyword: keyword.into(), whole_word };
        assert_eq!(made.has(&keyword), fits, "{keyword:?} in {text:?}");
    }

    #[test]
    fn a_phrase_fits_in_any_case_and_whole_words_alone_where_that_is_wanted() {
        check("Bóng đá tối nay", "BÓNG ĐÁ", true, true);
        check("footballer", "football", true, false);
        check("footballer", "football", false, true);
        check("a footballer likes football.", "football", true, true);
        check("see #football!", "#football", true, true);
        check("see #footballs", "#football", true, false);
        check("x", "", false, false);
        check("đá", "a", true, false);
    }

    #[test]
    fn no_phrase_fits_across_two_parts() {
        let mut text = FilterText::default();
        text.add("one");
        text.add("two");
        assert!(!text.has(&FilterKeyword { keyword: "onetwo".into(), whole_word: false }));
        assert!(!text.has(&FilterKeyword { keyword: "one two".into(), whole_word: false }));
    }

    #[test]
    fn a_filter_names_what_fits_and_ends_in_time() {
        let head = FilterHead {
            title: "t".into(),
            context: vec![FilterContext::Home],
            action: "hide".into(),
            until_ms: Some(10),
        };
        let keyword = FilterKeyword { keyword: "một".into(), whole_word: true };
        let entry = EntryId([1; 32]);
        let filter = Filter { id: 1, head, keywords: vec![(2, keyword)], statuses: vec![(3, entry)] };
        assert!(filter.holds(9) && !filter.holds(10));
        let mut text = FilterText::default();
        text.add("Một hai");
        let hit = filter.hit(&EntryId([2; 32]), &text).unwrap();
        assert_eq!((hit.keywords.as_slice(), hit.is_named), (&["một".to_owned()][..], false));
        assert!(hit.hides(FilterContext::Home) && !hit.hides(FilterContext::Public));
        assert!(filter.hit(&entry, &FilterText::default()).unwrap().is_named);
        assert_eq!(filter.hit(&EntryId([2; 32]), &FilterText::default()), None);
    }
}
