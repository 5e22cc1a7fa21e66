//! `haca-prover`: see `haca-prover --help`.

use std::process::ExitCode;

use clap::Parser;
use haca_prover::args::{Command, CommandLine};
use haca_prover::{bench, keys, once, serve};
use haca_prover_curves::isa::Isa;

fn main() -> ExitCode {
    if let Err(error) = Isa::from_environment() {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    // Help ends here with status 0, and a command line that is wrong with status 2.
    let CommandLine { command } = CommandLine::parse();
    let result = match command {
        Command::Prove(files) => once::prove(&files).map_err(|error| error.to_string()),
        Command::Verify(files) => once::verify(&files).map_err(|error| error.to_string()),
        Command::Serve(options) => serve::run(&options).map_err(|error| error.to_string()),
        Command::Bench(options) => bench::run(&options).map_err(|error| error.to_string()),
        Command::Setup(files) => keys::setup(&files).map_err(|error| error.to_string()),
        Command::Contribute(options) => {
            keys::contribute(&options).map_err(|error| error.to_string())
        }
        Command::Beacon(options) => keys::beacon(&options).map_err(|error| error.to_string()),
        Command::VerifyKey(files) => keys::verify_key(&files).map_err(|error| error.to_string()),
        Command::Ptau(command) => keys::ptau(&command).map_err(|error| error.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
