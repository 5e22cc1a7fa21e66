//! Multiples of a group's generator, by table.

use ark_bn254::Fr;
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Affine;
use ark_ff::PrimeField;
use haca_prover_curves::msm::SignedScalar;
use haca_prover_formats::bn254::SCALAR_MODULUS;
use rayon::prelude::*;

use crate::addition::Adder;
use crate::digits::{MAX_WIDTH, visit_digits, windows};
use crate::points::Group;

/// Multiples computed together: one window's table stays in the cache for so many.
const TASK: usize = 1 << 12;
/// Half the modulus is below 2^253.
const SCALAR_BITS: u32 = 253;
const MIN_WIDTH: u32 = 4;

/// Multiples of the generator by every digit of every window.
pub struct Table<P: Group> {
    width: u32,
    /// window w holds k 2^(width w) times the generator for k from 1 to half of 2^width
    windows: Vec<Vec<Affine<P>>>,
}

impl<P: Group> Table<P> {
    /// A table that is right for so many multiples.
    pub fn new(count: usize) -> Self {
        let cost = |width: u32| windows(SCALAR_BITS, width) * (count + (1 << (width - 1)));
        let width = (MIN_WIDTH..MAX_WIDTH)
            .min_by_key(|&width| cost(width))
            .unwrap_or(MIN_WIDTH);
        let mut bases = vec![Affine::<P>::generator()];
        let mut adder = Adder::new();
        while bases.len() < windows(SCALAR_BITS, width) {
            let mut base = [bases[bases.len() - 1]];
            (0..width).for_each(|_| adder.double(&mut base));
            bases.extend(base);
        }
        let windows = bases
            .into_par_iter()
            .map(|base| multiples(base, 1 << (width - 1)))
            .collect();
        Self { width, windows }
    }

    /// The generator times each of the scalars.
    pub fn multiples(&self, scalars: &[Fr]) -> Vec<Affine<P>> {
        let tasks: Vec<Vec<Affine<P>>> = scalars
            .par_chunks(TASK)
            .map(|scalars| self.task(scalars))
            .collect();
        tasks.concat()
    }

    fn task(&self, scalars: &[Fr]) -> Vec<Affine<P>> {
        let mut digits = vec![vec![0i32; scalars.len()]; self.windows.len()];
        for (index, scalar) in scalars.iter().enumerate() {
            let scalar = SignedScalar::new(scalar.into_bigint().0, &SCALAR_MODULUS);
            visit_digits(&scalar, self.width, |window, digit| {
                digits[window][index] = digit;
            });
        }
        let mut sums = vec![Affine::identity(); scalars.len()];
        let mut adder = Adder::new();
        let mut terms = Vec::with_capacity(scalars.len());
        for (digits, table) in digits.iter().zip(&self.windows) {
            terms.clear();
            terms.extend(digits.iter().map(|digit| match digit.unsigned_abs() {
                0 => Affine::identity(),
                size => {
                    let point = table[size as usize - 1];
                    if *digit < 0 { -point } else { point }
                }
            }));
            adder.add(&mut sums, &terms);
        }
        sums
    }
}

/// 1 to `count` times a point, `count` a power of two: in each round those known are added to the last
/// one of them.
fn multiples<P: Group>(base: Affine<P>, count: usize) -> Vec<Affine<P>> {
    let mut known = vec![base];
    let mut adder = Adder::new();
    while known.len() < count {
        let last = vec![known[known.len() - 1]; known.len()];
        let mut sums = known.clone();
        adder.add(&mut sums, &last);
        known.extend(sums);
    }
    known
}

#[cfg(test)]
mod tests {
    use ark_bn254::{g1, g2};
    use ark_ec::CurveGroup;
    use ark_ff::{AdditiveGroup, Field};
    use haca_prover_test_setup::numbers::Numbers;

    use super::*;

    fn check<P: Group>(count: usize) {
        let mut numbers = Numbers::new(4);
        let edges = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(2), -Fr::from(1 << 13)];
        let scalars: Vec<Fr> = edges
            .into_iter()
            .chain((0..20).map(|_| numbers.scalar()))
            .collect();
        let expected: Vec<Affine<P>> = scalars
            .iter()
            .map(|scalar| (Affine::<P>::generator() * scalar).into_affine())
            .collect();
        assert_eq!(Table::<P>::new(count).multiples(&scalars), expected);
    }

    #[test]
    fn multiples_are_those_of_arkworks() {
        for count in [1, 1000, 100_000] {
            check::<g1::Config>(count);
        }
        check::<g2::Config>(100);
    }
}
