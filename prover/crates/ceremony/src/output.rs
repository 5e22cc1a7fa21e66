//! Files that appear whole or not at all.

use std::fs::{File, OpenOptions, remove_file, rename};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::CeremonyError;

const BUFFER: usize = 1 << 20;
/// Names tried for the file that is written: others may be what killed runs left behind.
const ATTEMPTS: u32 = 100;

/// A file of sections under another name, until it is complete.
pub struct Output {
    file: BufWriter<File>,
    temporary: PathBuf,
    path: PathBuf,
    is_complete: bool,
}

impl Output {
    /// Begins a file that will be `path`.
    ///
    /// # Errors
    /// [`CeremonyError::Write`].
    pub fn create(path: &Path, format: &str, sections: u32) -> Result<Self, CeremonyError> {
        let failed = |source| write_error(path, source);
        let name = path
            .file_name()
            .ok_or_else(|| failed(std::io::Error::other("not the name of a file")))?;
        for attempt in 0.. {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{attempt}.tmp", std::process::id()));
            let temporary = path.with_file_name(hidden);
            let opened = OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&temporary);
            let file = match opened {
                Err(error)
                    if error.kind() == std::io::ErrorKind::AlreadyExists && attempt < ATTEMPTS =>
                {
                    continue;
                }
                opened => opened.map_err(failed)?,
            };
            let mut output = Self {
                file: BufWriter::with_capacity(BUFFER, file),
                temporary,
                path: path.to_owned(),
                is_complete: false,
            };
            output.add(format.as_bytes())?;
            output.add(&1u32.to_le_bytes())?;
            output.add(&sections.to_le_bytes())?;
            return Ok(output);
        }
        Err(failed(std::io::Error::other("no free name beside it")))
    }

    /// Begins a section of so many bytes.
    ///
    /// # Errors
    /// [`CeremonyError::Write`].
    pub fn section(&mut self, number: u32, length: u64) -> Result<(), CeremonyError> {
        self.add(&number.to_le_bytes())?;
        self.add(&length.to_le_bytes())
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`CeremonyError::Write`].
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), CeremonyError> {
        self.file
            .write_all(bytes)
            .map_err(|source| write_error(&self.path, source))
    }

    /// Gives the file its name once it is on the disk.
    ///
    /// # Errors
    /// [`CeremonyError::Write`].
    pub fn finish(mut self) -> Result<(), CeremonyError> {
        self.file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .and_then(|()| rename(&self.temporary, &self.path))
            .map_err(|source| write_error(&self.path, source))?;
        self.is_complete = true;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.is_complete {
            // Whoever dropped it has an error to tell already.
            let _ = remove_file(&self.temporary);
        }
    }
}

fn write_error(path: &Path, source: std::io::Error) -> CeremonyError {
    CeremonyError::Write {
        path: path.display().to_string(),
        source,
    }
}
