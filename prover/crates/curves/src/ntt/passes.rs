//! The loops of a transform, each a [`Work`].

use super::{Direction, Root, Row};
use crate::lanes::{Lanes, Mask, ScalarLanes, WIDTH};
use crate::room::{Room, Work};

/// Makes a vector from its elements: groups `first` and following of `groups`.
pub(super) struct Gather<'a, R: Room> {
    pub values: &'a mut [R::Fr],
    pub first: usize,
    pub groups: usize,
    pub row: Row<'a>,
}

impl<R: Room> Work for Gather<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (index, value) in self.values.iter_mut().enumerate() {
            let position = |lane: usize| lane * self.groups + self.first + index;
            *value = R::Fr::from_elements(core::array::from_fn(|lane| (self.row)(position(lane))));
        }
    }
}

/// Multiplies values by factors.
pub(super) struct Product<'a, R: Room> {
    pub values: &'a mut [R::Fr],
    pub factors: &'a [R::Fr],
}

impl<R: Room> Work for Product<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (value, factor) in self.values.iter_mut().zip(self.factors) {
            *value = value.mul(*factor);
        }
    }
}

/// The integers that a b - c stands for.
pub(super) struct Difference<'a, R: Room> {
    pub integers: &'a mut [[[u64; 4]; WIDTH]],
    pub a: &'a [R::Fr],
    pub b: &'a [R::Fr],
    pub c: &'a [R::Fr],
}

impl<R: Room> Work for Difference<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let factors = self.a.iter().zip(self.b).zip(self.c);
        for (integers, ((a, b), c)) in self.integers.iter_mut().zip(factors) {
            *integers = a.mul(*b).sub(*c).to_integers();
        }
    }
}

/// A level whose pairs lie `distance` lanes apart in one group: groups `first` and following of
/// `groups`.
pub(super) struct PairLanes<'a, R: Room> {
    pub values: &'a mut [R::Fr],
    pub first: usize,
    pub groups: usize,
    pub distance: usize,
    pub roots: &'a [Root],
    pub direction: Direction,
}

impl<R: Room> Work for PairLanes<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let distance = self.distance;
        let mut low: Mask = 0;
        for lane in 0..WIDTH {
            low |= Mask::from(lane & distance == 0) << lane;
        }
        let step = WIDTH / 2 / distance;
        for (index, value) in self.values.iter_mut().enumerate() {
            // Pair number within the level's block: low lane bits below `distance`, then group.
            // Meaningful in the high lanes.
            let factor = R::Fr::load(core::array::from_fn(|lane| {
                &self.roots[((lane % distance) * self.groups + self.first + index) * step]
            }));
            let group = *value;
            *value = match self.direction {
                Direction::Inverse => {
                    let other = group.exchange(distance);
                    let sum = group.add(other);
                    R::Fr::select(low, sum, other.sub_loose(group).mul(factor))
                }
                Direction::Forward => {
                    let scaled = R::Fr::select(low, group, group.mul(factor));
                    let other = scaled.exchange(distance);
                    R::Fr::select(low, scaled.add(other), other.sub(scaled))
                }
            };
        }
    }
}

/// A level of pairs of a left and a right group, with every `step`-th root.
pub(super) struct PairGroups<'a, R: Room> {
    pub left: &'a mut [R::Fr],
    pub right: &'a mut [R::Fr],
    pub roots: &'a [Root],
    pub step: usize,
    pub direction: Direction,
}

impl<R: Room> Work for PairGroups<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let roots = self.roots.iter().step_by(self.step);
        for ((left, right), root) in self.left.iter_mut().zip(self.right).zip(roots) {
            let root = R::Fr::splat_words(root);
            (*left, *right) = match self.direction {
                Direction::Inverse => (left.add(*right), left.sub_loose(*right).mul(root)),
                Direction::Forward => {
                    let right = right.mul(root);
                    (left.add(right), left.sub(right))
                }
            };
        }
    }
}

/// All levels of pairs of groups in a short vector.
pub(super) struct Small<'a, R: Room> {
    pub values: &'a mut [R::Fr],
    pub roots: &'a [Root],
    pub direction: Direction,
}

impl<R: Room> Work for Small<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let levels = self.values.len().trailing_zeros();
        for level in 0..levels {
            let half = match self.direction {
                Direction::Inverse => self.values.len() >> (level + 1),
                Direction::Forward => 1 << level,
            };
            for block in self.values.chunks_exact_mut(2 * half) {
                let (left, right) = block.split_at_mut(half);
                PairGroups::<R> {
                    left,
                    right,
                    roots: self.roots,
                    step: self.roots.len() / half,
                    direction: self.direction,
                }
                .run();
            }
        }
    }
}
