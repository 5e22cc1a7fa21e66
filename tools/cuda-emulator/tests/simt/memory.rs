//! Loads, stores and atomic additions, and accesses that are refused.

use haca_cuda_emulator::device::request::Request;

use crate::common::{Argument, HEAD, Machine, assert_kernel_error, kernel, line_of, run};

#[test]
fn vectors_and_offsets() {
    let ptx = kernel(
        "
ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%I0];
ld.global.v2.u32 {%r4, %r5}, [%I0+8];
ld.global.v2.u64 {%R0, %R1}, [%I0+16];
add.u64 %R2, %I0, 64;
st.global.v4.u32 [%R2+-32], {%r3, %r2, %r1, %r0};
st.global.v2.b32 [%R2+-16], {%r5, -2};
st.global.v2.u64 [%R2], {%R1, %R0};
st.global.u64 [%R2+16], -3;
ld.global.u32 %R3, [%I0];
st.global.u64 [%R2+24], %R3;",
    );
    let mut machine = Machine::new(&ptx);
    let input: Vec<u32> = (0..24).map(|n| n | 0xf000_0000).collect();
    let out = machine.put(&input);
    machine.run(1, 1, &[Argument::Long(out)]).unwrap();
    let found = machine.get(out, 24).unwrap();
    let of = |numbers: &[u32]| {
        numbers
            .iter()
            .map(|n| n | 0xf000_0000)
            .collect::<Vec<u32>>()
    };
    assert_eq!(found[8..12], of(&[3, 2, 1, 0]));
    assert_eq!(found[12..14], [input[3], 0xffff_fffe]);
    assert_eq!(found[14..16], input[14..16]);
    assert_eq!(found[16..20], of(&[6, 7, 4, 5]));
    assert_eq!(found[20..24], [0xffff_fffd, u32::MAX, input[0], 0]);
}

#[test]
fn narrow_loads_fill_the_register() {
    let ptx = kernel(
        "
mov.u32 %r0, 0x8182f3f4;
st.global.u32 [%I0], %r0;
ld.global.u8 %r1, [%I0];
ld.global.s8 %r2, [%I0];
ld.global.u16 %r3, [%I0];
ld.global.s16 %r4, [%I0+2];
ld.global.s8 %h0, [%I0+1];
cvt.u32.u16 %r5, %h0;
setp.ne.s16 %p0, %h0, -13;
@%p0 mov.u32 %r5, 0;
ld.global.u8 %h1, [%I0+1];
cvt.u32.u16 %r6, %h1;
ld.global.s8 %R0, [%I0+3];
ld.global.u16 %R1, [%I0+2];
st.global.v4.u32 [%I0+16], {%r1, %r2, %r3, %r4};
st.global.v2.u32 [%I0+32], {%r5, %r6};
st.global.v2.u64 [%I0+48], {%R0, %R1};
st.global.u8 [%I0+64], %r0;
st.global.u16 [%I0+66], %r0;
st.global.u8 [%I0+65], 0x1ff;",
    );
    let mut machine = Machine::new(&ptx);
    let out = machine.put(&[0; 20]);
    machine.run(1, 1, &[Argument::Long(out)]).unwrap();
    let found = machine.get(out, 20).unwrap();
    assert_eq!(found[4..8], [0xf4, 0xffff_fff4, 0xf3f4, 0xffff_8182]);
    assert_eq!(found[8..10], [0xfff3, 0xf3]);
    assert_eq!(found[12..16], [0xffff_ff81, u32::MAX, 0x8182, 0]);
    assert_eq!(found[16], 0xf3f4_fff4);
}

#[test]
fn variables_have_their_content_on_every_device() {
    let ptx = [
        HEAD,
        ".const .align 16 .b8 bytes[8] = {1, 2, 255};
.global .u16 halves[2] = {65535, 7};
.const .u32 single = -5;
.global .align 8 .u64 zero;",
        &kernel(
            "
ld.const.u32 %r0, [bytes];
ld.global.u32 %r1, [halves];
mov.u64 %R0, single;
cvta.to.global.u64 %R1, %R0;
ld.global.u32 %r2, [%R1];
ld.global.u32 %r3, [zero+4];
st.global.v4.u32 [%I0], {%r0, %r1, %r2, %r3};
st.global.u32 [zero+4], %r2;",
        )[HEAD.len()..],
    ]
    .concat();
    let mut machine = Machine::new(&ptx);
    let out = machine.put(&[0; 4]);
    machine.run(1, 1, &[Argument::Long(out)]).unwrap();
    let expected = [0xff_0201, 0x7_ffff, -5_i32 as u32, 0];
    assert_eq!(machine.get(out, 4).unwrap(), expected);
    machine.device.declare(machine.module, 77, "zero").unwrap();
    let address = machine.device.address_of(77).unwrap();
    assert_eq!(machine.get(address, 2).unwrap(), [0, -5_i32 as u32]);
    assert!(machine.device.declare(machine.module, 78, "none").is_err());
    assert!(machine.device.address_of(78).is_err());
}

#[test]
fn threads_add_to_one_word_in_turn() {
    let ptx = kernel(
        "
atom.global.add.u32 %r0, [%I0], 3;
st.global.u32 [%I1+4], %r0;
red.global.add.u32 [%I0], 1;",
    );
    let mut machine = Machine::new(&ptx);
    let out = machine.put(&[10; 97]);
    machine.run(1, 96, &[Argument::Long(out)]).unwrap();
    let found = machine.get(out, 97).unwrap();
    assert_eq!(found[0], 10 + 96 * 4);
    // Each thread got a number of its own; threes and ones of other warps are mixed.
    let mut before = found[1..].to_vec();
    before.sort_unstable();
    before.dedup();
    assert_eq!(before.len(), 96);
}

#[test]
fn parameters_lie_where_their_sizes_put_them() {
    let ptx = HEAD.to_owned()
        + ".entry k(.param .u64 out, .param .u8 a, .param .u16 b, .param .u8 c, .param .u32 d,
.param .align 16 .b8 e[20], .param .u64 f) {
.reg .b64 %R<4>;
.reg .b32 %r<8>;
ld.param.u64 %R0, [out];
ld.param.u8 %r0, [a];
ld.param.u16 %r1, [b];
ld.param.s8 %r2, [c];
ld.param.u32 %r3, [d];
ld.param.u64 %R1, [f];
st.global.v4.u32 [%R0], {%r0, %r1, %r2, %r3};
st.global.u64 [%R0+16], %R1;
ld.param.u32 %r4, [e+36];
}";
    let mut machine = Machine::new(&ptx);
    let places = machine.device.parameters(0).unwrap();
    let expected = [(0, 8), (8, 1), (10, 2), (12, 1), (16, 4), (32, 20), (56, 8)];
    assert_eq!(places, expected);
    let out = machine.put(&[0; 6]);
    let arguments = [
        Argument::Long(out),
        Argument::Word(0x1ff),
        Argument::Word(0xf_0003),
        Argument::Word(0x80),
        Argument::Word(0xdead_beef),
    ];
    let mut request = Request {
        function: 0,
        blocks: [1; 3],
        threads: [1; 3],
        dynamic_shared: 0,
        parameters: Vec::new(),
        is_cooperative: false,
    };
    for ((at, size), argument) in places.iter().zip(arguments) {
        let bytes = match argument {
            Argument::Word(word) => u64::from(word),
            Argument::Long(long) => long,
        };
        request.parameters.resize(*at, 0xee);
        request
            .parameters
            .extend_from_slice(&bytes.to_le_bytes()[..*size]);
    }
    request.parameters.resize(56, 0xcc);
    request
        .parameters
        .extend_from_slice(&u64::MAX.to_le_bytes());
    // The last load goes beyond the last parameter.
    let line = line_of(&ptx, "[e+36]");
    let error = machine.finish(request).unwrap_err().to_string();
    let expected =
        format!("k, PTX line {line}, block [0, 0, 0], thread 0: no parameter at offset 68");
    assert_eq!(error, expected);
}

#[test]
fn parameters_are_read() {
    let ptx = HEAD.to_owned()
        + ".entry k(.param .u64 out, .param .u8 a, .param .u32 d) {
.reg .b64 %R<4>;
.reg .b32 %r<8>;
ld.param.u64 %R0, [out];
ld.param.s8 %r0, [a];
ld.param.u32 %r1, [d];
st.global.v2.u32 [%R0], {%r0, %r1};
}";
    let mut machine = Machine::new(&ptx);
    let out = machine.put(&[0; 2]);
    let arguments = [
        Argument::Long(out),
        Argument::Word(0x90),
        Argument::Word(77),
    ];
    machine.run(1, 1, &arguments).unwrap();
    assert_eq!(machine.get(out, 2).unwrap(), [0xffff_ff90, 77]);
}

/// Refused in thread 33 of block 2, where that thread alone does it.
#[track_caller]
fn assert_refused(access: &str, reason: &str) {
    let ptx = kernel(&format!(
        "
setp.eq.u32 %p0, %i0, 33;
setp.eq.u32 %p1, %i1, 2;
and.pred %p0, %p0, %p1;
@%p0 {access};"
    ));
    assert_kernel_error(
        &ptx,
        run(&ptx, 3, 40),
        access,
        "block [2, 0, 0], thread 33",
        reason,
    );
}

#[test]
fn bad_addresses_are_named() {
    // The allocation has 120 words.
    assert_refused("ld.global.u32 %r0, [%I0+2]", "not aligned");
    assert_refused(
        "ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%I0+8]",
        "16 bytes at",
    );
    assert_refused("st.global.v2.u32 [%I0+4], {%r0, %r0}", "not aligned");
    assert_refused("atom.global.add.u32 %r0, [%I0+1], 1", "not aligned");
    let end = "4 bytes at offset 480 of an allocation of 480";
    assert_refused("ld.global.u32 %r0, [%I0+480]", end);
    assert_refused("st.global.u32 [%I0+480], 1", end);
    assert_refused("red.global.add.u32 [%I0+480], 1", end);
    assert_refused("ld.global.u64 %R0, [%I0+480]", "8 bytes at offset 480");
    assert_refused("ld.global.u8 %r0, [%I0+-1]", "no memory at");
    assert_refused("ld.global.u32 %r0, [%R5]", "no memory at 0x0");
    assert_refused("st.global.u32 [%R5+64], 1", "no memory at 0x40");
    assert_refused(
        "ld.shared.u32 %r0, [%r9]",
        "shared memory: 4 bytes at offset 0",
    );
    assert_refused("st.param.u32 [out], 1", "no parameter at offset 0");
    assert_refused("trap", "trap");
}

#[test]
fn the_last_bytes_can_be_reached() {
    let ptx = kernel("ld.global.u32 %r0, [%I0+28];\nst.global.u32 [%I0+24], 1;");
    assert_eq!(run(&ptx, 1, 8).unwrap()[6], 1);
}

#[test]
fn freed_memory_and_memory_to_come() {
    let ptx = kernel("ld.global.u32 %r0, [%I0];");
    let mut machine = Machine::new(&ptx);
    let out = machine.put(&[0; 4]);
    machine.device.release(out, 0).unwrap();
    let outcome = machine.run(1, 1, &[Argument::Long(out)]);
    let place = "block [0, 0, 0], thread 0";
    assert_kernel_error(
        &ptx,
        outcome,
        "[%I0];",
        place,
        "not yet allocated, or freed",
    );

    // The other stream may have come to the allocation by chance, but not always.
    let refused = (0..20).filter(|seed| {
        let mut machine = Machine::with_seed(&ptx, *seed);
        let stream = machine.device.open_stream().unwrap();
        let out = machine.device.allocate(16, stream).unwrap();
        machine.run(1, 1, &[Argument::Long(out)]).is_err()
    });
    assert!(refused.count() > 5);
}

#[test]
fn memory_is_noise_until_it_is_written() {
    let mut machine = Machine::new(&kernel(""));
    let address = machine.device.allocate(400, 0).unwrap();
    let found = machine.get(address, 100).unwrap();
    assert!(found.iter().filter(|word| **word == 0).count() < 5);
    let other = machine.device.allocate(400, 0).unwrap();
    assert_ne!(machine.get(other, 100).unwrap(), found);
}

#[test]
fn types_and_vectors_must_fit_their_registers() {
    for (text, reason) in [
        ("ld.global.u64 %r0, [%I0]", "has not 64 bits"),
        ("ld.global.u32 %h0, [%I0]", "has not 32 bits"),
        ("st.global.u32 [%I0], %R0", "has not 32 bits"),
        ("ld.global.v4.u32 {%r0, %r1}, [%I0]", "a vector of 2"),
        ("ld.global.u32 {%r0, %r1}, [%I0]", "a vector of 2"),
        (
            "ld.global.v4.u64 {%R0, %R1, %R2, %R3}, [%I0]",
            "a vector of 4",
        ),
        ("st.global.v2.u32 [%I0], {}", "a vector of 0"),
        ("st.const.u32 [%I0], 1", "no such memory here"),
        ("ld.local.u32 %r0, [%I0]", "no such memory here"),
        (
            "add.sat.s32 %r0, %r0, %r0",
            "unknown instruction add.sat.s32",
        ),
        ("cvt.u32.u64 %R0, %R1", "a register of 64 bits"),
    ] {
        let ptx = kernel(&format!("{text};"));
        let mut machine = Machine::new(HEAD);
        let module = machine.device.load(&ptx).unwrap();
        let error = machine
            .device
            .define(module, 0, "k")
            .unwrap_err()
            .to_string();
        let start = format!("PTX line {}: ", line_of(&ptx, text));
        assert!(
            error.starts_with(&start) && error.contains(reason),
            "{error}"
        );
    }
}
