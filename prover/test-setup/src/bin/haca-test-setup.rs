//! Writes a synthetic circuit's key and witness for benchmarks. NOT a ceremony: the key is forgeable.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValue;
use clap::{Parser, ValueEnum};
use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::{write_r1cs, write_witness, write_zkey};

const ABOUT: &str = "\
Writes <prefix>.r1cs, <prefix>.zkey and <prefix>.wtns of a synthetic circuit, for benchmarks and tests only: \
the setup's secrets are derived from the seed, so anyone can forge proofs for the key.";

/// Public signals of the circuits written here.
const PUBLIC_COUNT: usize = 4;

#[derive(Parser)]
#[command(name = "haca-test-setup", about = ABOUT, term_width = 80)]
struct CommandLine {
    /// Full-size witness, or mostly bits as a model's
    kind: KindName,
    /// Logarithm of the domain's size to base 2
    #[arg(value_parser = clap::value_parser!(u32).range(4..=24))]
    log_domain: u32,
    /// Draws circuit and secrets
    seed: u64,
    /// Path of both files without extension
    prefix: String,
}

#[derive(Clone)]
struct KindName(Kind);

impl ValueEnum for KindName {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Kind::Dense), Self(Kind::Model)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self.0 {
            Kind::Dense => "dense",
            Kind::Model => "model",
        }))
    }
}

fn main() -> ExitCode {
    match run(&CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(command_line: &CommandLine) -> Result<(), String> {
    let CommandLine {
        kind: KindName(kind),
        log_domain,
        seed,
        prefix,
    } = command_line;
    let constraints = (1 << log_domain) - PUBLIC_COUNT - 1;
    let circuit = synthetic(*kind, constraints, PUBLIC_COUNT, *seed);
    for (extension, bytes) in [
        ("r1cs", write_r1cs(&circuit)),
        ("wtns", write_witness(&circuit)),
        ("zkey", write_zkey(&circuit, *seed)),
    ] {
        let path = PathBuf::from(format!("{prefix}.{extension}"));
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    println!(
        "{constraints} constraints, {} signals",
        circuit.witness.len()
    );
    Ok(())
}
