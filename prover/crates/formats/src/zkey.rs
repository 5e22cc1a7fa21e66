//! `.zkey`: a Groth16 proving key.
//!
//! Sections: 1 protocol; 2 header and verifying key; 3 IC points; 4 coefficients of the matrices A
//! and B; 5 A; 6 B in G1; 7 B in G2; 8 C (private signals only); 9 H; 10 contributions.
//!
//! Coordinates are in Montgomery form (x 2^256), coefficients are scaled twice (v 2^512), all
//! little-endian; a point at infinity is all zeros.

use crate::FormatError;
use crate::binary::{Cursor, Sections, to_words};
use crate::bn254::{BASE_MODULUS, SCALAR_MODULUS, is_below};

/// Bytes of a point of the first group.
pub const G1_BYTES: usize = 64;
/// Bytes of a point of the second group.
pub const G2_BYTES: usize = 128;
const COEFFICIENT_BYTES: usize = 12 + 32;
const GROTH16: u32 = 1;
/// The transform needs a root of unity of twice the order; the field has them up to 2^28.
const MAX_LOG_DOMAIN: u32 = 27;

/// A checked key inside a file's bytes. Whether points lie on their curves is not checked here.
#[derive(Debug)]
pub struct KeyFile<'a> {
    /// Number of signals, the constant 1 included.
    pub signal_count: u32,
    /// Number of public signals, the constant 1 not included.
    pub public_count: u32,
    /// Logarithm of the size of the domain.
    pub log_domain: u32,
    /// The verifying key's points.
    pub verifying: VerifyingPoints<'a>,
    /// One point for the constant and each public signal.
    pub ic: &'a [u8],
    /// Points of A, one for each signal.
    pub a: &'a [u8],
    /// Points of B in the first group, one for each signal.
    pub b1: &'a [u8],
    /// Points of B in the second group, one for each signal.
    pub b2: &'a [u8],
    /// Points of C, one for each private signal.
    pub c: &'a [u8],
    /// Points of H, one for each element of the domain.
    pub h: &'a [u8],
    coefficients: &'a [u8],
}

/// Points of the header, as bytes.
#[derive(Debug)]
pub struct VerifyingPoints<'a> {
    /// alpha in the first group
    pub alpha1: &'a [u8],
    /// beta in the first group
    pub beta1: &'a [u8],
    /// beta in the second group
    pub beta2: &'a [u8],
    /// gamma in the second group
    pub gamma2: &'a [u8],
    /// delta in the first group
    pub delta1: &'a [u8],
    /// delta in the second group
    pub delta2: &'a [u8],
}

/// Which matrix a coefficient belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matrix {
    /// left factors
    A,
    /// right factors
    B,
}

/// One coefficient.
#[derive(Debug, Clone, Copy)]
pub struct Coefficient {
    /// its matrix
    pub matrix: Matrix,
    /// its row, below the domain's size
    pub constraint: u32,
    /// its column, below the number of signals
    pub signal: u32,
    /// its value times 2^512, below the scalar modulus
    pub scaled_value: [u64; 4],
}

impl<'a> KeyFile<'a> {
    /// Reads and checks the frame of a key.
    ///
    /// # Errors
    /// A [`FormatError`] that says what is wrong.
    pub fn read(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let sections = Sections::read(bytes, "zkey", 2)?;
        let mut protocol = Cursor::new(sections.unique(1, "protocol")?);
        let found = protocol.u32("protocol")?;
        if found != GROTH16 {
            return Err(FormatError::WrongProtocol { found });
        }
        protocol.finish()?;

        let mut header = Cursor::new(sections.unique(2, "header")?);
        check_modulus(&mut header, "base field", &BASE_MODULUS)?;
        check_modulus(&mut header, "scalar field", &SCALAR_MODULUS)?;
        let signal_count = header.u32("number of signals")?;
        let public_count = header.u32("number of public signals")?;
        let domain = header.u32("size of the domain")?;
        if !domain.is_power_of_two() || domain > 1 << MAX_LOG_DOMAIN {
            let reason = format!("{domain} is not a power of two up to 2^{MAX_LOG_DOMAIN}");
            return Err(FormatError::OutOfRange {
                what: "size of the domain",
                reason,
            });
        }
        if public_count >= signal_count {
            let reason = format!("{public_count} of {signal_count} signals, one of them constant");
            return Err(FormatError::OutOfRange {
                what: "number of public signals",
                reason,
            });
        }
        let verifying = VerifyingPoints {
            alpha1: header.take("alpha", G1_BYTES as u64)?,
            beta1: header.take("beta", G1_BYTES as u64)?,
            beta2: header.take("beta", G2_BYTES as u64)?,
            gamma2: header.take("gamma", G2_BYTES as u64)?,
            delta1: header.take("delta", G1_BYTES as u64)?,
            delta2: header.take("delta", G2_BYTES as u64)?,
        };
        header.finish()?;

        let sized = |section, what, count: u32, bytes: usize| {
            let found = sections.unique(section, what)?;
            let expected = u64::from(count) * bytes as u64;
            if found.len() as u64 != expected {
                return Err(FormatError::WrongSize {
                    what,
                    found: found.len() as u64,
                    expected,
                });
            }
            Ok(found)
        };
        let key = Self {
            signal_count,
            public_count,
            log_domain: domain.trailing_zeros(),
            verifying,
            ic: sized(3, "IC points", public_count + 1, G1_BYTES)?,
            a: sized(5, "A points", signal_count, G1_BYTES)?,
            b1: sized(6, "B points in G1", signal_count, G1_BYTES)?,
            b2: sized(7, "B points in G2", signal_count, G2_BYTES)?,
            c: sized(8, "C points", signal_count - public_count - 1, G1_BYTES)?,
            h: sized(9, "H points", domain, G1_BYTES)?,
            coefficients: read_coefficients(sections.unique(4, "coefficients")?)?,
        };
        key.check_coefficients(domain)?;
        Ok(key)
    }

    /// The coefficients, in the file's order.
    pub fn coefficients(&self) -> impl ExactSizeIterator<Item = Coefficient> + 'a {
        self.coefficients
            .chunks_exact(COEFFICIENT_BYTES)
            .map(|bytes| Coefficient {
                matrix: if word(bytes, 0) == 0 {
                    Matrix::A
                } else {
                    Matrix::B
                },
                constraint: word(bytes, 4),
                signal: word(bytes, 8),
                scaled_value: to_words(&bytes[12..]),
            })
    }

    fn check_coefficients(&self, domain: u32) -> Result<(), FormatError> {
        for (index, bytes) in self
            .coefficients
            .chunks_exact(COEFFICIENT_BYTES)
            .enumerate()
        {
            let (matrix, constraint, signal) = (word(bytes, 0), word(bytes, 4), word(bytes, 8));
            let reason = if matrix > 1 {
                format!("matrix {matrix} of coefficient {index} is neither A (0) nor B (1)")
            } else if constraint >= domain {
                format!("constraint {constraint} of coefficient {index} is not below {domain}")
            } else if signal >= self.signal_count {
                let limit = self.signal_count;
                format!("signal {signal} of coefficient {index} is not below {limit}")
            } else if !is_below(&to_words(&bytes[12..]), &SCALAR_MODULUS) {
                format!("the value of coefficient {index} is not below the modulus")
            } else {
                continue;
            };
            return Err(FormatError::OutOfRange {
                what: "coefficients",
                reason,
            });
        }
        Ok(())
    }
}

fn check_modulus(
    header: &mut Cursor,
    what: &'static str,
    modulus: &[u64; 4],
) -> Result<(), FormatError> {
    if header.u32(what)? != 32 || header.integer(what)? != *modulus {
        return Err(FormatError::WrongCurve { what });
    }
    Ok(())
}

fn read_coefficients(section: &[u8]) -> Result<&[u8], FormatError> {
    let mut cursor = Cursor::new(section);
    let count = cursor.u32("number of coefficients")?;
    let expected = u64::from(count) * COEFFICIENT_BYTES as u64;
    let found = section.len() as u64 - 4;
    if found != expected {
        return Err(FormatError::WrongSize {
            what: "coefficients",
            found,
            expected,
        });
    }
    cursor.take("coefficients", expected)
}

fn word(bytes: &[u8], offset: usize) -> u32 {
    bytes[offset..offset + 4]
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u32::from(*byte))
}
