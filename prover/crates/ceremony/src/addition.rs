//! Many affine additions or doublings that share one inversion (Montgomery's trick): six
//! multiplications an addition, seven a doubling.

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{AdditiveGroup, Field};

/// Operations that share an inversion: large enough to make it cheap, small enough for the cache.
const BLOCK: usize = 1024;

/// Scratch space.
pub struct Adder<P: SWCurveConfig> {
    /// what is inverted, then products of all before
    denominators: Vec<P::BaseField>,
    before: Vec<P::BaseField>,
}

impl<P: SWCurveConfig> Adder<P> {
    /// Empty scratch space.
    pub fn new() -> Self {
        Self {
            denominators: Vec::with_capacity(BLOCK),
            before: Vec::with_capacity(BLOCK),
        }
    }

    /// Adds each right point to the left one at its place, whatever they are.
    pub fn add(&mut self, left: &mut [Affine<P>], right: &[Affine<P>]) {
        debug_assert_eq!(left.len(), right.len());
        for (left, right) in left.chunks_mut(BLOCK).zip(right.chunks(BLOCK)) {
            self.add_block(left, right);
        }
    }

    fn add_block(&mut self, left: &mut [Affine<P>], right: &[Affine<P>]) {
        let pairs = left.iter().zip(right);
        let mut inverse = self.accumulate(pairs.map(|(left, right)| {
            if left.is_zero() || right.is_zero() {
                return P::BaseField::ONE;
            }
            let difference = right.x - left.x;
            if difference != P::BaseField::ZERO {
                difference
            } else if left.y == right.y {
                left.y.double()
            } else {
                P::BaseField::ONE
            }
        }));
        for (index, (left, right)) in left.iter_mut().zip(right).enumerate().rev() {
            let own = inverse * self.before[index];
            inverse *= self.denominators[index];
            if right.is_zero() {
                continue;
            }
            if left.is_zero() {
                *left = *right;
            } else if left.x != right.x {
                let slope = (right.y - left.y) * own;
                *left = third(slope, left, &right.x);
            } else if left.y == right.y {
                let x = left.x;
                *left = third(tangent::<P>(&x) * own, left, &x);
            } else {
                *left = Affine::identity();
            }
        }
    }

    /// Doubles each point. None has order two: the groups' orders are odd.
    pub fn double(&mut self, points: &mut [Affine<P>]) {
        for points in points.chunks_mut(BLOCK) {
            let mut inverse = self.accumulate(points.iter().map(|point| {
                if point.is_zero() {
                    P::BaseField::ONE
                } else {
                    point.y.double()
                }
            }));
            for (index, point) in points.iter_mut().enumerate().rev() {
                let own = inverse * self.before[index];
                inverse *= self.denominators[index];
                if !point.is_zero() {
                    let x = point.x;
                    *point = third(tangent::<P>(&x) * own, point, &x);
                }
            }
        }
    }

    /// Inverse of the product of all denominators.
    fn accumulate(&mut self, denominators: impl Iterator<Item = P::BaseField>) -> P::BaseField {
        self.denominators.clear();
        self.before.clear();
        let mut product = P::BaseField::ONE;
        for denominator in denominators {
            self.denominators.push(denominator);
            self.before.push(product);
            product *= denominator;
        }
        // No denominator is zero.
        product.inverse().unwrap_or(P::BaseField::ZERO)
    }
}

fn tangent<P: SWCurveConfig>(x: &P::BaseField) -> P::BaseField {
    let square = x.square();
    square.double() + square
}

/// The third point of a line through `point` and one with `other_x`, mirrored.
fn third<P: SWCurveConfig>(
    slope: P::BaseField,
    point: &Affine<P>,
    other_x: &P::BaseField,
) -> Affine<P> {
    let x = slope.square() - point.x - other_x;
    Affine::new_unchecked(x, slope * (point.x - x) - point.y)
}

#[cfg(test)]
mod tests {
    use ark_bn254::{g1, g2};
    use ark_ec::{AffineRepr, CurveGroup};

    use super::*;

    fn multiples<P: SWCurveConfig>(factors: &[i64]) -> Vec<Affine<P>> {
        factors
            .iter()
            .map(|factor| (Affine::<P>::generator() * P::ScalarField::from(*factor)).into_affine())
            .collect()
    }

    fn check<P: SWCurveConfig>() {
        let edges = [0, 1, -1, 2, -2, 3, 1000];
        let (mut left, mut right) = (Vec::new(), Vec::new());
        // More than a block, so that edges stand on both sides of its end.
        for round in 0..40 {
            for first in edges {
                for second in edges {
                    left.push(first * (1 + round));
                    right.push(second * (1 + round));
                }
            }
        }
        let sums: Vec<i64> = left.iter().zip(&right).map(|(a, b)| a + b).collect();
        let doubles: Vec<i64> = left.iter().map(|a| 2 * a).collect();
        let (mut left, right) = (multiples::<P>(&left), multiples::<P>(&right));
        let mut doubled = left.clone();
        let mut adder = Adder::new();
        adder.add(&mut left, &right);
        assert_eq!(left, multiples::<P>(&sums));
        adder.double(&mut doubled);
        assert_eq!(doubled, multiples::<P>(&doubles));
    }

    #[test]
    fn edges_add_up_in_both_groups() {
        check::<g1::Config>();
        check::<g2::Config>();
    }
}
