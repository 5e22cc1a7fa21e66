//! `.ptau`: powers of tau.
//!
//! Sections: 1 header; 2 powers in G1, twice the size of the others less one; 3 in G2; 4 times alpha;
//! 5 times beta; 6 beta in G2; 7 contributions. Prepared for phase 2 also 12 to 15: the Lagrange
//! polynomials at tau for every size, the values of 2 to 5. Size 2^k has its 2^k points from point
//! 2^k - 1 on; section 12 has one size more than the others.
//!
//! Points are as in a `.zkey`.

use crate::FormatError;
use crate::binary::{Cursor, Sections};
use crate::bn254::BASE_MODULUS;
use crate::zkey::{G1_BYTES, G2_BYTES};

/// Largest power of any ceremony on this curve.
pub const MAX_POWER: u32 = 28;
/// Bytes of a contribution without parameters: 9 points of G1, 5 of G2, two hashes (of 216 and 64
/// bytes), kind and length.
const CONTRIBUTION_BYTES: u64 = 9 * G1_BYTES as u64 + 5 * G2_BYTES as u64 + 216 + 64 + 8;
/// Bytes behind section 2 that snarkjs may read as a point.
const BEHIND_BYTES: usize = G1_BYTES;

/// Checked frame of powers of tau inside a file's bytes. Points are not looked at.
#[derive(Debug)]
pub struct PowersFile<'a> {
    /// Circuits on domains of up to 2^`power` fit.
    pub power: u32,
    /// Power of the ceremony that this file was cut out of.
    pub ceremony_power: u32,
    /// Powers in the first group, 2^(power + 1) - 1 of them.
    pub tau1: &'a [u8],
    /// Powers in the second group, 2^power of them.
    pub tau2: &'a [u8],
    /// Powers times alpha.
    pub alpha1: &'a [u8],
    /// Powers times beta.
    pub beta1: &'a [u8],
    /// beta in the second group.
    pub beta2: &'a [u8],
    /// Number of contributions that the file names.
    pub contribution_count: u32,
    /// The file's bytes right behind section 2, as many as a point has, if there are so many.
    pub behind_tau1: Option<&'a [u8]>,
    prepared: Option<Prepared<'a>>,
}

/// Lagrange polynomials at tau, of every size up to the file's power; points by size.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<'a> {
    /// in the first group, with one size more
    pub tau1: &'a [u8],
    /// in the second group
    pub tau2: &'a [u8],
    /// times alpha
    pub alpha1: &'a [u8],
    /// times beta
    pub beta1: &'a [u8],
}

impl<'a> PowersFile<'a> {
    /// Reads and checks the frame.
    ///
    /// # Errors
    /// A [`FormatError`] that says what is wrong.
    pub fn read(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let sections = Sections::read(bytes, "ptau", 1)?;
        let mut header = Cursor::new(sections.unique(1, "header")?);
        if header.u32("bytes per value")? != 32 || header.integer("modulus")? != BASE_MODULUS {
            return Err(FormatError::WrongCurve {
                what: "modulus of the powers of tau",
            });
        }
        let power = header.u32("power")?;
        let ceremony_power = header.u32("power of the ceremony")?;
        header.finish()?;
        if !(1..=MAX_POWER).contains(&power) {
            return Err(FormatError::OutOfRange {
                what: "power",
                reason: format!("{power} is not from 1 to {MAX_POWER}"),
            });
        }
        if ceremony_power < power {
            return Err(FormatError::OutOfRange {
                what: "power of the ceremony",
                reason: format!("{ceremony_power} is below the file's power {power}"),
            });
        }
        let size = 1u64 << power;
        let sized = |section, what, count: u64, point: usize| {
            let found = sections.unique(section, what)?;
            let expected = count * point as u64;
            if found.len() as u64 != expected {
                return Err(FormatError::WrongSize {
                    what,
                    found: found.len() as u64,
                    expected,
                });
            }
            Ok(found)
        };
        let tau1 = sized(2, "powers of tau in G1", 2 * size - 1, G1_BYTES)?;
        let contributions = sections.unique(7, "contributions")?;
        let contribution_count = count_contributions(contributions)?;
        let prepared = if sections.has(12) {
            Some(Prepared {
                tau1: sized(12, "Lagrange points in G1", 4 * size - 1, G1_BYTES)?,
                tau2: sized(13, "Lagrange points in G2", 2 * size - 1, G2_BYTES)?,
                alpha1: sized(14, "Lagrange points with alpha", 2 * size - 1, G1_BYTES)?,
                beta1: sized(15, "Lagrange points with beta", 2 * size - 1, G1_BYTES)?,
            })
        } else {
            None
        };
        Ok(Self {
            power,
            ceremony_power,
            tau1,
            tau2: sized(3, "powers of tau in G2", size, G2_BYTES)?,
            alpha1: sized(4, "powers of tau with alpha", size, G1_BYTES)?,
            beta1: sized(5, "powers of tau with beta", size, G1_BYTES)?,
            beta2: sized(6, "beta in G2", 1, G2_BYTES)?,
            contribution_count,
            behind_tau1: behind(bytes, tau1),
            prepared,
        })
    }

    /// What phase 2 needs.
    ///
    /// # Errors
    /// [`FormatError::MissingSection`] for a file that was not prepared for it.
    pub fn prepared(&self) -> Result<Prepared<'a>, FormatError> {
        self.prepared.ok_or(FormatError::MissingSection {
            section: 12,
            what: "Lagrange points, so the powers of tau are not prepared for phase 2",
        })
    }
}

impl<'a> Prepared<'a> {
    /// Where the points of the size 2^`log` are in a list of points of so many bytes.
    pub fn level(list: &'a [u8], log: u32, point_bytes: usize) -> &'a [u8] {
        let size = 1usize << log;
        &list[(size - 1) * point_bytes..(2 * size - 1) * point_bytes]
    }
}

/// The number of contributions, which must have room in their section; nothing reads them.
fn count_contributions(section: &[u8]) -> Result<u32, FormatError> {
    let mut cursor = Cursor::new(section);
    let count = cursor.u32("number of contributions")?;
    let least = u64::from(count) * CONTRIBUTION_BYTES;
    cursor.take("contributions", least)?;
    if count == 0 {
        cursor.finish()?;
    }
    Ok(count)
}

/// The bytes of `whole` that follow on its part `section`.
fn behind<'a>(whole: &'a [u8], section: &'a [u8]) -> Option<&'a [u8]> {
    let start = section.as_ptr() as usize - whole.as_ptr() as usize;
    let end = start + section.len();
    whole.get(end..end + BEHIND_BYTES)
}
