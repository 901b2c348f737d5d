//! Texts of the page of devices.

pub(in crate::web) const DEVICES: &str = "Your devices";
pub(in crate::web) const YOURS: &str = "Devices";
pub(in crate::web) const PAIR: &str = "Add a device";
pub(in crate::web) const PAIR_WHAT: &str =
    "Another machine of yours can post under the same identity: it gets a key of its own, and everything you have.";
pub(in crate::web) const PAIR_BUTTON: &str = "Add a device";
pub(in crate::web) const PAIR_HOW: &str =
    "Install xom on the new machine and run this there, or scan the code. Show it to nobody else.";
pub(in crate::web) const OFFER: &str = "The command for the new machine";
pub(in crate::web) const OFFER_QR: &str = "QR code of the offer";
pub(in crate::web) const EXPIRES: &str = "Good until";
pub(in crate::web) const STOP: &str = "Stop";
pub(in crate::web) const DIGITS: &str = "Six digits";
pub(in crate::web) const COMPARE: &str = "The new machine shows six digits too. Are they the same?";
pub(in crate::web) const EQUAL: &str = "They are the same";
pub(in crate::web) const DIFFERENT: &str = "They differ, stop";
pub(in crate::web) const CONFIRM_THERE: &str = "Confirmed here. Now confirm on the new machine.";
pub(in crate::web) const DONE: &str = "The new device has your identity:";
pub(in crate::web) const UNANSWERED: &str =
    "A device was admitted and has not answered. Remove it if it does not appear on the other machine:";
pub(in crate::web) const EXPIRED: &str = "Nobody came in time. Nothing was admitted.";
pub(in crate::web) const STOPPED: &str = "Stopped. Nothing was admitted.";
pub(in crate::web) const SPENT: &str = "The offer was tried too often and is void. Nothing was admitted.";
pub(in crate::web) const FAILED: &str = "The device could not be admitted:";
pub(in crate::web) const NO_NAME: &str = "A device without a name";
pub(in crate::web) const HERE: &str = "this node";
pub(in crate::web) const ENDED: &str = "removed";
pub(in crate::web) const ENTRIES: [&str; 2] = ["entry", "entries"];
pub(in crate::web) const LAST: &str = "last";
pub(in crate::web) const NAME: &str = "Name of the device";
pub(in crate::web) const RENAME: &str = "Rename";
pub(in crate::web) const REMOVE: &str = "Remove …";
pub(in crate::web) const REMOVE_WHAT: &str =
    "What it signs from now on counts nowhere; what it wrote until now stays. Your control key has to sign.";
pub(in crate::web) const REMOVE_HERE: &str = "This node could not post any more. What it wrote until now stays.";
pub(in crate::web) const PASSPHRASE: &str = "Passphrase, if your keys are sealed";
pub(in crate::web) const WORDS: &str = "Or your 24 words, if this node keeps no control key";
pub(in crate::web) const KEEP_BEFORE: &str = "If it was stolen: keep only what it wrote before this time (UTC); what it erased since comes back. \
    Whoever has its key can claim an earlier time, so look at what is left afterwards";
pub(in crate::web) const WITH_GRANTED: &str = "Remove the devices that it admitted too";
pub(in crate::web) const REMOVE_BUTTON: &str = "Remove this device";
