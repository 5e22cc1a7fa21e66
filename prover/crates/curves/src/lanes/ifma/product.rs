//! Products of integers, and Montgomery's reduction after them.
//!
//! A product is ten columns of 52 bits that are not carried: each is a sum of at most ten halves of
//! products. So products can be added and subtracted before they are reduced, as long as the integer is
//! not negative; columns may be. Nothing comes near the 63 bits that a column has: a difference of
//! products is between -20 and 20 times 2^52, a reduction adds at most ten more and a carry.

use ark_ff::MontConfig;

use super::super::simd::{self, Vector};
use super::{Ifma, LIMB_BITS, LIMB_MASK, LIMBS, Limbs, Modulus, carry};

/// A product, or a sum of products.
pub type Columns = [Vector; 2 * LIMBS];

/// `a b`, of limbs below 2^52.
#[inline(always)]
pub fn product(a: &Limbs, b: &Limbs) -> Columns {
    let mut columns = [simd::zero(); 2 * LIMBS];
    for (row, factor) in b.iter().enumerate() {
        for limb in 0..LIMBS {
            let low = &mut columns[row + limb];
            *low = simd::multiply_low(*low, a[limb], *factor);
        }
        for limb in 0..LIMBS {
            let high = &mut columns[row + limb + 1];
            *high = simd::multiply_high(*high, a[limb], *factor);
        }
    }
    columns
}

/// `a^2`, of limbs below 2^52: products of two limbs are made once and doubled.
#[inline(always)]
pub fn squared(a: &Limbs) -> Columns {
    let mut columns = [simd::zero(); 2 * LIMBS];
    for row in 0..LIMBS {
        for limb in row + 1..LIMBS {
            let low = &mut columns[row + limb];
            *low = simd::multiply_low(*low, a[limb], a[row]);
            let high = &mut columns[row + limb + 1];
            *high = simd::multiply_high(*high, a[limb], a[row]);
        }
    }
    for column in &mut columns {
        *column = simd::add(*column, *column);
    }
    for limb in 0..LIMBS {
        let low = &mut columns[2 * limb];
        *low = simd::multiply_low(*low, a[limb], a[limb]);
        let high = &mut columns[2 * limb + 1];
        *high = simd::multiply_high(*high, a[limb], a[limb]);
    }
    columns
}

/// The integer t of the columns over 2^260, modulo p: below 2p for t from 0 to 84p^2.
///
/// Each step adds the multiple `q p` that makes the lowest column a multiple of 2^52 and carries it into
/// the next. What is added to the lowest is less than 2^52, so the carry is the column over 2^52,
/// rounded up, and need not wait for q. All that q waits for is the column before: two products deep.
#[inline(always)]
pub fn reduce<C: MontConfig<4>>(mut columns: Columns) -> Limbs {
    let p = Ifma::<C>::constant(C::P);
    let inverse = simd::splat(C::NEGATIVE_INVERSE);
    let round = simd::splat(LIMB_MASK);
    for step in 0..LIMBS {
        let lowest = columns[step];
        let quotient = simd::multiply_low(simd::zero(), lowest, inverse);
        let over = simd::shift_right_signed::<LIMB_BITS>(simd::add(lowest, round));
        let next = simd::add(columns[step + 1], over);
        columns[step + 1] = simd::add(
            simd::multiply_high(next, quotient, p[0]),
            simd::multiply_low(simd::zero(), quotient, p[1]),
        );
        for limb in 2..LIMBS {
            let low = &mut columns[step + limb];
            *low = simd::multiply_low(*low, quotient, p[limb]);
        }
        for limb in 1..LIMBS {
            let high = &mut columns[step + limb + 1];
            *high = simd::multiply_high(*high, quotient, p[limb]);
        }
    }
    let [.., c5, c6, c7, c8, c9] = columns;
    carry([c5, c6, c7, c8, c9])
}
