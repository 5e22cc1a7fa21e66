//! Proofs of many circuits, made with a setup of known secrets and verified by pairing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_groth16::{KeyTrust, ProverError, ProvingKey, Witness};
use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::numbers::Numbers;
use haca_prover_test_setup::{Circuit, write_witness, write_zkey};

fn key_of(circuit: &Circuit) -> ProvingKey {
    ProvingKey::from_file(&KeyFile::read(&write_zkey(circuit, 99)).unwrap()).unwrap()
}

fn witness_of(circuit: &Circuit) -> Witness {
    Witness::from_file(&WitnessFile::read(&write_witness(circuit)).unwrap())
}

/// Proves, and checks that nothing else is proven by the same proof.
fn check(circuit: &Circuit) {
    let (key, witness) = (key_of(circuit), witness_of(circuit));
    let proof = key.prove(&witness).unwrap();
    let public = witness.public(circuit.public_count);
    assert!(key.verifying().verify(&proof, public).unwrap());
    for index in 0..public.len() {
        let mut other = public.to_vec();
        other[index] += Fr::ONE;
        assert!(
            !key.verifying().verify(&proof, &other).unwrap(),
            "signal {index} is not bound"
        );
    }
    let again = key.prove(&witness).unwrap();
    assert_ne!(proof, again, "proofs are not blinded");
}

#[test]
fn random_circuits_of_growing_size() {
    let largest = if std::env::var_os("HACA_DEEP").is_some() {
        16
    } else {
        13
    };
    for log_size in 8u32..=largest {
        for kind in [Kind::Dense, Kind::Model] {
            let mut numbers = Numbers::new(u64::from(log_size));
            let constraints = (1 << (log_size - 1)) + numbers.below(1 << (log_size - 1)) as usize;
            check(&synthetic(kind, constraints, 3, numbers.word()));
        }
    }
}

#[test]
fn domains_that_are_filled_to_the_last_row() {
    for log_size in [2, 3, 4, 9] {
        let public_count = 2;
        let circuit = synthetic(
            Kind::Dense,
            (1 << log_size) - public_count - 1,
            public_count,
            7,
        );
        assert_eq!(circuit.log_domain(), log_size);
        check(&circuit);
        // One more constraint needs the next domain.
        let circuit = synthetic(Kind::Dense, (1 << log_size) - public_count, public_count, 8);
        assert_eq!(circuit.log_domain(), log_size + 1);
        check(&circuit);
    }
}

#[test]
fn smallest_circuits() {
    for public_count in [0, 1] {
        for constraints in 1..5 {
            check(&synthetic(Kind::Dense, constraints, public_count, 4));
        }
    }
}

#[test]
fn no_private_signals() {
    let mut circuit = Circuit::new(&[Fr::from(3), Fr::from(9)]);
    circuit.constrain(vec![(1, Fr::ONE)], vec![(1, Fr::ONE)], vec![(2, Fr::ONE)]);
    assert!(circuit.is_satisfied());
    check(&circuit);
}

#[test]
fn all_private_signals_zero() {
    let mut circuit = Circuit::new(&[Fr::ZERO]);
    for _ in 0..40 {
        let left = vec![(1, Fr::from(5))];
        circuit.product(left, vec![(0, Fr::from(3))]);
    }
    assert!(circuit.witness[1..].iter().all(|value| *value == Fr::ZERO));
    check(&circuit);
}

#[test]
fn signals_that_no_constraint_mentions_are_points_at_infinity() {
    let mut circuit = synthetic(Kind::Dense, 20, 1, 12);
    for value in [Fr::ZERO, Fr::ONE, -Fr::from(7)] {
        circuit.signal(value);
    }
    check(&circuit);
}

#[test]
fn an_unsatisfying_witness_gets_no_proof() {
    let circuit = synthetic(Kind::Model, 200, 2, 3);
    let key = key_of(&circuit);
    let mut numbers = Numbers::new(5);
    for _ in 0..10 {
        let mut broken = circuit.clone();
        let index = 1 + numbers.below(broken.witness.len() as u64 - 1) as usize;
        broken.witness[index] += Fr::from(2);
        assert!(!broken.is_satisfied());
        let outcome = key.prove(&witness_of(&broken));
        assert!(
            matches!(outcome, Err(ProverError::Unsatisfied)),
            "signal {index}: {outcome:?}"
        );
    }
}

#[test]
fn a_witness_of_another_circuit_is_refused() {
    let key = key_of(&synthetic(Kind::Dense, 30, 1, 1));
    let other = witness_of(&synthetic(Kind::Dense, 31, 1, 1));
    assert!(
        matches!(key.prove(&other), Err(ProverError::WitnessLength { found, expected })
        if found == expected + 1)
    );
}

/// Bytes of a section's content in a key.
fn section(bytes: &[u8], wanted: u32) -> std::ops::Range<usize> {
    let mut at = 12;
    loop {
        let number = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let length = u64::from_le_bytes(bytes[at + 4..at + 12].try_into().unwrap()) as usize;
        if number == wanted {
            return at + 12..at + 12 + length;
        }
        at += 12 + length;
    }
}

fn refusal(bytes: &[u8]) -> String {
    match ProvingKey::from_file(&KeyFile::read(bytes).unwrap()) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn keys_with_bad_points_are_refused() {
    let sound = write_zkey(&synthetic(Kind::Dense, 20, 1, 1), 1);
    for (number, what) in [
        (5, "A"),
        (6, "B in G1"),
        (7, "B in G2"),
        (8, "C"),
        (9, "H"),
        (3, "IC"),
    ] {
        let mut bytes = sound.clone();
        let range = section(&bytes, number);
        let point = range.len() / if number == 7 { 128 } else { 64 } - 1;
        bytes[range.end - 32] ^= 1;
        assert_eq!(
            refusal(&bytes),
            format!("{what}: point {point} is not on the curve")
        );
        bytes[range.end - 1] = 0xff;
        let reason = "has a coordinate that is not below the modulus";
        assert_eq!(refusal(&bytes), format!("{what}: point {point} {reason}"));
    }
}

/// What somebody gets who makes a key with bad points pass for checked.
fn outcome_of_forged_trust(bytes: &[u8], circuit: &Circuit) -> String {
    let file = KeyFile::read(bytes).unwrap();
    match ProvingKey::from_file_trusting(&file, KeyTrust::CheckedBefore) {
        Ok(key) => match key.prove(&witness_of(circuit)) {
            Ok(_) => "proof".to_owned(),
            Err(ProverError::Unsatisfied) => "no proof".to_owned(),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_key_that_wrongly_passes_for_checked_makes_no_proof() {
    let circuit = synthetic(Kind::Dense, 20, 1, 1);
    let sound = write_zkey(&circuit, 1);
    assert_eq!(outcome_of_forged_trust(&sound, &circuit), "proof");
    for number in [5, 6, 7, 8, 9] {
        let mut bytes = sound.clone();
        let range = section(&bytes, number);
        bytes[range.end - 32] ^= 1;
        assert_eq!(outcome_of_forged_trust(&bytes, &circuit), "no proof");
        bytes[range.end - 1] = 0xff;
        let message = outcome_of_forged_trust(&bytes, &circuit);
        assert!(message.ends_with("not below the modulus"), "{message}");
    }
    // The verifying key is looked at every time.
    let mut bytes = sound.clone();
    let range = section(&bytes, 3);
    bytes[range.end - 32] ^= 1;
    assert_eq!(
        outcome_of_forged_trust(&bytes, &circuit),
        "IC: point 1 is not on the curve"
    );
}

#[test]
fn a_key_without_a_second_phase_is_refused() {
    let mut bytes = write_zkey(&synthetic(Kind::Dense, 20, 1, 1), 1);
    let header = section(&bytes, 2);
    let (gamma, delta) = (header.end - 320, header.end - 128);
    let copy = bytes[delta..delta + 128].to_vec();
    bytes[gamma..gamma + 128].copy_from_slice(&copy);
    let message = "the key's gamma and delta are equal or opposite: anyone can forge proofs";
    assert_eq!(refusal(&bytes), message);
}

#[test]
fn a_point_outside_the_subgroup_is_refused() {
    use ark_bn254::{Fq2, G2Affine, g2};
    use ark_ec::short_weierstrass::SWCurveConfig;
    // Nearly every point of the twist is outside: take the first x with a y.
    let point = (1u64..)
        .map(|x| Fq2::new(ark_bn254::Fq::from(x), ark_bn254::Fq::ONE))
        .find_map(|x| {
            let y = (x.square() * x + g2::Config::COEFF_B).sqrt()?;
            Some(G2Affine::new_unchecked(x, y))
        })
        .unwrap();
    assert!(!point.is_in_correct_subgroup_assuming_on_curve());
    let mut bytes = write_zkey(&synthetic(Kind::Dense, 20, 1, 1), 1);
    let coordinates: Vec<u8> = [point.x.c0, point.x.c1, point.y.c0, point.y.c1]
        .iter()
        .flat_map(|element| element.0.0)
        .flat_map(u64::to_le_bytes)
        .collect();
    let range = section(&bytes, 7);
    bytes[range.end - 128..range.end].copy_from_slice(&coordinates);
    let last = range.len() / 128 - 1;
    assert_eq!(
        refusal(&bytes),
        format!("B in G2: point {last} is not in the subgroup")
    );
    let circuit = synthetic(Kind::Dense, 20, 1, 1);
    assert_eq!(outcome_of_forged_trust(&bytes, &circuit), "no proof");
}

/// The deep run: a thousand proofs, none invalid.
#[test]
fn a_thousand_proofs() {
    let rounds = if std::env::var_os("HACA_DEEP").is_some() {
        100
    } else {
        2
    };
    let mut made = 0;
    for seed in 0..10 {
        let kind = if seed % 2 == 0 {
            Kind::Dense
        } else {
            Kind::Model
        };
        let circuit = synthetic(kind, 300 + 40 * seed as usize, 2, seed);
        let (key, witness) = (key_of(&circuit), witness_of(&circuit));
        for _ in 0..rounds {
            let blinding = haca_prover_groth16::Blinding::fresh().unwrap();
            let proof = key.prove_unchecked(&witness, blinding).unwrap();
            assert!(key.verifying().verify(&proof, witness.public(2)).unwrap());
            made += 1;
        }
    }
    assert_eq!(made, 10 * rounds);
}
