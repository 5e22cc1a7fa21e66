//! Streams and events: an order of chance where none is asked for.

use std::collections::HashSet;

use haca_cuda_emulator::device::Device;
use haca_cuda_emulator::device::error::DeviceError;
use haca_cuda_emulator::device::limits::MEMORY_BYTES;

use crate::common::{Argument, HEAD, Machine, kernel, words_of};

const SEEDS: std::ops::Range<u64> = 0..48;

fn write(device: &mut Device, address: u64, word: u32, stream: usize) -> Result<(), DeviceError> {
    device.write(vec![(address, word.to_le_bytes().to_vec())], stream)
}

fn read(device: &mut Device, address: u64, stream: usize) -> Result<u32, DeviceError> {
    Ok(words_of(device.read(address, 4, stream)?)[0])
}

/// A word that is 1, and two streams beside the first.
fn word_and_streams(seed: u64) -> (Device, u64, usize, usize) {
    let mut device = Device::new(seed);
    let word = device.allocate(4, 0).unwrap();
    write(&mut device, word, 1, 0).unwrap();
    device.synchronise(0).unwrap();
    let (a, b) = (device.open_stream().unwrap(), device.open_stream().unwrap());
    (device, word, a, b)
}

#[test]
fn streams_work_in_an_order_of_chance() {
    let outcomes: HashSet<u32> = SEEDS
        .map(|seed| {
            let (mut device, word, a, b) = word_and_streams(seed);
            write(&mut device, word, 2, a).unwrap();
            write(&mut device, word, 3, b).unwrap();
            device.synchronise_all().unwrap();
            read(&mut device, word, 0).unwrap()
        })
        .collect();
    assert_eq!(outcomes, HashSet::from([2, 3]));
}

#[test]
fn an_event_orders_them() {
    for seed in SEEDS {
        let (mut device, word, a, b) = word_and_streams(seed);
        let event = device.new_event().unwrap();
        write(&mut device, word, 2, a).unwrap();
        device.record(event, a).unwrap();
        device.wait(b, event).unwrap();
        write(&mut device, word, 3, b).unwrap();
        device.synchronise(b).unwrap();
        assert_eq!(read(&mut device, word, b).unwrap(), 3, "seed {seed}");
        device.synchronise_all().unwrap();
        assert_eq!(read(&mut device, word, 0).unwrap(), 3, "seed {seed}");
    }
}

#[test]
fn reading_before_writing_is_found_where_the_event_is_missing() {
    let old = SEEDS.filter(|seed| {
        let (mut device, word, a, b) = word_and_streams(*seed);
        write(&mut device, word, 2, a).unwrap();
        read(&mut device, word, b).unwrap() == 1
    });
    assert!(old.count() > 10);
}

#[test]
fn each_record_of_an_event_is_one_of_its_own() {
    for seed in SEEDS {
        let (mut device, word, a, b) = word_and_streams(seed);
        let c = device.open_stream().unwrap();
        let event = device.new_event().unwrap();
        write(&mut device, word, 2, a).unwrap();
        device.record(event, a).unwrap();
        device.wait(c, event).unwrap();
        // Recorded again elsewhere, and happened there, it is still awaited as it was.
        device.record(event, b).unwrap();
        device.synchronise(b).unwrap();
        assert_eq!(read(&mut device, word, c).unwrap(), 2, "seed {seed}");
    }
    // Who waits for the second record does not wait for the first.
    let early = SEEDS.filter(|seed| {
        let (mut device, word, a, b) = word_and_streams(*seed);
        let event = device.new_event().unwrap();
        write(&mut device, word, 2, a).unwrap();
        device.record(event, a).unwrap();
        device.record(event, b).unwrap();
        let c = device.open_stream().unwrap();
        device.wait(c, event).unwrap();
        read(&mut device, word, c).unwrap() == 1
    });
    assert!(early.count() > 10);
}

#[test]
fn events_reach_through_streams() {
    for seed in SEEDS {
        let (mut device, word, a, b) = word_and_streams(seed);
        let c = device.open_stream().unwrap();
        let (first, second) = (device.new_event().unwrap(), device.new_event().unwrap());
        write(&mut device, word, 2, a).unwrap();
        device.record(first, a).unwrap();
        device.wait(b, first).unwrap();
        device.record(second, b).unwrap();
        device.wait(c, second).unwrap();
        device.close_stream(a).unwrap();
        assert_eq!(read(&mut device, word, c).unwrap(), 2, "seed {seed}");
    }
}

#[test]
fn an_event_that_was_never_recorded_holds_nobody_up() {
    let (mut device, word, a, _) = word_and_streams(3);
    let event = device.new_event().unwrap();
    device.wait(a, event).unwrap();
    write(&mut device, word, 2, a).unwrap();
    assert_eq!(read(&mut device, word, a).unwrap(), 2);
}

#[test]
fn memory_that_another_stream_allocates_or_frees() {
    // Nobody waits: for some seeds the memory is not there yet, or no longer.
    let to_come = SEEDS.filter(|seed| {
        let (mut device, _, a, b) = word_and_streams(*seed);
        let word = device.allocate(4, a).unwrap();
        write(&mut device, word, 1, b)
            .and_then(|()| device.synchronise_all())
            .is_err()
    });
    assert!((1..48).contains(&to_come.count()));
    let gone = SEEDS.filter(|seed| {
        let (mut device, word, a, b) = word_and_streams(*seed);
        write(&mut device, word, 1, a).unwrap();
        device
            .release(word, b)
            .and_then(|()| device.synchronise(b))
            .and_then(|()| device.synchronise_all())
            .is_err()
    });
    assert!((1..48).contains(&gone.count()));
    for seed in SEEDS {
        let (mut device, _, a, b) = word_and_streams(seed);
        let (there, done) = (device.new_event().unwrap(), device.new_event().unwrap());
        let word = device.allocate(4, a).unwrap();
        device.record(there, a).unwrap();
        device.wait(b, there).unwrap();
        write(&mut device, word, 1, b).unwrap();
        device.record(done, b).unwrap();
        device.wait(a, done).unwrap();
        device.release(word, a).unwrap();
        device.synchronise_all().unwrap();
    }
}

#[test]
fn copies_on_the_device() {
    let (mut device, word, a, _) = word_and_streams(1);
    let other = device.allocate(8, a).unwrap();
    device.copy(other + 4, word, 4, a).unwrap();
    assert_eq!(read(&mut device, other + 4, a).unwrap(), 1);
    let outcome = device
        .copy(other + 6, word, 4, a)
        .and_then(|()| device.synchronise(a));
    let error = outcome.unwrap_err().to_string();
    assert_eq!(
        error,
        "copy on the device: 4 bytes at offset 6 of an allocation of 8"
    );
}

#[test]
fn an_error_stays_and_every_later_call_names_it() {
    let ptx = kernel("trap;");
    let mut machine = Machine::new(&ptx);
    let out = machine.put(&[0]);
    let request = || machine.request(0, [1; 3], [1; 3], &[Argument::Long(out)]);
    let (first, second) = (request(), request());
    let event = machine.device.new_event().unwrap();
    let sticky = machine.finish(first).unwrap_err().to_string();
    assert!(sticky.ends_with("thread 0: trap"), "{sticky}");
    let device = &mut machine.device;
    let outcomes = [
        device.launch(second, 0),
        device.allocate(4, 0).map(drop),
        device.release(out, 0),
        device.write(Vec::new(), 0),
        device.copy(out, out, 4, 0),
        device.read(out, 4, 0).map(drop),
        device.open_stream().map(drop),
        device.close_stream(0),
        device.new_event().map(drop),
        device.record(event, 0),
        device.wait(0, event),
        device.synchronise(0),
        device.synchronise_all(),
    ];
    for (n, outcome) in outcomes.into_iter().enumerate() {
        let error = outcome.unwrap_err();
        assert!(matches!(error, DeviceError::Sticky(_)), "call {n}");
        assert_eq!(error.to_string(), sticky, "call {n}");
    }
}

#[test]
fn a_failed_copy_stays_as_well() {
    let (mut device, word, a, _) = word_and_streams(1);
    let error = device.read(word + 4, 4, a).unwrap_err();
    assert!(matches!(error, DeviceError::Memory(_)), "{error}");
    let later = device.synchronise(0).unwrap_err().to_string();
    assert_eq!(later, format!("copy to the host: {error}"));
}

#[test]
fn memory_has_an_end() {
    let mut device = Device::new(1);
    let half = MEMORY_BYTES / 2;
    // Nothing is done until somebody must have it, so that this takes no memory of the host's.
    let stream = device.open_stream().unwrap();
    let error = device.allocate(MEMORY_BYTES + 1, stream).unwrap_err();
    assert!(
        matches!(error, DeviceError::OutOfMemory { taken: 0, .. }),
        "{error}"
    );
    let error = device.allocate(usize::MAX, stream).unwrap_err();
    assert!(matches!(error, DeviceError::OutOfMemory { .. }), "{error}");
    let small = device.allocate(1 << 20, stream).unwrap();
    let error = device
        .allocate(MEMORY_BYTES - (1 << 20) + 1, stream)
        .unwrap_err();
    let expected = format!(
        "out of memory: {} bytes asked for, 1048576 of {MEMORY_BYTES} taken",
        MEMORY_BYTES - (1 << 20) + 1
    );
    assert_eq!(error.to_string(), expected);
    device.release(small, stream).unwrap();
    let error = device.allocate(half * 2 + 1, stream).unwrap_err();
    assert!(
        matches!(error, DeviceError::OutOfMemory { taken: 0, .. }),
        "{error}"
    );
    device.synchronise_all().unwrap();
}

#[test]
fn handles_that_are_none() {
    let (mut device, word, a, b) = word_and_streams(1);
    let event = device.new_event().unwrap();
    device.close_stream(b).unwrap();
    let taken_before = device.allocate(MEMORY_BYTES, b).unwrap_err();
    for outcome in [
        Err(taken_before),
        device.allocate(4, 99).map(drop),
        device.release(word, 99),
        device.release(word + 4, a),
        device.release(0, a),
        device.write(Vec::new(), b),
        device.copy(word, word, 4, 99),
        device.read(word, 4, b).map(drop),
        device.close_stream(0),
        device.close_stream(b),
        device.record(event, b),
        device.record(event + 1, a),
        device.wait(b, event),
        device.wait(a, event + 1),
        device.synchronise(99),
    ] {
        let error = outcome.unwrap_err();
        assert!(matches!(error, DeviceError::Invalid(_)), "{error}");
    }
    // A record that was refused is none: nobody waits for it.
    device.wait(a, event).unwrap();
    device.synchronise(a).unwrap();
    device.release(word, a).unwrap();
    assert!(device.release(word, a).is_err());
    device.synchronise_all().unwrap();
}

#[test]
fn the_same_seed_does_the_same() {
    let ptx = HEAD.to_owned()
        + ".entry k(.param .u64 out) {
.reg .b64 %R<3>;
.reg .b32 %r<3>;
ld.param.u64 %R0, [out];
mov.u32 %r0, %ctaid.x;
atom.global.add.u32 %r1, [%R0], 1;
mul.wide.u32 %R1, %r1, 4;
add.u64 %R0, %R0, %R1;
st.global.u32 [%R0+4], %r0;
}";
    let order = |seed| {
        let mut machine = Machine::with_seed(&ptx, seed);
        let out = machine.put(&[0; 41]);
        machine.run(40, 1, &[Argument::Long(out)]).unwrap();
        let noise = machine.device.allocate(64, 0).unwrap();
        let mut found = machine.get(out, 41).unwrap();
        found.extend(machine.get(noise, 16).unwrap());
        found
    };
    let first = order(5);
    assert_eq!(first, order(5));
    assert_ne!(first[1..41], order(6)[1..41]);
    assert_ne!(first[41..], order(6)[41..]);
    let mut blocks = first[1..41].to_vec();
    assert_ne!(blocks, (0..40).collect::<Vec<u32>>());
    blocks.sort_unstable();
    assert_eq!(blocks, (0..40).collect::<Vec<u32>>());
}
