//! A point addition of snarkjs on coordinates that are no field elements.
//!
//! Where the powers of tau end exactly with a circuit, snarkjs' hash of the circuit takes 64 bytes
//! behind them for a point: the frame of the next section and the beginning of its first point. Its
//! arithmetic does not reduce what it is given; this is that arithmetic, on words.

use ark_bn254::{Fq, FqConfig, G1Affine};
use ark_ff::{AdditiveGroup, BigInt, Field, MontConfig, PrimeField};
use haca_prover_formats::binary::to_words;
use haca_prover_formats::bn254::BASE_MODULUS;

type Words = [u64; 4];

/// `bytes`, taken for a point, less a point.
pub fn subtract_point(bytes: &[u8], point: &G1Affine) -> G1Affine {
    let (x1, y1) = (to_words(&bytes[..32]), to_words(&bytes[32..64]));
    let (x2, y2) = (point.x.0.0, (-point.y).0.0);
    // "madd-2007-bl" of the Explicit-Formulas Database with Z1 = 1.
    let h = subtract(&x2, &x1);
    let r = double(&subtract(&y2, &y1));
    let i = double(&double(&multiply(&h, &h)));
    let j = multiply(&h, &i);
    let v = multiply(&x1, &i);
    let x3 = subtract(&subtract(&multiply(&r, &r), &j), &double(&v));
    let y3 = subtract(
        &multiply(&subtract(&v, &x3), &r),
        &double(&multiply(&y1, &j)),
    );
    let z3 = double(&h);

    let inverse = reduce(&z3).inverse().unwrap_or(Fq::ZERO);
    let square = inverse.square();
    G1Affine::new_unchecked(reduce(&x3) * square, reduce(&y3) * square * inverse)
}

/// The element whose Montgomery form the words are, reduced at last.
fn reduce(words: &Words) -> Fq {
    let mut words = *words;
    while !is_below_modulus(&words) {
        words = minus(&words, &BASE_MODULUS).0;
    }
    Fq::new_unchecked(BigInt(words))
}

fn is_below_modulus(words: &Words) -> bool {
    words.iter().rev().lt(BASE_MODULUS.iter().rev())
}

fn plus(left: &Words, right: &Words) -> (Words, bool) {
    let mut carry = false;
    let sum = core::array::from_fn(|word| {
        let (sum, over) = left[word].carrying_add(right[word], carry);
        carry = over;
        sum
    });
    (sum, carry)
}

fn minus(left: &Words, right: &Words) -> (Words, bool) {
    let mut borrow = false;
    let difference = core::array::from_fn(|word| {
        let (difference, under) = left[word].borrowing_sub(right[word], borrow);
        borrow = under;
        difference
    });
    (difference, borrow)
}

/// One conditional subtraction, as after every sum and product.
fn lower((words, has_carry): (Words, bool)) -> Words {
    if has_carry || !is_below_modulus(&words) {
        minus(&words, &BASE_MODULUS).0
    } else {
        words
    }
}

fn double(words: &Words) -> Words {
    lower(plus(words, words))
}

fn subtract(left: &Words, right: &Words) -> Words {
    let (difference, has_borrow) = minus(left, right);
    if has_borrow {
        plus(&difference, &BASE_MODULUS).0
    } else {
        difference
    }
}

/// Montgomery's product of any two integers of 256 bits.
fn multiply(left: &Words, right: &Words) -> Words {
    let mut product = [0u64; 9];
    for (index, factor) in left.iter().enumerate() {
        add_multiple(&mut product[index..], right, *factor);
    }
    for index in 0..4 {
        let factor = product[index].wrapping_mul(FqConfig::INV);
        add_multiple(&mut product[index..], &Fq::MODULUS.0, factor);
    }
    lower((
        core::array::from_fn(|word| product[4 + word]),
        product[8] != 0,
    ))
}

/// Adds `factor` times `words` at the low end of `sum`, carrying as far as need be.
fn add_multiple(sum: &mut [u64], words: &Words, factor: u64) {
    let mut carry = 0u128;
    for (index, slot) in sum.iter_mut().enumerate() {
        let word = words.get(index).copied().unwrap_or(0);
        carry += u128::from(*slot) + u128::from(word) * u128::from(factor);
        *slot = carry as u64;
        carry >>= 64;
    }
}

#[cfg(test)]
mod tests {
    use ark_ec::{AffineRepr, CurveGroup};

    use super::*;
    use crate::points;

    #[test]
    fn points_are_subtracted_as_ever() {
        let first = (G1Affine::generator() * ark_bn254::Fr::from(77)).into_affine();
        let second = (G1Affine::generator() * ark_bn254::Fr::from(5)).into_affine();
        let mut bytes = Vec::new();
        points::write(&[first], &mut bytes);
        assert_eq!(
            subtract_point(&bytes, &second),
            (first - second).into_affine()
        );
    }

    #[test]
    fn products_are_montgomery_s() {
        let (a, b) = (Fq::from(12_345_678_901_234u64), -Fq::from(987));
        assert_eq!(multiply(&a.0.0, &b.0.0), (a * b).0.0);
        // All bits set, twice: (2^256 - 1)^2 / 2^256 is one subtraction above the modulus.
        let all = [u64::MAX; 4];
        let wide = reduce(&all);
        assert_eq!(reduce(&multiply(&all, &all)), wide * wide);
        assert!(!is_below_modulus(&multiply(&all, &all)));
    }
}
