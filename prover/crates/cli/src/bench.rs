//! `bench`: how long each part of a proof takes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use haca_prover_curves::isa;
use serde_json::json;

use crate::args::BenchOptions;
use crate::cuda;
use crate::files::{read_key, read_witness};
use crate::memory::peak_bytes;
use crate::once::CommandError;

/// Prints one JSON object with times in milliseconds.
///
/// # Errors
/// [`CommandError`] when a file is refused or a proof does not verify.
pub fn run(options: &BenchOptions) -> Result<(), CommandError> {
    let engine = cuda::engine(&options.device()).map_err(CommandError::NoDevice)?;
    let started = Instant::now();
    let key = read_key(&options.zkey)?;
    let load = started.elapsed();

    let mut backends = BTreeSet::new();
    let (mut reading, mut proving, mut verifying) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.runs {
        let started = Instant::now();
        let witness = read_witness(&options.witness)?;
        reading.push(milliseconds(started.elapsed()));

        let started = Instant::now();
        let proved = engine.prove(&key, &witness)?;
        let made = started.elapsed();
        backends.insert(proved.backend);

        let started = Instant::now();
        if !key
            .verifying()
            .verify(&proved.proof, witness.public(key.public_count()))?
        {
            return Err(CommandError::Invalid);
        }
        let verified = started.elapsed();
        // The engine verified too.
        proving.push(milliseconds(made.saturating_sub(verified)));
        verifying.push(milliseconds(verified));
    }
    let figures = json!({
        "arithmetic": isa::chosen().name(),
        "backends": backends,
        "deviceFailures": engine.device_failures(),
        "threads": rayon::current_num_threads(),
        "domain": key.domain_size(),
        "signals": key.signal_count(),
        "keyBytes": key.bytes(),
        "loadMs": milliseconds(load),
        "witnessMs": reading,
        "proveMs": proving,
        "verifyMs": verifying,
        "peakBytes": peak_bytes(),
    });
    println!("{figures}");
    Ok(())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
