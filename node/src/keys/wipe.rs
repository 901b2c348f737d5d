//! Clearing what a computation with a secret has left on the stack below its caller: values that were moved
//! leave copies there that no destructor reaches.

use zeroize::Zeroize;

/// How far down is cleared, bytes: deeper than opening a sealed key goes.
const STACK_BYTES: usize = 64 << 10;

/// Overwrites the part of the stack that returned calls have used.
#[inline(never)]
pub(crate) fn wipe_stack() {
    let mut used = [u8::MAX; STACK_BYTES];
    used.zeroize();
    std::hint::black_box(&used);
}
