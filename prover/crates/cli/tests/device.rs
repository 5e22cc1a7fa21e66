//! `serve` with libraries in place of the CUDA library: whatever a device does, clients get right proofs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../cuda/tests/libraries/mod.rs"]
mod libraries;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::{write_witness, write_zkey};
use libraries::{fake, on_host};
use serde_json::{Value, json};
use tempfile::TempDir;

const VARIABLE: &str = "HACA_PROVER_CUDA_LIBRARY";

struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(library: &Path, parameters: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_haca-prover"))
            .arg("serve")
            .args(parameters)
            .env(VARIABLE, library)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    fn ask(&mut self, mut request: Value) -> Value {
        request["id"] = json!(1);
        writeln!(self.child.stdin.as_mut().unwrap(), "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["ok"], true, "{answer}");
        answer["result"].clone()
    }

    /// Makes a proof, checks it, and returns its backend.
    fn prove(&mut self, files: &Files) -> String {
        let made = self.ask(json!({"op": "prove", "zkey": files.zkey, "witness": files.witness}));
        let checked = self.ask(json!({
            "op": "verify", "zkey": files.zkey,
            "proof": made["proof"], "publicSignals": made["publicSignals"],
        }));
        assert_eq!(checked["valid"], true);
        made["backend"].as_str().unwrap().to_owned()
    }

    /// Proofs by the device, its failures, proofs that the CPU made in its place.
    fn counts(&mut self) -> [u64; 3] {
        let stats = self.ask(json!({"op": "stats"}));
        ["deviceProofs", "deviceFailures", "deviceFallbacks"]
            .map(|name| stats[name].as_u64().unwrap())
    }

    fn device_key_bytes(&mut self) -> u64 {
        let stats = self.ask(json!({"op": "stats"}));
        stats["deviceKeyBytes"].as_u64().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Files {
    zkey: PathBuf,
    witness: PathBuf,
}

fn files(folder: &TempDir, constraints: usize, seed: u64) -> Files {
    let circuit = synthetic(Kind::Model, constraints, 2, seed);
    let zkey = folder.path().join(format!("{seed}.zkey"));
    let witness = folder.path().join(format!("{seed}.wtns"));
    fs::write(&zkey, write_zkey(&circuit, seed)).unwrap();
    fs::write(&witness, write_witness(&circuit)).unwrap();
    Files { zkey, witness }
}

#[test]
fn proofs_come_from_the_device_and_keys_on_it_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    // Two keys of 1000 constraints take about 400 KiB each.
    let mut server = Server::start(&on_host(folder.path()), &["--device-cache-mb", "1"]);
    let hello = server.ask(json!({"op": "hello"}));
    assert_eq!(
        hello["backends"][0],
        json!({
            "kind": "device", "name": "cuda: host",
            "memoryBytes": 1 << 30, "keyLimitBytes": 1 << 20,
        })
    );
    let mut sizes = Vec::new();
    for seed in 1..=3 {
        assert_eq!(server.prove(&files(&folder, 1000, seed)), "cuda: host");
        sizes.push(server.device_key_bytes());
    }
    assert_eq!(server.counts(), [3, 0, 0]);
    assert!(sizes[0] > 0 && sizes[1] > sizes[0], "{sizes:?}");
    assert!(sizes[2] <= 1 << 20, "{sizes:?}");
}

#[test]
fn circuits_too_small_for_a_device_are_proven_on_the_cpu() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(&fake(folder.path(), &["PROVE_FAILS"]), &[]);
    assert_eq!(server.prove(&files(&folder, 500, 1)), "cpu");
    assert_eq!(server.counts(), [0, 0, 0]);
}

#[test]
fn what_a_device_fails_at_twice_is_proven_on_the_cpu_and_counted() {
    for mistake in [&["PROVE_FAILS"][..], &["LOAD_FAILS"], &["OFF_CURVE"], &[]] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start(&fake(folder.path(), mistake), &[]);
        assert_eq!(server.prove(&files(&folder, 600, 1)), "cpu", "{mistake:?}");
        assert_eq!(server.counts(), [0, 2, 1], "{mistake:?}");
    }
}

fn ended(library: &Path, parameters: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_haca-prover"))
        .args(parameters)
        .env(VARIABLE, library)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn without_a_device_it_says_so_in_one_line_and_goes_on_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("none.so");
    for library in [&absent, &fake(folder.path(), &["NO_DEVICE"])] {
        let output = ended(library, &["serve"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success());
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.starts_with("no CUDA, proofs are made on the CPU: "),
            "{said}"
        );

        for command in [&["serve"][..], &["bench", "a.zkey", "a.wtns"]] {
            let output = ended(library, &[command, &["--backend", "cuda"]].concat());
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1));
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(said.starts_with("--backend cuda: "), "{said}");
        }

        let output = ended(library, &["serve", "--backend", "cpu"]);
        assert!(output.status.success() && output.stderr.is_empty());
    }
}
