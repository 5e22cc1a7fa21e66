//! Threads of a warp that part ways and come together again.

use crate::common::{assert_kernel_error, kernel, run};

#[test]
fn nested_conditions() {
    let ptx = kernel(
        "
and.b32 %r0, %i0, 1;
setp.eq.u32 %p0, %r0, 0;
and.b32 %r1, %i0, 2;
setp.eq.u32 %p1, %r1, 0;
mov.u32 %r3, 0;
@%p0 bra even;
@%p1 bra odd_low;
add.u32 %r3, %r3, 1;
bra.uni odd_end;
odd_low:
add.u32 %r3, %r3, 10;
odd_end:
add.u32 %r3, %r3, 100;
bra.uni end;
even:
@!%p1 bra even_high;
add.u32 %r3, %r3, 1000;
even_high:
add.u32 %r3, %r3, 10000;
end:
activemask.b32 %r4;
popc_of:
setp.ne.u32 %p2, %r4, -1;
@%p2 add.u32 %r3, %r3, 7;
st.global.u32 [%I1], %r3;",
    );
    let expected: Vec<u32> = (0..64)
        .map(|thread| match thread & 3 {
            3 => 101,
            1 => 110,
            2 => 10_000,
            _ => 11_000,
        })
        .collect();
    // All of a warp meet at the end: the active mask is full, and nobody adds 7.
    assert_eq!(run(&ptx, 1, 64).unwrap(), expected);
}

#[test]
fn loops_of_as_many_rounds_as_the_thread_has() {
    let ptx = kernel(
        "
mov.u32 %r0, 0;
mov.u32 %r1, 0;
outer:
setp.ge.u32 %p0, %r1, %i0;
@%p0 bra end;
mov.u32 %r2, %r1;
inner:
add.u32 %r0, %r0, %r2;
setp.eq.u32 %p1, %r2, 0;
sub.u32 %r2, %r2, 1;
@!%p1 bra inner;
add.u32 %r1, %r1, 1;
bra outer;
end:
activemask.b32 %r3;
setp.ne.u32 %p2, %r3, -1;
@%p2 mov.u32 %r0, 0;
st.global.u32 [%I1], %r0;",
    );
    let expected: Vec<u32> = (0..32)
        .map(|n: u32| (0..n).map(|k| k * (k + 1) / 2).sum())
        .collect();
    assert_eq!(run(&ptx, 1, 32).unwrap(), expected);
}

#[test]
fn threads_that_end_early() {
    for leave in ["ret", "exit"] {
        let ptx = kernel(&format!(
            "
st.global.u32 [%I1], 1;
and.b32 %r0, %i0, 3;
setp.eq.u32 %p0, %r0, 1;
setp.eq.u32 %p1, %r0, 2;
@%p0 {leave};
st.global.u32 [%I1], 2;
@!%p1 bra on;
{leave};
on:
activemask.b32 %r1;
st.global.u32 [%I1], %r1;"
        ));
        let expected: Vec<u32> = (0..32)
            .map(|thread| match thread & 3 {
                1 => 1,
                2 => 2,
                _ => 0x9999_9999,
            })
            .collect();
        assert_eq!(run(&ptx, 1, 32).unwrap(), expected, "{leave}");
    }
}

#[test]
fn long_loops_go_on_after_their_warp_s_turn() {
    // More instructions than a warp's turn has, in each of three warps of two blocks.
    let ptx = kernel(
        "
mov.u32 %r0, 0;
again:
add.u32 %r0, %r0, 1;
mad.lo.u32 %r1, %r0, %i0, %r1;
setp.lt.u32 %p0, %r0, 5000;
@%p0 bra again;
st.global.u32 [%I1], %r1;",
    );
    let sum = 5000 * 5001 / 2;
    let expected: Vec<u32> = (0..2)
        .flat_map(|_| (0..96).map(|thread| sum * thread))
        .collect();
    assert_eq!(run(&ptx, 2, 96).unwrap(), expected);
}

#[test]
fn a_thread_waits_for_what_another_of_its_warp_writes() {
    // The one that waits stands behind in the code, where it must not keep the other from going on.
    let ptx = kernel(
        "
setp.eq.u32 %p0, %i0, 0;
@%p0 bra writer;
spin:
ld.volatile.global.u32 %r0, [%I0];
setp.eq.u32 %p1, %r0, 0;
@%p1 bra spin;
st.global.u32 [%I1], %r0;
ret;
writer:
st.global.u32 [%I0], 5;",
    );
    assert_eq!(run(&ptx, 1, 32).unwrap(), [5; 32]);
}

#[test]
fn a_branch_needs_its_label_once() {
    let ptx = kernel("bra nowhere;");
    let mut device = haca_cuda_emulator::device::Device::new(1);
    let module = device.load(&ptx).unwrap();
    let error = device.define(module, 0, "k").unwrap_err().to_string();
    assert!(error.ends_with("no label nowhere"), "{error}");
    let ptx = kernel("here:\nbra here;\nhere:");
    let module = device.load(&ptx).unwrap();
    let error = device.define(module, 0, "k").unwrap_err().to_string();
    assert!(error.ends_with("two labels here"), "{error}");
}

#[test]
fn the_first_thread_that_fails_is_named() {
    let ptx = kernel(
        "
setp.lt.u32 %p0, %i0, 40;
@%p0 bra on;
trap;
on:",
    );
    assert_kernel_error(
        &ptx,
        run(&ptx, 1, 64),
        "trap",
        "block [0, 0, 0], thread 40",
        "trap",
    );
}
