//! Many points of the first group times one scalar.
//!
//! The scalar is split in two of half the length by the curve's endomorphism (R. Gallant, R. Lambert and
//! S. Vanstone, CRYPTO 2001), and both halves are written with few digits that are not zero. As all
//! points see the same digits, every doubling and addition is one batch with one inversion.

use ark_bn254::{Fr, G1Affine, g1};
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ff::PrimeField;
use rayon::prelude::*;

use crate::addition::Adder;

/// Points that share an inversion; their tables stay in the cache.
const TASK: usize = 512;
/// Digits are odd and below 2^(WIDTH - 1), so that there is one among WIDTH + 1.
const WIDTH: u32 = 5;
/// Odd multiples up to the largest digit.
const MULTIPLES: usize = 1 << (WIDTH - 2);

/// A scalar made ready.
pub struct Factor {
    /// digits of both halves, from the top down, of equal number
    digits: Vec<[i32; 2]>,
}

impl Factor {
    /// Takes a scalar apart.
    pub fn new(scalar: Fr) -> Self {
        let ((first_positive, first), (second_positive, second)) =
            g1::Config::scalar_decomposition(scalar);
        let (first, second) = (
            digits_of(first, first_positive),
            digits_of(second, second_positive),
        );
        let digit = |digits: &[i32], position: usize| digits.get(position).copied().unwrap_or(0);
        let digits = (0..first.len().max(second.len()))
            .rev()
            .map(|position| [digit(&first, position), digit(&second, position)])
            .collect();
        Self { digits }
    }

    /// Multiplies every point.
    pub fn apply(&self, points: &mut [G1Affine]) {
        points
            .par_chunks_mut(TASK)
            .for_each(|points| self.task(points));
    }

    fn task(&self, points: &mut [G1Affine]) {
        let mut adder = Adder::new();
        let mut twice = points.to_vec();
        adder.double(&mut twice);
        let mut multiples = vec![points.to_vec()];
        while multiples.len() < MULTIPLES {
            let mut next = multiples[multiples.len() - 1].clone();
            adder.add(&mut next, &twice);
            multiples.push(next);
        }
        let images = multiples
            .iter()
            .map(|points| points.iter().map(g1::Config::endomorphism_affine).collect())
            .collect();
        let tables: [Vec<Vec<G1Affine>>; 2] = [multiples, images];

        points.fill(G1Affine::default());
        let mut term = Vec::with_capacity(points.len());
        for digits in &self.digits {
            adder.double(points);
            for (digit, table) in digits.iter().zip(&tables) {
                if *digit == 0 {
                    continue;
                }
                let multiples = &table[digit.unsigned_abs() as usize / 2];
                if *digit > 0 {
                    adder.add(points, multiples);
                } else {
                    term.clear();
                    term.extend(multiples.iter().map(|point| -*point));
                    adder.add(points, &term);
                }
            }
        }
    }
}

/// Signed digits from the low end, odd or zero.
fn digits_of(scalar: Fr, is_positive: bool) -> Vec<i32> {
    let words = scalar.into_bigint().0;
    debug_assert_eq!(words[2..], [0, 0], "the endomorphism halves scalars");
    let mut rest = u128::from(words[1]) << 64 | u128::from(words[0]);
    let mut digits = Vec::new();
    while rest != 0 {
        let mut digit = 0;
        if rest & 1 == 1 {
            digit = (rest & ((1 << WIDTH) - 1)) as i32;
            if digit >= 1 << (WIDTH - 1) {
                digit -= 1 << WIDTH;
            }
            rest = rest.wrapping_add_signed(-i128::from(digit));
        }
        digits.push(if is_positive { digit } else { -digit });
        rest >>= 1;
    }
    digits
}

#[cfg(test)]
mod tests {
    use ark_ec::{AffineRepr, CurveGroup};
    use ark_ff::{AdditiveGroup, Field};
    use haca_prover_test_setup::numbers::Numbers;

    use super::*;

    #[test]
    fn products_are_those_of_arkworks() {
        let mut numbers = Numbers::new(8);
        let mut points = vec![G1Affine::identity(), G1Affine::generator()];
        for _ in 0..TASK {
            points.push((G1Affine::generator() * numbers.scalar()).into_affine());
        }
        let lambda = g1::Config::LAMBDA;
        let edges = [
            Fr::ZERO,
            Fr::ONE,
            -Fr::ONE,
            lambda,
            -lambda,
            lambda + Fr::from(16),
        ];
        for scalar in edges.into_iter().chain((0..5).map(|_| numbers.scalar())) {
            let mut products = points.clone();
            Factor::new(scalar).apply(&mut products);
            for (product, point) in products.iter().zip(&points).step_by(7) {
                assert_eq!(*product, (*point * scalar).into_affine());
            }
        }
    }
}
