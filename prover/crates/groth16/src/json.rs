//! Proofs, keys and signals from and to snarkjs' JSON.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};
use haca_prover_formats::bn254::{BASE_MODULUS, SCALAR_MODULUS};
use haca_prover_formats::decimal;
use haca_prover_formats::json::{Decimal, ProofJson, VerifyingKeyJson, check_kind, integer};

use crate::error::ProverError;
use crate::proof::Proof;
use crate::verify::{VerifyingKey, VerifyingParts};

/// The JSON form of a proof.
pub fn write_proof(proof: &Proof) -> ProofJson {
    ProofJson {
        pi_a: write_g1(&proof.a),
        pi_b: write_g2(&proof.b),
        pi_c: write_g1(&proof.c),
        protocol: "groth16".to_owned(),
        curve: "bn128".to_owned(),
    }
}

/// The JSON form of public signals.
pub fn write_signals(signals: &[Fr]) -> Vec<Decimal> {
    signals
        .iter()
        .map(|signal| decimal::format(signal.into_bigint().0))
        .collect()
}

/// A proof whose points are in their groups.
///
/// # Errors
/// [`ProverError::Format`] or [`ProverError::BadPoint`] when they are not.
pub fn read_proof(json: &ProofJson) -> Result<Proof, ProverError> {
    check_kind("proof", &json.protocol, &json.curve)?;
    Ok(Proof {
        a: read_g1("pi_a", &json.pi_a)?,
        b: read_g2("pi_b", &json.pi_b)?,
        c: read_g1("pi_c", &json.pi_c)?,
    })
}

/// Public signals.
///
/// # Errors
/// [`ProverError::Format`] when one is not an integer below the modulus.
pub fn read_signals(signals: &[Decimal]) -> Result<Vec<Fr>, ProverError> {
    signals
        .iter()
        .map(|text| {
            let words = integer("public signal", text, &SCALAR_MODULUS)?;
            Ok(Fr::from_bigint(BigInt(words)).unwrap_or_default())
        })
        .collect()
}

/// A verifying key.
///
/// # Errors
/// [`ProverError::Format`] or [`ProverError::BadPoint`] for bad points,
/// [`ProverError::PointIsGenerator`] and [`ProverError::PointsRelated`] for keys that anyone could forge with.
pub fn read_verifying_key(json: &VerifyingKeyJson) -> Result<VerifyingKey, ProverError> {
    check_kind("verifying key", &json.protocol, &json.curve)?;
    let (found, expected) = (json.ic.len(), json.public_count as usize);
    if found.checked_sub(1) != Some(expected) {
        return Err(ProverError::PublicCount {
            found: found.saturating_sub(1),
            expected,
        });
    }
    VerifyingKey::new(VerifyingParts {
        alpha: read_g1("vk_alpha_1", &json.vk_alpha_1)?,
        beta: read_g2("vk_beta_2", &json.vk_beta_2)?,
        gamma: read_g2("vk_gamma_2", &json.vk_gamma_2)?,
        delta: read_g2("vk_delta_2", &json.vk_delta_2)?,
        ic: json
            .ic
            .iter()
            .map(|point| read_g1("IC", point))
            .collect::<Result<_, _>>()?,
    })
}

fn write_fq(element: Fq) -> Decimal {
    decimal::format(element.into_bigint().0)
}

fn write_g1(point: &G1Affine) -> [Decimal; 3] {
    match point.xy() {
        Some((x, y)) => [write_fq(x), write_fq(y), "1".to_owned()],
        None => ["0", "1", "0"].map(str::to_owned),
    }
}

fn write_g2(point: &G2Affine) -> [[Decimal; 2]; 3] {
    let (x, y, z) = match point.xy() {
        Some((x, y)) => (x, y, Fq2::ONE),
        None => (Fq2::ZERO, Fq2::ONE, Fq2::ZERO),
    };
    [x, y, z].map(|element| [write_fq(element.c0), write_fq(element.c1)])
}

fn read_fq(what: &'static str, text: &str) -> Result<Fq, ProverError> {
    let words = integer(what, text, &BASE_MODULUS)?;
    Ok(Fq::from_bigint(BigInt(words)).unwrap_or_default())
}

fn read_g1(what: &'static str, [x, y, z]: &[Decimal; 3]) -> Result<G1Affine, ProverError> {
    let (x, y, z) = (read_fq(what, x)?, read_fq(what, y)?, read_fq(what, z)?);
    if z == Fq::ZERO {
        return Ok(G1Affine::identity());
    }
    let point = G1Affine::new_unchecked(x, y);
    check(what, z == Fq::ONE, point.is_on_curve(), true)?;
    Ok(point)
}

fn read_g2(what: &'static str, [x, y, z]: &[[Decimal; 2]; 3]) -> Result<G2Affine, ProverError> {
    let read = |pair: &[Decimal; 2]| -> Result<Fq2, ProverError> {
        Ok(Fq2::new(read_fq(what, &pair[0])?, read_fq(what, &pair[1])?))
    };
    let (x, y, z) = (read(x)?, read(y)?, read(z)?);
    if z == Fq2::ZERO {
        return Ok(G2Affine::identity());
    }
    let point = G2Affine::new_unchecked(x, y);
    let on_curve = point.is_on_curve();
    let in_subgroup = on_curve && point.is_in_correct_subgroup_assuming_on_curve();
    check(what, z == Fq2::ONE, on_curve, in_subgroup)?;
    Ok(point)
}

fn check(
    what: &'static str,
    is_affine: bool,
    on_curve: bool,
    in_subgroup: bool,
) -> Result<(), ProverError> {
    let reason = if !is_affine {
        "has a last coordinate other than 0 and 1"
    } else if !on_curve {
        "is not on the curve"
    } else if !in_subgroup {
        "is not in the subgroup"
    } else {
        return Ok(());
    };
    Err(ProverError::BadPoint {
        what,
        index: 0,
        reason,
    })
}
