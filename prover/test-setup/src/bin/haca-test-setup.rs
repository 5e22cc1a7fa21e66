//! Writes a synthetic circuit's key and witness for benchmarks. NOT a ceremony: the key is forgeable.

use std::path::PathBuf;
use std::process::ExitCode;

use haca_prover_devsetup::circuits::{Kind, synthetic};
use haca_prover_devsetup::{write_witness, write_zkey};

const HELP: &str = "\
Writes <prefix>.zkey and <prefix>.wtns of a synthetic circuit, for benchmarks and tests only:
the setup's secrets are derived from the seed, so anyone can forge proofs for the key.

usage: haca-devsetup <dense|model> <log2 of the domain> <seed> <prefix>";

/// Public signals of the circuits written here.
const PUBLIC_COUNT: usize = 4;

fn main() -> ExitCode {
    let parameters: Vec<String> = std::env::args().skip(1).collect();
    match run(&parameters) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(parameters: &[String]) -> Result<(), String> {
    let [kind, log_domain, seed, prefix] = parameters else {
        return Err(HELP.to_owned());
    };
    let kind = match kind.as_str() {
        "dense" => Kind::Dense,
        "model" => Kind::Model,
        other => return Err(format!("{other}: neither dense nor model\n\n{HELP}")),
    };
    let log_domain: u32 = log_domain
        .parse()
        .ok()
        .filter(|log| (4..=24).contains(log))
        .ok_or_else(|| format!("{log_domain}: not a number from 4 to 24\n\n{HELP}"))?;
    let seed = seed
        .parse()
        .map_err(|_| format!("{seed}: not a number\n\n{HELP}"))?;

    let constraints = (1 << log_domain) - PUBLIC_COUNT - 1;
    let circuit = synthetic(kind, constraints, PUBLIC_COUNT, seed);
    for (extension, bytes) in [
        ("wtns", write_witness(&circuit)),
        ("zkey", write_zkey(&circuit, seed)),
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
