//! Scalars as signed digits.

use haca_prover_curves::msm::SignedScalar;

/// Widest digits.
pub const MAX_WIDTH: u32 = 15;

/// Shows the digits of a scalar that are not zero, with their number from the low end. Digits are of `width`
/// bits and of either sign; those of width 1 are in non-adjacent form, where two thirds are zero.
pub fn visit_digits(scalar: &SignedScalar, width: u32, mut visit: impl FnMut(usize, i32)) {
    let magnitude = scalar.magnitude();
    let sign = |digit: i32| if scalar.is_negative() { -digit } else { digit };
    if width == 1 {
        // 3 n has the carries of the form's plus and minus digits (G. Reitwiesner, 1960).
        let triple = add(&magnitude, &add(&magnitude, &magnitude));
        for word in 0..4 {
            for (positive, digit) in [(true, 1), (false, -1)] {
                let pick = |word: usize| {
                    let (with, without) = (triple[word], magnitude[word]);
                    if positive {
                        with & !without
                    } else {
                        without & !with
                    }
                };
                let above = if word < 3 { pick(word + 1) << 63 } else { 0 };
                let mut set = pick(word) >> 1 | above;
                while set != 0 {
                    visit(word * 64 + set.trailing_zeros() as usize, sign(digit));
                    set &= set - 1;
                }
            }
        }
        return;
    }
    let half = 1i32 << (width - 1);
    let mut carry = 0;
    for number in 0..windows(scalar.bits(), width) {
        let mut digit = window(&magnitude, number as u32 * width, width) + carry;
        carry = i32::from(digit > half);
        digit -= carry << width;
        if digit != 0 {
            visit(number, sign(digit));
        }
    }
}

fn window(magnitude: &[u64; 4], first: u32, width: u32) -> i32 {
    let (word, shift) = ((first / 64) as usize, first % 64);
    let mut bits = magnitude.get(word).map_or(0, |word| word >> shift);
    if shift + width > 64 && word < 3 {
        bits |= magnitude[word + 1] << (64 - shift);
    }
    (bits & ((1 << width) - 1)) as i32
}

/// Number of digits of this width that numbers of so many bits have.
pub fn windows(bits: u32, width: u32) -> usize {
    (bits / width + 1) as usize
}

fn add(left: &[u64; 4], right: &[u64; 4]) -> [u64; 4] {
    let mut carry = false;
    core::array::from_fn(|word| {
        let (sum, over) = left[word].carrying_add(right[word], carry);
        carry = over;
        sum
    })
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;
    use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};
    use haca_prover_formats::bn254::SCALAR_MODULUS;
    use proptest::prelude::*;

    use super::*;

    fn give_back(integer: [u64; 4]) {
        for width in 1..=MAX_WIDTH {
            let signed = SignedScalar::new(integer, &SCALAR_MODULUS);
            let mut sum = Fr::ZERO;
            visit_digits(&signed, width, |number, digit| {
                assert!(number < windows(signed.bits(), width));
                assert!(digit != 0 && digit.unsigned_abs() <= 1 << (width - 1));
                let power = Fr::from(2).pow([number as u64 * u64::from(width)]);
                sum += power * Fr::from(digit);
            });
            assert_eq!(sum.into_bigint().0, integer, "width {width}");
        }
    }

    #[test]
    fn edges_survive() {
        let largest = (-Fr::ONE).into_bigint().0;
        let half = Fr::MODULUS_MINUS_ONE_DIV_TWO.0;
        for integer in [
            [0; 4],
            [1, 0, 0, 0],
            [u64::MAX, u64::MAX, u64::MAX, 0x1fff_ffff_ffff_ffff],
            largest,
            half,
            add(&half, &[1, 0, 0, 0]),
        ] {
            give_back(integer);
        }
    }

    proptest! {
        #[test]
        fn any_scalar_survives(words: [u64; 4], kept in 1usize..5) {
            let words = core::array::from_fn(|index| if index < kept { words[index] } else { 0 });
            give_back(Fr::from(BigInt::<4>(words).0[0]).into_bigint().0);
            give_back((Fr::from_le_bytes_mod_order(
                &words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>(),
            )).into_bigint().0);
        }
    }
}
