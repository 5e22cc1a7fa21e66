//! The one-shot commands, as a user runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::{write_witness, write_zkey};
use tempfile::TempDir;

/// A folder with spaces in its name that holds a key and a witness.
fn folder() -> TempDir {
    let folder = tempfile::Builder::new()
        .prefix("two words ")
        .tempdir()
        .unwrap();
    let circuit = synthetic(Kind::Model, 100, 3, 1);
    fs::write(folder.path().join("a.zkey"), write_zkey(&circuit, 1)).unwrap();
    fs::write(folder.path().join("a.wtns"), write_witness(&circuit)).unwrap();
    folder
}

fn run(folder: &Path, parameters: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_haca-prover"))
        .args(parameters)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_proof_is_written_as_snarkjs_does_and_verifies() {
    let folder = folder();
    let output = run(
        folder.path(),
        &["prove", "a.zkey", "a.wtns", "proof.json", "public.json"],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let proof = fs::read_to_string(folder.path().join("proof.json")).unwrap();
    assert!(proof.starts_with("{\n \"pi_a\": [\n  \""), "{proof}");
    assert!(
        proof.ends_with("\"protocol\": \"groth16\",\n \"curve\": \"bn128\"\n}"),
        "{proof}"
    );

    let output = run(
        folder.path(),
        &["verify", "a.zkey", "public.json", "proof.json"],
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), "valid\n");

    let public = fs::read_to_string(folder.path().join("public.json")).unwrap();
    let signals: Vec<String> = serde_json::from_str(&public).unwrap();
    assert_eq!(signals.len(), 3);
    fs::write(
        folder.path().join("public.json"),
        public.replace(&signals[0], "12345"),
    )
    .unwrap();
    let output = run(
        folder.path(),
        &["verify", "a.zkey", "public.json", "proof.json"],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("NOT valid"));
}

#[test]
fn nothing_is_written_without_a_proof() {
    let folder = folder();
    let mut circuit = synthetic(Kind::Model, 100, 3, 1);
    let last = circuit.witness.len() - 1;
    circuit.witness[last] += haca_prover_groth16::Scalar::from(2u64);
    fs::write(folder.path().join("a.wtns"), write_witness(&circuit)).unwrap();
    let output = run(
        folder.path(),
        &["prove", "a.zkey", "a.wtns", "proof.json", "public.json"],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("does not satisfy"));
    assert!(!folder.path().join("proof.json").exists());
    assert!(!folder.path().join("public.json").exists());
}

#[test]
fn failures_name_the_file() {
    let folder = folder();
    for (parameters, words) in [
        (
            ["prove", "no.zkey", "a.wtns", "p", "q"],
            "no.zkey: No such file",
        ),
        (
            ["prove", "a.zkey", "no.wtns", "p", "q"],
            "no.wtns: No such file",
        ),
        (
            ["prove", "a.wtns", "a.wtns", "p", "q"],
            "a.wtns: not a .zkey file",
        ),
        (
            ["prove", "a.zkey", "a.zkey", "p", "q"],
            "a.zkey: not a .wtns file",
        ),
        (
            ["prove", "a.zkey", "a.wtns", "no/p", "q"],
            "no/p: No such file",
        ),
    ] {
        let output = run(folder.path(), &parameters);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

#[test]
fn wrong_parameters_show_the_usage() {
    let folder = folder();
    let output = run(folder.path(), &["prove", "a.zkey"]);
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    assert!(
        message.starts_with("error: the following required arguments were not provided:\n"),
        "{message}"
    );
    assert!(message.contains("Usage: haca-prover prove"), "{message}");
    let output = run(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("Usage: haca-prover <COMMAND>"));
    for parameters in [&["--help"][..], &["-h"], &["prove", "--help"]] {
        let output = run(folder.path(), parameters);
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("Usage: haca-prover"));
    }
}

#[test]
fn bench_prints_figures() {
    let folder = folder();
    let output = run(folder.path(), &["bench", "a.zkey", "a.wtns", "--runs", "2"]);
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(figures["proveMs"].as_array().map(Vec::len), Some(2));
    assert_eq!(figures["domain"], 128);
}
