//! Families of client records that the reader looks at: what of a viewer's notifications he has put away. Their ids
//! are this node's own, so that nothing of it can travel to another device.

/// The DID -> the highest id that has been cleared, 8 bytes.
pub const NOTIFICATIONS_CLEARED: &str = "notifications-cleared";
/// The DID and the id, 8 bytes -> nothing.
pub const NOTIFICATION_DISMISSED: &str = "notification-dismissed";
/// Most notifications that are put away one by one; those with the lowest ids come back beyond that.
pub const NOTIFICATIONS_DISMISSED_MAX: usize = 4_096;
