//! The command line.

use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
Groth16 proofs over BN254 from snarkjs keys and witnesses.

usage: haca-prover prove <circuit.zkey> <witness.wtns> <proof.json> <public.json>
       haca-prover verify <verification_key.json | circuit.zkey> <public.json> <proof.json>
       haca-prover serve [--cache-mb N] [--queue N] [--jobs N]
       haca-prover bench <circuit.zkey> <witness.wtns> [--runs N]

serve reads one JSON request a line from its input (docs/prover-protocol.md):
  --cache-mb N   memory for loaded keys in MiB (4096)
  --queue N      requests that may wait (1024)
  --jobs N       requests worked on at once, sharing all cores (1)

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
            let (plain, options) = split(rest, &["--cache-mb", "--queue", "--jobs"])?;
            let [] = paths(&plain)?;
            let cache_mb = options[0].unwrap_or(4096);
            Ok(Command::Serve(ServeOptions {
                cache_bytes: cache_mb
                    .checked_mul(1 << 20)
                    .ok_or_else(|| format!("--cache-mb {cache_mb}: too large"))?,
                queue_limit: options[1].unwrap_or(1024),
                jobs: options[2].unwrap_or(1),
            }))
        }
        "bench" => {
            let (plain, options) = split(rest, &["--runs"])?;
            let [zkey, witness] = paths(&plain)?;
            Ok(Command::Bench(BenchOptions {
                zkey,
                witness,
                runs: options[0].unwrap_or(5),
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

/// Takes `--name value` pairs out; values are positive numbers.
fn split(
    parameters: &[String],
    names: &[&str],
) -> Result<(Vec<String>, Vec<Option<usize>>), String> {
    let mut plain = Vec::new();
    let mut values = vec![None; names.len()];
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
        let value = text
            .parse()
            .ok()
            .filter(|value| *value > 0)
            .ok_or_else(|| format!("{parameter} {text}: not a positive number"))?;
        values[position] = Some(value);
    }
    Ok((plain, values))
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
        };
        assert_eq!(
            parsed("serve --jobs 3 --cache-mb 2"),
            Ok(Command::Serve(options))
        );
        for (line, message) in [
            ("serve --jobs 0", "--jobs 0: not a positive number"),
            ("serve --jobs", "--jobs: no value given"),
            ("serve --speed 9", "--speed: no such option"),
            ("serve x", "1 files given, 0 needed"),
            ("conjure", "conjure: no such command"),
        ] {
            assert_eq!(parsed(line), Err(message.to_owned()));
        }
        let huge = format!("serve --cache-mb {}", usize::MAX);
        assert!(parsed(&huge).is_err());
    }
}
