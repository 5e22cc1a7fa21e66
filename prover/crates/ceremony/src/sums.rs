//! Random combinations of many points: one equation that holds if all hold, and hardly ever otherwise.

use ark_bn254::Fr;
use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, PrimeField};
use haca_prover_curves::msm::{SignedScalar, msm};
use haca_prover_curves::point::PackedPoint;
use haca_prover_formats::bn254::SCALAR_MODULUS;
use haca_prover_groth16::random;
use rayon::prelude::*;

use crate::error::CeremonyError;
use crate::points::{Group, Points};

/// Bytes of a random factor: a false equation holds with a probability of 2^-128.
const FACTOR_BYTES: usize = 16;
/// The subgroup test's sum of a bad point lies in the subgroup with a probability of 1/9000 at most (the
/// smallest prime factor of the cofactor of G2 is 10069): ten times in a row hardly less than 2^-128.
const SUBGROUP_ROUNDS: usize = 10;
const SUBGROUP_BYTES: usize = 2;
/// Points in memory at once.
pub const PART: usize = 1 << 17;

/// Random factors.
///
/// # Errors
/// When the system gives no randomness.
pub fn random_factors(count: usize) -> Result<Vec<[u64; 2]>, CeremonyError> {
    let mut bytes = vec![0; count * FACTOR_BYTES];
    random::fill(&mut bytes)?;
    let (words, _) = bytes.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    Ok(pairs
        .iter()
        .map(|pair| pair.map(u64::from_le_bytes))
        .collect())
}

/// Sum of points times random factors.
pub fn random_sum<P: Group>(points: Points<P>, factors: &[[u64; 2]]) -> Projective<P> {
    let scalars: Vec<SignedScalar> = factors
        .iter()
        .map(|[low, high]| SignedScalar::new([*low, *high, 0, 0], &SCALAR_MODULUS))
        .collect();
    sum(points, &scalars)
}

/// Sum of points times scalars, part by part.
pub fn full_sum<P: Group>(points: Points<P>, scalars: &[Fr]) -> Projective<P> {
    let mut total = Projective::ZERO;
    for (number, scalars) in scalars.chunks(PART).enumerate() {
        let start = number * PART;
        let scalars: Vec<SignedScalar> = scalars
            .par_iter()
            .map(|scalar| SignedScalar::new(scalar.into_bigint().0, &SCALAR_MODULUS))
            .collect();
        total += sum(points.range(start..start + scalars.len()), &scalars);
    }
    total
}

fn sum<P: Group>(points: Points<P>, scalars: &[SignedScalar]) -> Projective<P> {
    let (positions, packed): (Vec<u32>, Vec<PackedPoint<P::Fast>>) = (0..points.len())
        .into_par_iter()
        .with_min_len(1 << 10)
        .filter_map(|index| {
            let point = points.get(index);
            (!point.is_zero()).then(|| (index as u32, PackedPoint::pack(&point)))
        })
        .unzip();
    msm(&packed, &positions, scalars)
}

/// Whether all points lie in their group's subgroup.
///
/// # Errors
/// When the system gives no randomness.
pub fn are_in_subgroup<P: Group>(points: Points<P>) -> Result<bool, CeremonyError> {
    let mut sums = [Projective::<P>::ZERO; SUBGROUP_ROUNDS];
    for start in (0..points.len()).step_by(PART) {
        let part = points.range(start..(start + PART).min(points.len()));
        for total in &mut sums {
            let mut bytes = vec![0; part.len() * SUBGROUP_BYTES];
            random::fill(&mut bytes)?;
            let scalars: Vec<SignedScalar> = bytes
                .chunks_exact(SUBGROUP_BYTES)
                .map(|pair| u64::from(pair[0]) << 8 | u64::from(pair[1]))
                .map(|small| SignedScalar::new([small, 0, 0, 0], &SCALAR_MODULUS))
                .collect();
            *total += sum(part, &scalars);
        }
    }
    let sums: Vec<Affine<P>> = Projective::normalize_batch(&sums);
    Ok(sums
        .iter()
        .all(Affine::is_in_correct_subgroup_assuming_on_curve))
}
