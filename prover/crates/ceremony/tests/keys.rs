//! Keys from powers of tau to verification, and what must be refused. What snarkjs makes of the same
//! files is compared in zkml/test/nativeKeys.test.ts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;

use haca_prover_ceremony::powers::{check::check, make::make};
use haca_prover_ceremony::{CeremonyError, InitialKey, beacon, contribute, setup, verify};
use haca_prover_formats::ptau::PowersFile;
use haca_prover_formats::r1cs::CircuitFile;
use haca_prover_formats::transcript::Beacon;
use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_groth16::{ProverError, ProvingKey, Witness};
use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::{Circuit, write_r1cs, write_witness};
use tempfile::TempDir;

const NAME: &str = "Ada";
const BEACON: Beacon = Beacon {
    iterations_log: 10,
    value: &[1, 2, 3],
};

struct Files {
    folder: TempDir,
    circuit: Circuit,
    r1cs: Vec<u8>,
    ptau: Vec<u8>,
}

impl Files {
    fn new(constraints: usize, power: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("powers.ptau");
        make(power, Some(b"tests"), &path).unwrap();
        let circuit = synthetic(Kind::Model, constraints, 2, 1);
        Self {
            r1cs: write_r1cs(&circuit),
            ptau: fs::read(path).unwrap(),
            folder,
            circuit,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn with_initial<T>(&self, use_it: impl FnOnce(&InitialKey) -> T) -> T {
        let circuit = CircuitFile::read(&self.r1cs).unwrap();
        let powers = PowersFile::read(&self.ptau).unwrap();
        use_it(&InitialKey::new(&circuit, &powers).unwrap())
    }

    fn initial(&self) -> Vec<u8> {
        let path = self.path("initial.zkey");
        self.with_initial(|key| setup(key, &path)).unwrap();
        fs::read(path).unwrap()
    }

    fn contributed(&self, key: &[u8]) -> Vec<u8> {
        let path = self.path("contributed.zkey");
        contribute(key, Some(NAME), b"", &path).unwrap();
        fs::read(path).unwrap()
    }

    fn with_beacon(&self, key: &[u8]) -> Vec<u8> {
        let path = self.path("beacon.zkey");
        beacon(key, None, BEACON, &path).unwrap();
        fs::read(path).unwrap()
    }
}

/// Start of a section's content.
fn content(bytes: &[u8], wanted: u32) -> usize {
    let mut at = 12;
    loop {
        let number = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        if number == wanted {
            return at + 12;
        }
        at += 12 + u64::from_le_bytes(bytes[at + 4..at + 12].try_into().unwrap()) as usize;
    }
}

#[test]
fn keys_are_verified_and_prove() {
    let files = Files::new(100, 7);
    let key = files.with_beacon(&files.contributed(&files.contributed(&files.initial())));
    let verified = files.with_initial(|initial| verify(initial, &key)).unwrap();
    let names: Vec<_> = verified
        .contributions
        .iter()
        .map(|contribution| contribution.name.as_deref())
        .collect();
    assert_eq!(names, [Some(NAME), Some(NAME), None]);
    assert_eq!(
        verified.contributions[2].beacon,
        Some((vec![1, 2, 3], BEACON.iterations_log))
    );

    let witness = write_witness(&files.circuit);
    let witness = Witness::from_file(&WitnessFile::read(&witness).unwrap());
    let key = ProvingKey::from_file(&KeyFile::read(&key).unwrap()).unwrap();
    let proof = key.prove(&witness).unwrap();
    let public = witness.public(key.public_count());
    assert!(key.verifying().verify(&proof, public).unwrap());
}

#[test]
fn a_key_without_contributions_is_refused() {
    let files = Files::new(60, 6);
    let key = files.initial();
    let error = files
        .with_initial(|initial| verify(initial, &key))
        .unwrap_err();
    assert!(matches!(error, CeremonyError::NoContribution), "{error}");
    // Nor with the number of contributions alone changed, or delta taken from elsewhere.
    let contributed = files.contributed(&key);
    for section in [2, 10] {
        let mut other = contributed.clone();
        let (from, to) = (content(&key, section), content(&other, section));
        let length = if section == 2 { 660 } else { 68 };
        other[to..to + length].copy_from_slice(&key[from..from + length]);
        let error = files
            .with_initial(|initial| verify(initial, &other))
            .unwrap_err();
        match section {
            2 => assert!(
                matches!(
                    error,
                    CeremonyError::Prover(ProverError::PointIsGenerator { what: "delta" })
                ),
                "{error}"
            ),
            _ => assert!(matches!(error, CeremonyError::Format(_)), "{error}"),
        }
    }
}

/// Two models of one architecture have the same IC: the hash of the circuit tells them apart.
#[test]
fn the_key_of_another_circuit_is_refused() {
    let files = Files::new(60, 6);
    let key = files.contributed(&files.initial());
    let mut other = Files::new(60, 6);
    let value = &mut other.circuit.constraints[16][2][1].1;
    *value = -*value;
    other.r1cs = write_r1cs(&other.circuit);
    let ic = |key: &[u8]| key[content(key, 3)..content(key, 3) + 3 * 64].to_vec();
    assert_eq!(ic(&files.initial()), ic(&other.initial()));
    let error = other
        .with_initial(|initial| verify(initial, &key))
        .unwrap_err();
    assert!(
        matches!(error, CeremonyError::KeyInconsistent(_)),
        "{error}"
    );
}

#[test]
fn a_bit_wrong_anywhere_in_a_key_is_refused() {
    let files = Files::new(20, 5);
    let key = files.with_beacon(&files.contributed(&files.initial()));
    let contributions = content(&key, 10);
    // Nothing in the format vouches for names.
    let name = contributions + 68 + 392 + 2;
    assert_eq!(&key[name..name + NAME.len()], NAME.as_bytes());
    files.with_initial(|initial| {
        verify(initial, &key).unwrap();
        let header = content(&key, 2) + 660;
        let mut positions: Vec<usize> = (0..header).collect();
        positions.extend((header..contributions).step_by(83));
        positions.extend((contributions - 12..key.len()).step_by(3));
        for position in positions {
            if (name..name + NAME.len()).contains(&position) {
                continue;
            }
            let mut damaged = key.clone();
            damaged[position] ^= 1 << (position % 8);
            assert!(verify(initial, &damaged).is_err(), "byte {position}");
        }
    });
}

#[test]
fn points_of_another_form_are_refused() {
    let files = Files::new(20, 5);
    let key = files.contributed(&files.initial());
    // x + p stands for x, but is not how it is written.
    for (section, offset) in [(2, 84), (8, 0), (9, 64), (10, 68)] {
        let at = content(&key, section) + offset;
        let mut other = key.clone();
        let mut carry = 0u16;
        for (byte, index) in (0..32).map(|index| (at + index, index)) {
            let modulus = haca_prover_formats::bn254::BASE_MODULUS[index / 8];
            let sum = u16::from(other[byte]) + (modulus >> (8 * (index % 8)) & 0xff) as u16 + carry;
            (other[byte], carry) = (sum as u8, sum >> 8);
        }
        assert_eq!(carry, 0);
        let error = files
            .with_initial(|initial| verify(initial, &other))
            .unwrap_err();
        assert!(error.to_string().contains("below the modulus"), "{error}");
    }
}

/// Sound points of this very key, at each other's places.
#[test]
fn points_exchanged_within_a_section_are_refused() {
    let files = Files::new(60, 6);
    let key = files.contributed(&files.initial());
    for (section, bytes) in [(3, 64), (5, 64), (6, 64), (7, 128), (8, 64), (9, 64)] {
        let start = content(&key, section);
        let length = u64::from_le_bytes(key[start - 8..start].try_into().unwrap()) as usize;
        let first = key[start..start + bytes].to_vec();
        let other = (start..start + length)
            .step_by(bytes)
            .find(|at| key[*at..at + bytes] != first)
            .unwrap();
        let mut exchanged = key.clone();
        exchanged[start..start + bytes].copy_from_slice(&key[other..other + bytes]);
        exchanged[other..other + bytes].copy_from_slice(&first);
        let error = files
            .with_initial(|initial| verify(initial, &exchanged))
            .unwrap_err();
        assert!(
            matches!(error, CeremonyError::KeyInconsistent(_)),
            "section {section}: {error}"
        );
    }
}

#[test]
fn contributions_in_another_order_are_refused() {
    let files = Files::new(20, 5);
    let key = files.contributed(&files.contributed(&files.initial()));
    let at = content(&key, 10) + 68;
    let length = 392 + 2 + NAME.len();
    let mut other = key.clone();
    other[at..at + length].copy_from_slice(&key[at + length..at + 2 * length]);
    other[at + length..at + 2 * length].copy_from_slice(&key[at..at + length]);
    let error = files
        .with_initial(|initial| verify(initial, &other))
        .unwrap_err();
    assert!(
        matches!(error, CeremonyError::BadContribution { number: 1, .. })
            || matches!(error, CeremonyError::BadContribution { number: 2, .. }),
        "{error}"
    );
}

#[test]
fn a_beacon_that_somebody_chose_is_refused() {
    let files = Files::new(20, 5);
    let key = files.with_beacon(&files.initial());
    let mut other = key.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    let error = files
        .with_initial(|initial| verify(initial, &other))
        .unwrap_err();
    assert!(error.to_string().contains("not the beacon's"), "{error}");
}

#[test]
fn powers_with_a_bit_wrong_anywhere_are_refused() {
    let files = Files::new(20, 5);
    let powers = &files.ptau;
    let refused = |bytes: &[u8]| match PowersFile::read(bytes) {
        Ok(powers) => check(&powers, Some(5)).is_err(),
        Err(_) => true,
    };
    assert!(!refused(powers));
    // The ceremony's power is not tied to anything in a file that no ceremony made.
    let ceremony_power = content(powers, 1) + 40;
    let first = content(powers, 2) + 128;
    let positions = (0..first).chain((first..powers.len()).step_by(41));
    for position in positions {
        if (ceremony_power..ceremony_power + 4).contains(&position) {
            continue;
        }
        let mut damaged = powers.clone();
        damaged[position] ^= 1 << (position % 8);
        assert!(refused(&damaged), "byte {position}");
    }
}

/// Points that are on the curve, but of another file.
#[test]
fn powers_put_together_from_two_files_are_refused() {
    let one = Files::new(20, 5);
    let path = one.path("other.ptau");
    make(5, None, &path).unwrap();
    let other = fs::read(path).unwrap();
    for section in [2, 3, 4, 5, 6, 12, 13, 14, 15] {
        let mut mixed = one.ptau.clone();
        let start = content(&mixed, section);
        let length = u64::from_le_bytes(mixed[start - 8..start].try_into().unwrap()) as usize;
        mixed[start..start + length].copy_from_slice(&other[start..start + length]);
        let error = check(&PowersFile::read(&mixed).unwrap(), None).unwrap_err();
        assert!(
            matches!(error, CeremonyError::PowersInconsistent(_)),
            "section {section}: {error}"
        );
    }
}

#[test]
fn powers_must_suffice() {
    let files = Files::new(60, 6);
    let powers = PowersFile::read(&files.ptau).unwrap();
    check(&powers, Some(6)).unwrap();
    let error = check(&powers, Some(7)).unwrap_err();
    assert!(matches!(
        error,
        CeremonyError::PowersTooFew {
            found: 6,
            needed: 7
        }
    ));
    let large = write_r1cs(&synthetic(Kind::Model, 63, 1, 1));
    let large = CircuitFile::read(&large).unwrap();
    assert!(matches!(
        InitialKey::new(&large, &powers).map(|_| ()),
        Err(CeremonyError::PowersTooFew { .. })
    ));
}
