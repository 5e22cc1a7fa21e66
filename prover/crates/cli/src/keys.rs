//! The commands around keys: `setup`, `contribute`, `beacon`, `verify-key`, `ptau`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use haca_prover_ceremony::{self as ceremony, CeremonyError, InitialKey};
use haca_prover_formats::FormatError;
use haca_prover_formats::mapped::MappedFile;
use haca_prover_formats::ptau::PowersFile;
use haca_prover_formats::r1cs::CircuitFile;
use haca_prover_formats::transcript::Beacon;

/// Bytes of entropy, at most: it is hashed to 32.
const MAX_ENTROPY: u64 = 1 << 20;

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

/// Files of `verify-key`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct VerifyKeyFiles {
    /// Circuit
    #[arg(value_name = "circuit.r1cs")]
    pub circuit: PathBuf,
    /// Powers of tau that the key was made from, checked before
    #[arg(value_name = "powers.ptau")]
    pub powers: PathBuf,
    /// Key
    #[arg(value_name = "key.zkey")]
    pub key: PathBuf,
}

/// Files and options of `contribute`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct ContributeOptions {
    /// Key
    #[arg(value_name = "key.zkey")]
    pub key: PathBuf,
    /// Written: the key with one contribution more
    #[arg(value_name = "next.zkey")]
    pub next: PathBuf,
    /// Who contributes; cut after 64 characters
    #[arg(long, value_name = "text")]
    pub name: Option<String>,
    /// Mixed into the randomness of the operating system; -: standard input. Command lines can be read by others
    #[arg(long, value_name = "file")]
    pub entropy_from: Option<PathBuf>,
}

/// Files and options of `beacon`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct BeaconOptions {
    /// Key
    #[arg(value_name = "key.zkey")]
    pub key: PathBuf,
    /// Written: the key with the beacon's contribution
    #[arg(value_name = "next.zkey")]
    pub next: PathBuf,
    /// Public randomness that nobody could know before: 1 to 255 bytes in hex
    #[arg(value_parser = hex_bytes)]
    pub beacon: Hex,
    /// Hashed 2^N times
    #[arg(value_name = "N", value_parser = clap::value_parser!(u8).range(10..=63))]
    pub iterations: u8,
    /// Name of the contribution; cut after 64 characters
    #[arg(long, value_name = "text")]
    pub name: Option<String>,
}

/// Bytes given in hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

fn hex_bytes(text: &str) -> Result<Hex, &'static str> {
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    if digits.is_empty() || digits.len() > 2 * 255 || !digits.len().is_multiple_of(2) {
        return Err("not 1 to 255 bytes in hex");
    }
    let digit = |digit: u8| char::from(digit).to_digit(16);
    digits
        .chunks_exact(2)
        .map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8))
        .collect::<Option<_>>()
        .map(Hex)
        .ok_or("not 1 to 255 bytes in hex")
}

/// What to do with powers of tau.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum PtauCommand {
    /// Make a file for development: whoever makes it could forge proofs
    New(NewPowers),
    /// Check a file: every point, every power, and what phase 2 needs
    Check(CheckPowers),
}

/// What `ptau check` looks at.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct CheckPowers {
    /// Powers of tau, prepared for phase 2
    #[arg(value_name = "powers.ptau")]
    pub powers: PathBuf,
    /// Must suffice for circuits of up to 2^N
    #[arg(long, value_name = "N")]
    pub power: Option<u32>,
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
    let about_powers = |error| KeysError::new(&files.powers, error);
    let key = InitialKey::new(&circuit, &powers).map_err(about_powers)?;
    let hash = ceremony::setup(&key, &files.key).map_err(about_powers)?;
    println!("circuit {}", hex(&hash));
    Ok(())
}

/// `contribute`.
///
/// # Errors
/// [`KeysError`]; then there is no key.
pub fn contribute(options: &ContributeOptions) -> Result<(), KeysError> {
    let key = opened(&options.key)?;
    let entropy = match &options.entropy_from {
        Some(path) => read_entropy(path)?,
        None => Vec::new(),
    };
    let name = options.name.as_deref();
    let hash = ceremony::contribute(key.bytes(), name, &entropy, &options.next)
        .map_err(|error| KeysError::new(&options.key, error))?;
    println!("contribution {}", hex(&hash));
    Ok(())
}

/// Bytes of a file or of standard input, 1 to [`MAX_ENTROPY`].
fn read_entropy(path: &Path) -> Result<Vec<u8>, KeysError> {
    let name = path.display();
    let unreadable = |error: io::Error| KeysError::Named(format!("entropy: {name}: {error}"));
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(unreadable)?)
    };
    let mut bytes = Vec::new();
    source
        .take(MAX_ENTROPY + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.is_empty() || bytes.len() as u64 > MAX_ENTROPY {
        let size = if bytes.is_empty() { "no" } else { "more" };
        return Err(KeysError::Named(format!(
            "entropy: {name} has {size} bytes, must have 1 to {MAX_ENTROPY}"
        )));
    }
    Ok(bytes)
}

/// `beacon`.
///
/// # Errors
/// [`KeysError`]; then there is no key.
pub fn beacon(options: &BeaconOptions) -> Result<(), KeysError> {
    let key = opened(&options.key)?;
    let beacon = Beacon {
        iterations_log: options.iterations,
        value: &options.beacon.0,
    };
    let hash = ceremony::beacon(key.bytes(), options.name.as_deref(), beacon, &options.next)
        .map_err(|error| KeysError::new(&options.key, error))?;
    println!("contribution {}", hex(&hash));
    Ok(())
}

/// `verify-key`: prints the hashes of the transcript.
///
/// # Errors
/// [`KeysError`] says what is wrong with which file.
pub fn verify_key(files: &VerifyKeyFiles) -> Result<(), KeysError> {
    let (circuit_file, powers_file) = (opened(&files.circuit)?, opened(&files.powers)?);
    let circuit = circuit(&files.circuit, &circuit_file)?;
    let powers = powers(&files.powers, &powers_file)?;
    let initial =
        InitialKey::new(&circuit, &powers).map_err(|error| KeysError::new(&files.powers, error))?;
    let key = opened(&files.key)?;
    let verified = ceremony::verify(&initial, key.bytes())
        .map_err(|error| KeysError::new(&files.key, error))?;
    println!("circuit {}", hex(&verified.circuit_hash));
    for contribution in &verified.contributions {
        let beacon = contribution
            .beacon
            .as_ref()
            .map(|(value, log)| format!(" beacon {} 2^{log}", hex(value)));
        let name = contribution
            .name
            .as_ref()
            .map(|name| format!(" {}", name.escape_debug()));
        println!(
            "contribution {}{}{}",
            hex(&contribution.hash),
            beacon.unwrap_or_default(),
            name.unwrap_or_default()
        );
    }
    println!("valid");
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
        PtauCommand::Check(check) => {
            let file = opened(&check.powers)?;
            let powers = powers(&check.powers, &file)?;
            ceremony::powers::check::check(&powers, check.power)
                .map_err(|error| KeysError::new(&check.powers, error))?;
            let (power, count) = (powers.power, powers.contribution_count);
            let warning = if count == 0 {
                ": for development only"
            } else {
                ""
            };
            println!("power {power}, {count} contributions{warning}");
            Ok(())
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
