//! One more contribution to a key: delta times a secret, and whatever is over delta divided by it.

use std::path::Path;

use ark_bn254::{Fr, G1Affine, G2Affine, g1};
use ark_ec::CurveGroup;
use ark_ff::{AdditiveGroup, Field};
use blake2::{Blake2b512, Digest};
use haca_prover_formats::binary::Sections;
use haca_prover_formats::transcript::{Beacon, Transcript};
use haca_prover_formats::zkey::{G1_BYTES, G2_BYTES, KeyFile};
use haca_prover_groth16::random;

use crate::error::CeremonyError;
use crate::initial::{
    A, B1, B2, C, COEFFICIENTS, CONTRIBUTIONS, H, HEADER, IC, PROTOCOL, SECTIONS,
};
use crate::multiply::Factor;
use crate::output::Output;
use crate::parties::Hash;
use crate::parties::{self, Party, Secret};
use crate::points::{self, Points};
use crate::progress::Progress;

/// Points in memory at once.
const PART: usize = 1 << 15;

/// Contributes a secret from the operating system's randomness, and from bytes if there are any, to a
/// key, and forgets it.
///
/// # Returns
/// The hash of the contribution.
///
/// # Errors
/// [`CeremonyError`]; then there is no file.
pub fn contribute(
    key: &[u8],
    name: Option<&str>,
    entropy: &[u8],
    path: &Path,
) -> Result<Hash, CeremonyError> {
    let mut hasher = Blake2b512::new();
    let mut bytes = [0; 64];
    random::fill(&mut bytes)?;
    hasher.update(bytes);
    hasher.update(entropy);
    let mut seed = [0; 32];
    seed.copy_from_slice(&hasher.finalize()[..32]);
    apply(key, name, None, &Secret::draw(&seed), path)
}

/// Contributes what follows from public randomness.
///
/// # Returns
/// The hash of the contribution.
///
/// # Errors
/// [`CeremonyError`]; then there is no file.
pub fn beacon(
    key: &[u8],
    name: Option<&str>,
    beacon: Beacon,
    path: &Path,
) -> Result<Hash, CeremonyError> {
    apply(key, name, Some(beacon), &Secret::of_beacon(&beacon), path)
}

fn apply(
    bytes: &[u8],
    name: Option<&str>,
    beacon: Option<Beacon>,
    secret: &Secret,
    path: &Path,
) -> Result<Hash, CeremonyError> {
    let key = KeyFile::read(bytes)?;
    let transcript = Transcript::of_key(bytes)?;
    let sections = Sections::read(bytes, "zkey", 2)?;
    let section = |number| sections.unique(number, "a section of the key");
    let before = parties::hash_of(&transcript)?;
    let delta1: G1Affine = points::read_one("delta in G1", key.verifying.delta1)?;
    let delta2: G2Affine = points::read_one("delta in G2", key.verifying.delta2)?;
    if [Fr::ZERO, Fr::ONE].contains(&secret.scalar) {
        return Err(CeremonyError::SecretUnusable);
    }
    let inverse = secret
        .scalar
        .inverse()
        .ok_or(CeremonyError::SecretUnusable)?;
    let over_delta = [
        (C, Points::<g1::Config>::check("C", key.c)?),
        (H, Points::check("H", key.h)?),
    ];

    let party = Party::next(before, delta1, secret);
    let mut output = Output::create(path, "zkey", SECTIONS)?;
    let copy = |number, output: &mut Output| {
        let content = section(number)?;
        output.section(number, content.len() as u64)?;
        output.add(content)
    };
    copy(PROTOCOL, &mut output)?;
    let header = section(HEADER)?;
    output.section(HEADER, header.len() as u64)?;
    output.add(&header[..header.len() - G1_BYTES - G2_BYTES])?;
    let mut deltas = Vec::new();
    points::write(&[party.delta1], &mut deltas);
    points::write(&[(delta2 * secret.scalar).into_affine()], &mut deltas);
    output.add(&deltas)?;
    for number in [IC, COEFFICIENTS, A, B1, B2] {
        copy(number, &mut output)?;
    }

    let factor = Factor::new(inverse);
    let total = over_delta
        .iter()
        .map(|(_, points)| points.len() as u64)
        .sum();
    let progress = Progress::new("contribution", total);
    let mut bytes = Vec::new();
    for (number, list) in over_delta {
        output.section(number, (list.len() * G1_BYTES) as u64)?;
        for start in (0..list.len()).step_by(PART) {
            let end = (start + PART).min(list.len());
            let mut part: Vec<G1Affine> = list.range(start..end).iter().collect();
            factor.apply(&mut part);
            bytes.clear();
            points::write(&part, &mut bytes);
            output.add(&bytes)?;
            progress.advance(part.len() as u64);
        }
    }

    let own = party.bytes(name, beacon);
    let content = section(CONTRIBUTIONS)?;
    output.section(CONTRIBUTIONS, (content.len() + own.len()) as u64)?;
    output.add(transcript.circuit_hash)?;
    output.add(&(transcript.contributions.len() as u32 + 1).to_le_bytes())?;
    for contribution in &transcript.contributions {
        output.add(contribution.bytes)?;
    }
    output.add(&own)?;
    output.finish()?;
    Ok(party.hash())
}
