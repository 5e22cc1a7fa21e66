//! The command line.

use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
Groth16 proofs over BN254 from snarkjs keys and witnesses.

usage: haca-prover prove <circuit.zkey> <witness.wtns> <proof.json> <public.json>
       haca-prover verify <verification_key.json | circuit.zkey> <public.json> <proof.json>
       haca-prover serve [--cache-mb N] [--queue N] [--jobs N] [--backend B] [--device-cache-mb N]
       haca-prover bench <circuit.zkey> <witness.wtns> [--runs N] [--backend B]

serve reads one JSON request a line from its input (docs/prover-protocol.md):
  --cache-mb N   memory for loaded keys in MiB (4096)
  --queue N      requests that may wait (1024)
  --jobs N       requests worked on at once, sharing all cores (1)
  --device-cache-mb N   memory for keys on the device in MiB (three quarters of it)

--backend auto|cpu|cuda says where proofs are made: auto (serve) is the device if there is one;
bench takes the CPU unless told otherwise. The library is libhaca_cuda.so beside this program, or
what HACA_PROVER_CUDA_LIBRARY names (docs/gpu.md).

The number of threads is that of the cores; RAYON_NUM_THREADS sets another.";

/// A parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// `--help`
    Help,
    /// `prove`
    Prove(ProveFiles),
    /// `verify`
    Verify(VerifyFiles),
    /// `serve`
    Serve(ServeOptions),
    /// `bench`
    Bench(BenchOptions),
}

/// Files of `prove`.
#[derive(Debug, PartialEq, Eq)]
pub struct ProveFiles {
    /// proving key
    pub zkey: PathBuf,
    /// witness
    pub witness: PathBuf,
    /// written: the proof
    pub proof: PathBuf,
    /// written: the public signals
    pub public: PathBuf,
}

/// Files of `verify`.
#[derive(Debug, PartialEq, Eq)]
pub struct VerifyFiles {
    /// verifying key in JSON, or a proving key
    pub key: PathBuf,
    /// public signals
    pub public: PathBuf,
    /// proof
    pub proof: PathBuf,
}

/// Limits of `serve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// bytes of loaded keys
    pub cache_bytes: usize,
    /// requests that may wait
    pub queue_limit: usize,
    /// requests worked on at once
    pub jobs: usize,
    /// where proofs are made
    pub device: DeviceOptions,
}

/// Where proofs are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceOptions {
    /// on what
    pub backend: BackendChoice,
    /// bytes of keys on the device; most of its memory if not given
    pub key_bytes: Option<u64>,
}

/// What makes proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendChoice {
    /// the device if there is one, else the CPU
    Auto,
    /// the CPU
    Cpu,
    /// the device, or nothing
    Cuda,
}

/// What `bench` measures.
#[derive(Debug, PartialEq, Eq)]
pub struct BenchOptions {
    /// proving key
    pub zkey: PathBuf,
    /// witness
    pub witness: PathBuf,
    /// proofs to make
    pub runs: usize,
    /// where proofs are made
    pub device: DeviceOptions,
}

/// Reads the parameters after the program's name.
///
/// # Errors
/// A message that names the parameter in question.
pub fn parse(parameters: &[String]) -> Result<Command, String> {
    let Some((name, rest)) = parameters.split_first() else {
        return Err("no command given".to_owned());
    };
    if parameters
        .iter()
        .any(|parameter| parameter == "--help" || parameter == "-h")
    {
        return Ok(Command::Help);
    }
    match name.as_str() {
        "prove" => {
            let [zkey, witness, proof, public] = paths(rest)?;
            Ok(Command::Prove(ProveFiles {
                zkey,
                witness,
                proof,
                public,
            }))
        }
        "verify" => {
            let [key, public, proof] = paths(rest)?;
            Ok(Command::Verify(VerifyFiles { key, public, proof }))
        }
        "serve" => {
            const NAMES: [&str; 5] = [
                "--cache-mb",
                "--queue",
                "--jobs",
                "--backend",
                "--device-cache-mb",
            ];
            let (plain, [cache_mb, queue, jobs, backend, device_mb]) = split(rest, NAMES)?;
            let [] = paths(&plain)?;
            let cache_bytes = mebibytes(NAMES[0], number(NAMES[0], cache_mb)?.unwrap_or(4096))?;
            let device_mb = number(NAMES[4], device_mb)?;
            Ok(Command::Serve(ServeOptions {
                cache_bytes,
                queue_limit: number(NAMES[1], queue)?.unwrap_or(1024),
                jobs: number(NAMES[2], jobs)?.unwrap_or(1),
                device: DeviceOptions {
                    backend: choice(backend)?.unwrap_or(BackendChoice::Auto),
                    key_bytes: device_mb
                        .map(|mb| mebibytes(NAMES[4], mb).map(|bytes| bytes as u64))
                        .transpose()?,
                },
            }))
        }
        "bench" => {
            let (plain, [runs, backend]) = split(rest, ["--runs", "--backend"])?;
            let [zkey, witness] = paths(&plain)?;
            Ok(Command::Bench(BenchOptions {
                zkey,
                witness,
                runs: number("--runs", runs)?.unwrap_or(5),
                device: DeviceOptions {
                    backend: choice(backend)?.unwrap_or(BackendChoice::Cpu),
                    key_bytes: None,
                },
            }))
        }
        other => Err(format!("{other}: no such command")),
    }
}

fn paths<const N: usize>(parameters: &[String]) -> Result<[PathBuf; N], String> {
    let paths: Vec<PathBuf> = parameters.iter().map(PathBuf::from).collect();
    paths
        .try_into()
        .map_err(|given: Vec<_>| format!("{} files given, {N} needed", given.len()))
}

/// Takes `--name value` pairs out; the values stand in the order of `names`.
fn split<const N: usize>(
    parameters: &[String],
    names: [&str; N],
) -> Result<(Vec<String>, [Option<String>; N]), String> {
    let mut plain = Vec::new();
    let mut values = [const { None }; N];
    let mut rest = parameters.iter();
    while let Some(parameter) = rest.next() {
        if !parameter.starts_with("--") {
            plain.push(parameter.clone());
            continue;
        }
        let position = names
            .iter()
            .position(|name| name == parameter)
            .ok_or_else(|| format!("{parameter}: no such option"))?;
        let text = rest
            .next()
            .ok_or_else(|| format!("{parameter}: no value given"))?;
        values[position] = Some(text.clone());
    }
    Ok((plain, values))
}

fn number(name: &str, text: Option<String>) -> Result<Option<usize>, String> {
    text.map(|text| {
        text.parse()
            .ok()
            .filter(|value| *value > 0)
            .ok_or_else(|| format!("{name} {text}: not a positive number"))
    })
    .transpose()
}

fn mebibytes(name: &str, count: usize) -> Result<usize, String> {
    count
        .checked_mul(1 << 20)
        .ok_or_else(|| format!("{name} {count}: too large"))
}

fn choice(text: Option<String>) -> Result<Option<BackendChoice>, String> {
    text.map(|text| match text.as_str() {
        "auto" => Ok(BackendChoice::Auto),
        "cpu" => Ok(BackendChoice::Cpu),
        "cuda" => Ok(BackendChoice::Cuda),
        _ => Err(format!("--backend {text}: neither auto nor cpu nor cuda")),
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn prove_takes_four_files_in_the_customary_order() {
        let files = ProveFiles {
            zkey: "a".into(),
            witness: "b".into(),
            proof: "c".into(),
            public: "d".into(),
        };
        assert_eq!(parsed("prove a b c d"), Ok(Command::Prove(files)));
        assert_eq!(
            parsed("prove a b c"),
            Err("3 files given, 4 needed".to_owned())
        );
    }

    #[test]
    fn serve_has_defaults_and_limits() {
        let options = ServeOptions {
            cache_bytes: 2 << 20,
            queue_limit: 1024,
            jobs: 3,
            device: DeviceOptions {
                backend: BackendChoice::Cuda,
                key_bytes: Some(5 << 20),
            },
        };
        assert_eq!(
            parsed("serve --jobs 3 --cache-mb 2 --backend cuda --device-cache-mb 5"),
            Ok(Command::Serve(options))
        );
        for (line, message) in [
            ("serve --jobs 0", "--jobs 0: not a positive number"),
            ("serve --jobs", "--jobs: no value given"),
            ("serve --speed 9", "--speed: no such option"),
            (
                "serve --backend tpu",
                "--backend tpu: neither auto nor cpu nor cuda",
            ),
            ("serve x", "1 files given, 0 needed"),
            ("conjure", "conjure: no such command"),
        ] {
            assert_eq!(parsed(line), Err(message.to_owned()));
        }
        let huge = format!("serve --cache-mb {}", usize::MAX);
        assert!(parsed(&huge).is_err());
        let huge = format!("serve --device-cache-mb {}", usize::MAX);
        assert!(parsed(&huge).is_err());
    }

    #[test]
    fn serve_looks_for_a_device_and_bench_does_not() {
        let backend = |line| match parsed(line) {
            Ok(Command::Serve(options)) => options.device.backend,
            Ok(Command::Bench(options)) => options.device.backend,
            other => panic!("{other:?}"),
        };
        assert_eq!(backend("serve"), BackendChoice::Auto);
        assert_eq!(backend("serve --backend cpu"), BackendChoice::Cpu);
        assert_eq!(backend("bench a b"), BackendChoice::Cpu);
        assert_eq!(backend("bench a b --backend cuda"), BackendChoice::Cuda);
    }
}
