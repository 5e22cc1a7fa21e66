//! All readers against damaged, random and hostile files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::alloc::System;
use std::time::{Duration, Instant};

use cap::Cap;
use haca_prover_formats::FormatError;
use haca_prover_formats::mapped::MappedFile;
use haca_prover_formats::ptau::PowersFile;
use haca_prover_formats::r1cs::{CircuitFile, Side};
use haca_prover_formats::transcript::Transcript;
use haca_prover_formats::wtns::WitnessFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::{write_r1cs, write_witness, write_zkey};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

fn sound_key() -> Vec<u8> {
    write_zkey(&synthetic(Kind::Model, 60, 2, 1), 1)
}

fn sound_witness() -> Vec<u8> {
    write_witness(&synthetic(Kind::Model, 60, 2, 1))
}

fn sound_circuit() -> Vec<u8> {
    write_r1cs(&synthetic(Kind::Model, 60, 2, 1))
}

/// A frame with every section of powers of tau, and no point in it.
fn sound_powers() -> Vec<u8> {
    const POWER: u32 = 2;
    let mut header = 32u32.to_le_bytes().to_vec();
    header.extend(
        haca_prover_formats::bn254::BASE_MODULUS
            .iter()
            .flat_map(|word| word.to_le_bytes()),
    );
    header.extend(POWER.to_le_bytes());
    header.extend(POWER.to_le_bytes());
    let points = |count: usize, bytes: usize| vec![0; count * bytes];
    let size = 1 << POWER;
    frame(
        b"ptau\x01\0\0\0",
        &[
            (1, header),
            (2, points(2 * size - 1, 64)),
            (3, points(size, 128)),
            (4, points(size, 64)),
            (5, points(size, 64)),
            (6, points(1, 128)),
            (7, vec![0; 4]),
            (12, points(4 * size - 1, 64)),
            (13, points(2 * size - 1, 128)),
            (14, points(2 * size - 1, 64)),
            (15, points(2 * size - 1, 64)),
        ],
    )
}

fn frame(start: &[u8], sections: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = start.to_vec();
    bytes.extend((sections.len() as u32).to_le_bytes());
    for (number, content) in sections {
        bytes.extend(number.to_le_bytes());
        bytes.extend((content.len() as u64).to_le_bytes());
        bytes.extend(content);
    }
    bytes
}

/// The section of a key with a party's contribution and a beacon's.
fn sound_transcript() -> Vec<u8> {
    let mut bytes = vec![7; 64];
    bytes.extend(2u32.to_le_bytes());
    for (kind, parameters) in [
        (0u32, b"\x01\x03Ada".as_slice()),
        (1, b"\x01\x01B\x02\x0a\x03\x02\x01\x02"),
    ] {
        bytes.extend([9; 3 * 64 + 128 + 64]);
        bytes.extend(kind.to_le_bytes());
        bytes.extend((parameters.len() as u32).to_le_bytes());
        bytes.extend(parameters);
    }
    bytes
}

fn circuit_error(bytes: &[u8]) -> FormatError {
    CircuitFile::read(bytes)
        .map(|_| "a circuit")
        .expect_err("must be refused")
}

fn powers_error(bytes: &[u8]) -> FormatError {
    PowersFile::read(bytes)
        .map(|_| "powers of tau")
        .expect_err("must be refused")
}

fn transcript_error(bytes: &[u8]) -> FormatError {
    Transcript::read(bytes)
        .map(|_| "a transcript")
        .expect_err("must be refused")
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
    let (circuit, powers, transcript) = (sound_circuit(), sound_powers(), sound_transcript());
    for length in (0..circuit.len()).step_by(7) {
        circuit_error(&circuit[..length]);
    }
    for length in (0..powers.len()).step_by(7) {
        powers_error(&powers[..length]);
    }
    for length in 0..transcript.len() {
        transcript_error(&transcript[..length]);
    }
}

#[test]
fn circuits_give_their_terms_back() {
    let bytes = sound_circuit();
    let file = CircuitFile::read(&bytes).unwrap();
    let circuit = synthetic(Kind::Model, 60, 2, 1);
    assert_eq!(file.wire_count as usize, circuit.witness.len());
    assert_eq!((file.public_count, file.constraint_count), (2, 60));
    assert_eq!(file.log_domain(), circuit.log_domain());
    let mut terms = file.terms();
    for (number, constraint) in circuit.constraints.iter().enumerate() {
        for (side, sum) in [Side::A, Side::B, Side::C].into_iter().zip(constraint) {
            for (wire, _) in sum {
                let term = terms.next().unwrap();
                assert_eq!(
                    (term.side, term.constraint as usize, term.wire),
                    (side, number, *wire)
                );
            }
        }
    }
    assert!(terms.next().is_none());
}

#[test]
fn circuits_are_refused_for_what_is_wrong_in_them() {
    let circuit = sound_circuit();
    let (header, rows) = (content(&circuit, 1), content(&circuit, 2));
    for (at, value, words) in [
        (header + 4, 5u32, "modulus"),
        (header + 36, 3, "labels of the wires"),
        (header + 36, u32::MAX, "labels of the wires"),
        (header + 40, u32::MAX, "public wires"),
        (header + 60, 59, "follow the last"),
        (header + 60, 61, "truncated"),
        (header + 60, 1 << 28, "number of constraints"),
        (rows, u32::MAX, "truncated"),
        (rows + 4, 1_000_000, "wire 1000000 of constraint 0"),
        (rows + 36, u32::MAX, "not below the modulus"),
    ] {
        let message = circuit_error(&with(circuit.clone(), at, &value.to_le_bytes())).to_string();
        assert!(message.contains(words), "{message}");
    }
    let mut gates = with(circuit.clone(), 8, &4u32.to_le_bytes());
    gates.extend(4u32.to_le_bytes());
    gates.extend(4u64.to_le_bytes());
    gates.extend(1u32.to_le_bytes());
    assert!(circuit_error(&gates).to_string().contains("custom gates"));
}

#[test]
fn powers_are_refused_for_what_is_wrong_in_them() {
    let powers = sound_powers();
    assert_eq!(PowersFile::read(&powers).unwrap().power, 2);
    let (header, behind) = (content(&powers, 1), content(&powers, 3) - 12);
    let read = PowersFile::read(&powers).unwrap();
    assert_eq!(read.behind_tau1, Some(&powers[behind..behind + 64]));
    for (at, value, words) in [
        (header + 4, 5u32, "modulus"),
        (header + 36, 1, "powers of tau in G1: 448 bytes"),
        (header + 36, 3, "power of the ceremony: 2 is below"),
        (header + 36, 0, "power: 0"),
        (header + 36, 29, "power: 29"),
        (header + 40, 1, "power of the ceremony"),
        (content(&powers, 7), 1, "truncated: contributions"),
        (content(&powers, 7), u32::MAX, "truncated: contributions"),
    ] {
        let message = powers_error(&with(powers.clone(), at, &value.to_le_bytes())).to_string();
        assert!(message.contains(words), "{message}");
    }
    let plain = with(
        powers.clone(),
        content(&powers, 12) - 12,
        &77u32.to_le_bytes(),
    );
    let message = PowersFile::read(&plain).unwrap().prepared().unwrap_err();
    assert!(message.to_string().contains("not prepared for phase 2"));
}

#[test]
fn contributions_are_refused_for_what_is_wrong_in_them() {
    let transcript = sound_transcript();
    let read = Transcript::read(&transcript).unwrap();
    assert_eq!(read.contributions[0].name, Some(b"Ada".as_slice()));
    let beacon = read.contributions[1].beacon.unwrap();
    assert_eq!((beacon.iterations_log, beacon.value), (10, &[1, 2][..]));
    let first = 68 + 384;
    let second = first + 8 + 5 + 384;
    for (at, value, words) in [
        (64, 3, "truncated"),
        (64, 1, "follow the last"),
        (67, 0xff, "truncated"),
        (first, 1, "neither a party's nor a beacon's"),
        (first, 2, "neither a party's nor a beacon's"),
        (first + 8, 4, "unknown kind"),
        (first + 9, 4, "truncated: a name"),
        (second, 0, "neither a party's nor a beacon's"),
        (second + 8, 3, "not in order"),
        (second + 12, 9, "iterations"),
        (second + 12, 64, "iterations"),
    ] {
        let message = transcript_error(&with(transcript.clone(), at, &[value])).to_string();
        assert!(message.contains(words), "byte {at}: {message}");
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
    if let Ok(circuit) = CircuitFile::read(bytes) {
        for term in circuit.terms() {
            assert!(term.wire < circuit.wire_count);
            assert!(term.constraint < circuit.constraint_count);
            circuit.value(term.place);
        }
        assert!(circuit.log_domain() <= 28);
    }
    if let Ok(powers) = PowersFile::read(bytes) {
        assert!(powers.tau1.len() < bytes.len());
        let _ = powers.prepared();
    }
    for section in [bytes, bytes.get(12..).unwrap_or(&[])] {
        if let Ok(transcript) = Transcript::read(section) {
            assert!(transcript.contributions.len() * 392 < section.len());
        }
    }
}

/// As long as a reader believes what a file says of itself, a few bytes can ask for all memory: an allocation beyond this
/// ends the tests.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, 256 << 20);

/// Reads random files: 2,000, or as many as there are in five minutes in the deep run.
fn fuzz<S: Strategy>(strategy: &S, bytes_of: impl Fn(S::Value) -> Vec<u8>) {
    let is_deep = std::env::var_os("HACA_DEEP").is_some();
    let time = Duration::from_secs(if is_deep { 300 } else { 0 });
    let start = Instant::now();
    loop {
        let config = ProptestConfig {
            cases: 2000,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let outcome = TestRunner::new(config).run(strategy, |case| {
            exercise(&bytes_of(case));
            Ok(())
        });
        if let Err(failure) = outcome {
            panic!("{failure}");
        }
        if start.elapsed() >= time {
            return;
        }
    }
}

#[test]
fn random_bytes_do_no_harm() {
    let magics = prop::sample::select(vec![
        &b""[..],
        b"zkey\x01\0\0\0",
        b"wtns\x02\0\0\0",
        b"r1cs\x01\0\0\0",
        b"ptau\x01\0\0\0",
    ]);
    fuzz(&(magics, any::<Vec<u8>>()), |(magic, bytes)| {
        [magic, &bytes].concat()
    });
}

#[test]
fn damaged_files_do_no_harm() {
    let changes = prop::collection::vec((any::<Index>(), any::<u8>()), 1..8);
    let cut = prop::option::of(any::<Index>());
    fuzz(&(0usize..5, changes, cut), |(kind, changes, cut)| {
        let mut bytes = sound_files()[kind].clone();
        for (index, value) in changes {
            // Headers and section frames are where damage is interesting.
            let reach = if value % 2 == 0 {
                bytes.len()
            } else {
                bytes.len().min(1000)
            };
            bytes[index.index(reach)] = value;
        }
        if let Some(kept) = cut {
            bytes.truncate(kept.index(bytes.len()));
        }
        bytes
    });
}

fn sound_files() -> &'static [Vec<u8>; 5] {
    static FILES: std::sync::OnceLock<[Vec<u8>; 5]> = std::sync::OnceLock::new();
    FILES.get_or_init(|| {
        [
            sound_key(),
            sound_witness(),
            sound_circuit(),
            sound_powers(),
            sound_transcript(),
        ]
    })
}
