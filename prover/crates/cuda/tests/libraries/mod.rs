//! Libraries that tests compile: fakes that are wrong in one way, and the one on the host that is right.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cuda/tests/libraries");
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../cuda");

/// A fake with these macros defined.
pub fn fake(folder: &Path, macros: &[&str]) -> PathBuf {
    let path = folder.join(format!("libfake{}.so", macros.join("-")));
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-fvisibility=hidden", "-I", SOURCES])
        .args(macros.iter().map(|name| format!("-D{name}")))
        .arg(format!("{FOLDER}/fake.c"))
        .arg("-o")
        .arg(&path);
    run(&mut compiler);
    path
}

/// The interface of `prover/cuda` on the CPU.
pub fn on_host(folder: &Path) -> PathBuf {
    let sppark = package("risc0-sppark");
    let blst = package("blst").join("blst");
    let objects = ["src/cpuid.c", "build/assembly.S"].map(|source| {
        let object = folder.join(source.replace('/', "-")).with_extension("o");
        run(Command::new("cc")
            .args([
                "-c",
                "-O2",
                "-fPIC",
                "-fvisibility=hidden",
                "-D__BLST_PORTABLE__",
            ])
            .arg(blst.join(source))
            .arg("-o")
            .arg(&object));
        object
    });
    let path = folder.join("libhost.so");
    run(Command::new("c++")
        .args([
            "-std=c++17",
            "-O2",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-DFEATURE_BN254",
        ])
        .args(["-shared", "-fPIC", "-fvisibility=hidden"])
        .args(["-I", SOURCES, "-isystem"])
        .arg(sppark)
        .arg("-isystem")
        .arg(blst.join("src"))
        .arg(format!("{FOLDER}/host.cpp"))
        .arg(format!("{SOURCES}/interface.cpp"))
        .args(objects)
        .arg(format!("-Wl,--version-script={SOURCES}/exports.map"))
        .arg("-o")
        .arg(&path));
    path
}

/// Where cargo keeps the sources of a package that only the feature `headers` names.
fn package(name: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--features",
            "headers",
        ])
        .arg("--manifest-path")
        .arg(format!("{SOURCES}/../crates/cuda/Cargo.toml"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "cargo metadata: {error}: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|package| package["name"] == name)
        .unwrap();
    Path::new(package["manifest_path"].as_str().unwrap())
        .parent()
        .unwrap()
        .to_owned()
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} (a C and C++ compiler is needed): {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
