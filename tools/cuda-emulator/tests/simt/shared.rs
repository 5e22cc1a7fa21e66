//! Blocks: their shape, their barriers and their memory.

use crate::common::{Argument, HEAD, Machine, assert_kernel_error, kernel, run};

#[test]
fn threads_and_blocks_know_where_they_are() {
    // Five digits for each axis of thread and block, in a word for each thread.
    let ptx = HEAD.to_owned()
        + ".entry k(.param .u64 out) {
.reg .b32 %r<16>;
.reg .b64 %R<4>;
ld.param.u64 %R0, [out];
mov.u32 %r0, %tid.x;
mov.u32 %r1, %tid.y;
mov.u32 %r2, %tid.z;
mov.u32 %r3, %ntid.x;
mov.u32 %r4, %ntid.y;
mov.u32 %r5, %ntid.z;
mov.u32 %r6, %ctaid.x;
mov.u32 %r7, %ctaid.y;
mov.u32 %r8, %ctaid.z;
mov.u32 %r9, %nctaid.x;
mov.u32 %r10, %nctaid.y;
mov.u32 %r11, %nctaid.z;
mad.lo.u32 %r12, %r2, %r4, %r1;
mad.lo.u32 %r12, %r12, %r3, %r0;
mad.lo.u32 %r13, %r8, %r10, %r7;
mad.lo.u32 %r13, %r13, %r9, %r6;
mul.lo.u32 %r14, %r3, %r4;
mul.lo.u32 %r14, %r14, %r5;
mad.lo.u32 %r13, %r13, %r14, %r12;
mul.wide.u32 %R1, %r13, 64;
add.u64 %R0, %R0, %R1;
st.global.v4.u32 [%R0], {%r0, %r1, %r2, %r3};
st.global.v4.u32 [%R0+16], {%r4, %r5, %r6, %r7};
st.global.v4.u32 [%R0+32], {%r8, %r9, %r10, %r11};
mov.u32 %r0, %laneid;
mov.u32 %r1, WARP_SZ;
st.global.v2.u32 [%R0+48], {%r0, %r1};
}";
    let mut machine = Machine::new(&ptx);
    let (threads, blocks) = ([5, 3, 4], [2, 3, 2]);
    let count = 5 * 3 * 4 * 2 * 3 * 2;
    let out = machine.put(&vec![0; count * 16]);
    let request = machine.request(0, blocks, threads, &[Argument::Long(out)]);
    machine.finish(request).unwrap();
    let found = machine.get(out, count * 16).unwrap();
    let mut rows = found.chunks_exact(16);
    for block in 0..12 {
        for thread in 0..60 {
            let row = rows.next().unwrap();
            let own = [thread % 5, thread / 5 % 3, thread / 15];
            let ctaid = [block % 2, block / 2 % 3, block / 6];
            let expected = [own, threads, ctaid, blocks].concat();
            assert_eq!(row[..12], expected, "{block} {thread}");
            assert_eq!(row[12..], [thread % 32, 32, 0, 0]);
        }
    }
}

#[test]
fn a_barrier_hands_values_from_warp_to_warp() {
    // Backwards through the block, several times, in a last warp that is not full too.
    let ptx = kernel(
        "
.shared .align 4 .b8 values[400];
mov.u32 %r0, values;
shl.b32 %r1, %i0, 2;
add.u32 %r1, %r0, %r1;
mov.u32 %r2, %ntid.x;
sub.u32 %r2, %r2, %i0;
shl.b32 %r2, %r2, 2;
add.u32 %r2, %r0, %r2;
mov.u32 %r3, %i0;
mov.u32 %r4, 0;
again:
st.shared.u32 [%r1], %r3;
bar.sync 0;
ld.shared.u32 %r3, [%r2+-4];
add.u32 %r3, %r3, 1;
barrier.sync 0;
add.u32 %r4, %r4, 1;
setp.lt.u32 %p0, %r4, 3;
@%p0 bra again;
st.global.u32 [%I1], %r3;",
    );
    let expected: Vec<u32> = (0..200).map(|n| 99 - n % 100 + 3).collect();
    assert_eq!(run(&ptx, 2, 100).unwrap(), expected);
}

#[test]
fn barriers_do_not_wait_for_threads_that_ended() {
    let ptx = kernel(
        "
and.b32 %r0, %i0, 96;
setp.eq.u32 %p0, %r0, 32;
@%p0 exit;
setp.eq.u32 %p1, %i0, 3;
@%p1 exit;
bar.sync 0;
st.global.u32 [%I1], 1;",
    );
    let expected: Vec<u32> = (0..96).map(|n| u32::from(n / 32 != 1 && n != 3)).collect();
    assert_eq!(run(&ptx, 1, 96).unwrap(), expected);
}

#[test]
fn a_barrier_that_a_warp_never_reaches_is_found() {
    let ptx = kernel(
        "
setp.lt.u32 %p0, %i0, 32;
@%p0 bra apart;
bar.sync 0;
ret;
apart:
setp.eq.u32 %p0, %i0, 7;
@%p0 bra alone;
bar.warp.sync 0xffffffff;
bar.sync 0;
ret;
alone:
bar.sync 0;",
    );
    let reason = "waits for ever: for a thread of its warp";
    let place = "block [0, 0, 0], thread 0";
    assert_kernel_error(&ptx, run(&ptx, 1, 96), "bar.warp", place, reason);
}

#[test]
fn a_warp_comes_to_an_aligned_barrier_together() {
    let ptx = kernel(
        "
setp.eq.u32 %p0, %i0, 40;
@%p0 bra apart;
bar.sync 0;
ret;
apart:
bar.sync 0;",
    );
    let reason = "waits at a barrier, and others of its warp at another one";
    let place = "block [0, 0, 0], thread 32";
    assert_kernel_error(&ptx, run(&ptx, 1, 64), "bar.sync 0;", place, reason);
    // One that is not aligned lets them, and so do different warps.
    let unaligned = ptx.replace("bar.sync", "barrier.sync");
    run(&unaligned, 1, 64).unwrap();
    let by_warp = ptx.replace("eq.u32 %p0, %i0, 40", "lt.u32 %p0, %i0, 32");
    run(&by_warp, 1, 64).unwrap();
}

#[test]
fn memory_of_fixed_size_and_memory_of_the_launch() {
    let ptx = kernel(
        "
.shared .align 1 .b8 small[3];
.shared .u32 large[5];
mov.u32 %r0, small;
mov.u32 %r1, large;
mov.u32 %r2, dynamic;
st.global.v2.u32 [%I0], {%r0, %r1};
st.global.u32 [%I0+8], %r2;
st.shared.u32 [large+16], 7;
st.shared.u32 [dynamic+96], 8;
ld.shared.u32 %r3, [%r1+16];
ld.shared.u32 %r4, [%r2+96];
add.u32 %r3, %r3, %r4;
st.global.u32 [%I0+12], %r3;
st.shared.u32 [dynamic+100], 0;",
    );
    let mut machine = Machine::new(&ptx);
    assert_eq!(machine.device.attributes(0).unwrap().shared_bytes, 32);
    let out = machine.put(&[0; 4]);
    let mut request = machine.request(0, [1; 3], [1; 3], &[Argument::Long(out)]);
    request.dynamic_shared = 104;
    machine.finish(request).unwrap();
    assert_eq!(machine.get(out, 4).unwrap(), [0, 4, 32, 15]);

    let mut request = machine.request(0, [1; 3], [1; 3], &[Argument::Long(out)]);
    request.dynamic_shared = 100;
    let outcome = machine.finish(request);
    let reason = "shared memory: 4 bytes at offset 132 of an allocation of 132";
    let place = "block [0, 0, 0], thread 0";
    assert_kernel_error(&ptx, outcome, "[dynamic+100]", place, reason);
}

#[test]
fn blocks_have_memory_of_their_own_that_nobody_wrote() {
    let ptx = kernel(
        "
.shared .u32 word;
setp.eq.u32 %p0, %i1, 1;
@%p0 bra read;
st.shared.u32 [word], 5;
read:
ld.shared.u32 %r0, [word];",
    );
    for seed in 0..8 {
        let mut machine = Machine::with_seed(&ptx, seed);
        let outcome = crate::common::run_with(&mut machine, 2, 1);
        let reason = "offset 0 of an allocation, which was never written";
        assert_kernel_error(
            &ptx,
            outcome,
            "ld.shared",
            "block [1, 0, 0], thread 0",
            reason,
        );
    }
    let atomic = kernel(".shared .u32 word;\natom.shared.add.u32 %r0, [word], 1;");
    let outcome = run(&atomic, 1, 1);
    let place = "block [0, 0, 0], thread 0";
    assert_kernel_error(&atomic, outcome, "atom", place, "never written");
    let half = kernel(".shared .align 8 .b8 w[8];\nst.shared.u32 [w], 1;\nld.shared.u64 %R0, [w];");
    assert_kernel_error(
        &half,
        run(&half, 1, 1),
        "u64 %R0, [w]",
        place,
        "offset 4 of an",
    );
}

#[test]
fn misaligned_in_shared_memory() {
    let ptx = kernel(
        ".shared .align 16 .b8 w[32];\nmov.u32 %r0, w;\nst.shared.v2.u32 [%r0+4], {%r1, %r1};",
    );
    let place = "block [0, 0, 0], thread 0";
    assert_kernel_error(&ptx, run(&ptx, 1, 1), "st.shared", place, "not aligned");
}

#[test]
fn only_barrier_0_of_all_threads() {
    for text in [
        "bar.sync 1;",
        "bar.sync 0, 32;",
        "bar.arrive 0, 32;",
        "barrier.sync %r0;",
    ] {
        let mut machine = Machine::new(HEAD);
        let module = machine.device.load(&kernel(text)).unwrap();
        assert!(machine.device.define(module, 0, "k").is_err(), "{text}");
    }
}
