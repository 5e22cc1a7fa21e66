//! What requests do.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use haca_prover_curves::isa;
use haca_prover_groth16::ProvingKey;
use haca_prover_groth16::json::{read_proof, read_signals, write_proof, write_signals};
use serde_json::{Value, json};

use super::error::RequestError;
use super::lines::MAX_LINE;
use super::queue::FairQueue;
use super::request::{KeyChoice, Operation, Prove, Request, Verify};
use crate::args::ServeOptions;
use crate::cache::KeyCache;
use crate::content::ContentHash;
use crate::engine::Engine;
use crate::files::read_witness;
use crate::memory;

/// Version of the protocol: changes when a client must.
const PROTOCOL: u32 = 1;

/// The state behind all requests.
pub(super) struct Service {
    options: ServeOptions,
    started: Instant,
    cache: KeyCache,
    engine: Engine,
    proofs: AtomicU64,
    failures: Mutex<BTreeMap<&'static str, u64>>,
}

impl Service {
    pub fn new(options: &ServeOptions, engine: Engine) -> Self {
        Self {
            options: options.clone(),
            started: Instant::now(),
            cache: KeyCache::new(options.cache_bytes),
            engine,
            proofs: AtomicU64::new(0),
            failures: Mutex::default(),
        }
    }

    /// Does what is asked for. A panic is an error of this request alone.
    pub fn work(
        &self,
        operation: Operation,
        waited: Duration,
        queue: &FairQueue<Request>,
    ) -> Result<Value, RequestError> {
        catch_unwind(AssertUnwindSafe(|| self.dispatch(operation, waited, queue)))
            .unwrap_or_else(|_| Err(RequestError::panicked()))
    }

    pub fn count_error(&self, error: &RequestError) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        *failures.entry(error.code).or_default() += 1;
    }

    fn dispatch(
        &self,
        operation: Operation,
        waited: Duration,
        queue: &FairQueue<Request>,
    ) -> Result<Value, RequestError> {
        match operation {
            Operation::Hello => Ok(self.hello()),
            Operation::Stats => Ok(self.stats(queue)),
            Operation::Load(load) => {
                let expected = expected_hash(load.sha256.as_deref())?;
                let loaded = self.cache.load(&load.zkey, expected)?;
                Ok(json!({
                    "key": loaded.hash,
                    "signals": loaded.key.signal_count(),
                    "publicSignals": loaded.key.public_count(),
                    "domain": loaded.key.domain_size(),
                    "bytes": loaded.key.bytes(),
                    "cached": loaded.cached,
                }))
            }
            Operation::Unload(unload) => {
                let hash = ContentHash::parse(&unload.key).ok_or_else(|| {
                    RequestError::invalid_request("key: not a SHA-256".to_owned())
                })?;
                Ok(json!({ "unloaded": self.cache.unload(&hash) }))
            }
            Operation::Prove(prove) => self.prove(&prove, waited),
            Operation::Verify(verify) => self.verify(&verify),
            // Ends the reading of requests before it would get here.
            Operation::Shutdown => Ok(json!({})),
        }
    }

    fn hello(&self) -> Value {
        json!({
            "name": "haca-prover",
            "version": env!("CARGO_PKG_VERSION"),
            "protocol": PROTOCOL,
            "arithmetic": isa::chosen().name(),
            "threads": rayon::current_num_threads(),
            "backends": self.engine.backends(),
            "jobs": self.options.jobs,
            "queueLimit": self.options.queue_limit,
            "lineLimit": MAX_LINE,
            "cacheBytes": self.options.cache_bytes,
            "machineBytes": memory::machine_bytes(),
        })
    }

    fn stats(&self, queue: &FairQueue<Request>) -> Value {
        let load = queue.load();
        let counts = self.cache.counts();
        let keys: Vec<Value> = self
            .cache
            .list()
            .into_iter()
            .map(|(key, bytes)| json!({ "key": key, "bytes": bytes }))
            .collect();
        json!({
            "uptimeSeconds": self.started.elapsed().as_secs(),
            "waiting": load.waiting,
            "running": load.running,
            "proofs": self.proofs.load(Ordering::Relaxed),
            "failures": *self.failures.lock().unwrap_or_else(PoisonError::into_inner),
            "deviceProofs": self.engine.device_proofs(),
            "deviceKeyBytes": self.engine.device_key_bytes(),
            "deviceFailures": self.engine.device_failures(),
            "deviceFallbacks": self.engine.device_fallbacks(),
            "keys": keys,
            "cacheHits": counts.hits,
            "cacheMisses": counts.misses,
            "cacheEvictions": counts.evictions,
            "peakBytes": memory::peak_bytes(),
        })
    }

    fn prove(&self, prove: &Prove, waited: Duration) -> Result<Value, RequestError> {
        let key = self.key(&prove.key)?;
        let started = Instant::now();
        let witness = read_witness(&prove.witness).map_err(RequestError::witness)?;
        let read = started.elapsed();
        let started = Instant::now();
        let proved = self
            .engine
            .prove(&key, &witness)
            .map_err(RequestError::proving)?;
        let made = started.elapsed();
        self.proofs.fetch_add(1, Ordering::Relaxed);
        Ok(json!({
            "proof": write_proof(&proved.proof),
            "publicSignals": write_signals(witness.public(key.public_count())),
            "backend": proved.backend,
            "milliseconds": {
                "waited": milliseconds(waited),
                "witness": milliseconds(read),
                "prove": milliseconds(made),
            },
        }))
    }

    fn verify(&self, verify: &Verify) -> Result<Value, RequestError> {
        let key = self.key(&verify.key)?;
        let public = read_signals(&verify.public_signals).map_err(RequestError::public_signals)?;
        let proof = read_proof(&verify.proof).map_err(RequestError::proof)?;
        let valid = key
            .verifying()
            .verify(&proof, &public)
            .map_err(RequestError::proof)?;
        Ok(json!({ "valid": valid }))
    }

    fn key(&self, choice: &KeyChoice) -> Result<Arc<ProvingKey>, RequestError> {
        match (&choice.key, &choice.zkey) {
            (Some(text), None) => ContentHash::parse(text)
                .and_then(|hash| self.cache.get(&hash))
                .ok_or_else(|| RequestError::unknown_key(text)),
            (None, Some(path)) => {
                let expected = expected_hash(choice.sha256.as_deref())?;
                Ok(self.cache.load(path, expected)?.key)
            }
            _ => {
                let reason = "either key or zkey is needed, and only one".to_owned();
                Err(RequestError::invalid_request(reason))
            }
        }
    }
}

fn expected_hash(text: Option<&str>) -> Result<Option<ContentHash>, RequestError> {
    text.map(|text| {
        ContentHash::parse(text)
            .ok_or_else(|| RequestError::invalid_request("sha256: not a SHA-256".to_owned()))
    })
    .transpose()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
