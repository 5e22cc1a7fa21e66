//! How much of a key is to be checked.

/// What is known about a key before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyTrust {
    /// nothing: every point is checked
    Unknown,
    /// somebody says that a file with these bytes was checked before. Curve and subgroup of the long
    /// lists of points are not looked at again; sizes, ranges and the whole verifying key are, and
    /// so is every point of a proof. Whoever lies about this can make proofs fail, no more.
    CheckedBefore,
}
