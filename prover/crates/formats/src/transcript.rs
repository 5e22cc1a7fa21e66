//! Section 10 of a `.zkey`: the circuit's hash and what the parties of phase 2 left behind.
//!
//! After the hash (64 bytes) and the number of contributions (u32), for each: delta afterwards, s, s x
//! (G1), s' x (G2), the transcript's hash (64 bytes), kind (u32), length of the parameters (u32), and
//! these: a number and a value each, numbers rising: 1 name, 2 logarithm of the iterations, 3 beacon.

use crate::FormatError;
use crate::binary::{Cursor, Sections};
use crate::zkey::{G1_BYTES, G2_BYTES};

/// Bytes of a hash.
pub const HASH_BYTES: usize = 64;
/// Bytes of a contribution's points.
pub const POINTS_BYTES: usize = 3 * G1_BYTES + G2_BYTES;

const NAME: u8 = 1;
const ITERATIONS: u8 = 2;
const BEACON: u8 = 3;
const BEACON_KIND: u32 = 1;
/// Logarithm of a beacon's iterations: below, it would take no time.
pub const ITERATIONS_LOG: core::ops::RangeInclusive<u8> = 10..=63;

/// The section, taken apart.
#[derive(Debug)]
pub struct Transcript<'a> {
    /// hash of the circuit's first key
    pub circuit_hash: &'a [u8],
    /// what the parties left, the first one first
    pub contributions: Vec<Contribution<'a>>,
}

/// What one party left.
#[derive(Debug, Clone, Copy)]
pub struct Contribution<'a> {
    /// delta afterwards
    pub delta1: &'a [u8],
    /// a random point
    pub s: &'a [u8],
    /// that point times the secret
    pub sx: &'a [u8],
    /// the point of the transcript's hash times the secret
    pub spx: &'a [u8],
    /// hash of everything before
    pub transcript: &'a [u8],
    /// the party's name, in UTF-8 unless somebody wrote something else
    pub name: Option<&'a [u8]>,
    /// where the secret comes from that everybody can compute
    pub beacon: Option<Beacon<'a>>,
    /// the contribution as the file holds it
    pub bytes: &'a [u8],
}

/// Public randomness.
#[derive(Debug, Clone, Copy)]
pub struct Beacon<'a> {
    /// hashed 2^so many times
    pub iterations_log: u8,
    /// what is hashed
    pub value: &'a [u8],
}

impl<'a> Transcript<'a> {
    /// Reads the section of a key.
    ///
    /// # Errors
    /// A [`FormatError`] that says what is wrong.
    pub fn of_key(key: &'a [u8]) -> Result<Self, FormatError> {
        Self::read(Sections::read(key, "zkey", 2)?.unique(10, "contributions")?)
    }

    /// Reads the section's content.
    ///
    /// # Errors
    /// A [`FormatError`] that says what is wrong.
    pub fn read(section: &'a [u8]) -> Result<Self, FormatError> {
        let mut cursor = Cursor::new(section);
        let circuit_hash = cursor.take("hash of the circuit", HASH_BYTES as u64)?;
        let count = cursor.u32("number of contributions")?;
        let mut contributions = Vec::new();
        for number in 1..=count {
            contributions.push(read_contribution(&mut cursor, number)?);
        }
        cursor.finish()?;
        Ok(Self {
            circuit_hash,
            contributions,
        })
    }
}

fn read_contribution<'a>(
    cursor: &mut Cursor<'a>,
    number: u32,
) -> Result<Contribution<'a>, FormatError> {
    let bad = |reason: &str| FormatError::OutOfRange {
        what: "contributions",
        reason: format!("contribution {number} {reason}"),
    };
    let mut whole = cursor.clone();
    let g1 = G1_BYTES as u64;
    let delta1 = cursor.take("delta of a contribution", g1)?;
    let s = cursor.take("s of a contribution", g1)?;
    let sx = cursor.take("s x of a contribution", g1)?;
    let spx = cursor.take("s' x of a contribution", G2_BYTES as u64)?;
    let transcript = cursor.take("transcript of a contribution", HASH_BYTES as u64)?;
    let kind = cursor.u32("kind of a contribution")?;
    let length = cursor.u32("parameters of a contribution")?;
    let parameters = cursor.take("parameters of a contribution", u64::from(length))?;
    let bytes = whole.take(
        "a contribution",
        (POINTS_BYTES + HASH_BYTES + 8) as u64 + u64::from(length),
    )?;

    let mut rest = Cursor::new(parameters);
    let (mut name, mut iterations_log, mut value) = (None, None, None);
    let mut last = 0;
    while !rest.is_empty() {
        let parameter = rest.byte("a parameter")?;
        if parameter <= last {
            return Err(bad("has parameters that are not in order"));
        }
        last = parameter;
        match parameter {
            NAME => name = Some(rest.string("a name")?),
            ITERATIONS => iterations_log = Some(rest.byte("a logarithm")?),
            BEACON => value = Some(rest.string("a beacon")?),
            _ => return Err(bad("has a parameter of unknown kind")),
        }
    }
    let beacon = match (kind, iterations_log, value) {
        (0, None, None) => None,
        (BEACON_KIND, Some(iterations_log), Some(value)) if !value.is_empty() => {
            if !ITERATIONS_LOG.contains(&iterations_log) {
                return Err(bad("has a beacon with too few or too many iterations"));
            }
            Some(Beacon {
                iterations_log,
                value,
            })
        }
        _ => return Err(bad("is neither a party's nor a beacon's")),
    };
    Ok(Contribution {
        delta1,
        s,
        sx,
        spx,
        transcript,
        name,
        beacon,
        bytes,
    })
}
