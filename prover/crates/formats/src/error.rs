//! What can be wrong with a file.

use std::io;

/// Why a file was refused. Every message names what was read and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The file cannot be opened, read or mapped.
    #[error("{path}: {source}")]
    Io {
        /// the file
        path: String,
        /// the system's reason
        source: io::Error,
    },
    /// The first four bytes are not the format's name.
    #[error("not a .{expected} file: it starts with {found:?}")]
    WrongMagic {
        /// name of the format
        expected: &'static str,
        /// the bytes found
        found: Vec<u8>,
    },
    /// A version of the format that is not known here.
    #[error(".{format} version {found} is not supported (up to {supported})")]
    WrongVersion {
        /// name of the format
        format: &'static str,
        /// version in the file
        found: u32,
        /// newest version known here
        supported: u32,
    },
    /// The file ends before the named part does.
    #[error("truncated: {what} needs {needed} bytes, {available} are left")]
    Truncated {
        /// the part
        what: &'static str,
        /// bytes that it needs
        needed: u64,
        /// bytes that there are
        available: u64,
    },
    /// Bytes follow the last section.
    #[error("{count} bytes follow the last section")]
    TrailingBytes {
        /// how many
        count: usize,
    },
    /// More sections than any file of this format has.
    #[error("{found} sections, at most {limit} expected")]
    TooManySections {
        /// number in the file
        found: u32,
        /// most allowed
        limit: u32,
    },
    /// A section that must be there is not.
    #[error("section {section} ({what}) is missing")]
    MissingSection {
        /// its number
        section: u32,
        /// what it holds
        what: &'static str,
    },
    /// A section that may be there once is there twice.
    #[error("section {section} appears twice")]
    DuplicateSection {
        /// its number
        section: u32,
    },
    /// A section's length does not follow from the header.
    #[error("{what}: {found} bytes, {expected} expected from the header")]
    WrongSize {
        /// the section
        what: &'static str,
        /// length in the file
        found: u64,
        /// length that follows from the header
        expected: u64,
    },
    /// A key of another proof system.
    #[error("protocol {found} is not Groth16 (1)")]
    WrongProtocol {
        /// protocol number in the file
        found: u32,
    },
    /// A file over another curve.
    #[error("{what}: not the modulus of BN254, the file is for another curve")]
    WrongCurve {
        /// which modulus
        what: &'static str,
    },
    /// A number outside its range.
    #[error("{what}: {reason}")]
    OutOfRange {
        /// the number
        what: &'static str,
        /// the range, and what was found
        reason: String,
    },
    /// JSON that is not of the expected shape.
    #[error("{what}: {reason}")]
    BadJson {
        /// the document or field
        what: String,
        /// what is wrong with it
        reason: String,
    },
}
