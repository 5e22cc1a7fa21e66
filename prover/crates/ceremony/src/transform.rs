//! The inverse number-theoretic transform on plain scalars.

use ark_bn254::Fr;
use ark_ff::{FftField, Field};
use rayon::prelude::*;

/// Sizes below are not split between threads.
const SPLIT: usize = 1 << 10;

/// From values at the roots of unity to coefficients. The length is a power of two up to 2^28.
pub fn interpolate(values: &mut [Fr]) {
    let size = values.len();
    let (Some(root), Some(scale)) = (
        Fr::get_root_of_unity(size as u64).and_then(|root| root.inverse()),
        Fr::from(size as u64).inverse(),
    ) else {
        return;
    };
    let mut roots = vec![Fr::ONE; (size / 2).max(1)];
    for index in 1..roots.len() {
        roots[index] = roots[index - 1] * root;
    }
    decimate(values, &roots, 1);
    let bits = size.trailing_zeros();
    if bits > 0 {
        for index in 0..size {
            let other = index.reverse_bits() >> (usize::BITS - bits);
            if index < other {
                values.swap(index, other);
            }
        }
    }
    values.par_iter_mut().for_each(|value| *value *= scale);
}

fn decimate(values: &mut [Fr], roots: &[Fr], step: usize) {
    let half = values.len() / 2;
    if half == 0 {
        return;
    }
    let (left, right) = values.split_at_mut(half);
    left.par_iter_mut()
        .with_min_len(SPLIT)
        .zip(right.par_iter_mut())
        .enumerate()
        .for_each(|(index, (left, right))| {
            let difference = *left - *right;
            *left += *right;
            *right = difference * roots[index * step];
        });
    if half < SPLIT {
        decimate(left, roots, 2 * step);
        decimate(right, roots, 2 * step);
    } else {
        rayon::join(
            || decimate(left, roots, 2 * step),
            || decimate(right, roots, 2 * step),
        );
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::AdditiveGroup;

    use super::*;

    #[test]
    fn coefficients_give_the_values_back() {
        for log in [0, 1, 2, 5, 12] {
            let size = 1usize << log;
            let values: Vec<Fr> = (0..size as u64).map(|i| Fr::from(i * i + 3)).collect();
            let mut coefficients = values.clone();
            interpolate(&mut coefficients);
            let root = Fr::get_root_of_unity(size as u64).unwrap();
            for index in (0..size).step_by(1 + size / 7) {
                let point = root.pow([index as u64]);
                let value = coefficients
                    .iter()
                    .rev()
                    .fold(Fr::ZERO, |sum, coefficient| sum * point + coefficient);
                assert_eq!(value, values[index], "size 2^{log}");
            }
        }
    }
}
