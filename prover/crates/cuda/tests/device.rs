//! The device against the CPU: `npm run test:cuda` on a machine that has one, or, with `--simulate`,
//! the CUDA emulator, which gets less to do (`HACA_DEEP=1`: more).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use haca_prover_cuda::Gpu;
use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_groth16::{Blinding, ProvingKey, Witness};
use haca_prover_test_setup::circuits::{Kind, synthetic, with_long_row};
use haca_prover_test_setup::{Circuit, write_witness, write_zkey};

const LIBRARY_VARIABLE: &str = "HACA_PROVER_CUDA_LIBRARY";
const PUBLIC_COUNT: usize = 3;

/// How much is asked of the device.
struct Effort {
    log_sizes: &'static [u32],
    proofs: usize,
    /// logarithms of the sizes of the two circuits of these proofs
    proof_log_sizes: [u32; 2],
    /// logarithm of the size of a key that is loaded and unloaded, so often that the memory would
    /// not suffice were it not freed
    loads: (u32, usize),
}

impl Effort {
    fn of(gpu: &Gpu) -> Self {
        match (gpu.name(), std::env::var_os("HACA_DEEP")) {
            ("emulated device", None) => Self {
                log_sizes: &[10, 11],
                proofs: 4,
                proof_log_sizes: [10, 10],
                loads: (12, 450),
            },
            ("emulated device", Some(_)) => Self {
                log_sizes: &[10, 11, 12, 13, 14, 16, 17],
                proofs: 200,
                proof_log_sizes: [10, 11],
                loads: (14, 1_000),
            },
            _ => Self {
                log_sizes: &[10, 11, 13, 16, 17, 19, 20],
                proofs: 200,
                proof_log_sizes: [14, 15],
                loads: (16, 4_000),
            },
        }
    }
}

fn gpu() -> Gpu {
    let path = std::env::var_os(LIBRARY_VARIABLE).expect(LIBRARY_VARIABLE);
    Gpu::open(Path::new(&path)).unwrap()
}

fn key_and_witness(kind: Kind, log_size: u32, seed: u64) -> (ProvingKey, Witness) {
    let size = (1 << log_size) - PUBLIC_COUNT - 1;
    read(&synthetic(kind, size, PUBLIC_COUNT, seed), seed)
}

fn read(circuit: &Circuit, seed: u64) -> (ProvingKey, Witness) {
    let key = ProvingKey::from_file(&KeyFile::read(&write_zkey(circuit, seed)).unwrap()).unwrap();
    let witness = Witness::from_file(&WitnessFile::read(&write_witness(circuit)).unwrap());
    (key, witness)
}

/// With the same blinding both make the same proof, word for word.
fn agree(gpu: &Gpu, circuit: &Circuit, name: &str) {
    let (key, witness) = read(circuit, 5);
    let mut loaded = gpu.load(&key, |_| Ok(())).unwrap();
    let blinding = Blinding::fresh().unwrap();
    let proof = key.assemble(&loaded.sums(&witness).unwrap(), blinding);
    let expected = key.prove_unchecked(&witness, blinding).unwrap();
    assert_eq!(proof, expected, "{name}");
    let public = witness.public(circuit.public_count);
    assert!(key.verifying().verify(&proof, public).unwrap(), "{name}");
}

#[test]
#[ignore = "needs a CUDA device: npm run test:cuda"]
fn the_device_makes_the_cpus_proofs() {
    let gpu = gpu();
    for log_size in Effort::of(&gpu).log_sizes {
        for kind in [Kind::Dense, Kind::Model] {
            let size = (1 << log_size) - PUBLIC_COUNT - 1;
            let circuit = synthetic(kind, size, PUBLIC_COUNT, u64::from(*log_size));
            agree(&gpu, &circuit, &format!("{kind:?}, 2^{log_size}"));
        }
    }
}

/// Smaller domains are the CPU's.
const LEAST_CONSTRAINTS: usize = 600;

fn no_private_signals() -> Circuit {
    let mut circuit = Circuit::new(&[Fr::from(3), Fr::from(9)]);
    for _ in 0..LEAST_CONSTRAINTS {
        circuit.constrain(vec![(1, Fr::ONE)], vec![(1, Fr::ONE)], vec![(2, Fr::ONE)]);
    }
    circuit
}

fn all_private_signals_zero() -> Circuit {
    let mut circuit = Circuit::new(&[Fr::ZERO]);
    for _ in 0..LEAST_CONSTRAINTS {
        circuit.product(vec![(1, Fr::from(5))], vec![(0, Fr::from(3))]);
    }
    circuit
}

fn signals_that_no_constraint_mentions() -> Circuit {
    let mut circuit = synthetic(Kind::Model, LEAST_CONSTRAINTS, 1, 12);
    for value in [Fr::ZERO, Fr::ONE, -Fr::from(7)] {
        circuit.signal(value);
    }
    circuit
}

/// All of one value: sums in which points meet their own likes and opposites.
fn the_same_signal_again_and_again() -> Circuit {
    let mut circuit = Circuit::new(&[-Fr::ONE]);
    for _ in 0..LEAST_CONSTRAINTS {
        circuit.product(vec![(1, Fr::ONE)], vec![(0, Fr::ONE)]);
    }
    circuit
}

fn filled_to_the_last_row_and_one_more() -> [Circuit; 2] {
    [1, 0].map(|short| synthetic(Kind::Dense, (1 << 10) - 1 - short, 1, 14))
}

#[test]
#[ignore = "needs a CUDA device: npm run test:cuda"]
fn unusual_circuits_get_the_cpus_proofs() {
    let gpu = gpu();
    agree(&gpu, &no_private_signals(), "no private signals");
    agree(&gpu, &all_private_signals_zero(), "private signals 0");
    agree(&gpu, &signals_that_no_constraint_mentions(), "infinity");
    agree(&gpu, &the_same_signal_again_and_again(), "one value");
    let long = with_long_row(LEAST_CONSTRAINTS, 4_000, 13);
    agree(&gpu, &long, "a row of 4,000 terms");
    let [full, next] = filled_to_the_last_row_and_one_more();
    assert_eq!((full.log_domain(), next.log_domain()), (10, 11));
    agree(&gpu, &full, "filled to the last row");
    agree(&gpu, &next, "one row more");
}

#[test]
#[ignore = "needs a CUDA device: npm run test:cuda"]
fn many_proofs_with_two_keys_are_all_right() {
    let gpu = gpu();
    let effort = Effort::of(&gpu);
    let [first, second] = effort.proof_log_sizes;
    let circuits = [(Kind::Dense, first), (Kind::Model, second)]
        .map(|(kind, log_size)| key_and_witness(kind, log_size, 7));
    let mut loaded = circuits
        .each_ref()
        .map(|(key, _)| gpu.load(key, |_| Ok(())).unwrap());
    let mut invalid = 0;
    for number in 0..effort.proofs {
        let (key, witness) = &circuits[number % 2];
        let sums = loaded[number % 2].sums(witness).unwrap();
        let proof = key.assemble(&sums, Blinding::fresh().unwrap());
        let public = witness.public(PUBLIC_COUNT);
        invalid += usize::from(!key.verifying().verify(&proof, public).unwrap());
    }
    assert_eq!(invalid, 0, "of {}", effort.proofs);
}

#[test]
#[ignore = "needs a CUDA device: npm run test:cuda"]
fn keys_come_and_go_without_losing_memory() {
    let gpu = gpu();
    let (log_size, rounds) = Effort::of(&gpu).loads;
    let (key, witness) = key_and_witness(Kind::Model, log_size, 9);
    for _ in 0..rounds {
        drop(gpu.load(&key, |_| Ok(())).unwrap());
    }
    let mut loaded = gpu.load(&key, |_| Ok(())).unwrap();
    assert!(loaded.sums(&witness).is_ok());
}
