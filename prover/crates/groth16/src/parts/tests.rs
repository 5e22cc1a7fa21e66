//! Sums of unknown origin are refused unless they are points.

use ark_bn254::{Fq, Fr};
use ark_ec::PrimeGroup;
use ark_ff::Field;

use super::*;

fn jacobian(point: G1Projective) -> [u64; 12] {
    let words: Vec<u64> = [point.x, point.y, point.z]
        .iter()
        .flat_map(|element| element.0.0)
        .collect();
    words.try_into().unwrap()
}

fn jacobian2(point: G2Projective) -> [u64; 24] {
    let words: Vec<u64> = [point.x, point.y, point.z]
        .iter()
        .flat_map(|element| [element.c0.0.0, element.c1.0.0])
        .flatten()
        .collect();
    words.try_into().unwrap()
}

fn some() -> RawSums {
    let g1 = G1Projective::generator() * Fr::from(5);
    RawSums {
        a: jacobian(g1),
        b2: jacobian2(G2Projective::generator() * Fr::from(6)),
        h: jacobian(g1 + g1),
        ..RawSums::INFINITY
    }
}

fn refusal(raw: RawSums) -> String {
    raw.check().unwrap_err().to_string()
}

#[test]
fn points_and_infinity_are_read() {
    let sums = some().check().unwrap();
    assert_eq!(sums.a, G1Projective::generator() * Fr::from(5));
    assert_eq!(sums.b2, G2Projective::generator() * Fr::from(6));
    assert_eq!(sums.h, sums.a + sums.a);
    assert!(sums.b1.is_zero() && sums.c.is_zero());
    // Z = 0 is infinity whatever X and Y say.
    let mut raw = RawSums::INFINITY;
    raw.c[0] = 7;
    assert!(raw.check().unwrap().c.is_zero());
}

#[test]
fn coordinates_that_are_not_reduced_are_refused() {
    for word in [3, 7, 11] {
        let mut raw = some();
        raw.a[word] = u64::MAX;
        assert_eq!(
            refusal(raw),
            "sum over A: point 0 has a coordinate that is not below the modulus"
        );
    }
    let mut raw = some();
    raw.b2[23] = u64::MAX;
    assert!(refusal(raw).contains("not below the modulus"));
}

#[test]
fn points_off_the_curve_are_refused() {
    let mut raw = some();
    raw.h[0] ^= 1;
    assert_eq!(refusal(raw), "sum over H: point 0 is not on the curve");
    let mut raw = some();
    raw.b2[4] ^= 1;
    assert_eq!(
        refusal(raw),
        "sum over B in G2: point 0 is not on the curve"
    );
}

#[test]
fn points_of_g2_outside_the_subgroup_are_refused() {
    let mut x = Fq2::new(Fq::from(1), Fq::from(0));
    let point = loop {
        if let Some(point) = G2Affine::get_point_from_x_unchecked(x, false) {
            break point;
        }
        x += Fq2::ONE;
    };
    let mut raw = some();
    raw.b2 = jacobian2(point.into_group());
    assert_eq!(
        refusal(raw),
        "sum over B in G2: point 0 is not in the subgroup"
    );
}
