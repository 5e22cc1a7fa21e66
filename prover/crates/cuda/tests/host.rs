//! What the kernels compute, computed on the CPU by the same source, gives the CPU backend's proofs.
//!
//! This covers the layout of keys and witnesses across the interface, the Montgomery forms, the
//! order of rows, transforms and coset, the gathering of scalars, and sppark's constants and
//! formulas. sppark's kernels, streams and launches need a device.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "libraries/mod.rs"]
#[allow(dead_code)]
mod libraries;

use haca_prover_cuda::Gpu;
use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_groth16::{Blinding, ProvingKey, Witness};
use haca_prover_test_setup::circuits::{Kind, synthetic, with_long_row};
use haca_prover_test_setup::{Circuit, write_witness, write_zkey};

fn key_of(circuit: &Circuit) -> ProvingKey {
    ProvingKey::from_file(&KeyFile::read(&write_zkey(circuit, 3)).unwrap()).unwrap()
}

fn witness_of(circuit: &Circuit) -> Witness {
    Witness::from_file(&WitnessFile::read(&write_witness(circuit)).unwrap())
}

#[test]
fn kernels_on_the_host_make_the_cpus_proofs() {
    let folder = tempfile::tempdir().unwrap();
    let gpu = Gpu::open(&libraries::on_host(folder.path())).unwrap();
    assert_eq!(gpu.name(), "host");
    // An even and an odd logarithm: the powers of the coset split evenly or not.
    let circuits = [
        synthetic(Kind::Dense, (1 << 10) - 4, 3, 5),
        synthetic(Kind::Model, (1 << 11) - 4, 3, 5),
        with_long_row(600, 4_000, 5),
    ];
    for circuit in circuits {
        let (key, witness) = (key_of(&circuit), witness_of(&circuit));
        let mut loaded = gpu.load(&key, |_| Ok(())).unwrap();
        let sums = loaded.sums(&witness).unwrap();

        let blinding = Blinding::fresh().unwrap();
        let proof = key.assemble(&sums, blinding);
        assert_eq!(proof, key.prove_unchecked(&witness, blinding).unwrap());
        let public = witness.public(circuit.public_count);
        assert!(key.verifying().verify(&proof, public).unwrap());
    }
}

#[test]
fn witnesses_and_domains_of_the_wrong_size_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let gpu = Gpu::open(&libraries::on_host(folder.path())).unwrap();
    let small = synthetic(Kind::Model, 300, 1, 5);
    assert_eq!(
        gpu.load(&key_of(&small), |_| Ok(())).unwrap_err(),
        "no transform of size 2^9"
    );
    let circuit = synthetic(Kind::Model, 600, 1, 5);
    let mut loaded = gpu.load(&key_of(&circuit), |_| Ok(())).unwrap();
    let refusal = loaded.sums(&witness_of(&small)).unwrap_err();
    assert!(refusal.starts_with("the witness has "), "{refusal}");
}
