//! Points sorted into buckets by digit, summed, and weighted.

use core::marker::PhantomData;

use ark_ec::AdditiveGroup;
use ark_ec::short_weierstrass::Projective;

use super::digits::Digit;
use super::pairs::PairAdder;
use crate::lanes::WIDTH;
use crate::point::{Curve, LanePoints, PackedPoint};
use crate::room::{Room, Work};

const NEGATE: u32 = 1 << 31;
/// In the index of a point: it is one of the images.
pub(super) const IMAGE: u32 = 1 << 30;

/// Points that digits name: those given, and images of some of them.
pub(super) struct Named<'a, C: Curve> {
    pub given: &'a [PackedPoint<C>],
    pub images: &'a [PackedPoint<C>],
}

impl<'a, C: Curve> Named<'a, C> {
    fn get(&self, name: u32) -> &'a PackedPoint<C> {
        let lists = [self.given, self.images];
        &lists[usize::from(name & IMAGE != 0)][(name & !IMAGE) as usize]
    }
}

/// Points of one bucket, next to each other in the list of the current round.
#[derive(Clone, Copy)]
struct Segment {
    bucket: u32,
    length: u32,
}

/// For each of `windows` windows the sum of digit times point, over the digits (none zero) that
/// `visit_digits` shows. It is called twice and must show the same both times.
pub(super) fn sum<C: Curve, R: Room>(
    points: &Named<'_, C>,
    windows: usize,
    visit_digits: impl Fn(&mut dyn FnMut(usize, Digit)),
) -> Vec<Projective<C::Config>> {
    let mut largest = 0;
    let mut total = 0usize;
    visit_digits(&mut |_, digit| {
        largest = largest.max(digit.value.unsigned_abs());
        total += 1;
    });
    if total == 0 {
        return vec![Projective::ZERO; windows];
    }

    let per_window = largest as usize;
    let bucket_of =
        |window: usize, digit: Digit| window * per_window + digit.value.unsigned_abs() as usize - 1;
    let mut counts = vec![0u32; windows * per_window];
    visit_digits(&mut |window, digit| counts[bucket_of(window, digit)] += 1);

    let mut segments: Vec<Segment> = Vec::new();
    let mut positions = vec![0u32; counts.len()];
    let mut start = 0;
    for (bucket, &length) in counts.iter().enumerate() {
        positions[bucket] = start;
        start += length;
        if length > 0 {
            segments.push(Segment {
                bucket: bucket as u32,
                length,
            });
        }
    }
    let mut members = vec![0u32; total];
    visit_digits(&mut |window, digit| {
        let position = &mut positions[bucket_of(window, digit)];
        members[*position as usize] = digit.point | if digit.value < 0 { NEGATE } else { 0 };
        *position += 1;
    });

    let buckets = fill::<C, R>(points, &members, segments, counts.len());
    buckets
        .chunks(per_window)
        .map(|buckets| weighted_sum::<C, R>(buckets))
        .collect()
}

/// Sums each bucket's points by halving all segments round by round.
fn fill<C: Curve, R: Room>(
    points: &Named<'_, C>,
    members: &[u32],
    mut segments: Vec<Segment>,
    bucket_count: usize,
) -> Vec<PackedPoint<C>> {
    let mut buckets = vec![PackedPoint::infinity(); bucket_count];
    let mut adder = PairAdder::<C, R>::new();
    let mut current = Vec::new();
    let mut next = Vec::new();

    let from_key = |position: usize| {
        let member = members[position];
        (points.get(member & !NEGATE), member & NEGATE != 0)
    };
    halve(&mut adder, &mut segments, from_key, &mut next, &mut buckets);
    while !segments.is_empty() {
        core::mem::swap(&mut current, &mut next);
        let round = &current;
        halve(
            &mut adder,
            &mut segments,
            |position| (&round[position], false),
            &mut next,
            &mut buckets,
        );
    }
    buckets
}

/// One round: adds neighbours of a segment in pairs. What is left of segments of more than two
/// points goes to `next`, finished buckets to `buckets`.
fn halve<'a, C: Curve, R: Room>(
    adder: &mut PairAdder<C, R>,
    segments: &mut Vec<Segment>,
    fetch: impl Fn(usize) -> super::pairs::Signed<'a, C>,
    next: &mut Vec<PackedPoint<C>>,
    buckets: &mut [PackedPoint<C>],
) {
    const FINISHED: u32 = 1 << 31;
    let mut firsts = Vec::new();
    let mut targets = Vec::new();
    let mut remaining = Vec::new();
    let mut start = 0u32;
    let mut kept = 0u32;
    next.clear();
    let kept_total: u32 = segments
        .iter()
        .filter(|segment| segment.length > 2)
        .map(|segment| segment.length.div_ceil(2))
        .sum();
    next.resize(kept_total as usize, PackedPoint::infinity());

    for segment in segments.iter() {
        let pairs = segment.length / 2;
        let finished = segment.length <= 2;
        for pair in 0..pairs {
            firsts.push(start + 2 * pair);
            targets.push(if finished {
                segment.bucket | FINISHED
            } else {
                kept + pair
            });
        }
        if segment.length % 2 == 1 {
            let (point, negate) = fetch((start + segment.length - 1) as usize);
            let lone = point.signed_in::<R>(negate);
            if finished {
                buckets[segment.bucket as usize] = lone;
            } else {
                next[(kept + pairs) as usize] = lone;
            }
        }
        if !finished {
            let length = segment.length.div_ceil(2);
            remaining.push(Segment {
                bucket: segment.bucket,
                length,
            });
            kept += length;
        }
        start += segment.length;
    }
    adder.add(&firsts, fetch, |index, sum| {
        let target = targets[index];
        if target & FINISHED != 0 {
            buckets[(target & !FINISHED) as usize] = sum;
        } else {
            next[target as usize] = sum;
        }
    });
    *segments = remaining;
}

/// Eight lanes each take an eighth of the buckets, from the top down, and keep the sum of buckets
/// seen and the sum of those sums.
struct LaneSums<'a, C: Curve, R: Room> {
    buckets: &'a [PackedPoint<C>],
    share: usize,
    room: PhantomData<R>,
}

impl<C: Curve, R: Room> Work for LaneSums<'_, C, R> {
    type Output = [[Projective<C::Config>; WIDTH]; 2];

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { buckets, share, .. } = self;
        let infinity = PackedPoint::infinity();
        let mut seen = LanePoints::<C, R>::infinity();
        let mut weighted = LanePoints::<C, R>::infinity();
        for index in (0..share).rev() {
            let row =
                core::array::from_fn(|lane| buckets.get(lane * share + index).unwrap_or(&infinity));
            seen = seen.plus_affine(row);
            weighted = weighted.plus(seen);
        }
        [seen.to_projective(), weighted.to_projective()]
    }
}

/// Sum of (index + 1) times bucket.
fn weighted_sum<C: Curve, R: Room>(buckets: &[PackedPoint<C>]) -> Projective<C::Config> {
    let share = buckets.len().div_ceil(WIDTH);
    let room = PhantomData;
    let [seen, weighted] = R::run(LaneSums::<C, R> {
        buckets,
        share,
        room,
    });

    // Lane j lacks j * share in the weight of each of its buckets.
    let mut total = Projective::ZERO;
    let mut above = Projective::ZERO;
    for lane in (1..WIDTH).rev() {
        above += seen[lane];
        total += above;
    }
    let mut scaled = Projective::ZERO;
    for bit in (0..usize::BITS - share.leading_zeros()).rev() {
        scaled.double_in_place();
        if share >> bit & 1 == 1 {
            scaled += total;
        }
    }
    weighted.into_iter().fold(scaled, |sum, lane| sum + lane)
}
