//! Verifying keys: the vectors that the contract and the compiler are held to as well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use haca_prover_formats::json::{ProofJson, VerifyingKeyJson};
use haca_prover_groth16::ProverError;
use haca_prover_groth16::json::{read_proof, read_signals, read_verifying_key};
use serde::Deserialize;

const VECTORS: &str = include_str!("../../../../test/vectors/verifyingKeys.json");

#[derive(Deserialize)]
struct Vector {
    name: String,
    fault: Option<Fault>,
    key: VerifyingKeyJson,
    forgery: Option<Forgery>,
}

#[derive(Deserialize)]
struct Fault {
    kind: String,
    points: Vec<String>,
}

#[derive(Deserialize)]
struct Forgery {
    signals: Vec<String>,
    proof: ProofJson,
}

/// Kind of a refusal, and the points that it names.
fn describe(error: &ProverError) -> (&'static str, Vec<String>) {
    match error {
        ProverError::PointIsGenerator { what } => ("pointIsGenerator", vec![(*what).to_owned()]),
        ProverError::PointsRelated { first, second } => {
            ("pointsRelated", vec![first.to_string(), second.to_string()])
        }
        // Readers name points as snarkjs does, and without a number.
        ProverError::BadPoint { .. } | ProverError::Format(_) => ("pointInvalid", vec![]),
        other => panic!("{other}"),
    }
}

#[test]
fn keys_are_refused_for_the_reason_that_the_vectors_give() {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
    assert!(vectors.iter().any(|vector| vector.fault.is_none()));
    for Vector {
        name,
        fault,
        key,
        forgery,
    } in vectors
    {
        match (read_verifying_key(&key), fault) {
            (Ok(key), None) => {
                let Forgery { signals, proof } = forgery.unwrap();
                let signals = read_signals(&signals).unwrap();
                assert!(
                    key.verify(&read_proof(&proof).unwrap(), &signals).unwrap(),
                    "{name}"
                );
            }
            (Err(error), Some(fault)) => {
                let (kind, points) = describe(&error);
                assert_eq!(kind, fault.kind, "{name}");
                assert!(
                    points.is_empty() || points == fault.points,
                    "{name}: {error}"
                );
            }
            (Ok(_), Some(fault)) => panic!("{name}: accepted, expected {}", fault.kind),
            (Err(error), None) => panic!("{name}: {error}"),
        }
    }
}
