//! Whether a key follows from its circuit, the powers of tau and its contributions.
//!
//! snarkjs says of a key without contributions that it is in order, and looks neither for points off
//! the curve nor for keys that anyone could forge proofs with; this does.

use ark_bn254::{G1Affine, G1Projective, G2Affine, g1};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::AdditiveGroup;
use blake2::{Blake2b512, Digest};
use haca_prover_formats::binary::Sections;
use haca_prover_formats::transcript::Transcript;
use haca_prover_formats::zkey::{G1_BYTES, G2_BYTES, KeyFile};
use haca_prover_groth16::key::verifying_key;

use crate::error::CeremonyError;
use crate::initial::{C, CONTRIBUTIONS, H, HEADER, InitialKey, Receiver, SECTIONS};
use crate::pairs::have_same_ratio;
use crate::parties::Hash;
use crate::parties::{Party, Secret, challenge};
use crate::points::{self, Points};
use crate::sums;

/// Beacons of more iterations are refused: the key's maker alone would choose how many years they take.
const MAX_ITERATIONS_LOG: u8 = 36;

/// A key that was verified.
#[derive(Debug)]
pub struct VerifiedKey {
    /// hash of the circuit
    pub circuit_hash: Hash,
    /// the contributions, the first one first
    pub contributions: Vec<VerifiedContribution>,
}

/// One of its contributions.
#[derive(Debug)]
pub struct VerifiedContribution {
    /// hash of the contribution, which its party may have published
    pub hash: Hash,
    /// the party's name: nothing vouches for it
    pub name: Option<String>,
    /// the beacon's value and the logarithm of its iterations
    pub beacon: Option<(Vec<u8>, u8)>,
}

/// Verifies everything about a key.
///
/// # Errors
/// [`CeremonyError`] says what is wrong.
pub fn verify(initial: &InitialKey, bytes: &[u8]) -> Result<VerifiedKey, CeremonyError> {
    let key = KeyFile::read(bytes)?;
    let sections = Sections::read(bytes, "zkey", 1)?;
    if sections.count() != SECTIONS as usize {
        let count = sections.count();
        return Err(CeremonyError::KeyInconsistent(format!(
            "{count} sections, a key has {SECTIONS}"
        )));
    }
    let transcript = Transcript::of_key(bytes)?;
    if transcript.contributions.is_empty() {
        return Err(CeremonyError::NoContribution);
    }
    verifying_key(&key)?;
    let delta1: G1Affine = points::read_one("delta in G1", key.verifying.delta1)?;
    let delta2: G2Affine = points::read_one("delta in G2", key.verifying.delta2)?;

    let (contributions, last) = verify_contributions(&transcript)?;
    if last != delta1 {
        return Err(CeremonyError::KeyInconsistent(
            "delta in G1 is not that of the last contribution".to_owned(),
        ));
    }
    let one = G2Affine::generator();
    if !have_same_ratio([G1Affine::generator(), delta1], [one, delta2]) {
        return Err(CeremonyError::KeyInconsistent(
            "delta in G1 and in G2 are of different secrets".to_owned(),
        ));
    }

    Points::<g1::Config>::check("C", key.c)?;
    Points::<g1::Config>::check("H", key.h)?;
    let mut comparison = Comparison {
        sections,
        number: 0,
        rest: &[],
        initial: G1Projective::ZERO,
        own: G1Projective::ZERO,
    };
    let circuit_hash = initial.send(&mut comparison)?;
    if transcript.circuit_hash != circuit_hash {
        return Err(CeremonyError::KeyInconsistent(
            "the hash of the circuit is another's".to_owned(),
        ));
    }
    // What is in the key is over delta: its ratio to what is in the first key is one to delta.
    let pair = [comparison.own, comparison.initial].map(CurveGroup::into_affine);
    if !have_same_ratio(pair, [one, delta2]) {
        return Err(CeremonyError::KeyInconsistent(
            "the points of C or H are not those of the circuit over delta".to_owned(),
        ));
    }
    Ok(VerifiedKey {
        circuit_hash,
        contributions,
    })
}

/// Follows the contributions from the generator on.
fn verify_contributions(
    transcript: &Transcript,
) -> Result<(Vec<VerifiedContribution>, G1Affine), CeremonyError> {
    let mut hasher = Blake2b512::new();
    hasher.update(transcript.circuit_hash);
    let mut delta1 = G1Affine::generator();
    let mut verified = Vec::new();
    for (index, contribution) in transcript.contributions.iter().enumerate() {
        let bad = |reason| CeremonyError::BadContribution {
            number: index + 1,
            reason,
        };
        let party = Party::read(contribution)?;
        let mut own = hasher.clone();
        own.update(points::to_hashed(&[party.s, party.sx]));
        if own.finalize()[..] != party.transcript {
            return Err(bad("its transcript is not the hash of what was before"));
        }
        let proof = [challenge(&party.transcript), party.spx];
        if !have_same_ratio([party.s, party.sx], proof) {
            return Err(bad("its proof of knowledge is wrong"));
        }
        if !have_same_ratio([delta1, party.delta1], proof) {
            return Err(bad("its delta is not the one before times its secret"));
        }
        if let Some(beacon) = &contribution.beacon {
            if beacon.iterations_log > MAX_ITERATIONS_LOG {
                return Err(bad("its beacon has too many iterations to be verified"));
            }
            let secret = Secret::of_beacon(beacon);
            let expected = (secret.s * secret.scalar).into_affine();
            if secret.s != party.s || expected != party.sx {
                return Err(bad("its secret is not the beacon's"));
            }
        }
        party.hash_into(&mut hasher);
        delta1 = party.delta1;
        verified.push(VerifiedContribution {
            hash: party.hash(),
            name: contribution
                .name
                .map(|name| String::from_utf8_lossy(name).into_owned()),
            beacon: contribution
                .beacon
                .map(|beacon| (beacon.value.to_owned(), beacon.iterations_log)),
        });
    }
    Ok((verified, delta1))
}

/// Compares a key with the first key of its circuit, section by section.
struct Comparison<'a> {
    sections: Sections<'a>,
    number: u32,
    /// of the current section, not compared yet
    rest: &'a [u8],
    /// random sum of the first key's points of C and H
    initial: G1Projective,
    /// the same of the key's own
    own: G1Projective,
}

impl Receiver for Comparison<'_> {
    fn section(&mut self, number: u32, length: u64) -> Result<(), CeremonyError> {
        self.number = number;
        self.rest = self.sections.unique(number, "a section of the key")?;
        // Contributions come on top.
        if number != CONTRIBUTIONS && self.rest.len() as u64 != length {
            return Err(self.differs());
        }
        Ok(())
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), CeremonyError> {
        if self.number == CONTRIBUTIONS {
            return Ok(());
        }
        let Some((own, rest)) = self.rest.split_at_checked(bytes.len()) else {
            return Err(self.differs());
        };
        self.rest = rest;
        match self.number {
            C | H => {
                let what = "points over delta";
                let (own, first) = (Points::check(what, own)?, Points::check(what, bytes)?);
                let factors = sums::random_factors(own.len())?;
                self.own += sums::random_sum::<g1::Config>(own, &factors);
                self.initial += sums::random_sum::<g1::Config>(first, &factors);
                Ok(())
            }
            HEADER => {
                let fixed = bytes.len() - G1_BYTES - G2_BYTES;
                if own[..fixed] == bytes[..fixed] {
                    Ok(())
                } else {
                    Err(self.differs())
                }
            }
            _ if own == bytes => Ok(()),
            _ => Err(self.differs()),
        }
    }
}

impl Comparison<'_> {
    fn differs(&self) -> CeremonyError {
        CeremonyError::KeyInconsistent(format!(
            "section {} is not what follows from the circuit and the powers of tau",
            self.number
        ))
    }
}
