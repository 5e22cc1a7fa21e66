//! A device that lies or fails never reaches the caller.

use std::sync::atomic::{AtomicUsize, Ordering};

use haca_prover_devsetup::circuits::{Kind, synthetic};
use haca_prover_devsetup::{write_witness, write_zkey};
use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;

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

fn run(script: &[Attempt]) -> (String, u64, u64) {
    let circuit = synthetic(Kind::Model, 40, 1, 1);
    let (zkey, wtns) = (write_zkey(&circuit, 2), write_witness(&circuit));
    let key = ProvingKey::from_file(&KeyFile::read(&zkey).unwrap()).unwrap();
    let witness = Witness::from_file(&WitnessFile::read(&wtns).unwrap());
    let device = Scripted {
        attempts: AtomicUsize::new(0),
        script: script.to_vec(),
    };
    let engine = Engine::new(Some(Box::new(device)));
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
