//! Many independent affine additions with one inversion.
//!
//! The sum of two points with different x needs the inverse of x2 - x1. Montgomery's trick turns
//! the inverses of a whole block into one inverse and three products each; the lanes of a vector
//! keep eight separate running products.

use ark_ff::Field;

use crate::lanes::{Lanes, Mask, WIDTH};
use crate::point::{Curve, PackedPoint, add_packed};
use crate::room::{Room, Work};

/// Additions that share an inversion: large enough to make it cheap, small enough for the cache.
const BLOCK: usize = 2048;

/// An element of a list of points: the point and whether to take its negative.
pub(super) type Signed<'a, C> = (&'a PackedPoint<C>, bool);

/// Scratch space of batched additions.
pub(super) struct PairAdder<C: Curve, R: Room> {
    groups: Vec<Group<C::Lanes<R>>>,
}

struct Group<L> {
    difference: L,
    /// product of the differences of all groups before this one
    before: L,
    /// lanes whose points have the same x, or where one is at infinity
    special: Mask,
}

impl<C: Curve, R: Room> PairAdder<C, R> {
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
            R::run(Block {
                adder: &mut *self,
                firsts: block,
                fetch: &fetch,
                store: |index, sum| store(number * BLOCK + index, sum),
            });
        }
    }
}

/// Additions that share an inversion.
struct Block<'b, C: Curve, R: Room, F, S> {
    adder: &'b mut PairAdder<C, R>,
    firsts: &'b [u32],
    fetch: &'b F,
    store: S,
}

impl<'a, C, R, F, S> Work for Block<'_, C, R, F, S>
where
    C: Curve,
    R: Room,
    F: Fn(usize) -> Signed<'a, C>,
    S: FnMut(usize, PackedPoint<C>),
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            adder,
            firsts,
            fetch,
            mut store,
        } = self;
        let groups = &mut adder.groups;
        let one = C::Lanes::<R>::splat(<C::Lanes<R> as Lanes>::Element::ONE);
        let mut product = one;
        groups.clear();
        for group in firsts.chunks(WIDTH) {
            let left = lanes_of(group, |first| fetch(first).0);
            let right = lanes_of(group, |first| fetch(first + 1).0);
            let x1 = C::Lanes::<R>::load(left.map(|point| &point.x));
            let x2 = C::Lanes::<R>::load(right.map(|point| &point.x));
            let mut difference = x2.sub_loose(x1);
            let special = difference.maybe_zero() | x1.maybe_zero() | x2.maybe_zero();
            if special != 0 {
                difference = C::Lanes::<R>::select(special, one, difference);
            }
            groups.push(Group {
                difference,
                before: product,
                special,
            });
            product = product.mul(difference);
        }

        let mut inverse = invert(product);
        for (number, group) in groups.iter().enumerate().rev() {
            let start = number * WIDTH;
            let members = &firsts[start..(start + WIDTH).min(firsts.len())];
            let inverse_difference = inverse.mul(group.before);
            inverse = inverse.mul(group.difference);

            let left = lanes_of(members, |first| fetch(first).0);
            let right = lanes_of(members, |first| fetch(first + 1).0);
            let x1 = C::Lanes::<R>::load(left.map(|point| &point.x));
            let x2 = C::Lanes::<R>::load(right.map(|point| &point.x));
            let y1 = signed_y::<C, R>(&left, sign_mask(members, |first| fetch(first).1));
            let y2 = signed_y::<C, R>(&right, sign_mask(members, |first| fetch(first + 1).1));
            let slope = y2.sub_loose(y1).mul(inverse_difference);
            let x3 = slope.square().sub(x1.add(x2));
            let y3 = slope.mul(x1.sub_loose(x3)).sub(y1);

            let (xs, ys) = (x3.store(), y3.store());
            for (lane, &first) in members.iter().enumerate() {
                let sum = if group.special >> lane & 1 == 1 {
                    let (point, negate) = fetch(first as usize);
                    let (other, negate_other) = fetch(first as usize + 1);
                    add_packed::<C, R>(
                        &point.signed_in::<R>(negate),
                        &other.signed_in::<R>(negate_other),
                    )
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
#[inline(always)]
fn lanes_of<T>(group: &[u32], value: impl Fn(usize) -> T) -> [T; WIDTH] {
    core::array::from_fn(|lane| value(group[lane.min(group.len() - 1)] as usize))
}

#[inline(always)]
fn sign_mask(group: &[u32], negate: impl Fn(usize) -> bool) -> Mask {
    let mut mask = 0;
    for (lane, &first) in group.iter().enumerate() {
        mask |= Mask::from(negate(first as usize)) << lane;
    }
    mask
}

#[inline(always)]
fn signed_y<C: Curve, R: Room>(points: &[&PackedPoint<C>; WIDTH], negate: Mask) -> C::Lanes<R> {
    let y = C::Lanes::<R>::load(points.map(|point| &point.y));
    if negate == 0 {
        y
    } else {
        C::Lanes::<R>::select(negate, y.neg(), y)
    }
}

/// Inverse of every lane; no lane is zero.
#[inline(always)]
fn invert<L: Lanes>(lanes: L) -> L {
    let mut elements = lanes.to_elements();
    ark_ff::batch_inversion(&mut elements);
    L::from_elements(elements)
}
