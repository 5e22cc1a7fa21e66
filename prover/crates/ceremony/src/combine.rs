//! Sums of multiples of points, one sum for each wire.
//!
//! A term's coefficient is cut into signed digits, and each digit puts the term's point into the bucket
//! of its window and size. Buckets are summed by rounds of pairwise additions over all wires at once,
//! which share their inversions; so are the steps from buckets to windows and from windows to wires.
//! Coefficients of one digit, as most are, cost one addition.

use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Affine;
use haca_prover_curves::msm::SignedScalar;
use haca_prover_formats::bn254::SCALAR_MODULUS;
use haca_prover_formats::r1cs::CircuitFile;
use rayon::prelude::*;

use crate::addition::Adder;
use crate::columns::Columns;
use crate::digits::{MAX_WIDTH, visit_digits, windows};
use crate::points::{Group, Points};

/// Terms and wires that one task gets.
const TASK: usize = 1 << 12;
/// More terms say no more about the best width.
const SAMPLE: usize = 1 << 10;

/// Terms of one side, times the points of their rows.
pub struct Source<'a, P> {
    /// the terms
    pub columns: &'a Columns,
    /// one point for each row
    pub points: Points<'a, P>,
}

/// The sum over all sources for each of the wires.
pub fn by_wire<P: Group>(
    circuit: &CircuitFile,
    sources: &[Source<P>],
    wires: core::ops::Range<usize>,
) -> Vec<Affine<P>> {
    let mut tasks = Vec::new();
    let (mut start, mut weight) = (wires.start, 0);
    for wire in wires.clone() {
        weight += 1;
        weight += sources
            .iter()
            .map(|source| source.columns.wire(wire).len())
            .sum::<usize>();
        if weight >= TASK || wire + 1 == wires.end {
            tasks.push(start..wire + 1);
            (start, weight) = (wire + 1, 0);
        }
    }
    let sums: Vec<Vec<Affine<P>>> = tasks
        .into_par_iter()
        .map(|wires| {
            let mut task = Task::new();
            for wire in wires {
                task.place(circuit, sources, wire);
            }
            task.finish()
        })
        .collect();
    sums.concat()
}

/// A wire's buckets: `windows` times `per_window` of them from `first` on.
struct Wire {
    first: usize,
    width: u32,
    windows: usize,
    per_window: usize,
}

/// Points of one bucket that lie next to each other.
struct Segment {
    bucket: usize,
    length: usize,
}

struct Task<P: Group> {
    adder: Adder<P>,
    wires: Vec<Wire>,
    buckets: Vec<Affine<P>>,
    points: Vec<Affine<P>>,
    segments: Vec<Segment>,
    /// of the wire being placed
    terms: Vec<(Affine<P>, SignedScalar)>,
    /// bucket and term, negative or not, of the wire being placed
    members: Vec<(u32, u32, bool)>,
}

impl<P: Group> Task<P> {
    fn new() -> Self {
        Self {
            adder: Adder::new(),
            wires: Vec::new(),
            buckets: Vec::new(),
            points: Vec::new(),
            segments: Vec::new(),
            terms: Vec::new(),
            members: Vec::new(),
        }
    }

    /// Puts a wire's points next to each other, bucket by bucket.
    fn place(&mut self, circuit: &CircuitFile, sources: &[Source<P>], number: usize) {
        self.terms.clear();
        for source in sources {
            for term in source.columns.wire(number) {
                let scalar = SignedScalar::new(term.value(circuit), &SCALAR_MODULUS);
                let point = source.points.get(term.row as usize);
                if !scalar.is_zero() && !point.is_zero() {
                    self.terms.push((point, scalar));
                }
            }
        }
        let longest = self.terms.iter().map(|(_, scalar)| scalar.bits()).max();
        let longest = longest.unwrap_or(0);
        let width = best_width(&self.terms, longest);
        let wire = Wire {
            first: self.buckets.len(),
            width,
            windows: windows(longest, width),
            per_window: 1 << (width - 1),
        };
        self.members.clear();
        for (index, (_, scalar)) in self.terms.iter().enumerate() {
            visit_digits(scalar, width, |window, digit| {
                let bucket = window * wire.per_window + digit.unsigned_abs() as usize - 1;
                self.members.push((bucket as u32, index as u32, digit < 0));
            });
        }
        self.members.sort_unstable();
        for group in self.members.chunk_by(|one, next| one.0 == next.0) {
            self.segments.push(Segment {
                bucket: wire.first + group[0].0 as usize,
                length: group.len(),
            });
            self.points
                .extend(group.iter().map(|&(_, index, is_negative)| {
                    let (point, _) = self.terms[index as usize];
                    if is_negative { -point } else { point }
                }));
        }
        self.buckets.resize(
            wire.first + wire.windows * wire.per_window,
            Affine::identity(),
        );
        self.wires.push(wire);
    }

    fn finish(mut self) -> Vec<Affine<P>> {
        self.fill_buckets();
        self.weigh_buckets();
        self.join_windows()
    }

    /// Halves all segments round by round.
    fn fill_buckets(&mut self) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        while !self.segments.is_empty() {
            left.clear();
            right.clear();
            let mut start = 0;
            for segment in &self.segments {
                let points = &self.points[start..start + segment.length];
                let (pairs, _) = points.as_chunks::<2>();
                left.extend(pairs.iter().map(|pair| pair[0]));
                right.extend(pairs.iter().map(|pair| pair[1]));
                start += segment.length;
            }
            self.adder.add(&mut left, &right);

            let mut next = Vec::with_capacity(left.len());
            let (mut start, mut sum) = (0, 0);
            self.segments.retain_mut(|segment| {
                let pairs = segment.length / 2;
                let sums = &left[sum..sum + pairs];
                let lone =
                    (segment.length % 2 == 1).then(|| self.points[start + segment.length - 1]);
                sum += pairs;
                start += segment.length;
                segment.length = segment.length.div_ceil(2);
                if segment.length == 1 {
                    self.buckets[segment.bucket] = lone.unwrap_or_else(|| sums[0]);
                    return false;
                }
                next.extend(sums);
                next.extend(lone);
                true
            });
            self.points = next;
        }
    }

    /// Each window's sum of bucket times size, into its first bucket: sizes fall, and the sum so far is
    /// added once at each.
    fn weigh_buckets(&mut self) {
        let mut windows: Vec<(usize, usize)> = self
            .wires
            .iter()
            .filter(|wire| wire.per_window > 1)
            .flat_map(|wire| {
                (0..wire.windows)
                    .map(|window| (wire.per_window, wire.first + window * wire.per_window))
            })
            .collect();
        windows.sort_unstable_by_key(|&(count, _)| core::cmp::Reverse(count));
        let mut seen: Vec<Affine<P>> = windows
            .iter()
            .map(|&(count, first)| self.buckets[first + count - 1])
            .collect();
        let mut weighted = seen.clone();
        let largest = windows.first().map_or(0, |&(count, _)| count);
        let mut own = Vec::new();
        for size in (1..largest).rev() {
            let active = windows.partition_point(|&(count, _)| count > size);
            own.clear();
            own.extend(
                windows[..active]
                    .iter()
                    .map(|&(_, first)| self.buckets[first + size - 1]),
            );
            self.adder.add(&mut seen[..active], &own);
            self.adder.add(&mut weighted[..active], &seen[..active]);
        }
        for (&(_, first), sum) in windows.iter().zip(weighted) {
            self.buckets[first] = sum;
        }
    }

    /// Horner's rule over the windows of all wires, bit by bit.
    fn join_windows(mut self) -> Vec<Affine<P>> {
        let sum_of =
            |wire: &Wire, window: usize| self.buckets[wire.first + window * wire.per_window];
        let top = |wire: &Wire| (wire.windows - 1) * wire.width as usize;
        let mut order: Vec<usize> = (0..self.wires.len()).collect();
        order.sort_unstable_by_key(|&index| core::cmp::Reverse(top(&self.wires[index])));
        let mut sums: Vec<Affine<P>> = order
            .iter()
            .map(|&index| sum_of(&self.wires[index], self.wires[index].windows - 1))
            .collect();
        let highest = order.first().map_or(0, |&index| top(&self.wires[index]));
        let (mut places, mut left, mut right) = (Vec::new(), Vec::new(), Vec::new());
        for bit in (0..highest).rev() {
            let active = order.partition_point(|&index| top(&self.wires[index]) > bit);
            self.adder.double(&mut sums[..active]);
            places.clear();
            left.clear();
            right.clear();
            for (place, &index) in order[..active].iter().enumerate() {
                let wire = &self.wires[index];
                if bit % wire.width as usize != 0 {
                    continue;
                }
                let window = sum_of(wire, bit / wire.width as usize);
                if !window.is_zero() {
                    places.push(place);
                    left.push(sums[place]);
                    right.push(window);
                }
            }
            self.adder.add(&mut left, &right);
            for (&place, sum) in places.iter().zip(&left) {
                sums[place] = *sum;
            }
        }
        let mut result = vec![Affine::identity(); sums.len()];
        for (&index, sum) in order.iter().zip(sums) {
            result[index] = sum;
        }
        result
    }
}

/// The width of digits with the fewest additions.
fn best_width<P: Group>(terms: &[(Affine<P>, SignedScalar)], longest: u32) -> u32 {
    if longest <= 1 {
        return 1;
    }
    let step = terms.len().div_ceil(SAMPLE).max(1);
    let sample = || terms.iter().step_by(step).map(|(_, scalar)| scalar);
    let digits = |width: u32| {
        let mut count = 0;
        sample().for_each(|scalar| visit_digits(scalar, width, |_, _| count += 1));
        count * step
    };
    let cost = |width: u32| {
        // Twice each bucket, but for windows of one bucket.
        let buckets = if width == 1 { 0 } else { 1 << width };
        digits(width) + windows(longest, width) * buckets
    };
    let fitting =
        (1..=MAX_WIDTH).take_while(|&width| width == 1 || terms.len() >= 1 << (width - 1));
    fitting.min_by_key(|&width| cost(width)).unwrap_or(1)
}

#[cfg(test)]
mod tests;
