//! The frame that snarkjs' binary files share: magic, version, numbered sections.

use crate::FormatError;

/// Sections in a file; real ones have at most about ten.
const MAX_SECTIONS: u32 = 64;

/// A file cut into sections.
#[derive(Debug)]
pub struct Sections<'a> {
    sections: Vec<(u32, &'a [u8])>,
}

impl<'a> Sections<'a> {
    /// Reads the frame of a file called `format`, up to version `supported`.
    ///
    /// # Errors
    /// Wrong magic or version, a section that reaches beyond the end, bytes after the last one.
    pub fn read(
        bytes: &'a [u8],
        format: &'static str,
        supported: u32,
    ) -> Result<Self, FormatError> {
        let mut cursor = Cursor::new(bytes);
        let magic = cursor.take("the file's magic", 4)?;
        if magic != format.as_bytes() {
            return Err(FormatError::WrongMagic {
                expected: format,
                found: magic.to_vec(),
            });
        }
        let found = cursor.u32("the file's version")?;
        if found == 0 || found > supported {
            return Err(FormatError::WrongVersion {
                format,
                found,
                supported,
            });
        }
        let count = cursor.u32("the number of sections")?;
        if count > MAX_SECTIONS {
            return Err(FormatError::TooManySections {
                found: count,
                limit: MAX_SECTIONS,
            });
        }
        let mut sections = Vec::new();
        for _ in 0..count {
            let number = cursor.u32("a section's number")?;
            let length = cursor.u64("a section's length")?;
            sections.push((number, cursor.take("a section", length)?));
        }
        cursor.finish()?;
        Ok(Self { sections })
    }

    /// Number of sections.
    pub fn count(&self) -> usize {
        self.sections.len()
    }

    /// Whether there is a section with this number.
    pub fn has(&self, section: u32) -> bool {
        self.sections.iter().any(|(number, _)| *number == section)
    }

    /// The one section with this number.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn unique(&self, section: u32, what: &'static str) -> Result<&'a [u8], FormatError> {
        let mut found = self
            .sections
            .iter()
            .filter(|(number, _)| *number == section);
        let (_, bytes) = found
            .next()
            .ok_or(FormatError::MissingSection { section, what })?;
        if found.next().is_some() {
            return Err(FormatError::DuplicateSection { section });
        }
        Ok(bytes)
    }
}

/// Reads numbers off a byte string.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte.
    ///
    /// # Errors
    /// [`FormatError::Truncated`] at the end.
    pub fn byte(&mut self, what: &'static str) -> Result<u8, FormatError> {
        Ok(self.take(what, 1)?[0])
    }

    /// The next bytes, as many as the byte before them says.
    ///
    /// # Errors
    /// [`FormatError::Truncated`] when there are fewer.
    pub fn string(&mut self, what: &'static str) -> Result<&'a [u8], FormatError> {
        let length = self.byte(what)?;
        self.take(what, u64::from(length))
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`FormatError::Truncated`] when there are fewer.
    pub fn take(&mut self, what: &'static str, count: u64) -> Result<&'a [u8], FormatError> {
        let available = self.rest.len() as u64;
        let taken = usize::try_from(count)
            .ok()
            .and_then(|count| self.rest.split_at_checked(count));
        let (taken, rest) = taken.ok_or(FormatError::Truncated {
            what,
            needed: count,
            available,
        })?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next little-endian 32-bit number.
    ///
    /// # Errors
    /// [`FormatError::Truncated`] at the end.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, FormatError> {
        let bytes = self.take(what, 4)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u32::from(*byte)))
    }

    /// The next little-endian 64-bit number.
    ///
    /// # Errors
    /// [`FormatError::Truncated`] at the end.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, FormatError> {
        let bytes = self.take(what, 8)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// The next little-endian 256-bit integer.
    ///
    /// # Errors
    /// [`FormatError::Truncated`] at the end.
    pub fn integer(&mut self, what: &'static str) -> Result<[u64; 4], FormatError> {
        Ok(to_words(self.take(what, 32)?))
    }

    /// Says that everything has been read.
    ///
    /// # Errors
    /// [`FormatError::TrailingBytes`] when not.
    pub fn finish(self) -> Result<(), FormatError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(FormatError::TrailingBytes { count }),
        }
    }
}

/// A 256-bit integer from (up to) 32 little-endian bytes.
pub fn to_words(bytes: &[u8]) -> [u64; 4] {
    let mut whole = [0; 32];
    let length = bytes.len().min(32);
    whole[..length].copy_from_slice(&bytes[..length]);
    let (words, _) = whole.as_chunks();
    std::array::from_fn(|index| u64::from_le_bytes(words[index]))
}
