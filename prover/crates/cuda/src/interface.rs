//! The C interface of `prover/cuda/haca_cuda.h`, word by word.

use std::ffi::{c_char, c_int};

use haca_prover_groth16::Entry;
use haca_prover_groth16::parts::{KeyParts, MatrixParts, PointParts, RawSums, Words};

/// `HACA_CUDA_ABI_VERSION`
pub const ABI_VERSION: u32 = 1;

/// `haca_points`
#[repr(C)]
pub struct RawPoints {
    points: *const u64,
    indices: *const u32,
    count: u64,
}

/// `haca_matrix`
#[repr(C)]
pub struct RawMatrix {
    starts: *const u32,
    entries: *const Entry,
    entry_count: u64,
}

/// `haca_key`
#[repr(C)]
pub struct RawKey {
    log_domain: u32,
    signal_count: u32,
    coefficients: *const Words,
    coefficient_count: u64,
    a_rows: RawMatrix,
    b_rows: RawMatrix,
    a: RawPoints,
    b1: RawPoints,
    b2: RawPoints,
    c: RawPoints,
    h: RawPoints,
}

/// `haca_device`
#[repr(C)]
pub struct RawDevice {
    pub name: [c_char; 256],
    pub memory_bytes: u64,
    pub major: u32,
    pub minor: u32,
}

/// `haca_loaded_key`, which only the library looks into.
#[repr(C)]
pub struct RawLoadedKey {
    _opaque: [u8; 0],
}

/// `haca_cuda_abi_version`
pub type AbiVersion = unsafe extern "C" fn() -> u32;
/// `haca_cuda_device`
pub type Device = unsafe extern "C" fn(*mut RawDevice, *mut c_char, usize) -> c_int;
/// `haca_cuda_key_bytes`
pub type KeyBytes = unsafe extern "C" fn(*const RawKey) -> u64;
/// `haca_cuda_load`
pub type Load =
    unsafe extern "C" fn(*const RawKey, *mut *mut RawLoadedKey, *mut c_char, usize) -> c_int;
/// `haca_cuda_prove`
pub type Prove = unsafe extern "C" fn(
    *mut RawLoadedKey,
    *const Words,
    u64,
    *mut RawSums,
    *mut c_char,
    usize,
) -> c_int;
/// `haca_cuda_unload`
pub type Unload = unsafe extern "C" fn(*mut RawLoadedKey);

impl RawKey {
    /// Points into `parts`, which must outlive every use.
    pub fn of(parts: &KeyParts<'_>) -> Self {
        Self {
            log_domain: parts.log_domain,
            signal_count: parts.signal_count,
            coefficients: parts.coefficients.as_ptr(),
            coefficient_count: parts.coefficients.len() as u64,
            a_rows: RawMatrix::of(&parts.a_rows),
            b_rows: RawMatrix::of(&parts.b_rows),
            a: RawPoints::of(&parts.a),
            b1: RawPoints::of(&parts.b1),
            b2: RawPoints::of(&parts.b2),
            c: RawPoints::of(&parts.c),
            h: RawPoints::of(&parts.h),
        }
    }
}

impl RawMatrix {
    fn of(parts: &MatrixParts<'_>) -> Self {
        Self {
            starts: parts.starts.as_ptr(),
            entries: parts.entries.as_ptr(),
            entry_count: parts.entries.len() as u64,
        }
    }
}

impl RawPoints {
    fn of(parts: &PointParts<'_>) -> Self {
        Self {
            points: parts.words.as_ptr(),
            indices: parts.indices.as_ptr(),
            count: parts.indices.len() as u64,
        }
    }
}

// The same numbers stand in prover/cuda/interface.cpp.
const _: () = assert!(size_of::<RawKey>() == 192);
const _: () = assert!(size_of::<RawDevice>() == 272);
const _: () = assert!(size_of::<RawSums>() == 576);
