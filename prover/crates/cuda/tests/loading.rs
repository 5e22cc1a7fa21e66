//! Libraries that are wrong are refused in one line, and what they return is not believed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "libraries/mod.rs"]
#[allow(dead_code)]
mod libraries;

use std::fs;
use std::path::Path;

use haca_prover_cuda::{Gpu, LoadError};
use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_groth16::{ProvingKey, Witness};
use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::{write_witness, write_zkey};
use libraries::fake;

fn refusal(path: &Path) -> String {
    let message = Gpu::open(path).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message:?}");
    message
}

fn key_and_witness() -> (ProvingKey, Witness) {
    let circuit = synthetic(Kind::Model, 40, 1, 1);
    let key = ProvingKey::from_file(&KeyFile::read(&write_zkey(&circuit, 2)).unwrap()).unwrap();
    let witness = Witness::from_file(&WitnessFile::read(&write_witness(&circuit)).unwrap());
    (key, witness)
}

/// What comes of a proof with a fake.
fn sums(macros: &[&str]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let gpu = Gpu::open(&fake(folder.path(), macros)).unwrap();
    let (key, witness) = key_and_witness();
    let mut loaded = gpu.load(&key, |_| Ok(()))?;
    loaded.sums(&witness).map(|_| ())
}

#[test]
fn files_that_are_no_library_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libhaca_cuda.so");
    assert_eq!(refusal(&path), format!("there is no {}", path.display()));
    fs::write(&path, "not a library").unwrap();
    assert!(refusal(&path).contains("cannot be loaded"));
    // A bare name is a file here, not something to search for.
    assert!(matches!(
        Gpu::open(Path::new("libc.so.6")),
        Err(LoadError::Absent(_))
    ));
}

#[test]
fn other_libraries_and_other_versions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let message = refusal(&fake(folder.path(), &["VERSION=2"]));
    assert!(
        message.contains("has interface 2, this program needs 1"),
        "{message}"
    );
    let message = refusal(&fake(folder.path(), &["NO_UNLOAD"]));
    assert!(message.contains("haca_cuda_unload"), "{message}");
}

#[test]
fn a_missing_device_is_said_in_the_librarys_words() {
    let folder = tempfile::tempdir().unwrap();
    let message = refusal(&fake(folder.path(), &["NO_DEVICE"]));
    assert!(
        message.ends_with("there is no CUDA device (driver too old)"),
        "{message}"
    );
}

#[test]
fn a_working_library_says_what_it_works_on() {
    let folder = tempfile::tempdir().unwrap();
    let gpu = Gpu::open(&fake(folder.path(), &[])).unwrap();
    assert_eq!((gpu.name(), gpu.memory_bytes()), ("fake", 1 << 30));
}

#[test]
fn failures_come_back_as_text() {
    assert_eq!(sums(&["LOAD_FAILS"]), Err("out of memory".to_owned()));
    assert_eq!(
        sums(&["LOAD_LIES"]),
        Err("the library returned no key".to_owned())
    );
    assert_eq!(sums(&["PROVE_FAILS"]), Err("x".repeat(512)));
}

#[test]
fn sums_that_are_no_points_are_refused() {
    assert_eq!(
        sums(&["OFF_CURVE"]),
        Err("sum over A: point 0 is not on the curve".to_owned())
    );
    assert_eq!(sums(&[]), Ok(()));
}

#[test]
fn what_has_no_room_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let gpu = Gpu::open(&fake(folder.path(), &[])).unwrap();
    let (key, _) = key_and_witness();
    let expected = key.signal_count() as u64 * 64;
    let refused = gpu.load(&key, |bytes| Err(format!("{bytes} bytes are too many")));
    assert_eq!(
        refused.unwrap_err(),
        format!("{expected} bytes are too many")
    );
}
