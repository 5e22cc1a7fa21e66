//! Number-theoretic transforms over the scalar field, without permutations.
//!
//! A vector of N = 8 M elements lies in memory as M groups of eight lanes; lane l of group i is
//! element l M + i. The inverse transform takes natural order to bit-reversed order (decimation in
//! frequency), the forward one takes it back (decimation in time), so nothing is ever reordered.
//! Of the log N levels, all but three pair whole groups; the last three pair lanes of one group.

mod passes;

use ark_bn254::Fr;
use ark_ff::{FftField, Field};
use rayon::prelude::*;

use crate::lanes::{Lanes, WIDTH};
use crate::room::{Room, in_chosen_room};
use passes::{Difference, Gather, PairGroups, PairLanes, Product, Small};

/// Smallest logarithm of a domain's size: below, lanes would be empty.
pub const MIN_LOG_SIZE: u32 = 3;
/// Largest: the coset needs a root of unity of twice the order.
pub const MAX_LOG_SIZE: u32 = Fr::TWO_ADICITY - 1;

/// Groups below which work is not split between threads.
const SPLIT: usize = 1 << 9;
/// Groups whose remaining levels are done in one go: they fit the nearest cache.
const SMALL: usize = 1 << 6;

/// A root of unity in packed form.
type Root = [u64; 4];

/// Element `i` of a vector.
type Row<'a> = &'a (dyn Fn(usize) -> Fr + Sync);

/// Transforms of one size.
pub struct Domain {
    log_size: u32,
    transforms: Box<dyn Transforms>,
}

impl Domain {
    /// The domain of size 2^`log_size`, if there is one that transforms can work on.
    pub fn new(log_size: u32) -> Option<Self> {
        let transforms = in_chosen_room!(R => Box::new(Roots::<R>::new(log_size)?) as Box<_>);
        Some(Self {
            log_size,
            transforms,
        })
    }

    /// Number of elements.
    pub fn size(&self) -> usize {
        1 << self.log_size
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        self.transforms.bytes()
    }

    /// With the polynomials that have values `a(i)` and `b(i)` at the N-th roots of unity, and the one
    /// that has their products there: what the product of the first two differs from the third by at
    /// the odd powers of the 2N-th root, as integers.
    pub fn quotient(
        &self,
        a: impl Fn(usize) -> Fr + Sync,
        b: impl Fn(usize) -> Fr + Sync,
    ) -> Vec<[u64; 4]> {
        self.transforms.quotient(&a, &b)
    }
}

/// [`Roots`] of any room.
trait Transforms: Send + Sync {
    fn bytes(&self) -> usize;
    fn quotient(&self, a: Row, b: Row) -> Vec<[u64; 4]>;
}

/// Roots of unity for transforms of one size.
struct Roots<R: Room> {
    /// w^k for k below N/2, where a level with stride s uses every (N/2s)-th
    roots: Vec<Root>,
    inverse_roots: Vec<Root>,
    /// g^k / N for element k, kept in bit-reversed order; g is a primitive 2N-th root
    coset: Vec<R::Fr>,
}

/// Which way a transform goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// from values, in frequency
    Inverse,
    /// to values, in time
    Forward,
}

impl<R: Room> Roots<R> {
    fn new(log_size: u32) -> Option<Self> {
        if !(MIN_LOG_SIZE..=MAX_LOG_SIZE).contains(&log_size) {
            return None;
        }
        let size = 1usize << log_size;
        let generator = Fr::get_root_of_unity(2 << log_size)?;
        let root = generator.square();
        let scale = Fr::from(size as u64).inverse()?;
        let shifts = powers::<R>(generator, size);
        let groups = size / WIDTH;
        let coset = (0..groups)
            .into_par_iter()
            .map(|group| {
                R::Fr::from_elements(core::array::from_fn(|lane| {
                    let position = lane * groups + group;
                    let index = position.reverse_bits() >> (usize::BITS - log_size);
                    R::Fr::unpack(&shifts[index]) * scale
                }))
            })
            .collect();
        Some(Self {
            roots: powers::<R>(root, size / 2),
            inverse_roots: powers::<R>(root.inverse()?, size / 2),
            coset,
        })
    }

    /// From values at the N-th roots of unity to values at the odd powers of the 2N-th root.
    fn to_coset(&self, values: &mut [R::Fr]) {
        for distance in [4, 2, 1] {
            self.pair_lanes(values, distance, Direction::Inverse);
        }
        decimate_frequency::<R>(values, &self.inverse_roots);
        values
            .par_chunks_mut(SPLIT)
            .zip(self.coset.par_chunks(SPLIT))
            .for_each(|(values, factors)| R::run(Product::<R> { values, factors }));
        decimate_time::<R>(values, &self.roots);
        for distance in [1, 2, 4] {
            self.pair_lanes(values, distance, Direction::Forward);
        }
    }

    /// A level whose pairs lie `distance` lanes apart in one group.
    fn pair_lanes(&self, values: &mut [R::Fr], distance: usize, direction: Direction) {
        let groups = values.len();
        let roots = match direction {
            Direction::Inverse => &self.inverse_roots,
            Direction::Forward => &self.roots,
        };
        values
            .par_chunks_mut(SPLIT)
            .enumerate()
            .for_each(|(number, values)| {
                R::run(PairLanes::<R> {
                    values,
                    first: number * SPLIT,
                    groups,
                    distance,
                    roots,
                    direction,
                });
            });
    }

    /// The vector with elements `row(i)`.
    fn gather(&self, row: Row) -> Vec<R::Fr> {
        let groups = self.coset.len();
        let mut values = self.coset.clone();
        values
            .par_chunks_mut(SPLIT / 4)
            .enumerate()
            .for_each(|(number, values)| {
                R::run(Gather::<R> {
                    values,
                    first: number * (SPLIT / 4),
                    groups,
                    row,
                });
            });
        values
    }
}

impl<R: Room> Transforms for Roots<R> {
    fn bytes(&self) -> usize {
        size_of_val(&self.roots[..]) * 2 + size_of_val(&self.coset[..])
    }

    fn quotient(&self, a: Row, b: Row) -> Vec<[u64; 4]> {
        let (mut a, mut b) = rayon::join(|| self.gather(a), || self.gather(b));
        let mut c = a.clone();
        c.par_chunks_mut(SPLIT)
            .zip(b.par_chunks(SPLIT))
            .for_each(|(values, factors)| R::run(Product::<R> { values, factors }));
        rayon::join(
            || self.to_coset(&mut a),
            || rayon::join(|| self.to_coset(&mut b), || self.to_coset(&mut c)),
        );

        let groups = a.len();
        let mut integers = vec![[[0; 4]; WIDTH]; groups];
        integers
            .par_chunks_mut(SPLIT)
            .zip(a.par_chunks(SPLIT))
            .zip(b.par_chunks(SPLIT).zip(c.par_chunks(SPLIT)))
            .for_each(|((integers, a), (b, c))| {
                R::run(Difference::<R> { integers, a, b, c });
            });
        (0..groups * WIDTH)
            .into_par_iter()
            .with_min_len(SPLIT * WIDTH)
            .map(|index| integers[index % groups][index / groups])
            .collect()
    }
}

/// Levels of strides M/2 down to 1 groups; `roots` are of a vector of 8 M elements.
fn decimate_frequency<R: Room>(values: &mut [R::Fr], roots: &[Root]) {
    let direction = Direction::Inverse;
    if values.len() <= SMALL {
        return R::run(Small::<R> {
            values,
            roots,
            direction,
        });
    }
    let (left, right) = values.split_at_mut(values.len() / 2);
    level::<R>(left, right, roots, direction);
    both::<R>(left, right, |part| decimate_frequency::<R>(part, roots));
}

/// The same levels in the other order.
fn decimate_time<R: Room>(values: &mut [R::Fr], roots: &[Root]) {
    let direction = Direction::Forward;
    if values.len() <= SMALL {
        return R::run(Small::<R> {
            values,
            roots,
            direction,
        });
    }
    let (left, right) = values.split_at_mut(values.len() / 2);
    both::<R>(left, right, |part| decimate_time::<R>(part, roots));
    level::<R>(left, right, roots, direction);
}

/// One level, of pairs of a left and a right group.
fn level<R: Room>(left: &mut [R::Fr], right: &mut [R::Fr], roots: &[Root], direction: Direction) {
    let step = roots.len() / left.len();
    let chunks = left.par_chunks_mut(SPLIT).zip(right.par_chunks_mut(SPLIT));
    chunks.enumerate().for_each(|(number, (left, right))| {
        R::run(PairGroups::<R> {
            left,
            right,
            roots: &roots[number * SPLIT * step..],
            step,
            direction,
        });
    });
}

fn both<R: Room>(left: &mut [R::Fr], right: &mut [R::Fr], work: impl Fn(&mut [R::Fr]) + Sync) {
    if left.len() < SPLIT {
        work(left);
        work(right);
    } else {
        rayon::join(|| work(left), || work(right));
    }
}

fn powers<R: Room>(base: Fr, count: usize) -> Vec<Root> {
    const CHUNK: usize = 1 << 12;
    let mut result = vec![Root::default(); count];
    result
        .par_chunks_mut(CHUNK)
        .enumerate()
        .for_each(|(number, chunk)| {
            let mut power = base.pow([(number * CHUNK) as u64]);
            for slot in chunk {
                *slot = R::Fr::pack(power);
                power *= base;
            }
        });
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{AdditiveGroup, PrimeField};

    use crate::room::in_every_room;

    /// Values at the odd powers of the 2N-th root, by Horner's rule on interpolated coefficients.
    fn slow(values: &[Fr]) -> Vec<Fr> {
        let size = values.len();
        let generator = Fr::get_root_of_unity(2 * size as u64).unwrap();
        let root = generator.square();
        let scale = Fr::from(size as u64).inverse().unwrap();
        let coefficients: Vec<Fr> = (0..size)
            .map(|k| {
                let point = root.pow([k as u64]).inverse().unwrap();
                scale
                    * values
                        .iter()
                        .rev()
                        .fold(Fr::ZERO, |sum, value| sum * point + value)
            })
            .collect();
        (0..size)
            .map(|i| {
                let point = generator.pow([2 * i as u64 + 1]);
                coefficients
                    .iter()
                    .rev()
                    .fold(Fr::ZERO, |sum, value| sum * point + value)
            })
            .collect()
    }

    fn check<R: Room>(log_size: u32, expect: impl Fn(&[Fr]) -> Vec<Fr>) {
        let size = 1usize << log_size;
        let values: Vec<Fr> = (0..size as u64)
            .map(|i| Fr::from(i + 7).pow([i * i + 3]) - Fr::from(i))
            .collect();
        let groups = size / WIDTH;
        let mut lanes: Vec<R::Fr> = (0..groups)
            .map(|i| R::Fr::from_elements(core::array::from_fn(|l| values[l * groups + i])))
            .collect();
        Roots::<R>::new(log_size).unwrap().to_coset(&mut lanes);
        let mut result = vec![Fr::ZERO; size];
        for (i, group) in lanes.iter().enumerate() {
            for (l, element) in group.to_elements().into_iter().enumerate() {
                result[l * groups + i] = element;
            }
        }
        assert_eq!(result, expect(&values), "size 2^{log_size}");
    }

    #[test]
    fn agrees_with_direct_evaluation() {
        for log_size in MIN_LOG_SIZE..9 {
            in_every_room!(R => check::<R>(log_size, slow));
        }
    }

    #[test]
    fn constants_stay_constant_where_work_is_split() {
        in_every_room!(R => {
            let seven = <R as Room>::Fr::splat(Fr::from(7));
            let mut lanes = vec![seven; (1 << 15) / WIDTH];
            Roots::<R>::new(15).unwrap().to_coset(&mut lanes);
            for group in lanes {
                assert_eq!(group.to_elements(), [Fr::from(7); WIDTH]);
            }
        });
    }

    #[test]
    fn quotients_are_the_same_in_every_room_and_by_definition() {
        for log_size in [3, 8] {
            let value = |seed: u64| move |i: usize| Fr::from(i as u64 + seed).pow([seed + 4]);
            let (a, b) = (value(3), value(8));
            let values =
                |row: &dyn Fn(usize) -> Fr| (0..1 << log_size).map(row).collect::<Vec<_>>();
            let (a_values, b_values) = (slow(&values(&a)), slow(&values(&b)));
            let c_values = slow(&values(&|i| a(i) * b(i)));
            let expected: Vec<[u64; 4]> = (0..1 << log_size)
                .map(|i| (a_values[i] * b_values[i] - c_values[i]).into_bigint().0)
                .collect();
            in_every_room!(R => {
                let roots = Roots::<R>::new(log_size).unwrap();
                assert_eq!(roots.quotient(&a, &b), expected);
            });
            assert_eq!(Domain::new(log_size).unwrap().quotient(a, b), expected);
        }
    }

    #[test]
    fn refuses_sizes_without_a_coset() {
        assert!(Domain::new(MIN_LOG_SIZE - 1).is_none());
        assert!(Domain::new(MAX_LOG_SIZE + 1).is_none());
    }
}
