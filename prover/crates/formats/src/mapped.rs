//! Files mapped into memory.
#![allow(unsafe_code)]

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use crate::FormatError;

/// A file's bytes.
///
/// The file must not be cut short while it is mapped (the system then ends the process at the next
/// access). Hence the mapping is held only while a file is read: what a key or witness is made of
/// afterwards lies in memory of our own, and replacing the file cannot reach it.
#[derive(Debug)]
pub struct MappedFile {
    /// nothing for an empty file, which cannot be mapped
    mapping: Option<Mmap>,
}

impl MappedFile {
    /// Maps a whole file for reading.
    ///
    /// # Errors
    /// [`FormatError::Io`] when it cannot be opened or mapped, or is not a plain file.
    pub fn open(path: &Path) -> Result<Self, FormatError> {
        let failed = |source| FormatError::Io {
            path: path.display().to_string(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(failed(std::io::Error::other("not a plain file")));
        }
        if metadata.len() == 0 {
            return Ok(Self { mapping: None });
        }
        // SAFETY: the mapping is private and read-only. Another process changing the file can change
        // the bytes we see (every use checks ranges and never trusts what it read before) or, by
        // truncating, end this process; the type's documentation says how long a mapping is held.
        let mapping = unsafe { Mmap::map(&file) }.map_err(failed)?;
        Ok(Self {
            mapping: Some(mapping),
        })
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.mapping.as_deref().unwrap_or(&[])
    }
}
