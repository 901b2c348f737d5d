//! Codes that stand for a consent until an app redeems them: once, soon, and only as who asked. In memory only, so that
//! a restart voids them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use xom_protocol::Did;

use super::limits::{CODE_MS_MAX, CODES_MAX, SPENT_MS_MAX};
use super::pkce::Challenge;
use super::redirect::RedirectUri;
use super::scope::Scopes;
use super::secret;

/// What the owner has allowed.
#[derive(Debug, Clone)]
pub struct Consent {
    /// The id of the app.
    pub client: String,
    /// As whom.
    pub did: Did,
    /// Where the code went.
    pub redirect: RedirectUri,
    /// What for.
    pub scopes: Scopes,
    /// What proves that it is redeemed by who asked.
    pub challenge: Option<Challenge>,
}

/// How an app redeems a code.
pub struct Redemption<'r> {
    /// The code.
    pub code: &'r str,
    /// The app, as far as it says.
    pub client: &'r str,
    /// True if it has shown its secret.
    pub authenticated: bool,
    /// The address that it asked with.
    pub redirect: &'r str,
    /// The PKCE verifier.
    pub verifier: Option<&'r str>,
}

/// What came of a code.
#[derive(Debug)]
pub enum Redeemed {
    /// It is good, and spent with this.
    Consent(Consent),
    /// It was spent before: what its first use made must end.
    Again([u8; 32]),
    /// It is unknown, too old, or not for who brought it.
    Refused,
}

struct Code {
    hash: [u8; 32],
    made_ms: u64,
    state: State,
}

enum State {
    Waiting(Consent),
    /// The hash of the token that it became.
    Spent([u8; 32]),
    /// The same, and it came again.
    Burnt([u8; 32]),
}

/// The codes that wait, and those that were spent lately.
#[derive(Default)]
pub struct Codes(Mutex<Vec<Code>>);

impl Codes {
    /// Takes a code down, by its hash.
    pub(super) fn add(&self, hash: [u8; 32], consent: Consent, now_ms: u64) {
        let mut codes = self.lock();
        prune(&mut codes, now_ms);
        let too_many = (codes.len() + 1).saturating_sub(CODES_MAX);
        codes.drain(..too_many);
        codes.push(Code { hash, made_ms: now_ms, state: State::Waiting(consent) });
    }

    /// Redeems a code; `token` is the hash of the token that it becomes. Whoever fails has burnt it: a code that
    /// somebody else tries has leaked.
    pub(super) fn redeem(&self, by: &Redemption<'_>, token: [u8; 32], now_ms: u64) -> Redeemed {
        let mut codes = self.lock();
        prune(&mut codes, now_ms);
        let hash = secret::hash(by.code);
        let Some(place) = codes.iter().position(|code| secret::is_same(&code.hash, &hash)) else {
            return Redeemed::Refused;
        };
        let consent = match &codes[place].state {
            State::Spent(token) | State::Burnt(token) => {
                let token = *token;
                codes[place].state = State::Burnt(token);
                return Redeemed::Again(token);
            }
            State::Waiting(consent) => consent.clone(),
        };
        if !is_for(&consent, by) {
            codes.remove(place);
            return Redeemed::Refused;
        }
        codes[place].state = State::Spent(token);
        Redeemed::Consent(consent)
    }

    /// True if the code that became this token came again, perhaps before the token was there to be ended.
    pub(super) fn is_burnt(&self, token: &[u8; 32]) -> bool {
        self.lock().iter().any(|code| matches!(&code.state, State::Burnt(made) if made == token))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Code>> {
        // No holder leaves the list half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn prune(codes: &mut Vec<Code>, now_ms: u64) {
    codes.retain(|code| {
        let age = now_ms.saturating_sub(code.made_ms);
        match code.state {
            State::Waiting(_) => age < CODE_MS_MAX,
            State::Spent(_) | State::Burnt(_) => age < SPENT_MS_MAX,
        }
    });
}

/// Who asked proves it by the verifier, by the secret, or by both; what is brought must be right either way.
fn is_for(consent: &Consent, by: &Redemption<'_>) -> bool {
    let proven = match (&consent.challenge, by.verifier) {
        (Some(challenge), Some(verifier)) => challenge.is_of(verifier),
        (None, None) => by.authenticated,
        // A verifier for a code without a challenge: somebody took the challenge out on the way (RFC 9700, 4.8.2).
        (Some(_), None) | (None, Some(_)) => false,
    };
    proven && consent.client == by.client && consent.redirect.as_str() == by.redirect
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const HOME: &str = "https://app.example/cb";

    fn consent(pkce: bool) -> Consent {
        Consent {
            client: "app".into(),
            did: Did([7; 32]),
            redirect: RedirectUri::parse(HOME).unwrap(),
            scopes: Scopes::parse("read").unwrap(),
            challenge: Challenge::read(pkce.then_some(CHALLENGE), pkce.then_some("S256")).unwrap(),
        }
    }

    fn by<'r>(verifier: Option<&'r str>, authenticated: bool) -> Redemption<'r> {
        Redemption { code: "code", client: "app", authenticated, redirect: HOME, verifier }
    }

    fn check(pkce: bool, by: &Redemption<'_>, now_ms: u64) -> bool {
        let codes = Codes::default();
        codes.add(secret::hash("code"), consent(pkce), 1_000);
        matches!(codes.redeem(by, [1; 32], now_ms), Redeemed::Consent(_))
    }

    #[test]
    fn r_api_6_a_code_lives_for_a_minute() {
        assert!(check(false, &by(None, true), 60_999));
        assert!(!check(false, &by(None, true), 61_000));
    }

    #[test]
    fn r_api_6_who_redeems_proves_it_by_the_verifier_or_by_the_secret() {
        assert!(check(true, &by(Some(VERIFIER), false), 1_000));
        assert!(check(true, &by(Some(VERIFIER), true), 1_000));
        assert!(!check(true, &by(None, true), 1_000), "the verifier is missing");
        assert!(!check(true, &by(Some(CHALLENGE), true), 1_000), "plain");
        assert!(!check(false, &by(Some(VERIFIER), true), 1_000), "the challenge was taken out");
        assert!(!check(false, &by(None, false), 1_000), "nothing proves it");
    }

    #[test]
    fn r_api_6_a_code_of_another_app_or_address_is_refused_and_burnt() {
        for wrong in [
            Redemption { client: "other", ..by(None, true) },
            Redemption { redirect: "https://app.example/cb/", ..by(None, true) },
            Redemption { redirect: "", ..by(None, true) },
        ] {
            let codes = Codes::default();
            codes.add(secret::hash("code"), consent(false), 1_000);
            assert!(matches!(codes.redeem(&wrong, [1; 32], 1_000), Redeemed::Refused));
            assert!(matches!(codes.redeem(&by(None, true), [1; 32], 1_000), Redeemed::Refused), "it was burnt");
        }
    }

    #[test]
    fn r_api_6_the_second_use_names_the_token_of_the_first_also_after_the_code_has_run_out() {
        let codes = Codes::default();
        codes.add(secret::hash("code"), consent(false), 1_000);
        assert!(matches!(codes.redeem(&by(None, true), [1; 32], 1_000), Redeemed::Consent(_)));
        for later in [1_000, 600_000] {
            let again = codes.redeem(&by(None, false), [2; 32], later);
            assert!(matches!(again, Redeemed::Again(token) if token == [1; 32]));
            assert!(codes.is_burnt(&[1; 32]));
        }
    }

    #[test]
    fn codes_that_nobody_redeems_make_room() {
        let codes = Codes::default();
        for number in 0..=CODES_MAX {
            codes.add(secret::hash(&format!("code{number}")), consent(false), 1_000);
        }
        assert_eq!(codes.lock().len(), CODES_MAX);
    }
}
