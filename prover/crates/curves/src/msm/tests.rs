//! Sums against the definition.

use ark_bn254::Fr;
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{AdditiveGroup, CurveGroup, PrimeGroup};
use ark_ff::{Field, PrimeField};

use super::{SignedScalar, msm, msm_in};
use crate::point::{Curve, G1, G2, PackedPoint};
use crate::room::{Room, in_every_room};

/// Numbers that look random and are the same in every run.
fn scalars(count: usize, seed: u64) -> Vec<Fr> {
    let base = Fr::from(seed).pow([3]) + Fr::from(11);
    core::iter::successors(Some(base), |last| Some(last.square() + base))
        .take(count)
        .collect()
}

fn signed(scalars: &[Fr]) -> Vec<SignedScalar> {
    scalars
        .iter()
        .map(|s| SignedScalar::new(s.into_bigint().0, &Fr::MODULUS.0))
        .collect()
}

/// Multiples `factors` of the generator, and the same sum by one multiplication.
fn check<C: Curve>(factors: &[Fr], scalars: &[Fr])
where
    C::Config: SWCurveConfig<ScalarField = Fr>,
{
    let generator = Projective::<C::Config>::generator();
    let points: Vec<Affine<C::Config>> = factors
        .iter()
        .map(|factor| (generator * factor).into_affine())
        .collect();
    let factor: Fr = factors.iter().zip(scalars).map(|(a, b)| *a * b).sum();
    in_every_room!(R => check_in::<C, R>(&points, scalars, generator * factor));
}

fn check_in<C: Curve, R: Room>(
    points: &[Affine<C::Config>],
    scalars: &[Fr],
    expected: Projective<C::Config>,
) {
    let packed: Vec<PackedPoint<C>> = points.iter().map(PackedPoint::pack_in::<R>).collect();
    let signals: Vec<u32> = (0..points.len() as u32).collect();
    let sum = msm_in::<C, R>(&packed, &signals, &signed(scalars));
    assert_eq!(sum, expected);
}

#[test]
fn nothing_is_infinity() {
    check::<G1>(&[], &[]);
    check::<G2>(&[Fr::ONE], &[Fr::ZERO]);
}

#[test]
fn full_scalars_on_both_groups() {
    for count in [1, 2, 7, 8, 9, 300] {
        check::<G1>(&scalars(count, 1), &scalars(count, 2));
        check::<G2>(&scalars(count, 3), &scalars(count, 4));
    }
}

#[test]
fn small_scalars_of_both_signs() {
    let count = 700;
    let small: Vec<Fr> = (0..count as i64)
        .map(|i| match i % 5 {
            0 => Fr::ZERO,
            1 | 2 => Fr::ONE,
            3 => -Fr::from(i as u64 % 40),
            _ => Fr::from((i * i * i) as u64),
        })
        .collect();
    check::<G1>(&scalars(count, 5), &small);
    check::<G2>(&scalars(count, 6), &small);
}

#[test]
fn one_full_scalar_among_bits() {
    let mut mixed = vec![Fr::ONE; 500];
    mixed[250] = scalars(1, 9)[0];
    check::<G1>(&scalars(500, 7), &mixed);
}

#[test]
fn equal_and_opposite_points_meet_in_a_bucket() {
    let factors: Vec<Fr> = (0..64)
        .map(|i| {
            if i % 3 == 0 {
                -Fr::from(5)
            } else {
                Fr::from(5)
            }
        })
        .collect();
    check::<G1>(&factors, &vec![Fr::ONE; 64]);
    check::<G2>(&factors, &vec![Fr::from(3); 64]);
    // All cancel: sums at infinity take part in later rounds.
    let cancelling: Vec<Fr> = (0..64)
        .map(|i| {
            if i % 2 == 0 {
                Fr::from(9)
            } else {
                -Fr::from(9)
            }
        })
        .collect();
    check::<G1>(&cancelling, &vec![Fr::from(2); 64]);
}

#[test]
fn infinity_among_the_points() {
    let mut factors = scalars(40, 8);
    factors[3] = Fr::ZERO;
    factors[4] = Fr::ZERO;
    check::<G1>(&factors, &scalars(40, 9));
}

#[test]
fn many_points_are_split_into_tasks() {
    let count = 40_000;
    let generator = Projective::<ark_bn254::g1::Config>::generator();
    let mut point = generator;
    let points: Vec<_> = (0..count)
        .map(|_| {
            point += generator;
            point
        })
        .collect();
    let points = Projective::normalize_batch(&points);
    let scalars = scalars(count, 10);
    let factor: Fr = scalars
        .iter()
        .enumerate()
        .map(|(i, s)| Fr::from(i as u64 + 2) * s)
        .sum();
    in_every_room!(R => check_in::<G1, R>(&points, &scalars, generator * factor));
}

#[test]
fn signals_choose_the_scalar() {
    let generator = Projective::<ark_bn254::g1::Config>::generator();
    let point = PackedPoint::<G1>::pack(&generator.into_affine());
    let sum = msm(&[point], &[2], &signed(&[Fr::ONE, Fr::ONE, Fr::from(77)]));
    assert_eq!(sum, generator * Fr::from(77));
    assert_eq!(msm::<G1>(&[], &[], &[]), Projective::ZERO);
}
