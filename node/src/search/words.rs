//! Words of texts, and how they compare: one that is asked for without accents fits every form, one with them fits
//! exactly, wherever in its syllable the tone mark is written.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters of a word that count; the rest of a longer one is as if it were not there.
const WORD_CHARS_MAX: usize = 64;
/// Words of a text that are looked at.
pub(crate) const WORDS_MAX: usize = 4_096;
/// Longest beginning of a name or tag that is in the index, characters.
pub(crate) const PREFIX_CHARS_MAX: usize = 8;
/// The five tone marks of Vietnamese, as they stand alone.
const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// In lower case, without accents.
    pub(crate) folded: String,
    /// In lower case, with accents, its tone mark where it counts.
    pub(crate) exact: String,
    /// In lower case, composed, as it was written.
    pub(crate) written: String,
}

impl Word {
    /// A word of the letters that were found.
    fn new(letters: &str) -> Self {
        let written: String = letters.nfc().flat_map(char::to_lowercase).take(WORD_CHARS_MAX).nfc().collect();
        Self { folded: fold(&written), exact: canonical(&written), written }
    }

    /// True if it has no accents: then it stands for every form.
    pub(crate) fn is_plain(&self) -> bool {
        self.exact == self.folded
    }

    /// True if this word, asked for, is found in `other`.
    pub(crate) fn fits(&self, other: &Self) -> bool {
        if self.is_plain() { self.folded == other.folded } else { self.exact == other.exact }
    }

    /// True if this word, asked for, is a beginning of `other`.
    pub(crate) fn begins(&self, other: &Self) -> bool {
        if self.is_plain() {
            return other.folded.starts_with(&self.folded);
        }
        other.exact.starts_with(&self.exact) || other.written.starts_with(&self.written)
    }
}

/// The words of a text. What is written without spaces between words (Chinese, Japanese, Thai, …) counts sign by sign.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut letters = String::new();
    for c in text.chars() {
        let is_mark = is_combining_mark(c) && !letters.is_empty();
        let is_letter = c.is_alphanumeric() || is_mark;
        let stands_alone = !is_mark && is_unspaced(c);
        if (!is_letter || stands_alone || letters.chars().next().is_some_and(is_unspaced) && !is_mark)
            && !letters.is_empty()
        {
            found.push(Word::new(&letters));
            letters.clear();
            if found.len() >= WORDS_MAX {
                return found;
            }
        }
        if is_letter {
            letters.push(c);
        }
    }
    if !letters.is_empty() {
        found.push(Word::new(&letters));
    }
    found
}

/// A text in lower case and without accents.
pub(crate) fn fold(text: &str) -> String {
    let is_accent = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let lower = text.chars().flat_map(char::to_lowercase);
    let plain = |c| if c == 'đ' { 'd' } else { c };
    lower.nfkd().filter(|c| !is_accent(c)).map(plain).nfc().collect()
}

/// The beginnings of a word that are in the index, without accents.
pub(crate) fn prefixes(word: &str) -> impl Iterator<Item = String> + '_ {
    let ends = word.char_indices().map(|(at, c)| at + c.len_utf8()).take(PREFIX_CHARS_MAX);
    ends.map(|end| word.get(..end).unwrap_or_default().to_owned())
}

/// The longest of them.
pub(crate) fn longest_prefix(word: &str) -> String {
    word.chars().take(PREFIX_CHARS_MAX).collect()
}

/// A word whose one tone mark stands at the end of its vowels: `hòa` and `hoà` are the same word. A word of several
/// syllables, or with several marks, stays as it is.
fn canonical(word: &str) -> String {
    let signs: Vec<char> = word.nfd().collect();
    let tones: Vec<usize> = (0..signs.len()).filter(|at| TONES.contains(&signs[*at])).collect();
    let letters: Vec<usize> = (0..signs.len()).filter(|at| !is_combining_mark(signs[*at])).collect();
    let vowels: Vec<usize> = (0..letters.len()).filter(|at| is_vowel(signs[letters[*at]])).collect();
    let is_one_run = vowels.windows(2).all(|pair| pair[1] == pair[0] + 1);
    let ([tone], Some(last), true) = (tones.as_slice(), vowels.last(), is_one_run) else {
        return word.to_owned();
    };
    let carrier = letters.iter().rposition(|at| at < tone);
    if !carrier.is_some_and(|carrier| vowels.contains(&carrier)) {
        return word.to_owned();
    }
    // Behind the marks of the last vowel.
    let end = letters.get(last + 1).copied().unwrap_or(signs.len());
    let moved = (0..end).filter(|at| at != tone).chain([*tone]).chain((end..signs.len()).filter(|at| at != tone));
    moved.map(|at| signs[at]).nfc().collect()
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

/// True for signs of scripts that put no spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(asked: &str, text: &str) -> bool {
        let (asked, text) = (words(asked), words(text));
        asked.iter().all(|asked| text.iter().any(|word| asked.fits(word)))
    }

    #[test]
    fn a_word_without_accents_fits_every_form_and_one_with_them_only_itself() {
        for text in ["xóm", "Xom", "XÓM", "xo\u{301}m", "xòm"] {
            assert!(fits("xom", text), "{text}");
        }
        assert!(fits("xóm", "Xo\u{301}m nhỏ") && fits("xo\u{301}m", "XÓM"));
        assert!(!fits("xóm", "xom") && !fits("xóm", "xòm"));
        assert!(fits("da nang", "Đà Nẵng") && fits("đà nẵng", "ĐÀ NẴNG") && !fits("đà", "da") && !fits("đa", "đà"));
        assert!(fits("resume", "Résumé") && fits("strasse", "strasse") && !fits("résume", "résumé"));
    }

    #[test]
    fn the_place_of_the_tone_mark_in_a_syllable_does_not_count() {
        for (old, new) in [("hòa", "hoà"), ("khỏe", "khoẻ"), ("thúy", "thuý"), ("qúy", "quý"), ("gía", "giá")]
        {
            assert!(fits(old, new) && fits(new, old), "{old} {new}");
            assert!(!fits(old, "hoa khoe thuy quy gia"), "{old}");
        }
        for word in ["toán", "nghiã", "thuở", "việtnam", "ñandú", "não", "mí"] {
            assert_eq!(fold(&canonical(word)), fold(word));
            assert_eq!(canonical(&canonical(word)), canonical(word), "{word}");
        }
        assert_eq!(canonical("việtnam"), "việtnam");
        assert_eq!(canonical("ñu"), "ñu");
        assert_ne!(canonical("hòa"), canonical("hóa"));
    }

    #[test]
    fn words_are_runs_of_letters_and_signs_without_spaces_stand_alone() {
        let written = |text: &str| words(text).into_iter().map(|word| word.written).collect::<Vec<_>>();
        assert_eq!(written("Nhà-cửa, 24h!  (một_hai)"), ["nhà", "cửa", "24h", "một", "hai"]);
        assert_eq!(written("tôi 東京x"), ["tôi", "東", "京", "x"]);
        assert_eq!(written("\u{301} …"), Vec::<String>::new());
        assert_eq!(written("ไทย"), ["ไ", "ท", "ย"]);
        assert_eq!(words(&"a ".repeat(10_000)).len(), WORDS_MAX);
        assert_eq!(words(&"é".repeat(10_000))[0].exact.chars().count(), WORD_CHARS_MAX);
    }

    #[test]
    fn a_beginning_fits_with_the_accents_that_it_has() {
        let begins = |asked: &str, text: &str| words(asked)[0].begins(&words(text)[0]);
        assert!(begins("ng", "Nguyễn") && begins("nguy", "Nguyễn") && begins("hò", "hòa") && begins("hoà", "hòa"));
        assert!(!begins("nguyen", "nguy") && !begins("xó", "xom"));
        assert_eq!(prefixes("xóm").collect::<Vec<_>>(), ["x", "xó", "xóm"]);
        assert_eq!(prefixes("a234567890").last().unwrap(), longest_prefix("a234567890"));
    }

    #[test]
    fn r_api_21_long_and_odd_texts_take_no_time() {
        let began = std::time::Instant::now();
        for text in ["e\u{301}".repeat(20_000), "\u{301}".repeat(40_000), format!("a{}", "\u{301}".repeat(40_000))] {
            assert!(words(&text).len() <= WORDS_MAX);
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    }
}
