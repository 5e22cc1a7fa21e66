//! What the parties of phase 2 leave in a key, and the hashes that tie it together.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::CurveGroup;
use blake2::{Blake2b512, Digest};
use haca_prover_formats::transcript::{Beacon, Contribution, HASH_BYTES, Transcript};
use sha2::Sha256;

use crate::chacha::ChaCha;
use crate::error::CeremonyError;
use crate::points;

/// A hash of a transcript.
pub type Hash = [u8; HASH_BYTES];

/// Longest name, in units of UTF-16.
const NAME_UNITS: usize = 64;

/// Points of one contribution.
pub struct Party {
    /// delta afterwards
    pub delta1: G1Affine,
    /// a random point
    pub s: G1Affine,
    /// times the secret
    pub sx: G1Affine,
    /// the point of the transcript's hash, times the secret
    pub spx: G2Affine,
    /// hash of everything before
    pub transcript: Hash,
}

/// A secret with the random point that shows that its owner knows it.
pub struct Secret {
    /// what delta is multiplied with
    pub scalar: Fr,
    /// the random point
    pub s: G1Affine,
}

impl Party {
    /// Checks a contribution's points.
    ///
    /// # Errors
    /// [`CeremonyError::BadPoint`].
    pub fn read(contribution: &Contribution) -> Result<Self, CeremonyError> {
        let mut transcript = [0; HASH_BYTES];
        transcript.copy_from_slice(contribution.transcript);
        Ok(Self {
            delta1: points::read_one("delta of a contribution", contribution.delta1)?,
            s: points::read_one("s of a contribution", contribution.s)?,
            sx: points::read_one("s x of a contribution", contribution.sx)?,
            spx: points::read_one("s' x of a contribution", contribution.spx)?,
            transcript,
        })
    }

    /// Adds the contribution to a hash.
    pub fn hash_into(&self, hasher: &mut Blake2b512) {
        hasher.update(points::to_hashed(&[self.delta1, self.s, self.sx]));
        hasher.update(points::to_hashed(&[self.spx]));
        hasher.update(self.transcript);
    }

    /// The hash by which parties name their contribution.
    pub fn hash(&self) -> Hash {
        let mut hasher = Blake2b512::new();
        self.hash_into(&mut hasher);
        hasher.finalize().into()
    }

    /// The contribution that follows on those before, whose hash is begun.
    pub fn next(mut before: Blake2b512, delta1: G1Affine, secret: &Secret) -> Self {
        let sx = (secret.s * secret.scalar).into_affine();
        before.update(points::to_hashed(&[secret.s, sx]));
        let transcript: Hash = before.finalize().into();
        Self {
            delta1: (delta1 * secret.scalar).into_affine(),
            s: secret.s,
            sx,
            spx: (challenge(&transcript) * secret.scalar).into_affine(),
            transcript,
        }
    }

    /// The contribution as files hold it.
    pub fn bytes(&self, name: Option<&str>, beacon: Option<Beacon>) -> Vec<u8> {
        let mut bytes = Vec::new();
        points::write(&[self.delta1, self.s, self.sx], &mut bytes);
        points::write(&[self.spx], &mut bytes);
        bytes.extend(self.transcript);
        bytes.extend(u32::from(beacon.is_some()).to_le_bytes());
        let mut parameters = Vec::new();
        let name = name.map(cut_name).unwrap_or_default();
        if !name.is_empty() {
            parameters.extend([1, name.len() as u8]);
            parameters.extend(name);
        }
        if let Some(beacon) = beacon {
            parameters.extend([2, beacon.iterations_log, 3, beacon.value.len() as u8]);
            parameters.extend(beacon.value);
        }
        bytes.extend((parameters.len() as u32).to_le_bytes());
        bytes.extend(parameters);
        bytes
    }
}

impl Secret {
    /// From 32 bytes, as snarkjs draws it.
    pub fn draw(seed: &[u8; 32]) -> Self {
        let mut stream = ChaCha::new(seed);
        Self {
            scalar: stream.scalar(),
            s: stream.g1(),
        }
    }

    /// The secret of a beacon, which is none: anyone can compute it, but nobody before the beacon.
    pub fn of_beacon(beacon: &Beacon) -> Self {
        let mut hash: [u8; 32] = Sha256::digest(beacon.value).into();
        for _ in 1..1u64 << beacon.iterations_log {
            hash = Sha256::digest(hash).into();
        }
        Self::draw(&hash)
    }
}

/// The point that a party must multiply with its secret, too late to choose it.
pub fn challenge(transcript: &Hash) -> G2Affine {
    let mut seed = [0; 32];
    seed.copy_from_slice(&transcript[..32]);
    ChaCha::new(&seed).g2()
}

/// The begun hash of a transcript's circuit and all its contributions.
///
/// # Errors
/// [`CeremonyError::BadPoint`].
pub fn hash_of(transcript: &Transcript) -> Result<Blake2b512, CeremonyError> {
    let mut hasher = Blake2b512::new();
    hasher.update(transcript.circuit_hash);
    for contribution in &transcript.contributions {
        Party::read(contribution)?.hash_into(&mut hasher);
    }
    Ok(hasher)
}

/// What a file has room for. snarkjs cuts names where JavaScript counts, even through a character.
fn cut_name(name: &str) -> Vec<u8> {
    let units: Vec<u16> = name.encode_utf16().take(NAME_UNITS).collect();
    String::from_utf16_lossy(&units).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_at_64_units() {
        assert_eq!(cut_name("Ada"), b"Ada");
        assert_eq!(cut_name(&"x".repeat(70)), "x".repeat(64).as_bytes());
        let name = format!("{}\u{1f980}", "x".repeat(63));
        assert_eq!(
            cut_name(&name),
            format!("{}\u{fffd}", "x".repeat(63)).as_bytes()
        );
        assert_eq!(cut_name(&"\u{20ac}".repeat(64)).len(), 192);
    }
}
