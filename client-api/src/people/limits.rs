//! Every bound of what people and strangers can make this node remember or reckon.

/// Fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Most bytes of a password.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// Memory of one guess of a password, KiB: with [`PASSWORD_PASSES`] the least that OWASP advises for Argon2id. Who has
/// the hashes has the data folder already; what they protect is the same password elsewhere.
pub const PASSWORD_KIB: u32 = 19 << 10;
/// Passes over that memory.
pub const PASSWORD_PASSES: u32 = 2;
/// Most passwords that are reckoned at once.
pub const PASSWORDS_AT_ONCE_MAX: usize = 2;
/// Most tries to log in under one name in [`TRIES_MS`].
pub const TRIES_MAX: u32 = 20;
/// Most tries to log in under names that nobody has in [`TRIES_MS`].
pub const TRIES_UNKNOWN_MAX: u32 = 60;
/// The time in which tries are counted, milliseconds.
pub const TRIES_MS: u64 = 15 * 60 * 1000;
/// How many may register in an hour, unless the settings say otherwise.
pub const REGISTRATIONS_HOUR_MAX: u32 = 20;
/// The time in which registrations are counted, milliseconds.
pub const REGISTRATIONS_MS: u64 = 60 * 60 * 1000;
/// Most codes to register that wait; the oldest goes.
pub const CODES_MAX: usize = 256;
/// How long a code to register is good, milliseconds.
pub const CODE_MS_MAX: u64 = 7 * 24 * 60 * 60 * 1000;
