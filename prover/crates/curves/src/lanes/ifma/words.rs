//! Between four 64-bit words of a row in memory and five 52-bit limbs of eight lanes.

use super::super::arithmetic::WIDTH;
use super::super::simd::{self, Vector};
use super::{LIMB_MASK, Limbs};

/// Five limbs from four words.
#[inline(always)]
pub fn words_to_limbs(words: [Vector; 4]) -> Limbs {
    let mask = simd::splat(LIMB_MASK);
    let [w0, w1, w2, w3] = words;
    [
        simd::and(w0, mask),
        simd::and(
            simd::or(simd::shift_right::<52>(w0), simd::shift_left::<12>(w1)),
            mask,
        ),
        simd::and(
            simd::or(simd::shift_right::<40>(w1), simd::shift_left::<24>(w2)),
            mask,
        ),
        simd::and(
            simd::or(simd::shift_right::<28>(w2), simd::shift_left::<36>(w3)),
            mask,
        ),
        simd::shift_right::<16>(w3),
    ]
}

/// Four words from five limbs.
#[inline(always)]
pub fn limbs_to_words(limbs: Limbs) -> [Vector; 4] {
    let [l0, l1, l2, l3, l4] = limbs;
    [
        simd::or(l0, simd::shift_left::<52>(l1)),
        simd::or(simd::shift_right::<12>(l1), simd::shift_left::<40>(l2)),
        simd::or(simd::shift_right::<24>(l2), simd::shift_left::<28>(l3)),
        simd::or(simd::shift_right::<36>(l3), simd::shift_left::<16>(l4)),
    ]
}

const EVEN_PAIRS: [u64; WIDTH] = [0, 1, 8, 9, 4, 5, 12, 13];
const ODD_PAIRS: [u64; WIDTH] = [2, 3, 10, 11, 6, 7, 14, 15];

/// Eight rows of four words to four vectors: vector `w` has word `w` of every row.
#[inline(always)]
pub fn transpose_in(rows: [&[u64; 4]; WIDTH]) -> [Vector; 4] {
    let halves = [
        simd::from_halves(rows[0], rows[4]),
        simd::from_halves(rows[1], rows[5]),
        simd::from_halves(rows[2], rows[6]),
        simd::from_halves(rows[3], rows[7]),
    ];
    let low_01 = simd::unpack_low(halves[0], halves[1]);
    let high_01 = simd::unpack_high(halves[0], halves[1]);
    let low_23 = simd::unpack_low(halves[2], halves[3]);
    let high_23 = simd::unpack_high(halves[2], halves[3]);
    let (even, odd) = (simd::from_array(EVEN_PAIRS), simd::from_array(ODD_PAIRS));
    [
        simd::permute_two(low_01, even, low_23),
        simd::permute_two(high_01, even, high_23),
        simd::permute_two(low_01, odd, low_23),
        simd::permute_two(high_01, odd, high_23),
    ]
}

/// The inverse of [`transpose_in`].
#[inline(always)]
pub fn transpose_out(words: [Vector; 4]) -> [[u64; 4]; WIDTH] {
    let (even, odd) = (simd::from_array(EVEN_PAIRS), simd::from_array(ODD_PAIRS));
    let low_01 = simd::permute_two(words[0], even, words[2]);
    let low_23 = simd::permute_two(words[0], odd, words[2]);
    let high_01 = simd::permute_two(words[1], even, words[3]);
    let high_23 = simd::permute_two(words[1], odd, words[3]);
    let [first, fifth] = simd::to_halves(simd::unpack_low(low_01, high_01));
    let [second, sixth] = simd::to_halves(simd::unpack_high(low_01, high_01));
    let [third, seventh] = simd::to_halves(simd::unpack_low(low_23, high_23));
    let [fourth, eighth] = simd::to_halves(simd::unpack_high(low_23, high_23));
    [first, second, third, fourth, fifth, sixth, seventh, eighth]
}
