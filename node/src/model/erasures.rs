//! Erasing many entries at once.

use xom_protocol::DeviceId;

/// Which entries of an own identity are to be erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EraseScope {
    /// What was said before this time, milliseconds since 1970: posts with all their edits, reposts, reactions,
    /// votes and results of polls. A post that was imported counts by its original time.
    Before(u64),
    /// The same, whenever it was said, by one device.
    Device(DeviceId),
    /// All that can be erased: also the profile, follows, blocks and entries of apps.
    Everything,
}
