//! PTX inside of what nvcc embeds into an object.
//!
//! A fat binary is a header (magic, version, header's size, size of what follows) and entries, each
//! with a header of its own (kind, version, header's size, content's size). PTX that is not
//! compressed is text. The layout is that of CUDA's `fatbinary_section.h` and `cuobjdump --dump-ptx`.

const MAGIC: u32 = 0xba55_ed50;
const KIND_PTX: u16 = 1;
/// Header: magic, version (2), header's size (2), size of the rest (8).
const HEADER_BYTES: usize = 16;

/// Why no PTX was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FatbinaryError {
    /// Not what nvcc embeds.
    #[error("no fat binary: it begins with {0:#x}")]
    WrongMagic(u32),
    /// Shorter than it says.
    #[error("a fat binary that is truncated")]
    Truncated,
    /// Machine code alone, or compressed.
    #[error("a fat binary without PTX in plain text (nvcc needs -code=compute_80 --no-compress)")]
    NoPtx,
}

/// Bytes of a fat binary, from its first ones.
///
/// # Errors
/// [`FatbinaryError`] if it is none.
pub fn size_of(header: [u8; HEADER_BYTES]) -> Result<usize, FatbinaryError> {
    let magic = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
    if magic != MAGIC {
        return Err(FatbinaryError::WrongMagic(magic));
    }
    let header_size = number(&header, 6, 2)?;
    let rest = number(&header, 8, 8)?;
    header_size
        .checked_add(rest)
        .ok_or(FatbinaryError::Truncated)
}

/// The PTX of a fat binary.
///
/// # Errors
/// [`FatbinaryError`] if it has none in plain text.
pub fn ptx_of(bytes: &[u8]) -> Result<&str, FatbinaryError> {
    let mut at = number(bytes, 6, 2)?;
    while at < bytes.len() {
        let kind = number(bytes, at, 2)?;
        let header_size = number(bytes, at + 4, 4)?;
        let size = number(bytes, at + 8, 8)?;
        let start = at.checked_add(header_size);
        let end = start.and_then(|start| start.checked_add(size));
        let content = start
            .zip(end)
            .and_then(|(start, end)| bytes.get(start..end));
        let content = content.ok_or(FatbinaryError::Truncated)?;
        if kind == usize::from(KIND_PTX) {
            let end = content.iter().position(|byte| *byte == 0).unwrap_or(size);
            if let Ok(text) = std::str::from_utf8(&content[..end])
                && text.contains(".version")
            {
                return Ok(text);
            }
        }
        at += header_size + size;
        if header_size + size == 0 {
            break;
        }
    }
    Err(FatbinaryError::NoPtx)
}

fn number(bytes: &[u8], at: usize, count: usize) -> Result<usize, FatbinaryError> {
    let part = bytes.get(at..at + count).ok_or(FatbinaryError::Truncated)?;
    let mut word = [0; 8];
    word[..count].copy_from_slice(part);
    usize::try_from(u64::from_le_bytes(word)).map_err(|_| FatbinaryError::Truncated)
}
