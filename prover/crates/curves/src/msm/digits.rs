//! Scalars as signed digits.

/// Bits of a scalar after choosing its sign: half the modulus is below 2^253.
const MAX_BITS: u32 = 253;
const SIGN: u64 = 1 << 63;

/// What a bucket costs to fold into the window's sum, in additions of a point to a bucket.
const BUCKET_COST: f64 = 3.0;
const MIN_WIDTH: u32 = 3;
const MAX_WIDTH: u32 = 16;

/// An integer modulo r as magnitude and sign, with a magnitude of at most (r - 1) / 2; so the
/// negatives of small numbers are small too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedScalar([u64; 4]);

impl SignedScalar {
    /// From an integer below `modulus`, least significant word first.
    pub fn new(integer: [u64; 4], modulus: &[u64; 4]) -> Self {
        let negative = subtract(modulus, &integer);
        if is_less(&negative, &integer) {
            let mut words = negative;
            words[3] |= SIGN;
            return Self(words);
        }
        Self(integer)
    }

    /// From an integer in two's complement, or its negative.
    pub(super) fn from_complement(integer: [u64; 4], negate: bool) -> Self {
        let is_negative = integer[3] & SIGN != 0;
        let mut words = if is_negative {
            subtract(&[0; 4], &integer)
        } else {
            integer
        };
        if is_negative != negate && words != [0; 4] {
            words[3] |= SIGN;
        }
        Self(words)
    }

    /// Whether the scalar is zero.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    /// Number of bits of the magnitude.
    pub fn bits(&self) -> u32 {
        let magnitude = self.magnitude();
        (0..4)
            .rev()
            .find(|&word| magnitude[word] != 0)
            .map_or(0, |word| {
                64 * word as u32 + 64 - magnitude[word].leading_zeros()
            })
    }

    /// The magnitude, least significant word first.
    pub fn magnitude(&self) -> [u64; 4] {
        [self.0[0], self.0[1], self.0[2], self.0[3] & !SIGN]
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        self.0[3] & SIGN != 0
    }

    /// The whole scalar as one digit; the magnitude must be small.
    pub(super) fn low_digit(&self) -> i32 {
        let magnitude = self.0[0] as i32;
        if self.is_negative() {
            -magnitude
        } else {
            magnitude
        }
    }
}

/// A point (by index) and what to multiply it with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digit {
    pub point: u32,
    pub value: i32,
}

/// A scalar made ready for reading digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prepared {
    words: [u64; 4],
    pub point: u32,
    negative: bool,
}

/// How wide digits are, and how many.
///
/// With 2^(width-1) added to every digit but the last before the scalar is cut into windows, a
/// signed digit is the window less 2^(width-1): no carries from window to window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recoding {
    width: u32,
    windows: u32,
    offset: [u64; 4],
}

impl Recoding {
    /// The width with the least work for scalars of these lengths in bits.
    pub fn choose(lengths: impl Iterator<Item = u32>) -> Self {
        let mut histogram = [0u32; MAX_BITS as usize + 2];
        for length in lengths {
            histogram[length as usize] += 1;
        }
        let longest = (0..histogram.len())
            .rev()
            .find(|&bits| histogram[bits] > 0)
            .unwrap_or(0);
        let cost = |width: u32| {
            let additions: f64 = histogram
                .iter()
                .enumerate()
                .skip(1)
                .map(|(bits, &count)| f64::from(count) * f64::from((bits as u32).div_ceil(width)))
                .sum();
            let windows = f64::from(longest as u32 / width + 1);
            additions + windows * BUCKET_COST * f64::from(1u32 << (width - 1))
        };
        let width = (MIN_WIDTH..=MAX_WIDTH)
            .min_by(|&left, &right| cost(left).total_cmp(&cost(right)))
            .unwrap_or(MIN_WIDTH);
        Self::new(width, longest as u32)
    }

    fn new(width: u32, longest: u32) -> Self {
        let windows = longest / width + 1;
        let mut offset = [0; 4];
        for window in 0..windows - 1 {
            let bit = window * width + width - 1;
            offset[(bit / 64) as usize] |= 1 << (bit % 64);
        }
        Self {
            width,
            windows,
            offset,
        }
    }

    pub fn width(&self) -> u32 {
        self.width
    }

    pub fn windows(&self) -> usize {
        self.windows as usize
    }

    /// Whether the scalar is one digit, in the lowest window.
    pub fn is_single_digit(&self, scalar: &SignedScalar) -> bool {
        scalar.bits() < self.width
    }

    pub fn prepare(&self, point: u32, scalar: &SignedScalar) -> Prepared {
        Prepared {
            words: add(&scalar.magnitude(), &self.offset),
            point,
            negative: scalar.is_negative(),
        }
    }

    /// Digit of one window, between -2^(width-1) and 2^(width-1).
    pub fn digit(&self, scalar: &Prepared, window: usize) -> i32 {
        let first = window as u32 * self.width;
        let (word, shift) = ((first / 64) as usize, first % 64);
        let mut bits = scalar.words[word] >> shift;
        if shift + self.width > 64 && word < 3 {
            bits |= scalar.words[word + 1] << (64 - shift);
        }
        let bits = (bits & ((1 << self.width) - 1)) as i32;
        let last = window + 1 == self.windows();
        let digit = if last {
            bits
        } else {
            bits - (1 << (self.width - 1))
        };
        if scalar.negative { -digit } else { digit }
    }
}

fn add(left: &[u64; 4], right: &[u64; 4]) -> [u64; 4] {
    let mut carry = false;
    core::array::from_fn(|word| {
        let (sum, first) = left[word].overflowing_add(right[word]);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        carry = first || second;
        sum
    })
}

pub(super) fn subtract(left: &[u64; 4], right: &[u64; 4]) -> [u64; 4] {
    let mut borrow = false;
    core::array::from_fn(|word| {
        let (difference, first) = left[word].overflowing_sub(right[word]);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        borrow = first || second;
        difference
    })
}

fn is_less(left: &[u64; 4], right: &[u64; 4]) -> bool {
    left.iter().rev().lt(right.iter().rev())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// r of BN254.
    const MODULUS: [u64; 4] = [
        0x43e1_f593_f000_0001,
        0x2833_e848_79b9_7091,
        0xb850_45b6_8181_585d,
        0x3064_4e72_e131_a029,
    ];

    fn digits_give_scalar_back(integer: [u64; 4], width: u32) {
        let scalar = SignedScalar::new(integer, &MODULUS);
        let recoding = Recoding::new(width, scalar.bits());
        let prepared = recoding.prepare(0, &scalar);
        // Horner's rule modulo 2^256, where r has a known value.
        let mut value = [0u64; 4];
        for window in (0..recoding.windows()).rev() {
            for _ in 0..width {
                value = add(&value, &value);
            }
            let digit = recoding.digit(&prepared, window);
            assert!(
                digit.unsigned_abs() <= 1 << (width - 1),
                "digit {digit} of width {width}"
            );
            let words = [u64::from(digit.unsigned_abs()), 0, 0, 0];
            value = if digit < 0 {
                subtract(&value, &words)
            } else {
                add(&value, &words)
            };
        }
        if scalar.is_negative() {
            value = add(&value, &MODULUS);
        }
        assert_eq!(value, integer);
    }

    #[test]
    fn edges_survive_recoding_at_every_width() {
        let half = {
            let mut words = subtract(&MODULUS, &[1, 0, 0, 0]);
            for word in 0..4 {
                let above = if word < 3 { words[word + 1] << 63 } else { 0 };
                words[word] = words[word] >> 1 | above;
            }
            words
        };
        for width in MIN_WIDTH..=MAX_WIDTH {
            for integer in [
                [0; 4],
                [1, 0, 0, 0],
                subtract(&MODULUS, &[1, 0, 0, 0]),
                half,
                add(&half, &[1, 0, 0, 0]),
                [u64::MAX, 0, 0, 0],
                [u64::MAX, u64::MAX, u64::MAX, 0x1fff_ffff_ffff_ffff],
            ] {
                if is_less(&integer, &MODULUS) {
                    digits_give_scalar_back(integer, width);
                }
            }
        }
    }

    #[test]
    fn small_negatives_are_small() {
        let scalar = SignedScalar::new(subtract(&MODULUS, &[5, 0, 0, 0]), &MODULUS);
        assert_eq!((scalar.bits(), scalar.low_digit()), (3, -5));
    }

    proptest! {
        #[test]
        fn any_scalar_survives_recoding(words: [u64; 4], width in MIN_WIDTH..=MAX_WIDTH) {
            let integer = [words[0], words[1], words[2], words[3] >> 3];
            digits_give_scalar_back(integer, width);
        }
    }
}
