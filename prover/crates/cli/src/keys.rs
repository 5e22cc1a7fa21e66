//! The commands around keys: `setup`, `contribute`, `beacon`, `verify-key`, `ptau`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use haca_prover_ceremony::{self as ceremony, CeremonyError};
use haca_prover_formats::FormatError;
use haca_prover_formats::mapped::MappedFile;
use haca_prover_formats::ptau::PowersFile;
use haca_prover_formats::r1cs::CircuitFile;

/// Files of `setup`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct SetupFiles {
    /// Circuit
    #[arg(value_name = "circuit.r1cs")]
    pub circuit: PathBuf,
    /// Powers of tau, prepared for phase 2
    #[arg(value_name = "powers.ptau")]
    pub powers: PathBuf,
    /// Written: the circuit's first key, which nobody has contributed to
    #[arg(value_name = "key.zkey")]
    pub key: PathBuf,
}

/// What to do with powers of tau.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum PtauCommand {
    /// Make a file for development: whoever makes it could forge proofs
    New(NewPowers),
}

/// What `ptau new` makes.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct NewPowers {
    /// For circuits of up to 2^power constraints and public signals
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(ceremony::powers::make::MAX_POWER)))]
    pub power: u32,
    /// Written: the powers of tau
    #[arg(value_name = "powers.ptau")]
    pub powers: PathBuf,
    /// Makes the same file again, for tests: a text that the secrets follow from
    #[arg(long, value_name = "text")]
    pub secret: Option<String>,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The message names the file already.
    #[error("{0}")]
    Named(String),
    /// About one file.
    #[error("{path}: {source}")]
    Refused {
        /// the file
        path: String,
        /// why
        source: CeremonyError,
    },
}

impl KeysError {
    fn new(path: &Path, source: CeremonyError) -> Self {
        match source {
            CeremonyError::Write { .. } | CeremonyError::Format(FormatError::Io { .. }) => {
                Self::Named(source.to_string())
            }
            source => Self::Refused {
                path: path.display().to_string(),
                source,
            },
        }
    }
}

/// Reads a mapped file, and names it where it is refused.
fn opened(path: &Path) -> Result<MappedFile, KeysError> {
    MappedFile::open(path).map_err(|error| KeysError::new(path, error.into()))
}

fn circuit<'a>(path: &Path, file: &'a MappedFile) -> Result<CircuitFile<'a>, KeysError> {
    CircuitFile::read(file.bytes()).map_err(|error| KeysError::new(path, error.into()))
}

fn powers<'a>(path: &Path, file: &'a MappedFile) -> Result<PowersFile<'a>, KeysError> {
    PowersFile::read(file.bytes()).map_err(|error| KeysError::new(path, error.into()))
}

/// `setup`.
///
/// # Errors
/// [`KeysError`]; then there is no key.
pub fn setup(files: &SetupFiles) -> Result<(), KeysError> {
    let (circuit_file, powers_file) = (opened(&files.circuit)?, opened(&files.powers)?);
    let circuit = circuit(&files.circuit, &circuit_file)?;
    let powers = powers(&files.powers, &powers_file)?;
    let hash = ceremony::setup(&circuit, &powers, &files.key)
        .map_err(|error| KeysError::new(&files.powers, error))?;
    println!("circuit {}", hex(&hash));
    Ok(())
}

/// `ptau`.
///
/// # Errors
/// [`KeysError`]; then there is no file.
pub fn ptau(command: &PtauCommand) -> Result<(), KeysError> {
    match command {
        PtauCommand::New(new) => {
            let secret = new.secret.as_deref().map(str::as_bytes);
            ceremony::powers::make::make(new.power, secret, &new.powers)
                .map_err(|error| KeysError::new(&new.powers, error))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
