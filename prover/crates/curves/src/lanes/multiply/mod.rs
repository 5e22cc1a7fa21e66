//! Montgomery multiplication of four 64-bit limbs, in the assembly of each architecture that has its own.
//!
//! Let B = 2^64, R = B^4 and p below R/5 (both moduli of BN254 are). A row adds `a b_i` to the sum t,
//! then the multiple `m p` that makes it divisible by B, and divides: t' = (t + a b_i + m p) / B.
//!
//! For a below 4p and any four limbs b:
//! - t is below a + p before each row: it is 0 at first, and with b_i and m at most B - 1 the next is
//!   below (a + p + (a + p)(B - 1)) / B = a + p. That is below 5p < R: four limbs hold it.
//! - t + a b_i < a + p + a (B - 1) = a B + p < R B: five limbs hold it.
//!
//! The result is below a b / R + p. With a and b below 2p that is 4p^2 / R + p < 2p.

#[cfg(target_arch = "aarch64")]
mod a64;
#[cfg(target_arch = "x86_64")]
mod adx;

#[cfg(target_arch = "aarch64")]
pub(super) use a64::montgomery;
#[cfg(target_arch = "x86_64")]
pub(super) use adx::montgomery;

/// The modulus and -p^-1 modulo 2^64.
#[repr(C)]
pub(super) struct Modulus {
    pub limbs: [u64; 4],
    pub negative_inverse: u64,
}
