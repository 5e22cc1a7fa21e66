//! The commands around keys, as a user runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::{write_r1cs, write_witness};
use tempfile::TempDir;

/// A folder with a circuit of this size, its witness and powers of tau.
fn folder(constraints: usize, power: u32) -> TempDir {
    let folder = tempfile::Builder::new()
        .prefix("two words ")
        .tempdir()
        .unwrap();
    let circuit = synthetic(Kind::Model, constraints, 3, 1);
    fs::write(folder.path().join("a.r1cs"), write_r1cs(&circuit)).unwrap();
    fs::write(folder.path().join("a.wtns"), write_witness(&circuit)).unwrap();
    let power = power.to_string();
    succeed(folder.path(), &["ptau", "new", &power, "a.ptau"]);
    folder
}

fn program(folder: &Path, parameters: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_haca-prover"));
    command.args(parameters).current_dir(folder);
    command
}

fn run(folder: &Path, parameters: &[&str]) -> Output {
    program(folder, parameters).output().unwrap()
}

fn succeed(folder: &Path, parameters: &[&str]) -> String {
    let output = run(folder, parameters);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn from_a_circuit_to_a_proof() {
    let folder = folder(100, 7);
    let path = folder.path();
    let initial = succeed(path, &["setup", "a.r1cs", "a.ptau", "0.zkey"]);
    let mine = succeed(path, &["contribute", "0.zkey", "1.zkey", "--name", "Ada\n"]);
    let last = succeed(path, &["beacon", "1.zkey", "2.zkey", "0x0aff", "10"]);
    let verified = succeed(path, &["verify-key", "a.r1cs", "a.ptau", "2.zkey"]);
    let expected = [
        initial.trim().to_owned(),
        format!("{} Ada\\n", mine.trim()),
        format!("{} beacon 0aff 2^10", last.trim()),
        "valid\n".to_owned(),
    ];
    assert_eq!(verified, expected.join("\n"));
    succeed(path, &["prove", "2.zkey", "a.wtns", "proof", "public"]);
    assert_eq!(
        succeed(path, &["verify", "2.zkey", "public", "proof"]),
        "valid\n"
    );
    assert_eq!(
        succeed(path, &["ptau", "check", "a.ptau", "--power", "7"]),
        "power 7, 0 contributions: for development only\n"
    );
}

#[test]
fn failures_name_the_file_and_write_nothing() {
    let folder = folder(100, 7);
    let path = folder.path();
    succeed(path, &["setup", "a.r1cs", "a.ptau", "0.zkey"]);
    succeed(path, &["ptau", "new", "6", "small.ptau"]);
    fs::write(
        path.join("cut.zkey"),
        &fs::read(path.join("0.zkey")).unwrap()[..900],
    )
    .unwrap();
    let before = fs::read_dir(path).unwrap().count();
    for (parameters, message) in [
        (
            &["setup", "no.r1cs", "a.ptau", "x"][..],
            "no.r1cs: No such file",
        ),
        (
            &["setup", "a.ptau", "a.ptau", "x"],
            "a.ptau: not a .r1cs file",
        ),
        (
            &["setup", "a.r1cs", "a.r1cs", "x"],
            "a.r1cs: not a .ptau file",
        ),
        (
            &["setup", "a.r1cs", "small.ptau", "x"],
            "small.ptau: powers of tau up to 2^6, 2^7 needed",
        ),
        (&["setup", "a.r1cs", "a.ptau", "no/x"], "no/x: No such file"),
        (
            &["setup", "a.r1cs", "a.ptau", "/"],
            "/: not the name of a file",
        ),
        (&["contribute", "cut.zkey", "x"], "cut.zkey: truncated"),
        (
            &["verify-key", "a.r1cs", "a.ptau", "0.zkey"],
            "0.zkey: the key has no contribution",
        ),
        (
            &["ptau", "check", "a.ptau", "--power", "8"],
            "a.ptau: powers of tau up to 2^7, 2^8 needed",
        ),
    ] {
        let output = run(path, parameters);
        assert_eq!(output.status.code(), Some(1), "{parameters:?}");
        let text = stderr(&output);
        assert!(text.contains(message), "{parameters:?}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    for parameters in [
        &["beacon", "0.zkey", "x", "0", "10"][..],
        &["beacon", "0.zkey", "x", "", "10"],
        &["beacon", "0.zkey", "x", "zz", "10"],
        &["beacon", "0.zkey", "x", "00", "9"],
        &["beacon", "0.zkey", "x", "00", "64"],
        &["beacon", "0.zkey", "x", &"00".repeat(256), "10"],
        &["ptau", "new", "0", "x"],
        &["ptau", "new", "23", "x"],
        &["setup", "a.r1cs", "a.ptau", "x", "--fast"],
    ] {
        assert_eq!(
            run(path, parameters).status.code(),
            Some(2),
            "{parameters:?}"
        );
    }
    assert_eq!(fs::read_dir(path).unwrap().count(), before);
}

#[test]
fn entropy_comes_from_a_file_or_standard_input_and_from_no_command_line() {
    let folder = folder(100, 7);
    let path = folder.path();
    succeed(path, &["setup", "a.r1cs", "a.ptau", "0.zkey"]);
    fs::write(path.join("dice"), "4 2 6").unwrap();
    fs::write(path.join("large"), vec![7; (1 << 20) + 1]).unwrap();
    succeed(
        path,
        &["contribute", "0.zkey", "1.zkey", "--entropy-from", "dice"],
    );
    let from_input = |input: &[u8]| {
        let mut child = program(
            path,
            &["contribute", "0.zkey", "2.zkey", "--entropy-from=-"],
        )
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = from_input(b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("entropy: - has no bytes, must have 1 to 1048576"));
    assert!(!path.join("2.zkey").exists());
    assert!(from_input(b"4 2 6").status.success());
    assert!(path.join("2.zkey").exists());
    for (file, message) in [
        ("large", "entropy: large has more bytes"),
        ("none", "entropy: none: No such file"),
    ] {
        let output = run(path, &["contribute", "0.zkey", "x", "--entropy-from", file]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
    }
    let text = ["contribute", "0.zkey", "x", "--entropy=4 2 6"];
    assert_eq!(run(path, &text).status.code(), Some(2));
    assert!(!path.join("x").exists());
}

#[test]
fn a_killed_program_leaves_no_file_of_that_name() {
    let folder = folder(8_000, 13);
    let path = folder.path();
    succeed(path, &["setup", "a.r1cs", "a.ptau", "0.zkey"]);
    for parameters in [
        &["setup", "a.r1cs", "a.ptau", "x"][..],
        &["contribute", "0.zkey", "x"],
        &["ptau", "new", "14", "x"],
    ] {
        let files = || fs::read_dir(path).unwrap().count();
        let before = files();
        let mut child = program(path, parameters)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It works on a file of another name, for longer than it takes to see that.
        while files() == before {
            assert_eq!(child.try_wait().unwrap(), None, "{parameters:?}");
        }
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "{parameters:?}");
        assert!(!path.join("x").exists(), "{parameters:?}");
    }
    // What was left behind is in nobody's way.
    succeed(path, &["setup", "a.r1cs", "a.ptau", "x"]);
    assert_eq!(
        fs::read(path.join("x")).unwrap(),
        fs::read(path.join("0.zkey")).unwrap()
    );
}
