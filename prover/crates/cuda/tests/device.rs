//! The device against the CPU. Only on a machine with a device: `npm run test:cuda`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use haca_prover_cuda::Gpu;
use haca_prover_devsetup::circuits::{Kind, synthetic};
use haca_prover_devsetup::{write_witness, write_zkey};
use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_groth16::{Blinding, ProvingKey, Witness};

const LIBRARY_VARIABLE: &str = "HACA_PROVER_CUDA_LIBRARY";
const PUBLIC_COUNT: usize = 3;
const MANY: usize = 200;
/// Keys of about 40 MB: 160 GB, were they not freed.
const ROUNDS: usize = 4000;

fn gpu() -> Gpu {
    let path = std::env::var_os(LIBRARY_VARIABLE).expect(LIBRARY_VARIABLE);
    Gpu::open(Path::new(&path)).unwrap()
}

fn key_and_witness(kind: Kind, log_size: u32, seed: u64) -> (ProvingKey, Witness) {
    let circuit = synthetic(kind, (1 << log_size) - PUBLIC_COUNT - 1, PUBLIC_COUNT, seed);
    let key = ProvingKey::from_file(&KeyFile::read(&write_zkey(&circuit, seed)).unwrap()).unwrap();
    let witness = Witness::from_file(&WitnessFile::read(&write_witness(&circuit)).unwrap());
    (key, witness)
}

/// With the same blinding both make the same proof, word for word.
fn agree(gpu: &Gpu, kind: Kind, log_size: u32) {
    let (key, witness) = key_and_witness(kind, log_size, u64::from(log_size));
    let mut loaded = gpu.load(&key, |_| Ok(())).unwrap();
    let blinding = Blinding::fresh().unwrap();
    let proof = key.assemble(&loaded.sums(&witness).unwrap(), blinding);
    assert_eq!(
        proof,
        key.prove_unchecked(&witness, blinding).unwrap(),
        "2^{log_size}"
    );
    assert!(
        key.verifying()
            .verify(&proof, witness.public(PUBLIC_COUNT))
            .unwrap()
    );
}

#[test]
#[ignore = "needs a CUDA device: npm run test:cuda"]
fn the_device_makes_the_cpus_proofs() {
    let gpu = gpu();
    for log_size in [10, 11, 13, 16, 17, 19, 20] {
        for kind in [Kind::Dense, Kind::Model] {
            agree(&gpu, kind, log_size);
        }
    }
}

#[test]
#[ignore = "needs a CUDA device: npm run test:cuda"]
fn two_hundred_proofs_with_two_keys_are_all_right() {
    let gpu = gpu();
    let circuits = [(Kind::Dense, 14), (Kind::Model, 15)]
        .map(|(kind, log_size)| key_and_witness(kind, log_size, 7));
    let mut loaded = circuits
        .each_ref()
        .map(|(key, _)| gpu.load(key, |_| Ok(())).unwrap());
    let mut invalid = 0;
    for number in 0..MANY {
        let (key, witness) = &circuits[number % 2];
        let sums = loaded[number % 2].sums(witness).unwrap();
        let proof = key.assemble(&sums, Blinding::fresh().unwrap());
        let public = witness.public(PUBLIC_COUNT);
        invalid += usize::from(!key.verifying().verify(&proof, public).unwrap());
    }
    assert_eq!(invalid, 0, "of {MANY}");
}

#[test]
#[ignore = "needs a CUDA device: npm run test:cuda"]
fn keys_come_and_go_without_losing_memory() {
    let gpu = gpu();
    let (key, witness) = key_and_witness(Kind::Model, 16, 9);
    for _ in 0..ROUNDS {
        drop(gpu.load(&key, |_| Ok(())).unwrap());
    }
    let mut loaded = gpu.load(&key, |_| Ok(())).unwrap();
    assert!(loaded.sums(&witness).is_ok());
}
