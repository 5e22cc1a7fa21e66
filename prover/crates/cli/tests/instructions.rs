//! Which instructions the program uses, and keys that it knows, as a user meets both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use haca_prover::content::ContentHash;
use haca_prover_curves::isa::Isa;
use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::{write_witness, write_zkey};
use tempfile::TempDir;

/// A folder with a key, the same with a point of C off its curve, a witness, and room for the
/// program's list of checked keys.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let circuit = synthetic(Kind::Dense, 100, 3, 1);
    let mut key = write_zkey(&circuit, 1);
    fs::write(folder.path().join("a.zkey"), &key).unwrap();
    let content = section(&key, 8);
    key[content.end - 32] ^= 1;
    fs::write(folder.path().join("bad.zkey"), key).unwrap();
    fs::write(folder.path().join("a.wtns"), write_witness(&circuit)).unwrap();
    folder
}

fn section(bytes: &[u8], wanted: u32) -> std::ops::Range<usize> {
    let mut at = 12;
    loop {
        let number = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let length = u64::from_le_bytes(bytes[at + 4..at + 12].try_into().unwrap()) as usize;
        if number == wanted {
            return at + 12..at + 12 + length;
        }
        at += 12 + length;
    }
}

fn run(folder: &Path, isa: Option<&str>, parameters: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_haca-prover"));
    command
        .args(parameters)
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder.join("caches"))
        .env_remove("HACA_PROVER_ISA");
    if let Some(isa) = isa {
        command.env("HACA_PROVER_ISA", isa);
    }
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn hash_of(path: &Path) -> ContentHash {
    ContentHash::of(&fs::read(path).unwrap())
}

fn prove_known(folder: &Path, key: &str, hash: ContentHash) -> Output {
    let option = format!("--key-sha256={hash}");
    let _none = fs::remove_file(folder.join("p.json"));
    run(
        folder,
        None,
        &["prove", key, "a.wtns", "p.json", "s.json", &option],
    )
}

#[test]
fn the_version_says_what_is_used_and_every_choice_proves() {
    let folder = folder();
    let output = run(folder.path(), None, &["--version"]);
    let expected = format!(
        "haca-prover {} ({})\n",
        env!("CARGO_PKG_VERSION"),
        Isa::best()
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    for isa in Isa::ALL.into_iter().filter(|isa| isa.is_supported()) {
        let name = Some(isa.name());
        let output = run(folder.path(), name, &["--version"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.ends_with(&format!("({isa})\n")), "{text}");
        let proving = ["prove", "a.zkey", "a.wtns", "p.json", "s.json"];
        let output = run(folder.path(), name, &proving);
        assert!(output.status.success(), "{isa}: {}", stderr(&output));
        let output = run(
            folder.path(),
            name,
            &["verify", "a.zkey", "s.json", "p.json"],
        );
        assert_eq!(String::from_utf8_lossy(&output.stdout), "valid\n");
        let output = run(
            folder.path(),
            name,
            &["bench", "a.zkey", "a.wtns", "--runs", "1"],
        );
        let figures: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(figures["arithmetic"], isa.name());
    }
}

#[test]
fn instructions_that_are_none_are_refused_in_one_line() {
    let folder = folder();
    for parameters in [&["--version"][..], &["serve"], &["--help"]] {
        let output = run(folder.path(), Some("avx9"), parameters);
        assert_eq!(output.status.code(), Some(1));
        let message = stderr(&output);
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(message.contains("HACA_PROVER_ISA is \"avx9\""), "{message}");
    }
}

#[test]
fn a_known_key_is_remembered_and_another_refused() {
    let folder = folder();
    let hash = hash_of(&folder.path().join("a.zkey"));
    let wrong = ContentHash::of(b"");
    let output = prove_known(folder.path(), "a.zkey", wrong);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("a.zkey: its SHA-256 is {hash}, {wrong} expected\n");
    assert_eq!(stderr(&output), expected);
    assert!(!folder.path().join("p.json").exists());
    let list = folder.path().join("caches/haca-prover/checked-keys");
    assert!(!list.exists());

    for _ in 0..2 {
        let output = prove_known(folder.path(), "a.zkey", hash);
        assert!(output.status.success(), "{}", stderr(&output));
        let text = fs::read_to_string(&list).unwrap();
        assert_eq!(text.matches(&hash.to_string()).count(), 1);
        let output = run(
            folder.path(),
            None,
            &["verify", "a.zkey", "s.json", "p.json"],
        );
        assert_eq!(String::from_utf8_lossy(&output.stdout), "valid\n");
    }
    // Known or not, a file with other bytes has another hash.
    let output = prove_known(folder.path(), "bad.zkey", hash);
    assert!(stderr(&output).contains("expected"), "{}", stderr(&output));
}

#[test]
fn a_forged_verdict_makes_no_proof() {
    let folder = folder();
    let hash = hash_of(&folder.path().join("a.zkey"));
    assert!(prove_known(folder.path(), "a.zkey", hash).status.success());
    let bad = hash_of(&folder.path().join("bad.zkey"));
    let off_curve = "is not on the curve";
    let outcome = || {
        let output = prove_known(folder.path(), "bad.zkey", bad);
        assert_eq!(output.status.code(), Some(1));
        assert!(!folder.path().join("p.json").exists());
        stderr(&output)
    };
    let message = outcome();
    assert!(message.contains(off_curve), "{message}");
    let list = folder.path().join("caches/haca-prover/checked-keys");
    let text = fs::read_to_string(&list).unwrap();
    assert!(!text.contains(&bad.to_string()));

    fs::write(&list, format!("{text}{bad}\n")).unwrap();
    let message = outcome();
    assert!(message.contains("does not verify"), "{message}");
    // What others may have written is not even read.
    fs::set_permissions(&list, fs::Permissions::from_mode(0o666)).unwrap();
    let message = outcome();
    assert!(message.contains(off_curve), "{message}");
}
