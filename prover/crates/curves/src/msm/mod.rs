//! Sums of scalar multiples of many points (Pippenger's bucket method).
//!
//! Scalars are taken apart into signed digits of `width` bits; zero digits cost nothing, so a
//! scalar of 0 is free, a bit costs one addition and a small number a few. Full-size scalars are first made two of half
//! the size ([`split`]). The points of each
//! bucket are summed by rounds of pairwise affine additions that share one inversion
//! ([`pairs`]): 6 multiplications an addition instead of 11.

mod buckets;
mod digits;
mod pairs;
mod split;

pub use digits::SignedScalar;

use ark_ec::AdditiveGroup;
use ark_ec::short_weierstrass::Projective;
use rayon::prelude::*;

use crate::point::{Curve, G1, G2, PackedPoint};
use crate::room::{Room, in_chosen_room};
use buckets::{IMAGE, Named};
use digits::{Digit, Recoding};
use split::{HALF_BITS, LONGEST_WHOLE, images, split};

/// Points that one task at least gets: fewer are not worth another set of buckets.
const MIN_TASK: usize = 2048;

/// A curve whose points can be summed. The loops are compiled here, for each curve and room, and not again in every
/// crate that sums.
pub trait Summed: Curve + Sized {
    /// Sum of `scalars[signals[i]] * points[i]`.
    ///
    /// `points` holds no point at infinity (they would be right but slow); every index in `signals` is
    /// below `scalars.len()`, and `signals` is as long as `points`. Times scalars of more than 128 bits the sum is
    /// right for points of order r only.
    fn msm(
        points: &[PackedPoint<Self>],
        signals: &[u32],
        scalars: &[SignedScalar],
    ) -> Projective<Self::Config>;
}

macro_rules! summed {
    ($($curve:ty),*) => {$(
        impl Summed for $curve {
            fn msm(
                points: &[PackedPoint<Self>],
                signals: &[u32],
                scalars: &[SignedScalar],
            ) -> Projective<Self::Config> {
                in_chosen_room!(R => msm_in::<Self, R>(points, signals, scalars))
            }
        }
    )*};
}
summed!(G1, G2);

/// [`Summed::msm`].
pub fn msm<C: Summed>(
    points: &[PackedPoint<C>],
    signals: &[u32],
    scalars: &[SignedScalar],
) -> Projective<C::Config> {
    C::msm(points, signals, scalars)
}

fn msm_in<C: Curve, R: Room>(
    points: &[PackedPoint<C>],
    signals: &[u32],
    scalars: &[SignedScalar],
) -> Projective<C::Config> {
    debug_assert_eq!(points.len(), signals.len());
    debug_assert!(points.len() < IMAGE as usize);
    let recoding = Recoding::choose(signals.iter().flat_map(|&signal| {
        let bits = scalars[signal as usize].bits();
        if bits <= LONGEST_WHOLE {
            [bits, 0]
        } else {
            [HALF_BITS; 2]
        }
    }));
    let mut split_points = Vec::new();
    let mut narrow = Vec::new();
    let mut wide = Vec::new();
    for (index, &signal) in signals.iter().enumerate() {
        let scalar = &scalars[signal as usize];
        if scalar.is_zero() {
            continue;
        }
        let index = index as u32;
        if recoding.is_single_digit(scalar) {
            narrow.push(Digit {
                point: index,
                value: scalar.low_digit(),
            });
        } else if scalar.bits() <= LONGEST_WHOLE {
            wide.push(recoding.prepare(index, scalar));
        } else {
            let [low, high] = split(scalar);
            wide.push(recoding.prepare(index, &low));
            wide.push(recoding.prepare(split_points.len() as u32 | IMAGE, &high));
            split_points.push(index);
        }
    }
    let points = Named {
        given: points,
        images: &images::<C, R>(points, &split_points),
    };

    let threads = rayon::current_num_threads();
    let narrow_tasks = narrow.par_chunks(chunk_length(narrow.len(), threads));
    // Few points: several windows in one task share their inversions. Many: a window is split.
    let windows = recoding.windows();
    let parts = if wide.len() > 16 * MIN_TASK && windows < 2 * threads {
        threads
    } else {
        1
    };
    let part_length = wide.len().div_ceil(parts).max(1);
    let group = if wide.len() < MIN_TASK {
        windows.div_ceil(threads)
    } else {
        1
    };
    let groups: Vec<(usize, usize)> = (0..windows)
        .step_by(group.max(1))
        .flat_map(|first| {
            (0..wide.len())
                .step_by(part_length)
                .map(move |part| (first, part))
        })
        .collect();

    let (narrow_sum, mut window_sums) = rayon::join(
        || {
            narrow_tasks
                .map(|digits| {
                    let mut sums = buckets::sum::<C, R>(&points, 1, |visit| {
                        digits.iter().for_each(|digit| visit(0, *digit));
                    });
                    sums.pop().unwrap_or(Projective::ZERO)
                })
                .reduce(|| Projective::ZERO, |left, right| left + right)
        },
        || {
            groups
                .par_iter()
                .map(|&(first, part)| {
                    let count = group.min(windows - first);
                    let wide = &wide[part..(part + part_length).min(wide.len())];
                    let sums = buckets::sum::<C, R>(&points, count, |visit| {
                        for window in 0..count {
                            for scalar in wide {
                                let value = recoding.digit(scalar, first + window);
                                if value != 0 {
                                    visit(
                                        window,
                                        Digit {
                                            point: scalar.point,
                                            value,
                                        },
                                    );
                                }
                            }
                        }
                    });
                    (first, sums)
                })
                .fold(
                    || vec![Projective::<C::Config>::ZERO; windows],
                    |mut totals, (first, sums)| {
                        for (window, sum) in sums.into_iter().enumerate() {
                            totals[first + window] += sum;
                        }
                        totals
                    },
                )
                .reduce(
                    || vec![Projective::ZERO; windows],
                    |mut left, right| {
                        left.iter_mut()
                            .zip(right)
                            .for_each(|(left, right)| *left += right);
                        left
                    },
                )
        },
    );

    let mut total = Projective::ZERO;
    while let Some(sum) = window_sums.pop() {
        for _ in 0..recoding.width() {
            total.double_in_place();
        }
        total += sum;
    }
    total + narrow_sum
}

fn chunk_length(length: usize, threads: usize) -> usize {
    length.div_ceil(threads).max(MIN_TASK)
}

#[cfg(test)]
mod tests;
