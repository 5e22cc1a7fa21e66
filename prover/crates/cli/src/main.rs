//! `haca-prover`: see `haca-prover --help`.

use std::process::ExitCode;

use haca_prover::args::{Command, HELP, parse};
use haca_prover::{bench, cpu, once, serve};

fn main() -> ExitCode {
    if let Err(message) = cpu::check() {
        eprintln!("{message}");
        return ExitCode::FAILURE;
    }
    let parameters: Vec<String> = std::env::args().skip(1).collect();
    let command = match parse(&parameters) {
        Ok(command) => command,
        Err(message) => {
            eprintln!("{message}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let outcome = match command {
        Command::Help => {
            println!("{HELP}");
            Ok(())
        }
        Command::Prove(files) => once::prove(&files).map_err(|error| error.to_string()),
        Command::Verify(files) => once::verify(&files).map_err(|error| error.to_string()),
        Command::Serve(options) => serve::run(&options).map_err(|error| error.to_string()),
        Command::Bench(options) => bench::run(&options).map_err(|error| error.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
