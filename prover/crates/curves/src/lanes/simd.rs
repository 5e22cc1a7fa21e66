//! The AVX-512 instructions in use, as safe functions.
//!
//! Only the lanes of [`crate::room::Ifma`] use this module, and only a CPU with AVX-512 F, DQ, VL and
//! IFMA gets into that room, so every instruction here exists wherever it is reached.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use super::arithmetic::{Mask, WIDTH};

/// Eight unsigned 64-bit numbers.
pub type Vector = __m512i;

macro_rules! safe {
    ($($(#[$meta:meta])* fn $name:ident($($argument:ident: $kind:ty),*) -> $result:ty = $body:expr;)*) => {
        $(
            $(#[$meta])*
            #[inline(always)]
            pub fn $name($($argument: $kind),*) -> $result {
                // SAFETY: register-only instructions of features that the room requires.
                unsafe { $body }
            }
        )*
    };
}

safe! {
    fn add(a: Vector, b: Vector) -> Vector = _mm512_add_epi64(a, b);
    fn sub(a: Vector, b: Vector) -> Vector = _mm512_sub_epi64(a, b);
    fn and(a: Vector, b: Vector) -> Vector = _mm512_and_si512(a, b);
    fn or(a: Vector, b: Vector) -> Vector = _mm512_or_si512(a, b);
    /// `sum` plus the low 52 bits of the product of the low 52 bits of `a` and `b`.
    fn multiply_low(sum: Vector, a: Vector, b: Vector) -> Vector = _mm512_madd52lo_epu64(sum, a, b);
    /// `sum` plus the high 52 bits of the product of the low 52 bits of `a` and `b`.
    fn multiply_high(sum: Vector, a: Vector, b: Vector) -> Vector = _mm512_madd52hi_epu64(sum, a, b);
    fn splat(word: u64) -> Vector = _mm512_set1_epi64(word.cast_signed());
    fn zero() -> Vector = _mm512_setzero_si512();
    fn blend(mask: Mask, if_set: Vector, if_clear: Vector) -> Vector =
        _mm512_mask_blend_epi64(mask, if_clear, if_set);
    fn equal(a: Vector, b: Vector) -> Mask = _mm512_cmpeq_epi64_mask(a, b);
    fn negative(a: Vector) -> Mask = _mm512_movepi64_mask(a);
    fn permute(order: Vector, a: Vector) -> Vector = _mm512_permutexvar_epi64(order, a);
    fn permute_two(a: Vector, order: Vector, b: Vector) -> Vector =
        _mm512_permutex2var_epi64(a, order, b);
    fn unpack_low(a: Vector, b: Vector) -> Vector = _mm512_unpacklo_epi64(a, b);
    fn unpack_high(a: Vector, b: Vector) -> Vector = _mm512_unpackhi_epi64(a, b);
}

/// A vector from its lanes.
#[inline(always)]
pub fn from_array(words: [u64; WIDTH]) -> Vector {
    // SAFETY: reads exactly the 64 bytes of `words`; the instruction has no alignment demand.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

/// The lanes of a vector.
#[inline(always)]
pub fn to_array(vector: Vector) -> [u64; WIDTH] {
    let mut words = [0; WIDTH];
    // SAFETY: writes exactly the 64 bytes of `words`; the instruction has no alignment demand.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), vector) };
    words
}

/// `low` in lanes 0 to 3, `high` in lanes 4 to 7.
#[inline(always)]
pub fn from_halves(low: &[u64; 4], high: &[u64; 4]) -> Vector {
    // SAFETY: each load reads exactly the 32 bytes behind its reference, at any alignment.
    unsafe {
        let low = _mm256_loadu_si256(low.as_ptr().cast());
        let high = _mm256_loadu_si256(high.as_ptr().cast());
        _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
    }
}

/// Lanes 0 to 3 and lanes 4 to 7.
#[inline(always)]
pub fn to_halves(vector: Vector) -> [[u64; 4]; 2] {
    let words = to_array(vector);
    [
        [words[0], words[1], words[2], words[3]],
        [words[4], words[5], words[6], words[7]],
    ]
}

/// Shifts each lane left.
#[inline(always)]
pub fn shift_left<const BITS: u32>(a: Vector) -> Vector {
    // SAFETY: a register-only instruction of a feature that the room requires.
    unsafe { _mm512_slli_epi64::<BITS>(a) }
}

/// Shifts each lane right.
#[inline(always)]
pub fn shift_right<const BITS: u32>(a: Vector) -> Vector {
    // SAFETY: a register-only instruction of a feature that the room requires.
    unsafe { _mm512_srli_epi64::<BITS>(a) }
}

/// Shifts each lane right and keeps its sign.
#[inline(always)]
pub fn shift_right_signed<const BITS: u32>(a: Vector) -> Vector {
    // SAFETY: a register-only instruction of a feature that the room requires.
    unsafe { _mm512_srai_epi64::<BITS>(a) }
}
