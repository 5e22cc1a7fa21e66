//! Scalars as signed digits.

use haca_prover_formats::bn254::SCALAR_MODULUS;

/// Widest digits.
pub const MAX_WIDTH: u32 = 15;

/// An integer modulo r as sign and magnitude, at most (r - 1) / 2: the negatives of small numbers are
/// small too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// least significant word first
    pub magnitude: [u64; 4],
    /// whether the number is below zero
    pub is_negative: bool,
}

impl Signed {
    /// From an integer below r.
    pub fn new(integer: [u64; 4]) -> Self {
        let negative = subtract(&SCALAR_MODULUS, &integer);
        if negative.iter().rev().lt(integer.iter().rev()) {
            Self {
                magnitude: negative,
                is_negative: true,
            }
        } else {
            Self {
                magnitude: integer,
                is_negative: false,
            }
        }
    }

    /// Bits of the magnitude.
    pub fn bits(&self) -> u32 {
        bits(&self.magnitude)
    }

    /// Shows the digits that are not zero, with their number from the low end. Digits are of `width`
    /// bits and of either sign; those of width 1 are in non-adjacent form, where two thirds are zero.
    pub fn digits(&self, width: u32, mut visit: impl FnMut(usize, i32)) {
        let sign = |digit: i32| if self.is_negative { -digit } else { digit };
        if width == 1 {
            // 3 n has the carries of the form's plus and minus digits (G. Reitwiesner, 1960).
            let triple = add(&self.magnitude, &add(&self.magnitude, &self.magnitude));
            for word in 0..4 {
                for (positive, digit) in [(true, 1), (false, -1)] {
                    let pick = |word: usize| {
                        let (with, without) = (triple[word], self.magnitude[word]);
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
        for window in 0..windows(self.bits(), width) {
            let mut digit = self.window(window as u32 * width, width) + carry;
            carry = i32::from(digit > half);
            digit -= carry << width;
            if digit != 0 {
                visit(window, sign(digit));
            }
        }
    }

    fn window(&self, first: u32, width: u32) -> i32 {
        let (word, shift) = ((first / 64) as usize, first % 64);
        let mut bits = self.magnitude.get(word).map_or(0, |word| word >> shift);
        if shift + width > 64 && word < 3 {
            bits |= self.magnitude[word + 1] << (64 - shift);
        }
        (bits & ((1 << width) - 1)) as i32
    }
}

/// Number of digits of this width that numbers of so many bits have.
pub fn windows(bits: u32, width: u32) -> usize {
    (bits / width + 1) as usize
}

/// Bits of an integer.
pub fn bits(integer: &[u64; 4]) -> u32 {
    (0..4)
        .rev()
        .find(|&word| integer[word] != 0)
        .map_or(0, |word| {
            64 * word as u32 + 64 - integer[word].leading_zeros()
        })
}

fn add(left: &[u64; 4], right: &[u64; 4]) -> [u64; 4] {
    let mut carry = false;
    core::array::from_fn(|word| {
        let (sum, over) = left[word].carrying_add(right[word], carry);
        carry = over;
        sum
    })
}

fn subtract(left: &[u64; 4], right: &[u64; 4]) -> [u64; 4] {
    let mut borrow = false;
    core::array::from_fn(|word| {
        let (difference, under) = left[word].borrowing_sub(right[word], borrow);
        borrow = under;
        difference
    })
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;
    use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};
    use proptest::prelude::*;

    use super::*;

    fn give_back(integer: [u64; 4]) {
        for width in 1..=MAX_WIDTH {
            let signed = Signed::new(integer);
            let mut sum = Fr::ZERO;
            signed.digits(width, |number, digit| {
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
        let largest = subtract(&SCALAR_MODULUS, &[1, 0, 0, 0]);
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
