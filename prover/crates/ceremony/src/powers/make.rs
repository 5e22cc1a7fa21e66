//! Powers of tau for development: whoever makes them knows the secrets, for a moment at least.

use std::path::Path;

use ark_bn254::{Fr, g1, g2};
use ark_ff::{FftField, Field, PrimeField};
use blake2::{Blake2b512, Digest};
use haca_prover_formats::bn254::BASE_MODULUS;
use haca_prover_groth16::random;
use rayon::prelude::*;

use crate::error::CeremonyError;
use crate::fixed_base::Table;
use crate::output::Output;
use crate::points::{self, Group};
use crate::progress::Progress;

/// Larger files come from ceremonies.
pub const MAX_POWER: u32 = 22;
const SECTIONS: u32 = 11;
/// Points in memory at once.
const PART: usize = 1 << 16;
/// Powers computed from one start.
const RUN: usize = 1 << 10;
const G2_WORK: u64 = 3;
const DOMAIN: &[u8] = b"haca development powers of tau";

/// What a ceremony forgets.
struct Secrets {
    tau: Fr,
    alpha: Fr,
    beta: Fr,
}

/// Writes powers of tau, prepared for phase 2, from a secret or from randomness that is forgotten.
/// The file names no contribution, so that snarkjs refuses it where it matters.
///
/// # Errors
/// [`CeremonyError`]; then there is no file.
pub fn make(power: u32, secret: Option<&[u8]>, path: &Path) -> Result<(), CeremonyError> {
    let secrets = match secret {
        Some(secret) => Secrets::of(secret),
        None => Secrets {
            tau: random::scalar()?,
            alpha: random::scalar()?,
            beta: random::scalar()?,
        },
    };
    let size = 1usize << power;
    // With a tau among the roots of unity the powers repeat, and a Lagrange polynomial is 1.
    let is_root = secrets.tau.pow([2 * size as u64]) == Fr::ONE;
    let Secrets { tau, alpha, beta } = secrets;
    if is_root || [tau, alpha, beta].contains(&Fr::from(0)) {
        return Err(CeremonyError::SecretUnusable);
    }
    let mut output = Output::create(path, "ptau", SECTIONS)?;
    output.section(1, 44)?;
    output.add(&32u32.to_le_bytes())?;
    for word in BASE_MODULUS {
        output.add(&word.to_le_bytes())?;
    }
    for power in [power, power] {
        output.add(&power.to_le_bytes())?;
    }

    let count1 = 12 * size;
    let writer = Writer {
        table1: Table::new(count1),
        table2: Table::new(3 * size),
        progress: Progress::new("powers of tau", count1 as u64 + 3 * size as u64 * G2_WORK),
    };
    let powers = powers_of(tau, 2 * size - 1);
    let times = |factor: Fr, values: &[Fr]| -> Vec<Fr> {
        values.par_iter().map(|value| *value * factor).collect()
    };
    let half = &powers[..size];
    writer.section1(&mut output, 2, &powers)?;
    writer.section2(&mut output, 3, half)?;
    writer.section1(&mut output, 4, &times(alpha, half))?;
    writer.section1(&mut output, 5, &times(beta, half))?;
    writer.section2(&mut output, 6, &[beta])?;
    output.section(7, 4)?;
    output.add(&0u32.to_le_bytes())?;
    drop(powers);

    let mut lagrange: Vec<Fr> = (0..=power).flat_map(|log| lagrange_at(tau, log)).collect();
    let below = lagrange.len();
    lagrange.extend(last_level(tau, power + 1));
    writer.section1(&mut output, 12, &lagrange)?;
    lagrange.truncate(below);
    writer.section2(&mut output, 13, &lagrange)?;
    writer.section1(&mut output, 14, &times(alpha, &lagrange))?;
    writer.section1(&mut output, 15, &times(beta, &lagrange))?;
    output.finish()
}

impl Secrets {
    /// Three scalars that follow from some bytes.
    fn of(secret: &[u8]) -> Self {
        let scalar = |name: &[u8]| {
            let mut hasher = Blake2b512::new();
            for part in [DOMAIN, name, secret] {
                hasher.update((part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
            Fr::from_le_bytes_mod_order(&hasher.finalize())
        };
        Self {
            tau: scalar(b"tau"),
            alpha: scalar(b"alpha"),
            beta: scalar(b"beta"),
        }
    }
}

struct Writer {
    table1: Table<g1::Config>,
    table2: Table<g2::Config>,
    progress: Progress,
}

impl Writer {
    fn section1(
        &self,
        output: &mut Output,
        number: u32,
        scalars: &[Fr],
    ) -> Result<(), CeremonyError> {
        self.section(&self.table1, output, number, scalars, 1)
    }

    fn section2(
        &self,
        output: &mut Output,
        number: u32,
        scalars: &[Fr],
    ) -> Result<(), CeremonyError> {
        self.section(&self.table2, output, number, scalars, G2_WORK)
    }

    fn section<P: Group>(
        &self,
        table: &Table<P>,
        output: &mut Output,
        number: u32,
        scalars: &[Fr],
        work: u64,
    ) -> Result<(), CeremonyError> {
        output.section(number, (scalars.len() * P::BYTES) as u64)?;
        let mut bytes = Vec::new();
        for scalars in scalars.chunks(PART) {
            bytes.clear();
            points::write(&table.multiples(scalars), &mut bytes);
            output.add(&bytes)?;
            self.progress.advance(scalars.len() as u64 * work);
        }
        Ok(())
    }
}

fn powers_of(base: Fr, count: usize) -> Vec<Fr> {
    let mut powers = vec![Fr::ONE; count];
    powers
        .par_chunks_mut(RUN)
        .enumerate()
        .for_each(|(number, run)| {
            let mut power = base.pow([(number * RUN) as u64]);
            for slot in run {
                *slot = power;
                power *= base;
            }
        });
    powers
}

/// The Lagrange polynomials of the 2^log-th roots of unity: (tau^N - 1) / N * w / (tau - w).
fn lagrange_at(tau: Fr, log: u32) -> Vec<Fr> {
    let size = 1usize << log;
    let roots = roots(log);
    let scale = (tau.pow([size as u64]) - Fr::ONE) / Fr::from(size as u64);
    let mut values: Vec<Fr> = roots.par_iter().map(|root| tau - root).collect();
    values.par_chunks_mut(RUN).for_each(ark_ff::batch_inversion);
    values
        .par_iter_mut()
        .zip(&roots)
        .for_each(|(value, root)| *value *= scale * root);
    values
}

/// The same for the size that the powers suffice for but for one: without the highest power,
/// tau^(N - 1) w / N each.
fn last_level(tau: Fr, log: u32) -> Vec<Fr> {
    let size = 1u64 << log;
    let highest = tau.pow([size - 1]) / Fr::from(size);
    let mut values = lagrange_at(tau, log);
    values
        .par_iter_mut()
        .zip(roots(log))
        .for_each(|(value, root)| *value -= highest * root);
    values
}

fn roots(log: u32) -> Vec<Fr> {
    let root = Fr::get_root_of_unity(1 << log).unwrap_or(Fr::ONE);
    powers_of(root, 1 << log)
}
