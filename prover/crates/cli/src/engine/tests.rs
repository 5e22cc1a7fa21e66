//! A device that lies or fails never reaches the caller.

use std::sync::atomic::{AtomicUsize, Ordering};

use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::{write_witness, write_zkey};

use super::*;

struct Scripted {
    attempts: AtomicUsize,
    /// what each attempt does
    script: Vec<Attempt>,
}

#[derive(Clone, Copy)]
enum Attempt {
    Right,
    Wrong,
    Fail,
}

impl Device for Scripted {
    fn name(&self) -> String {
        "scripted".to_owned()
    }

    fn memory_bytes(&self) -> u64 {
        1 << 20
    }

    fn key_limit(&self) -> u64 {
        1 << 19
    }

    fn key_bytes(&self) -> u64 {
        0
    }

    fn takes(&self, _: &ProvingKey) -> bool {
        !self.script.is_empty()
    }

    fn prove(
        &self,
        key: &ProvingKey,
        witness: &Witness,
        blinding: Blinding,
    ) -> Result<Proof, String> {
        let attempt = self.script[self.attempts.fetch_add(1, Ordering::Relaxed)];
        let proof = key
            .prove_unchecked(witness, blinding)
            .map_err(|error| error.to_string())?;
        match attempt {
            Attempt::Right => Ok(proof),
            Attempt::Wrong => Ok(Proof {
                a: -proof.a,
                ..proof
            }),
            Attempt::Fail => Err("out of memory".to_owned()),
        }
    }
}

fn engine(script: &[Attempt]) -> Engine {
    Engine::new(Some(Box::new(Scripted {
        attempts: AtomicUsize::new(0),
        script: script.to_vec(),
    })))
}

fn run(script: &[Attempt]) -> (String, u64, u64) {
    let circuit = synthetic(Kind::Model, 40, 1, 1);
    let (zkey, wtns) = (write_zkey(&circuit, 2), write_witness(&circuit));
    let key = ProvingKey::from_file(&KeyFile::read(&zkey).unwrap()).unwrap();
    let witness = Witness::from_file(&WitnessFile::read(&wtns).unwrap());
    let engine = engine(script);
    let proved = engine.prove(&key, &witness).unwrap();
    assert!(
        key.verifying()
            .verify(&proved.proof, witness.public(1))
            .unwrap()
    );
    (
        proved.backend,
        engine.device_failures(),
        engine.device_fallbacks(),
    )
}

#[test]
fn a_right_proof_comes_from_the_device() {
    assert_eq!(run(&[Attempt::Right]), ("scripted".to_owned(), 0, 0));
}

#[test]
fn a_wrong_proof_is_made_again() {
    assert_eq!(
        run(&[Attempt::Wrong, Attempt::Right]),
        ("scripted".to_owned(), 1, 0)
    );
}

#[test]
fn after_two_failures_the_cpu_makes_it() {
    assert_eq!(
        run(&[Attempt::Wrong, Attempt::Fail]),
        ("cpu".to_owned(), 2, 1)
    );
}

#[test]
fn what_a_device_does_not_take_is_no_failure() {
    assert_eq!(run(&[]), ("cpu".to_owned(), 0, 0));
}

#[test]
fn a_wrong_witness_is_not_the_devices_fault() {
    let circuit = synthetic(Kind::Model, 40, 1, 1);
    let key = ProvingKey::from_file(&KeyFile::read(&write_zkey(&circuit, 2)).unwrap()).unwrap();
    let mut broken = circuit;
    let last = broken.witness.len() - 1;
    broken.witness[last] += haca_prover_groth16::Scalar::from(1);
    let witness = Witness::from_file(&WitnessFile::read(&write_witness(&broken)).unwrap());
    let engine = engine(&[Attempt::Right, Attempt::Right]);
    assert!(matches!(
        engine.prove(&key, &witness),
        Err(ProverError::Unsatisfied)
    ));
    assert_eq!(
        (engine.device_failures(), engine.device_fallbacks()),
        (0, 0)
    );
}

#[test]
fn a_device_is_listed_with_its_memory() {
    let listed = serde_json::to_value(engine(&[]).backends()).unwrap();
    assert_eq!(
        listed[0],
        serde_json::json!({
            "kind": "device", "name": "scripted", "memoryBytes": 1 << 20, "keyLimitBytes": 1 << 19,
        })
    );
    assert_eq!(listed[1]["kind"], "cpu");
}
