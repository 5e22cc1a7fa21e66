//! Launches whose blocks meet, in the way of cooperative groups.

use haca_cuda_emulator::device::limits::MULTIPROCESSORS;

use crate::common::{Argument, Machine, kernel};

/// What nvcc makes of `grid.sync()`, in essence: thread 0 of each block adds to the word behind the
/// first one, block 0 so much that the sign changes when all have come, and waits for that.
const MEET: &str = "
barrier.sync 0;
setp.ne.u32 %p6, %i0, 0;
@%p6 bra met#;
add.s64 %R9, %R8, 4;
mov.u32 %r20, %nctaid.x;
setp.eq.u32 %p7, %i1, 0;
sub.u32 %r21, 0x80000001, %r20;
selp.b32 %r21, %r21, 1, %p7;
atom.add.release.gpu.u32 %r22, [%R9], %r21;
wait#:
ld.acquire.gpu.u32 %r23, [%R9];
xor.b32 %r24, %r23, %r22;
setp.gt.s32 %p7, %r24, -1;
@%p7 bra wait#;
met#:
barrier.sync 0;
";

const PLACE: &str = "
mov.u32 %r18, %envreg2;
cvt.u64.u32 %R8, %r18;
mov.u32 %r19, %envreg1;
cvt.u64.u32 %R9, %r19;
bfi.b64 %R8, %R9, %R8, 32, 32;
setp.ne.s64 %p5, %R8, 0;
@%p5 bra there;
trap;
there:
";

fn text() -> String {
    // Each round, every thread adds one to its own word, and takes its neighbour's block's.
    let round = |n: u32| {
        let meet = |half| MEET.replace('#', &format!("_{n}_{half}"));
        let (before, after) = (meet("a"), meet("b"));
        format!(
            "st.global.u32 [%I1], %r0;\n{before}\nld.global.u32 %r0, [%R7];\nadd.u32 %r0, %r0, 1;\n{after}"
        )
    };
    let body = format!(
        "{PLACE}
mov.u32 %r1, %nctaid.x;
mov.u32 %r5, %ntid.x;
add.u32 %r2, %i1, 1;
setp.eq.u32 %p0, %r2, %r1;
selp.u32 %r2, 0, %r2, %p0;
mad.lo.u32 %r2, %r2, %r5, %i0;
mul.wide.u32 %R7, %r2, 4;
add.u64 %R7, %I0, %R7;
mul.lo.u32 %r0, %i2, 10;
{}{}{}st.global.u32 [%I1], %r0;",
        round(0),
        round(1),
        round(2)
    );
    kernel(&body)
}

#[test]
fn blocks_meet() {
    let ptx = text();
    let (blocks, threads) = (MULTIPROCESSORS, 40);
    for seed in 0..10 {
        let mut machine = Machine::with_seed(&ptx, seed);
        let out = machine.put(&vec![0; (blocks * threads) as usize]);
        // Twice: each launch has memory of its own to meet by.
        for _ in 0..2 {
            let argument = Argument::Long(out);
            let mut request = machine.request(0, [blocks, 1, 1], [threads, 1, 1], &[argument]);
            request.is_cooperative = true;
            machine.finish(request).unwrap();
        }
        let found = machine.get(out, (blocks * threads) as usize).unwrap();
        let expected: Vec<u32> = (0..blocks * threads)
            .map(|n| ((n / threads + 3) % blocks * threads + n % threads) * 10 + 3)
            .collect();
        assert_eq!(found, expected, "seed {seed}");
    }
}

#[test]
fn blocks_of_other_launches_do_not() {
    let ptx = text();
    let mut machine = Machine::new(&ptx);
    let out = machine.put(&[0; 64]);
    let error = machine.run(2, 32, &[Argument::Long(out)]).unwrap_err();
    assert!(error.to_string().ends_with("thread 0: trap"), "{error}");
}

#[test]
fn a_block_that_waits_for_ever_is_found_though_others_go_on() {
    let body = format!(
        "{PLACE}
setp.ne.u32 %p0, %i1, 2;
@%p0 bra on;
setp.eq.u32 %p1, %i0, 0;
@%p1 bra apart;
bar.warp.sync -1;
apart:
on:
{}",
        MEET.replace('#', "_")
    );
    let ptx = kernel(&body);
    let mut machine = Machine::new(&ptx);
    let argument = Argument::Long(machine.put(&[0; 4]));
    let mut request = machine.request(0, [3, 1, 1], [32, 1, 1], &[argument]);
    request.is_cooperative = true;
    let outcome = machine.finish(request);
    let reason = "waits for ever: for a thread of its warp";
    let place = "block [2, 0, 0], thread 1";
    crate::common::assert_kernel_error(&ptx, outcome, "bar.warp", place, reason);
}
