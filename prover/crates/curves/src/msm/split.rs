//! Full-size scalars as two of half the size.
//!
//! BN254 has an endomorphism, (x, y) to (beta x, y), that multiplies each point of order r by lambda, both cube roots of
//! one (R. Gallant, R. Lambert, S. Vanstone, 2001). So k P = k1 P + k2 (lambda P) with k = k1 + k2 lambda, half as many
//! windows of digits, and half as many buckets to weigh.

use core::marker::PhantomData;

use rayon::prelude::*;

use super::digits::SignedScalar;
use crate::lanes::{Lanes, WIDTH};
use crate::point::{Curve, PackedPoint};
use crate::room::{Room, Work};

/// Longer scalars are split. Those of random sums, which look for points outside the group, are not longer: lambda is no
/// multiple of such a point.
pub(super) const LONGEST_WHOLE: u32 = 128;
/// Bits of each half, at most.
pub(super) const HALF_BITS: u32 = 127;

/// Images that one task makes.
const TASK: usize = 1024;

// (LONG, SHORT) and (SHORT, -LESS) are the short pairs (a, b) with a + b lambda = 0 modulo r, as the extended Euclidean
// algorithm finds them for r and lambda, and LONG LESS + SHORT^2 = r.
const LONG: [u64; 2] = [0x0be4_e154_1221_250b, 0x6f4d_8248_eeb8_59fd];
const LESS: [u64; 2] = [0x8211_bbeb_7d4f_1128, 0x6f4d_8248_eeb8_59fc];
const SHORT: u64 = 0x89d3_2568_94d2_13e3;
/// 2^256 LESS / r and 2^256 SHORT / r, rounded down.
const LESS_OVER_R: [u64; 3] = [0x7a7b_d9d4_391e_b18d, 0x4cce_f014_a773_d2cf, 0x2];
const SHORT_OVER_R: [u64; 2] = [0xd91d_232e_c7e0_b3d7, 0x2];

/// The numbers k1 and k2, of at most [`HALF_BITS`] bits, with `scalar` = k1 + k2 lambda modulo r.
///
/// With c1 = k LESS / r and c2 = k SHORT / r, (k, 0) is c1 and c2 times the two pairs. Both rounded down lack less than
/// 1 + k / 2^256 < 1.125, k being below 2^253. What is left lies below 1.125 (LONG + SHORT) < 2^127 and between
/// -1.125 LESS > -2^127 and 1.125 SHORT.
pub(super) fn split(scalar: &SignedScalar) -> [SignedScalar; 2] {
    let k = scalar.magnitude();
    let c1 = upper_half(&k, &LESS_OVER_R);
    let c2 = upper_half(&k, &SHORT_OVER_R);
    let low = minus(minus(k, times(&c1, &LONG)), times(&c2, &[SHORT]));
    let high = minus(times(&c2, &LESS), times(&c1, &[SHORT]));
    [low, high].map(|half| SignedScalar::from_complement(half, scalar.is_negative()))
}

/// Bits 256 and up of a product.
fn upper_half(left: &[u64; 4], right: &[u64]) -> [u64; 2] {
    let product = product::<7>(left, right);
    [product[4], product[5]]
}

/// A product modulo 2^256.
fn times(left: &[u64; 2], right: &[u64]) -> [u64; 4] {
    product(left, right)
}

/// The low words of a product.
fn product<const WORDS: usize>(left: &[u64], right: &[u64]) -> [u64; WORDS] {
    let mut words = [0; WORDS];
    for (shift, &factor) in right.iter().enumerate() {
        let mut carry = 0;
        for (index, &word) in left.iter().enumerate() {
            let sum = u128::from(word) * u128::from(factor)
                + u128::from(words[shift + index])
                + u128::from(carry);
            words[shift + index] = sum as u64;
            carry = (sum >> 64) as u64;
        }
        if shift + left.len() < WORDS {
            words[shift + left.len()] = carry;
        }
    }
    words
}

/// A difference modulo 2^256.
fn minus(left: [u64; 4], right: [u64; 4]) -> [u64; 4] {
    super::digits::subtract(&left, &right)
}

/// The images of `points[chosen[i]]` under the endomorphism.
pub(super) fn images<C: Curve, R: Room>(
    points: &[PackedPoint<C>],
    chosen: &[u32],
) -> Vec<PackedPoint<C>> {
    let mut images = vec![PackedPoint::infinity(); chosen.len()];
    images
        .par_chunks_mut(TASK)
        .zip(chosen.par_chunks(TASK))
        .for_each(|(images, chosen)| {
            let room = PhantomData::<R>;
            R::run(Images {
                points,
                chosen,
                images,
                room,
            });
        });
    images
}

struct Images<'a, C: Curve, R: Room> {
    points: &'a [PackedPoint<C>],
    chosen: &'a [u32],
    images: &'a mut [PackedPoint<C>],
    room: PhantomData<R>,
}

impl<C: Curve, R: Room> Work for Images<'_, C, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let factor = C::Lanes::<R>::splat(C::beta());
        for (images, chosen) in self.images.chunks_mut(WIDTH).zip(self.chosen.chunks(WIDTH)) {
            let of = |lane: usize| &self.points[chosen[lane.min(chosen.len() - 1)] as usize];
            let x = C::Lanes::<R>::load(core::array::from_fn(|lane| &of(lane).x));
            let x = x.mul(factor).store();
            for (lane, image) in images.iter_mut().enumerate() {
                *image = PackedPoint {
                    x: x[lane],
                    y: of(lane).y,
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;
    use ark_ec::scalar_mul::glv::GLVConfig;
    use ark_ff::{BigInt, Field, PrimeField};
    use proptest::prelude::*;

    use super::*;

    /// The root that belongs to [`Curve::beta`].
    const LAMBDA: Fr = <ark_bn254::g2::Config as GLVConfig>::LAMBDA;

    fn value(scalar: &SignedScalar) -> Fr {
        let magnitude = Fr::from_bigint(BigInt(scalar.magnitude())).expect("below the modulus");
        if scalar.is_negative() {
            -magnitude
        } else {
            magnitude
        }
    }

    fn check(scalar: Fr) {
        let scalar = SignedScalar::new(scalar.into_bigint().0, &Fr::MODULUS.0);
        let halves = split(&scalar);
        assert!(halves.iter().all(|half| half.bits() <= HALF_BITS));
        assert_eq!(
            value(&halves[0]) + value(&halves[1]) * LAMBDA,
            value(&scalar)
        );
    }

    #[test]
    fn constants_are_what_they_are_said_to_be() {
        let number = |words: &[u64]| {
            let mut all = [0; 4];
            all[..words.len()].copy_from_slice(words);
            Fr::from_bigint(BigInt(all)).expect("below the modulus")
        };
        let (long, less, short) = (number(&LONG), number(&LESS), number(&[SHORT]));
        assert_eq!(long + short * LAMBDA, Fr::from(0));
        assert_eq!(short - less * LAMBDA, Fr::from(0));
        let determinant = minus(product(&LONG, &LESS), Fr::MODULUS.0);
        assert_eq!(determinant, minus([0; 4], product(&[SHORT], &[SHORT])));
        for (rounded, number) in [(&LESS_OVER_R[..], &LESS[..]), (&SHORT_OVER_R, &[SHORT])] {
            let mut shifted = [0; 8];
            shifted[4..4 + number.len()].copy_from_slice(number);
            let mut next = rounded.to_vec();
            next[0] += 1;
            let times_r = |words: &[u64]| BigInt::<8>(product(&Fr::MODULUS.0, words));
            assert!(times_r(rounded) <= BigInt(shifted) && BigInt(shifted) < times_r(&next));
        }
    }

    #[test]
    fn edges_are_split() {
        let half = Fr::from(2).inverse().expect("not zero");
        for edge in [
            half,
            half - Fr::from(1),
            LAMBDA,
            -LAMBDA,
            Fr::from(0),
            -Fr::from(1),
        ] {
            check(edge);
        }
        for power in 0..254 {
            let two = Fr::from(2).pow([power]);
            check(two);
            check(two - Fr::from(1));
            check(two * LAMBDA);
        }
    }

    proptest! {
        #[test]
        fn any_scalar_is_split(bytes: [u8; 40]) {
            check(Fr::from_le_bytes_mod_order(&bytes));
        }
    }
}
