//! Many independent affine additions with one inversion.
//!
//! The sum of two points with different x needs the inverse of x2 - x1. Montgomery's trick turns
//! the inverses of a whole block into one inverse and three products each; the lanes of a vector
//! keep eight separate running products.

use ark_ff::Field;

use crate::lanes::{Lanes, Mask, WIDTH};
use crate::point::{Curve, PackedPoint, add_packed};

/// Additions that share an inversion: large enough to make it cheap, small enough for the cache.
const BLOCK: usize = 2048;

/// An element of a list of points: the point and whether to take its negative.
pub(super) type Signed<'a, C> = (&'a PackedPoint<C>, bool);

/// Scratch space of batched additions.
pub(super) struct PairAdder<C: Curve> {
    groups: Vec<Group<C>>,
}

struct Group<C: Curve> {
    difference: C::Lanes,
    /// product of the differences of all groups before this one
    before: C::Lanes,
    /// lanes whose points have the same x, or where one is at infinity
    special: Mask,
}

impl<C: Curve> PairAdder<C> {
    pub fn new() -> Self {
        Self {
            groups: Vec::with_capacity(BLOCK / WIDTH),
        }
    }

    /// Gives `store` the sum of `fetch(first)` and `fetch(first + 1)` for every `first`, with the
    /// position of `first` in the list.
    pub fn add<'a>(
        &mut self,
        firsts: &[u32],
        fetch: impl Fn(usize) -> Signed<'a, C>,
        mut store: impl FnMut(usize, PackedPoint<C>),
    ) {
        for (number, block) in firsts.chunks(BLOCK).enumerate() {
            self.add_block(block, &fetch, |index, sum| {
                store(number * BLOCK + index, sum)
            });
        }
    }

    fn add_block<'a>(
        &mut self,
        firsts: &[u32],
        fetch: &impl Fn(usize) -> Signed<'a, C>,
        mut store: impl FnMut(usize, PackedPoint<C>),
    ) {
        let one = C::Lanes::splat(<C::Lanes as Lanes>::Element::ONE);
        let mut product = one;
        self.groups.clear();
        for group in firsts.chunks(WIDTH) {
            let left = lanes_of(group, |first| fetch(first).0);
            let right = lanes_of(group, |first| fetch(first + 1).0);
            let x1 = C::Lanes::load(left.map(|point| &point.x));
            let x2 = C::Lanes::load(right.map(|point| &point.x));
            let mut difference = x2.sub_loose(x1);
            let special = difference.maybe_zero() | x1.maybe_zero() | x2.maybe_zero();
            if special != 0 {
                difference = C::Lanes::select(special, one, difference);
            }
            self.groups.push(Group {
                difference,
                before: product,
                special,
            });
            product = product.mul(difference);
        }

        let mut inverse = invert(product);
        let last = self.groups.len();
        for (number, group) in self.groups.iter().enumerate().rev() {
            let start = number * WIDTH;
            let members = &firsts[start..(start + WIDTH).min(firsts.len())];
            let inverse_difference = inverse.mul(group.before);
            inverse = inverse.mul(group.difference);
            debug_assert!(number < last);

            let left = lanes_of(members, |first| fetch(first).0);
            let right = lanes_of(members, |first| fetch(first + 1).0);
            let x1 = C::Lanes::load(left.map(|point| &point.x));
            let x2 = C::Lanes::load(right.map(|point| &point.x));
            let y1 = signed_y::<C>(&left, sign_mask(members, |first| fetch(first).1));
            let y2 = signed_y::<C>(&right, sign_mask(members, |first| fetch(first + 1).1));
            let slope = y2.sub_loose(y1).mul(inverse_difference);
            let x3 = slope.square().sub(x1.add(x2));
            let y3 = slope.mul(x1.sub_loose(x3)).sub(y1);

            let (xs, ys) = (x3.store(), y3.store());
            for (lane, &first) in members.iter().enumerate() {
                let sum = if group.special >> lane & 1 == 1 {
                    let (point, negate) = fetch(first as usize);
                    let (other, negate_other) = fetch(first as usize + 1);
                    add_packed(&point.signed(negate), &other.signed(negate_other))
                } else {
                    PackedPoint {
                        x: xs[lane],
                        y: ys[lane],
                    }
                };
                store(start + lane, sum);
            }
        }
    }
}

/// One value per lane; a short group repeats its last member.
fn lanes_of<T>(group: &[u32], value: impl Fn(usize) -> T) -> [T; WIDTH] {
    core::array::from_fn(|lane| value(group[lane.min(group.len() - 1)] as usize))
}

fn sign_mask(group: &[u32], negate: impl Fn(usize) -> bool) -> Mask {
    group.iter().enumerate().fold(0, |mask, (lane, &first)| {
        mask | Mask::from(negate(first as usize)) << lane
    })
}

fn signed_y<C: Curve>(points: &[&PackedPoint<C>; WIDTH], negate: Mask) -> C::Lanes {
    let y = C::Lanes::load(points.map(|point| &point.y));
    if negate == 0 {
        y
    } else {
        C::Lanes::select(negate, y.neg(), y)
    }
}

/// Inverse of every lane; no lane is zero.
fn invert<L: Lanes>(lanes: L) -> L {
    let mut elements = lanes.to_elements();
    ark_ff::batch_inversion(&mut elements);
    L::from_elements(elements)
}
