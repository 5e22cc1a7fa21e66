//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use haca_prover_curves::isa;

use crate::content::ContentHash;

use crate::keys::{BeaconOptions, ContributeOptions, PtauCommand, SetupFiles, VerifyKeyFiles};

const ABOUT: &str = "Groth16 proofs over BN254 from snarkjs keys and witnesses.";

const ENVIRONMENT: &str = "\
The CUDA library is libhaca_cuda.so beside this program, or what \
HACA_PROVER_CUDA_LIBRARY names (docs/gpu.md). The number of threads is that of \
the cores; RAYON_NUM_THREADS sets another. Arithmetic uses the best instructions \
of this CPU; HACA_PROVER_ISA forces others: plain, adx or ifma.";

/// On two lines, which clap would write on one.
const PROVE_USAGE: &str = "\
haca-prover prove [OPTIONS] <key.zkey> <witness.wtns> <proof.json>
                         <public.json>";

/// A parsed command line.
#[derive(Debug, Parser)]
#[command(
    name = "haca-prover",
    version = version(),
    about = ABOUT,
    after_help = ENVIRONMENT,
    term_width = 80,
    args_override_self = true,
    disable_help_subcommand = true
)]
pub struct CommandLine {
    /// what to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Write a proof and its public signals
    #[command(override_usage = PROVE_USAGE)]
    Prove(ProveFiles),
    /// Verify a proof
    Verify(VerifyFiles),
    /// Read one JSON request a line, write one response a line
    #[command(after_help = "docs/prover-protocol.md says what requests there are.")]
    Serve(ServeOptions),
    /// Time the parts of a proof
    Bench(BenchOptions),
    /// Make a circuit's first key
    Setup(SetupFiles),
    /// Add a secret to a key, and forget it
    Contribute(ContributeOptions),
    /// Add public randomness to a key
    Beacon(BeaconOptions),
    /// Verify that a key follows from its circuit and its contributions
    VerifyKey(VerifyKeyFiles),
    /// Make, or check, powers of tau
    #[command(subcommand)]
    Ptau(PtauCommand),
}

/// Files of `prove`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct ProveFiles {
    /// Proving key
    #[arg(value_name = "key.zkey")]
    pub zkey: PathBuf,
    /// Witness
    #[arg(value_name = "witness.wtns")]
    pub witness: PathBuf,
    /// Written: the proof
    #[arg(value_name = "proof.json")]
    pub proof: PathBuf,
    /// Written: the public signals
    #[arg(value_name = "public.json")]
    pub public: PathBuf,
    /// The key's SHA-256: a key with another is refused, and one that was checked before is
    /// not checked again
    #[arg(long = "key-sha256", value_name = "HEX", value_parser = content_hash)]
    pub key_sha256: Option<ContentHash>,
}

/// Files of `verify`.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct VerifyFiles {
    /// Verifying key in JSON, or a proving key
    #[arg(value_name = "verification_key.json")]
    pub key: PathBuf,
    /// Public signals
    #[arg(value_name = "public.json")]
    pub public: PathBuf,
    /// Proof
    #[arg(value_name = "proof.json")]
    pub proof: PathBuf,
}

/// Limits of `serve`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(allow_negative_numbers = true)]
pub struct ServeOptions {
    /// Memory for loaded keys in MiB
    #[arg(long = "cache-mb", value_name = "N", default_value = "4096", value_parser = mebibytes)]
    pub cache_bytes: usize,
    /// Requests that may wait
    #[arg(long = "queue", value_name = "N", default_value = "1024", value_parser = positive)]
    pub queue_limit: usize,
    /// Requests worked on at once, sharing all cores
    #[arg(long, value_name = "N", default_value = "1", value_parser = positive)]
    pub jobs: usize,
    /// Where proofs are made; auto is the device if there is one
    #[arg(long, value_enum, value_name = "B", default_value = "auto")]
    pub backend: Backend,
    /// Memory for keys on the device in MiB; three quarters of it unless given
    #[arg(long = "device-cache-mb", value_name = "N", value_parser = mebibytes)]
    pub device_cache_bytes: Option<usize>,
}

/// What `bench` measures.
#[derive(Debug, PartialEq, Eq, Args)]
#[command(allow_negative_numbers = true)]
pub struct BenchOptions {
    /// Proving key
    #[arg(value_name = "key.zkey")]
    pub zkey: PathBuf,
    /// Witness
    #[arg(value_name = "witness.wtns")]
    pub witness: PathBuf,
    /// Proofs to make
    #[arg(long, value_name = "N", default_value = "5", value_parser = positive)]
    pub runs: usize,
    /// Where proofs are made; auto is the device if there is one
    #[arg(long, value_enum, value_name = "B", default_value = "cpu")]
    pub backend: Backend,
}

/// What makes proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// the device if there is one, else the CPU
    #[value(help = None::<&str>)]
    Auto,
    /// the CPU
    #[value(help = None::<&str>)]
    Cpu,
    /// the device, or nothing
    #[value(help = None::<&str>)]
    Cuda,
}

/// Where proofs are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceOptions {
    /// on what
    pub backend: Backend,
    /// bytes of keys on the device; most of its memory if not given
    pub key_bytes: Option<u64>,
}

impl ServeOptions {
    /// Where its proofs are made.
    pub fn device(&self) -> DeviceOptions {
        DeviceOptions {
            backend: self.backend,
            key_bytes: self.device_cache_bytes.map(|bytes| bytes as u64),
        }
    }
}

impl BenchOptions {
    /// Where its proofs are made.
    pub fn device(&self) -> DeviceOptions {
        DeviceOptions {
            backend: self.backend,
            key_bytes: None,
        }
    }
}

/// Version of the program, and which instructions it uses here.
fn version() -> &'static str {
    format!("{} ({})", env!("CARGO_PKG_VERSION"), isa::chosen()).leak()
}

fn content_hash(text: &str) -> Result<ContentHash, &'static str> {
    ContentHash::parse(text).ok_or("not 64 hexadecimal digits")
}

fn positive(text: &str) -> Result<usize, &'static str> {
    text.parse()
        .ok()
        .filter(|value| *value > 0)
        .ok_or("not a positive integer")
}

fn mebibytes(text: &str) -> Result<usize, &'static str> {
    positive(text)?.checked_mul(1 << 20).ok_or("too large")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    fn parsed(line: &str) -> Result<Command, clap::Error> {
        CommandLine::try_parse_from(format!("haca-prover {line}").split_whitespace())
            .map(|CommandLine { command }| command)
    }

    /// The first line of the message.
    fn refused(line: &str) -> String {
        let message = parsed(line).unwrap_err().to_string();
        message.lines().next().unwrap().to_owned()
    }

    #[test]
    fn prove_takes_four_files_in_the_customary_order() {
        let files = ProveFiles {
            zkey: "a".into(),
            witness: "b".into(),
            proof: "c".into(),
            public: "d".into(),
            key_sha256: None,
        };
        assert_eq!(parsed("prove a b c d").unwrap(), Command::Prove(files));
        let hash = ContentHash::of(b"a");
        match parsed(&format!("prove a b c d --key-sha256 {hash}")).unwrap() {
            Command::Prove(files) => assert_eq!(files.key_sha256, Some(hash)),
            other => panic!("{other:?}"),
        }
        assert_eq!(
            refused("prove a b c d --key-sha256 12"),
            "error: invalid value '12' for '--key-sha256 <HEX>': not 64 hexadecimal digits"
        );
        let error = parsed("prove a b c").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument);
        assert!(error.to_string().contains("<public.json>"), "{error}");
    }

    #[test]
    fn verify_takes_the_key_first_and_the_proof_last() {
        let files = VerifyFiles {
            key: "a".into(),
            public: "b".into(),
            proof: "c".into(),
        };
        assert_eq!(parsed("verify a b c").unwrap(), Command::Verify(files));
    }

    #[test]
    fn serve_has_defaults_and_limits() {
        let options = ServeOptions {
            cache_bytes: 2 << 20,
            queue_limit: 1024,
            jobs: 3,
            backend: Backend::Cuda,
            device_cache_bytes: Some(5 << 20),
        };
        assert_eq!(
            parsed("serve --jobs 3 --cache-mb 2 --backend cuda --device-cache-mb 5").unwrap(),
            Command::Serve(options)
        );
        let options = ServeOptions {
            cache_bytes: 4 << 30,
            queue_limit: 1024,
            jobs: 1,
            backend: Backend::Auto,
            device_cache_bytes: None,
        };
        assert_eq!(parsed("serve").unwrap(), Command::Serve(options));
        for (line, message) in [
            (
                "serve --jobs 0",
                "error: invalid value '0' for '--jobs <N>': not a positive integer",
            ),
            (
                "serve --jobs -1",
                "error: invalid value '-1' for '--jobs <N>': not a positive integer",
            ),
            (
                "serve --jobs",
                "error: a value is required for '--jobs <N>' but none was supplied",
            ),
            (
                "serve --speed 9",
                "error: unexpected argument '--speed' found",
            ),
            (
                "serve --backend tpu",
                "error: invalid value 'tpu' for '--backend <B>'",
            ),
            ("serve x", "error: unexpected argument 'x' found"),
            ("conjure", "error: unrecognized subcommand 'conjure'"),
        ] {
            assert_eq!(refused(line), message);
        }
        let most = usize::MAX;
        for name in ["--cache-mb", "--device-cache-mb"] {
            assert_eq!(
                refused(&format!("serve {name} {most}")),
                format!("error: invalid value '{most}' for '{name} <N>': too large")
            );
        }
    }

    #[test]
    fn the_last_of_equal_options_counts() {
        match parsed("serve --jobs 2 --jobs 3").unwrap() {
            Command::Serve(options) => assert_eq!(options.jobs, 3),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn serve_looks_for_a_device_and_bench_does_not() {
        let backend = |line| match parsed(line) {
            Ok(Command::Serve(options)) => options.device().backend,
            Ok(Command::Bench(options)) => options.device().backend,
            other => panic!("{other:?}"),
        };
        assert_eq!(backend("serve"), Backend::Auto);
        assert_eq!(backend("serve --backend cpu"), Backend::Cpu);
        assert_eq!(backend("bench a b"), Backend::Cpu);
        assert_eq!(backend("bench a b --backend cuda"), Backend::Cuda);
    }

    #[test]
    fn help_fits_80_columns() {
        let mut program = CommandLine::command();
        program.build();
        let commands = program.get_subcommands_mut();
        let mut texts: Vec<String> = commands
            .flat_map(|command| [command.render_help(), command.render_long_help()])
            .map(|help| help.to_string())
            .collect();
        texts.push(program.render_help().to_string());
        for text in texts {
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }
}
