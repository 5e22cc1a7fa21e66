//! Number-theoretic transforms over the scalar field, without permutations.
//!
//! A vector of N = 8 M elements lies in memory as M groups of eight lanes; lane l of group i is
//! element l M + i. The inverse transform takes natural order to bit-reversed order (decimation in
//! frequency), the forward one takes it back (decimation in time), so nothing is ever reordered.
//! Of the log N levels, all but three pair whole groups; the last three pair lanes of one group.

use ark_bn254::Fr;
use ark_ff::{FftField, Field};
use rayon::prelude::*;

use crate::lanes::{FrLanes, Lanes, Mask, ScalarLanes, WIDTH};

/// Smallest logarithm of a domain's size: below, lanes would be empty.
pub const MIN_LOG_SIZE: u32 = 3;
/// Largest: the coset needs a root of unity of twice the order.
pub const MAX_LOG_SIZE: u32 = Fr::TWO_ADICITY - 1;

/// Groups below which a transform is not split between threads.
const SPLIT: usize = 1 << 9;

/// A root of unity in packed form.
type Root = <FrLanes as Lanes>::Words;

/// Roots of unity for transforms of one size.
pub struct Domain {
    log_size: u32,
    /// w^k for k below N/2, where a level with stride s uses every (N/2s)-th
    roots: Vec<Root>,
    inverse_roots: Vec<Root>,
    /// g^k / N for element k, kept in bit-reversed order; g is a primitive 2N-th root
    coset: Vec<FrLanes>,
}

impl Domain {
    /// The domain of size 2^`log_size`, if there is one that transforms can work on.
    pub fn new(log_size: u32) -> Option<Self> {
        if !(MIN_LOG_SIZE..=MAX_LOG_SIZE).contains(&log_size) {
            return None;
        }
        let size = 1usize << log_size;
        let generator = Fr::get_root_of_unity(2 << log_size)?;
        let root = generator.square();
        let scale = Fr::from(size as u64).inverse()?;
        let shifts = powers(generator, size);
        let groups = size / WIDTH;
        let coset = (0..groups)
            .into_par_iter()
            .map(|group| {
                FrLanes::from_elements(core::array::from_fn(|lane| {
                    let position = lane * groups + group;
                    let index = position.reverse_bits() >> (usize::BITS - log_size);
                    FrLanes::unpack(&shifts[index]) * scale
                }))
            })
            .collect();
        Some(Self {
            log_size,
            roots: powers(root, size / 2),
            inverse_roots: powers(root.inverse()?, size / 2),
            coset,
        })
    }

    /// Number of elements.
    pub fn size(&self) -> usize {
        1 << self.log_size
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.roots[..]) * 2 + size_of_val(&self.coset[..])
    }

    /// From values at the N-th roots of unity to values at the odd powers of the 2N-th root.
    pub fn to_coset(&self, values: &mut [FrLanes]) {
        debug_assert_eq!(values.len() * WIDTH, self.size());
        self.inverse(values);
        values
            .par_iter_mut()
            .with_min_len(SPLIT)
            .zip(&self.coset)
            .for_each(|(value, factor)| *value = value.mul(*factor));
        self.forward(values);
    }

    fn inverse(&self, values: &mut [FrLanes]) {
        for distance in [4, 2, 1] {
            self.pair_lanes(
                values,
                distance,
                |group, factor, low| {
                    let other = group.exchange(distance);
                    let sum = group.add(other);
                    let difference = other.sub_loose(group).mul(factor);
                    FrLanes::select(low, sum, difference)
                },
                &self.inverse_roots,
            );
        }
        decimate_frequency(values, &self.inverse_roots);
    }

    fn forward(&self, values: &mut [FrLanes]) {
        decimate_time(values, &self.roots);
        for distance in [1, 2, 4] {
            self.pair_lanes(
                values,
                distance,
                |group, factor, low| {
                    let scaled = FrLanes::select(low, group, group.mul(factor));
                    let other = scaled.exchange(distance);
                    FrLanes::select(low, scaled.add(other), other.sub(scaled))
                },
                &self.roots,
            );
        }
    }

    /// A level whose pairs lie `distance` lanes apart in one group. `butterfly` gets the group, the
    /// root for each lane (meaningful in the high lanes) and the mask of the low lanes.
    fn pair_lanes(
        &self,
        values: &mut [FrLanes],
        distance: usize,
        butterfly: impl Fn(FrLanes, FrLanes, Mask) -> FrLanes + Sync,
        roots: &[Root],
    ) {
        let groups = values.len();
        let low = (0..WIDTH)
            .filter(|lane| lane & distance == 0)
            .fold(0, |mask: Mask, lane| mask | 1 << lane);
        let step = WIDTH / 2 / distance;
        values
            .par_iter_mut()
            .with_min_len(SPLIT)
            .enumerate()
            .for_each(|(index, group)| {
                // Pair number within the level's block: low lane bits below `distance`, then group.
                let factor = FrLanes::load(core::array::from_fn(|lane| {
                    &roots[((lane % distance) * groups + index) * step]
                }));
                *group = butterfly(*group, factor, low);
            });
    }
}

/// Levels of strides M/2 down to 1 groups; `roots` are of a vector of 8 M elements.
fn decimate_frequency(values: &mut [FrLanes], roots: &[Root]) {
    let half = values.len() / 2;
    if half == 0 {
        return;
    }
    let step = roots.len() / half;
    let (left, right) = values.split_at_mut(half);
    level(left, right, roots, step, |left, right, root| {
        (left.add(right), left.sub_loose(right).mul(root))
    });
    both(left, right, |part| decimate_frequency(part, roots));
}

/// The same levels in the other order.
fn decimate_time(values: &mut [FrLanes], roots: &[Root]) {
    let half = values.len() / 2;
    if half == 0 {
        return;
    }
    let step = roots.len() / half;
    let (left, right) = values.split_at_mut(half);
    both(left, right, |part| decimate_time(part, roots));
    level(left, right, roots, step, |left, right, root| {
        let right = right.mul(root);
        (left.add(right), left.sub(right))
    });
}

fn level(
    left: &mut [FrLanes],
    right: &mut [FrLanes],
    roots: &[Root],
    step: usize,
    butterfly: impl Fn(FrLanes, FrLanes, FrLanes) -> (FrLanes, FrLanes) + Sync,
) {
    let pair = |index: usize, left: &mut FrLanes, right: &mut FrLanes| {
        (*left, *right) = butterfly(*left, *right, FrLanes::splat_words(&roots[index * step]));
    };
    if left.len() < SPLIT {
        for (index, (left, right)) in left.iter_mut().zip(right).enumerate() {
            pair(index, left, right);
        }
    } else {
        left.par_iter_mut()
            .with_min_len(SPLIT / 2)
            .zip(right)
            .enumerate()
            .for_each(|(index, (left, right))| pair(index, left, right));
    }
}

fn both(left: &mut [FrLanes], right: &mut [FrLanes], work: impl Fn(&mut [FrLanes]) + Sync) {
    if left.len() < SPLIT {
        work(left);
        work(right);
    } else {
        rayon::join(|| work(left), || work(right));
    }
}

fn powers(base: Fr, count: usize) -> Vec<Root> {
    const CHUNK: usize = 1 << 12;
    let mut result = vec![Root::default(); count];
    result
        .par_chunks_mut(CHUNK)
        .enumerate()
        .for_each(|(number, chunk)| {
            let mut power = base.pow([(number * CHUNK) as u64]);
            for slot in chunk {
                *slot = FrLanes::pack(power);
                power *= base;
            }
        });
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::AdditiveGroup;

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

    fn check(log_size: u32, expect: impl Fn(&[Fr]) -> Vec<Fr>) {
        let size = 1usize << log_size;
        let values: Vec<Fr> = (0..size as u64)
            .map(|i| Fr::from(i + 7).pow([i * i + 3]) - Fr::from(i))
            .collect();
        let groups = size / WIDTH;
        let mut lanes: Vec<FrLanes> = (0..groups)
            .map(|i| FrLanes::from_elements(core::array::from_fn(|l| values[l * groups + i])))
            .collect();
        Domain::new(log_size).unwrap().to_coset(&mut lanes);
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
            check(log_size, slow);
        }
    }

    #[test]
    fn constants_stay_constant_where_work_is_split() {
        let log_size = 15;
        let domain = Domain::new(log_size).unwrap();
        let seven = FrLanes::splat(Fr::from(7));
        let mut lanes = vec![seven; domain.size() / WIDTH];
        domain.to_coset(&mut lanes);
        for group in lanes {
            assert_eq!(group.to_elements(), [Fr::from(7); WIDTH]);
        }
    }

    #[test]
    fn refuses_sizes_without_a_coset() {
        assert!(Domain::new(MIN_LOG_SIZE - 1).is_none());
        assert!(Domain::new(MAX_LOG_SIZE + 1).is_none());
    }
}
