//! Both readers against damaged, random and hostile files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use haca_prover_formats::FormatError;
use haca_prover_formats::mapped::MappedFile;
use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::{write_witness, write_zkey};
use proptest::prelude::*;

fn sound_key() -> Vec<u8> {
    write_zkey(&synthetic(Kind::Model, 60, 2, 1), 1)
}

fn sound_witness() -> Vec<u8> {
    write_witness(&synthetic(Kind::Model, 60, 2, 1))
}

fn key_error(bytes: &[u8]) -> FormatError {
    KeyFile::read(bytes)
        .map(|_| "a key")
        .expect_err("must be refused")
}

fn witness_error(bytes: &[u8]) -> FormatError {
    WitnessFile::read(bytes)
        .map(|_| "a witness")
        .expect_err("must be refused")
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

fn with(mut bytes: Vec<u8>, at: usize, replacement: &[u8]) -> Vec<u8> {
    bytes[at..at + replacement.len()].copy_from_slice(replacement);
    bytes
}

#[test]
fn sound_files_are_read() {
    let (key, witness) = (sound_key(), sound_witness());
    let key = KeyFile::read(&key).unwrap();
    let witness = WitnessFile::read(&witness).unwrap();
    assert_eq!(key.signal_count as usize, witness.len());
    assert_eq!((key.public_count, key.log_domain), (2, 6));
    assert_eq!(key.h.len(), 64 * 64);
}

#[test]
fn every_truncation_is_refused() {
    let (key, witness) = (sound_key(), sound_witness());
    for length in (0..key.len()).step_by(17) {
        key_error(&key[..length]);
    }
    for length in 0..witness.len() {
        witness_error(&witness[..length]);
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    let longer = [sound_key(), vec![0]].concat();
    assert!(matches!(
        key_error(&longer),
        FormatError::TrailingBytes { count: 1 }
    ));
}

#[test]
fn other_files_are_named_as_such() {
    assert!(matches!(
        key_error(&sound_witness()),
        FormatError::WrongMagic { .. }
    ));
    assert!(matches!(
        witness_error(&sound_key()),
        FormatError::WrongMagic { .. }
    ));
    let newer = with(sound_key(), 4, &3u32.to_le_bytes());
    assert!(matches!(
        key_error(&newer),
        FormatError::WrongVersion { found: 3, .. }
    ));
    let plonk = with(sound_key(), content(&sound_key(), 1), &2u32.to_le_bytes());
    assert!(matches!(
        key_error(&plonk),
        FormatError::WrongProtocol { found: 2 }
    ));
}

#[test]
fn other_curves_are_refused() {
    let key = sound_key();
    let header = content(&key, 2);
    for at in [header, header + 4, header + 36, header + 40] {
        let other = with(key.clone(), at, &[0x31]);
        assert!(
            matches!(key_error(&other), FormatError::WrongCurve { .. }),
            "byte {at}"
        );
    }
    let witness = sound_witness();
    let other = with(witness.clone(), content(&witness, 1) + 4, &[0x31]);
    assert!(matches!(
        witness_error(&other),
        FormatError::WrongCurve { .. }
    ));
}

#[test]
fn counts_that_do_not_fit_the_sections_are_refused() {
    let key = sound_key();
    let counts = content(&key, 2) + 72;
    for (at, value) in [
        (counts, 1_000_000u32),
        (counts, u32::MAX),
        (counts + 4, 1),
        (counts + 4, u32::MAX),
        (counts + 8, 128),
        (counts + 8, 63),
        (counts + 8, 0),
        (counts + 8, 1 << 28),
    ] {
        key_error(&with(key.clone(), at, &value.to_le_bytes()));
    }
    let coefficients = content(&key, 4);
    key_error(&with(key.clone(), coefficients, &u32::MAX.to_le_bytes()));
    let witness = sound_witness();
    let count = content(&witness, 1) + 36;
    for value in [0, 1, u32::MAX] {
        let error = witness_error(&with(witness.clone(), count, &value.to_le_bytes()));
        assert!(matches!(error, FormatError::WrongSize { .. }));
    }
}

#[test]
fn lengths_near_the_end_of_the_number_line_are_refused() {
    for length in [u64::MAX, u64::MAX - 11, 1 << 63, 1 << 40] {
        let error = key_error(&with(sound_key(), 16, &length.to_le_bytes()));
        assert!(matches!(error, FormatError::Truncated { .. }), "{error}");
    }
    let error = key_error(&with(sound_key(), 8, &u32::MAX.to_le_bytes()));
    assert!(matches!(error, FormatError::TooManySections { .. }));
}

#[test]
fn coefficients_outside_the_circuit_are_refused() {
    let key = sound_key();
    let first = content(&key, 4) + 4;
    for (offset, value, word) in [
        (0, 2u32, "matrix"),
        (4, 64, "constraint"),
        (8, 1_000_000, "signal"),
    ] {
        let message =
            key_error(&with(key.clone(), first + offset, &value.to_le_bytes())).to_string();
        assert!(message.contains(&format!("{word} {value}")), "{message}");
    }
    let message = key_error(&with(key, first + 12, &[0xff; 32])).to_string();
    assert!(message.contains("not below the modulus"), "{message}");
}

#[test]
fn witness_values_are_in_the_field_and_start_with_one() {
    let witness = sound_witness();
    let values = content(&witness, 2);
    let message = witness_error(&with(witness.clone(), values + 64, &[0xff; 32])).to_string();
    assert!(
        message.contains("value 2 is not below the modulus"),
        "{message}"
    );
    let message = witness_error(&with(witness, values, &[2])).to_string();
    assert!(message.contains("constant 1"), "{message}");
}

#[test]
fn sections_are_there_once() {
    let key = sound_key();
    let gone = with(key.clone(), content(&key, 9) - 12, &77u32.to_le_bytes());
    assert!(matches!(
        key_error(&gone),
        FormatError::MissingSection { section: 9, .. }
    ));
    let twice = with(key.clone(), content(&key, 10) - 12, &9u32.to_le_bytes());
    assert!(matches!(
        key_error(&twice),
        FormatError::DuplicateSection { section: 9 }
    ));
}

#[test]
fn what_is_not_a_file_is_not_mapped() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        MappedFile::open(folder.path()),
        Err(FormatError::Io { .. })
    ));
    assert!(matches!(
        MappedFile::open(&folder.path().join("no")),
        Err(FormatError::Io { .. })
    ));
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    assert_eq!(MappedFile::open(&empty).unwrap().bytes(), b"");
}

/// Reads everything that a reader hands out.
fn exercise(bytes: &[u8]) {
    if let Ok(key) = KeyFile::read(bytes) {
        for coefficient in key.coefficients() {
            assert!(coefficient.signal < key.signal_count);
            assert!(coefficient.constraint < 1 << key.log_domain);
        }
    }
    if let Ok(witness) = WitnessFile::read(bytes) {
        assert_eq!(witness.values().len(), witness.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes_do_no_harm(bytes: Vec<u8>, magic in 0usize..3) {
        let magic: &[u8] = [&b""[..], b"zkey\x01\0\0\0", b"wtns\x02\0\0\0"][magic];
        exercise(&[magic, &bytes].concat());
    }

    #[test]
    fn damaged_files_do_no_harm(
        is_key: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        kept in any::<prop::sample::Index>(),
        cut: bool,
    ) {
        let mut bytes = if is_key { sound_key_once().to_vec() } else { sound_witness_once().to_vec() };
        for (index, value) in changes {
            // Headers and section frames are where damage is interesting.
            let reach = if value % 2 == 0 { bytes.len() } else { bytes.len().min(1000) };
            bytes[index.index(reach)] = value;
        }
        if cut {
            bytes.truncate(kept.index(bytes.len()));
        }
        exercise(&bytes);
    }
}

fn sound_key_once() -> &'static [u8] {
    static KEY: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    KEY.get_or_init(sound_key)
}

fn sound_witness_once() -> &'static [u8] {
    static WITNESS: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    WITNESS.get_or_init(sound_witness)
}
