//! The C interface, `runtime/simt.h`. The only file with `unsafe` code.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::device::Device;
use crate::device::error::DeviceError;
use crate::device::fatbinary::{ptx_of, size_of};
use crate::device::limits::{MEMORY_BYTES, MULTIPROCESSORS, SHARED_BYTES, SHARED_BYTES_ASKED};
use crate::device::request::Request;

/// Another number draws other orders.
const SEED_VARIABLE: &str = "HACA_SIMT_SEED";

/// Of `cudaError`.
const INVALID_VALUE: i32 = 1;
const OUT_OF_MEMORY: i32 = 2;
const INVALID_CONFIGURATION: i32 = 9;
const INVALID_PTX: i32 = 218;
const LAUNCH_FAILURE: i32 = 719;

static DEVICE: LazyLock<Mutex<Device>> = LazyLock::new(|| {
    let seed = match std::env::var(SEED_VARIABLE) {
        Err(_) => 1,
        Ok(text) => text.parse().unwrap_or_else(|_| {
            eprintln!("{SEED_VARIABLE}={text}: not a number from 0 to 2^64 - 1");
            std::process::exit(2);
        }),
    };
    Mutex::new(Device::new(seed))
});

thread_local! {
    static MESSAGE: RefCell<CString> = RefCell::default();
}

fn with_device(work: impl FnOnce(&mut Device) -> Result<(), DeviceError>) -> i32 {
    let mut device = DEVICE.lock().unwrap_or_else(PoisonError::into_inner);
    let Err(error) = work(&mut device) else {
        return 0;
    };
    let text = CString::new(error.to_string().replace('\0', " ")).unwrap_or_default();
    MESSAGE.with_borrow_mut(|message| *message = text);
    match error {
        DeviceError::Invalid(_) => INVALID_VALUE,
        DeviceError::OutOfMemory { .. } => OUT_OF_MEMORY,
        DeviceError::Launch { .. } => INVALID_CONFIGURATION,
        DeviceError::Ptx(_) => INVALID_PTX,
        DeviceError::Sticky(_) | DeviceError::Memory(_) => LAUNCH_FAILURE,
    }
}

/// # Safety
/// The text stays as it is until the thread's next call.
#[unsafe(no_mangle)]
extern "C" fn simt_message() -> *const c_char {
    MESSAGE.with_borrow(|message| message.as_ptr())
}

#[unsafe(no_mangle)]
extern "C" fn simt_multiprocessors() -> u32 {
    MULTIPROCESSORS
}

#[unsafe(no_mangle)]
extern "C" fn simt_memory_bytes() -> usize {
    MEMORY_BYTES
}

#[unsafe(no_mangle)]
extern "C" fn simt_shared_bytes() -> usize {
    SHARED_BYTES
}

#[unsafe(no_mangle)]
extern "C" fn simt_shared_bytes_asked() -> usize {
    SHARED_BYTES_ASKED
}

/// # Safety
/// `fatbinary` is what nvcc embedded, and stays; `module` is writable.
#[unsafe(no_mangle)]
unsafe extern "C" fn simt_load(fatbinary: *const c_void, module: *mut usize) -> i32 {
    with_device(|device| {
        let invalid = |_| DeviceError::Invalid("fat binary without PTX in plain text");
        // SAFETY: a fat binary has at least its header.
        let header = unsafe { fatbinary.cast::<[u8; 16]>().read_unaligned() };
        let size = size_of(header).map_err(invalid)?;
        // SAFETY: and is as long as the header says.
        let bytes = unsafe { std::slice::from_raw_parts(fatbinary.cast::<u8>(), size) };
        let number = device.load(ptx_of(bytes).map_err(invalid)?)?;
        // SAFETY: writable, says the caller.
        unsafe { module.write(number) };
        Ok(())
    })
}

/// # Safety
/// `name` is a text that ends with zero.
#[unsafe(no_mangle)]
unsafe extern "C" fn simt_define(
    module: usize,
    function: *const c_void,
    name: *const c_char,
) -> i32 {
    // SAFETY: a text, says the caller.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    with_device(|device| device.define(module, function.addr(), &name))
}

/// # Safety
/// `name` is a text that ends with zero.
#[unsafe(no_mangle)]
unsafe extern "C" fn simt_declare(
    module: usize,
    variable: *const c_void,
    name: *const c_char,
) -> i32 {
    // SAFETY: a text, says the caller.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    with_device(|device| device.declare(module, variable.addr(), &name))
}

/// # Safety
/// `address` is writable.
#[unsafe(no_mangle)]
unsafe extern "C" fn simt_address(variable: *const c_void, address: *mut u64) -> i32 {
    with_device(|device| {
        let found = device.address_of(variable.addr())?;
        // SAFETY: writable, says the caller.
        unsafe { address.write(found) };
        Ok(())
    })
}

/// # Safety
/// `max_threads` and `shared_bytes` are writable.
#[unsafe(no_mangle)]
unsafe extern "C" fn simt_attributes(
    function: *const c_void,
    max_threads: *mut u32,
    shared_bytes: *mut usize,
) -> i32 {
    with_device(|device| {
        let found = device.attributes(function.addr())?;
        // SAFETY: writable, says the caller.
        unsafe {
            max_threads.write(found.max_threads);
            shared_bytes.write(found.shared_bytes);
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn simt_allow_shared(function: *const c_void, bytes: usize) -> i32 {
    with_device(|device| device.allow_shared(function.addr(), bytes))
}

/// # Safety
/// `blocks` and `threads` have three numbers; `parameters` points to each of the kernel's
/// parameters, which are as large as the kernel says.
#[unsafe(no_mangle)]
unsafe extern "C" fn simt_launch(
    function: *const c_void,
    blocks: *const [u32; 3],
    threads: *const [u32; 3],
    dynamic_shared: usize,
    parameters: *const *const u8,
    stream: usize,
    is_cooperative: i32,
) -> i32 {
    with_device(|device| {
        let mut content = Vec::new();
        for (number, (offset, size)) in device.parameters(function.addr())?.into_iter().enumerate()
        {
            content.resize(offset, 0);
            // SAFETY: there are as many parameters as the kernel has, each as large as it says.
            let bytes = unsafe { std::slice::from_raw_parts(*parameters.add(number), size) };
            content.extend_from_slice(bytes);
        }
        // SAFETY: three numbers each, says the caller.
        let (blocks, threads) = unsafe { (*blocks, *threads) };
        let request = Request {
            function: function.addr(),
            blocks,
            threads,
            dynamic_shared,
            parameters: content,
            is_cooperative: is_cooperative != 0,
        };
        device.launch(request, stream)
    })
}

/// # Safety
/// `address` is writable.
#[unsafe(no_mangle)]
unsafe extern "C" fn simt_allocate(bytes: usize, stream: usize, address: *mut u64) -> i32 {
    with_device(|device| {
        let allocated = device.allocate(bytes, stream)?;
        // SAFETY: writable, says the caller.
        unsafe { address.write(allocated) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn simt_release(address: u64, stream: usize) -> i32 {
    with_device(|device| device.release(address, stream))
}

/// # Safety
/// `from` has `rows` times `bytes` bytes, `from_pitch` apart.
#[unsafe(no_mangle)]
unsafe extern "C" fn simt_write(
    to: u64,
    to_pitch: usize,
    from: *const u8,
    from_pitch: usize,
    bytes: usize,
    rows: usize,
    stream: usize,
) -> i32 {
    // Where there is nothing to copy, there may be no pointer.
    let rows = if bytes == 0 { 0 } else { rows };
    let parts = (0..rows).map(|row| {
        // SAFETY: readable, says the caller.
        let part = unsafe { std::slice::from_raw_parts(from.add(row * from_pitch), bytes) };
        (to + (row * to_pitch) as u64, part.to_vec())
    });
    let parts = parts.collect();
    with_device(|device| device.write(parts, stream))
}

#[unsafe(no_mangle)]
extern "C" fn simt_copy(to: u64, from: u64, bytes: usize, stream: usize) -> i32 {
    with_device(|device| device.copy(to, from, bytes, stream))
}

/// # Safety
/// `to` has room for `rows` times `bytes` bytes, `to_pitch` apart.
#[unsafe(no_mangle)]
unsafe extern "C" fn simt_read(
    to: *mut u8,
    to_pitch: usize,
    from: u64,
    from_pitch: usize,
    bytes: usize,
    rows: usize,
    stream: usize,
) -> i32 {
    with_device(|device| {
        if bytes == 0 {
            return device.synchronise(stream);
        }
        for row in 0..rows {
            let found = device.read(from + (row * from_pitch) as u64, bytes, stream)?;
            // SAFETY: writable, says the caller.
            let room = unsafe { std::slice::from_raw_parts_mut(to.add(row * to_pitch), bytes) };
            room.copy_from_slice(found);
        }
        Ok(())
    })
}

/// # Safety
/// `stream` is writable.
#[unsafe(no_mangle)]
unsafe extern "C" fn simt_open_stream(stream: *mut usize) -> i32 {
    with_device(|device| {
        // SAFETY: writable, says the caller.
        unsafe { stream.write(device.open_stream()?) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn simt_close_stream(stream: usize) -> i32 {
    with_device(|device| device.close_stream(stream))
}

/// # Safety
/// `event` is writable.
#[unsafe(no_mangle)]
unsafe extern "C" fn simt_new_event(event: *mut usize) -> i32 {
    with_device(|device| {
        // SAFETY: writable, says the caller.
        unsafe { event.write(device.new_event()?) };
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn simt_record(event: usize, stream: usize) -> i32 {
    with_device(|device| device.record(event, stream))
}

#[unsafe(no_mangle)]
extern "C" fn simt_wait(stream: usize, event: usize) -> i32 {
    with_device(|device| device.wait(stream, event))
}

#[unsafe(no_mangle)]
extern "C" fn simt_synchronise(stream: usize) -> i32 {
    with_device(|device| device.synchronise(stream))
}

#[unsafe(no_mangle)]
extern "C" fn simt_synchronise_all() -> i32 {
    with_device(Device::synchronise_all)
}
