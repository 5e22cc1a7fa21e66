//! Launches that a device would not take.

use haca_cuda_emulator::device::error::DeviceError;
use haca_cuda_emulator::device::limits::{MULTIPROCESSORS, SHARED_BYTES, SHARED_BYTES_ASKED};
use haca_cuda_emulator::device::request::Request;

use crate::common::{HEAD, Machine};

/// A kernel for 96 threads with 16 bytes of shared memory and two parameters.
fn machine() -> Machine {
    let ptx = HEAD.to_owned()
        + ".extern .shared .align 16 .b8 dynamic[];
.entry k(.param .u32 a, .param .u64 b)
.maxntid 48, 2, 1
{
.shared .u32 word;
}";
    Machine::new(&ptx)
}

fn request(blocks: [u32; 3], threads: [u32; 3]) -> Request {
    Request {
        function: 0,
        blocks,
        threads,
        dynamic_shared: 0,
        parameters: vec![0; 16],
        is_cooperative: false,
    }
}

#[track_caller]
fn assert_refused(machine: &mut Machine, request: Request, reason: &str) {
    let error = machine.finish(request).unwrap_err();
    assert!(matches!(error, DeviceError::Launch { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("k: invalid launch: ") && text.contains(reason),
        "{text}"
    );
    // The device is as good as before.
    machine.device.synchronise(0).unwrap();
}

#[test]
fn threads_and_blocks_within_bounds() {
    let mut machine = machine();
    assert_eq!(machine.device.attributes(0).unwrap().max_threads, 96);
    for (blocks, threads, reason) in [
        ([1; 3], [97, 1, 1], "1 blocks of 97 threads"),
        ([1; 3], [5, 5, 5], "1 blocks of 125 threads"),
        ([1; 3], [1, 0, 1], "1 blocks of 0 threads"),
        ([3, 0, 1], [1; 3], "0 blocks of 1 threads"),
        ([1, 65_536, 1], [1; 3], "[1, 65536, 1] blocks"),
        ([1, 1, 65_536], [1; 3], "[1, 1, 65536] blocks"),
        ([1 << 31, 1, 1], [1; 3], "blocks of [1, 1, 1]"),
        ([1; 3], [1, 1, 65], "threads"),
        ([u32::MAX; 3], [u32::MAX; 3], "threads"),
    ] {
        assert_refused(&mut machine, request(blocks, threads), reason);
    }
    for threads in [[96, 1, 1], [4, 4, 6], [1; 3]] {
        machine.finish(request([2, 2, 2], threads)).unwrap();
    }
}

#[test]
fn no_more_than_1024_threads_whatever_the_kernel_says() {
    let ptx = HEAD.to_owned() + ".entry k()\n.maxntid 4096\n{\n}\n.entry other() {\n}";
    let machine = Machine::new(&ptx);
    assert_eq!(machine.device.attributes(0).unwrap().max_threads, 1024);
    assert_eq!(machine.device.attributes(1).unwrap().max_threads, 1024);
}

#[test]
fn shared_memory_within_what_was_asked_for() {
    let mut machine = machine();
    let with = |dynamic_shared| Request {
        dynamic_shared,
        ..request([1; 3], [1; 3])
    };
    machine.finish(with(SHARED_BYTES - 16)).unwrap();
    assert_refused(
        &mut machine,
        with(SHARED_BYTES - 15),
        "49153 bytes of shared memory",
    );
    assert_refused(&mut machine, with(usize::MAX), "bytes of shared memory");
    let most = SHARED_BYTES_ASKED - 16;
    assert!(machine.device.allow_shared(0, most + 1).is_err());
    assert!(machine.device.allow_shared(0, usize::MAX).is_err());
    machine.device.allow_shared(0, 100_000).unwrap();
    machine.finish(with(100_000)).unwrap();
    assert_refused(&mut machine, with(100_001), "100000 asked for");
    machine.device.allow_shared(0, most).unwrap();
    machine.finish(with(most)).unwrap();
    assert_refused(&mut machine, with(most + 1), "bytes of shared memory");
}

#[test]
fn blocks_that_meet_are_all_there_at_once() {
    let mut machine = machine();
    let with = |blocks| Request {
        is_cooperative: true,
        ..request(blocks, [1; 3])
    };
    machine.finish(with([MULTIPROCESSORS, 1, 1])).unwrap();
    let reason = format!("{} blocks that meet", MULTIPROCESSORS + 1);
    assert_refused(&mut machine, with([MULTIPROCESSORS + 1, 1, 1]), &reason);
    assert_refused(
        &mut machine,
        with([1, MULTIPROCESSORS, 2]),
        "blocks that meet",
    );
}

#[test]
fn handles_and_sizes_that_are_none() {
    let mut machine = machine();
    let mut invalid = |request: Request, stream| {
        let error = machine.device.launch(request, stream).unwrap_err();
        assert!(matches!(error, DeviceError::Invalid(_)), "{error}");
    };
    let parameters = |size| Request {
        parameters: vec![0; size],
        ..request([1; 3], [1; 3])
    };
    invalid(parameters(15), 0);
    invalid(parameters(17), 0);
    invalid(parameters(16), 9);
    let function = Request {
        function: 3,
        ..parameters(16)
    };
    invalid(function, 0);
    assert!(machine.device.attributes(3).is_err());
    assert!(machine.device.parameters(3).is_err());
    assert!(machine.device.allow_shared(3, 0).is_err());
    assert!(machine.device.define(9, 0, "k").is_err());
    assert!(machine.device.declare(9, 0, "k").is_err());
    machine.finish(request([1; 3], [1; 3])).unwrap();
}

#[test]
fn instructions_are_counted() {
    let ptx = HEAD.to_owned() + ".entry k() {\n.reg .u32 r;\nmov.u32 r, 1;\nret;\n}";
    let mut machine = Machine::new(&ptx);
    let empty = Request {
        parameters: Vec::new(),
        ..request([3, 1, 1], [33, 1, 1])
    };
    machine.finish(empty).unwrap();
    // Three blocks of two warps: the move, the return and the end behind it.
    assert_eq!(machine.device.instructions(), 18);
}
