//! Answers given to `Idempotency-Key`s: a client that tries again gets what it got before.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use xom_node::model::StatusId;
use xom_protocol::Did;

use crate::http::limits::{IDEMPOTENCY_KEYS_MAX, IDEMPOTENCY_SECS};
use crate::http::{ApiError, Params};

/// Longest key, bytes.
const KEY_BYTES_MAX: usize = 255;

/// Remembers keys for an hour.
#[derive(Debug, Default)]
pub struct Idempotency {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: BTreeMap<(Did, String), Remembered>,
    /// The same keys, oldest first.
    ages: VecDeque<(Instant, (Did, String))>,
}

#[derive(Debug, Clone)]
struct Remembered {
    body: [u8; 32],
    answer: Arc<AsyncMutex<Option<StatusId>>>,
}

/// One key while its request is being carried out; a second request with it waits.
#[derive(Debug)]
pub struct Claim(OwnedMutexGuard<Option<StatusId>>);

impl Claim {
    /// What was answered before.
    pub fn answered(&self) -> Option<StatusId> {
        *self.0
    }

    /// Remembers the answer.
    pub fn answer(&mut self, status: StatusId) {
        *self.0 = Some(status);
    }
}

impl Idempotency {
    /// Claims the key of a request, if it has one. The same key with another body is refused.
    pub async fn claim(&self, who: Did, headers: &HeaderMap, params: &Params) -> Result<Option<Claim>, ApiError> {
        let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
        let key = key.to_str().map_err(|_| ApiError::invalid("Idempotency-Key is not text"))?;
        if key.is_empty() {
            return Ok(None);
        }
        if key.len() > KEY_BYTES_MAX {
            return Err(ApiError::invalid(format!("Idempotency-Key is longer than {KEY_BYTES_MAX} bytes")));
        }
        let body = Sha256::digest(serde_json::to_vec(params.tree()).unwrap_or_default()).into();
        let remembered = self.remember(who, key, body, Instant::now());
        if remembered.body != body {
            return Err(ApiError::invalid("Idempotency-Key was used for another post"));
        }
        Ok(Some(Claim(remembered.answer.lock_owned().await)))
    }

    fn remember(&self, who: Did, key: &str, body: [u8; 32], now: Instant) -> Remembered {
        let mut known = self.known.lock().expect("no holder of this lock panics");
        let kept = Duration::from_secs(IDEMPOTENCY_SECS);
        while let Some((since, _)) = known.ages.front() {
            if now.duration_since(*since) < kept && known.ages.len() < IDEMPOTENCY_KEYS_MAX {
                break;
            }
            if let Some((_, oldest)) = known.ages.pop_front() {
                known.keys.remove(&oldest);
            }
        }
        let key = (who, key.to_owned());
        if let Some(remembered) = known.keys.get(&key) {
            return remembered.clone();
        }
        let remembered = Remembered { body, answer: Arc::default() };
        known.ages.push_back((now, key.clone()));
        known.keys.insert(key, remembered.clone());
        remembered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(key: &str) -> HeaderMap {
        HeaderMap::from_iter([("idempotency-key".parse().unwrap(), key.parse().unwrap())])
    }

    fn params(text: &str) -> Params {
        Params::from_map(serde_json::Map::from_iter([("status".into(), text.into())]))
    }

    #[tokio::test]
    async fn r_api_19_a_key_gives_the_same_answer_and_refuses_another_body() {
        let known = Idempotency::default();
        let (alice, bob) = (Did([1; 32]), Did([2; 32]));
        let mut claim = known.claim(alice, &headers("k"), &params("a")).await.unwrap().unwrap();
        assert_eq!(claim.answered(), None);
        claim.answer(StatusId(7));
        drop(claim);
        let again = known.claim(alice, &headers("k"), &params("a")).await.unwrap().unwrap();
        assert_eq!(again.answered(), Some(StatusId(7)));
        assert!(known.claim(alice, &headers("k"), &params("b")).await.is_err());
        let other = known.claim(bob, &headers("k"), &params("b")).await.unwrap().unwrap();
        assert_eq!(other.answered(), None);
        assert!(known.claim(alice, &HeaderMap::new(), &params("a")).await.unwrap().is_none());
    }

    #[test]
    fn keys_are_forgotten_after_an_hour_and_bounded() {
        let known = Idempotency::default();
        let now = Instant::now();
        for key in 0..IDEMPOTENCY_KEYS_MAX + 10 {
            known.remember(Did([1; 32]), &key.to_string(), [0; 32], now);
        }
        assert_eq!(known.known.lock().unwrap().keys.len(), IDEMPOTENCY_KEYS_MAX);
        known.remember(Did([1; 32]), "late", [0; 32], now + Duration::from_secs(IDEMPOTENCY_SECS));
        assert_eq!(known.known.lock().unwrap().keys.len(), 1);
    }
}
