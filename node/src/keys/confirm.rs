//! Confirming the 24 words: which three are asked for, and what then becomes of the keys.

use std::fmt;

use xom_protocol::phrase::{PHRASE_WORDS, Phrase};
use zeroize::Zeroizing;

/// Words that are asked for.
const ASKED: usize = 3;

/// Which words are asked for: three places from 1 to 24, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Questions(pub [usize; ASKED]);

/// What becomes of the control key once the words are confirmed.
#[derive(Clone)]
pub enum Keep {
    /// It is kept nowhere but in the words; one that is sealed already stays sealed.
    InWords,
    /// It stays in the data folder, unsealed.
    Unsealed,
    /// It is sealed.
    Sealed {
        /// With this passphrase.
        passphrase: Zeroizing<String>,
        /// The device key too: the node then posts nothing after a start until it is opened.
        device: bool,
    },
}

/// The owner's answers.
#[derive(Clone)]
pub struct Confirmation {
    /// The three words, in the order of [`Questions`].
    pub words: Vec<Zeroizing<String>>,
    /// What becomes of the control key.
    pub keep: Keep,
}

impl Questions {
    /// Three different places, from random bytes.
    pub(crate) fn from_entropy(entropy: &[u8; 32]) -> Self {
        let mut places: Vec<usize> = (1..=PHRASE_WORDS).collect();
        let mut asked = [0; ASKED];
        for (slot, chunk) in asked.iter_mut().zip(entropy.chunks_exact(8)) {
            let number = chunk.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
            // A remainder below 24 of 64 random bits: no place is favoured that anybody could notice.
            let at = usize::try_from(number % places.len() as u64).unwrap_or_default();
            *slot = places.swap_remove(at);
        }
        asked.sort_unstable();
        Self(asked)
    }

    /// True if these are the words at the places that were asked for.
    pub(crate) fn are_answered_by(&self, phrase: &Phrase, words: &[Zeroizing<String>]) -> bool {
        let all = phrase.words();
        let all: Vec<&str> = all.split(' ').collect();
        let right = |(place, word): (&usize, &Zeroizing<String>)| {
            all.get(place - 1).is_some_and(|right| *right == word.trim().to_lowercase())
        };
        words.len() == ASKED && self.0.iter().zip(words).all(right)
    }
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InWords => "InWords",
            Self::Unsealed => "Unsealed",
            Self::Sealed { .. } => "Sealed(hidden)",
        })
    }
}

impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation").field("keep", &self.keep).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn three_different_places_are_asked_for_and_any_place_can_be() {
        let mut seen = BTreeSet::new();
        for seed in 0..=255_u8 {
            let mut entropy = [seed; 32];
            for (index, byte) in entropy.iter_mut().enumerate() {
                *byte = byte.wrapping_mul(31).wrapping_add(u8::try_from(index * index % 251).unwrap());
            }
            let Questions(places) = Questions::from_entropy(&entropy);
            assert!(places[0] < places[1] && places[1] < places[2], "{places:?}");
            assert!((1..=PHRASE_WORDS).contains(&places[0]) && places[2] <= PHRASE_WORDS, "{places:?}");
            seen.extend(places);
        }
        assert_eq!(seen.len(), PHRASE_WORDS);
    }

    #[test]
    fn only_the_right_words_in_the_right_order_answer() {
        let phrase = Phrase::from_entropy(&[7; 32]).unwrap();
        let words = phrase.words();
        let word = |place: usize| Zeroizing::new(words.split(' ').nth(place - 1).unwrap().to_owned());
        let asked = Questions([2, 5, 24]);
        let upper = Zeroizing::new(format!(" {} ", word(5).to_uppercase()));
        assert!(asked.are_answered_by(&phrase, &[word(2), upper, word(24)]));
        assert!(!asked.are_answered_by(&phrase, &[word(5), word(2), word(24)]));
        assert!(!asked.are_answered_by(&phrase, &[word(2), word(5)]));
        assert!(!asked.are_answered_by(&phrase, &[]));
    }
}
