//! Proofs with different instructions: the choice is a process's, so each has its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

use ark_bn254::Fr;
use haca_prover_curves::isa::{Isa, VARIABLE, chosen};
use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_groth16::{Blinding, ProvingKey, Witness};
use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::{write_witness, write_zkey};

const MARK: &str = "proof: ";

/// Not a test by itself: what the test below starts.
#[test]
#[ignore = "started by the test beside it"]
fn prints_proofs_with_known_blinding() {
    println!("{MARK}{}", chosen());
    for (kind, constraints) in [(Kind::Dense, 3), (Kind::Dense, 3000), (Kind::Model, 3000)] {
        let circuit = synthetic(kind, constraints, 2, 5);
        let zkey = write_zkey(&circuit, 99);
        let key = ProvingKey::from_file(&KeyFile::read(&zkey).unwrap()).unwrap();
        let wtns = write_witness(&circuit);
        let witness = Witness::from_file(&WitnessFile::read(&wtns).unwrap());
        let (r, s) = (-Fr::from(11), Fr::from(1u64 << 40));
        let proof = key.prove_unchecked(&witness, Blinding { r, s }).unwrap();
        assert!(key.verifying().verify(&proof, witness.public(2)).unwrap());
        println!("{MARK}{proof:?}");
    }
}

fn proofs(isa: Isa) -> Vec<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--nocapture",
            "prints_proofs_with_known_blinding",
        ])
        .env(VARIABLE, isa.name())
        .output()
        .unwrap();
    assert!(output.status.success(), "{isa}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(MARK));
    let mut proofs: Vec<String> = lines.map(|(_, proof)| proof.to_owned()).collect();
    assert_eq!(proofs.remove(0), isa.name());
    proofs
}

#[test]
fn proofs_are_equal_word_for_word_with_all_instructions() {
    let expected = proofs(Isa::Plain);
    assert_eq!(expected.len(), 3);
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_supported()) {
        assert_eq!(proofs(isa), expected, "{isa}");
    }
}
