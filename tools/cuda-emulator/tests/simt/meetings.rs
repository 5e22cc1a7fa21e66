//! Shuffles, votes and barriers of a warp.

use crate::common::{Draw, Machine, assert_kernel_error, kernel, run, run_with};
use haca_cuda_emulator::device::error::DeviceError;

const FIRST: &str = "block [0, 0, 0], thread ";

/// Each thread's value and whether its source was within bounds, for a value of `lane * 3 + 1`.
fn shuffled(mode: &str, by: &str, clamp: &str) -> Vec<(u32, bool)> {
    let ptx = kernel(&format!(
        "
mad.lo.u32 %r0, %i0, 3, 1;
{by}
shfl.sync.{mode}.b32 %r2|%p0, %r0, %r1, {clamp}, -1;
selp.u32 %r3, 1, 0, %p0;
mad.lo.u32 %r2, %r2, 2, %r3;
st.global.u32 [%I1], %r2;"
    ));
    let found = run(&ptx, 1, 32).unwrap();
    found
        .iter()
        .map(|word| (word >> 1, word & 1 != 0))
        .collect()
}

/// As CUDA's manual has `__shfl_…_sync` with a width, and what nvcc makes of it.
#[test]
fn shuffles_in_segments() {
    for width in [1, 2, 4, 8, 16, 32] {
        for by in [0, 1, 2, 3, 7, 16, 31] {
            let set = format!("mov.u32 %r1, {by};");
            let segment = (32 - width) << 8;
            for mode in ["up", "down", "bfly", "idx"] {
                let clamp = if mode == "up" { segment } else { segment | 31 };
                let found = shuffled(mode, &set, &clamp.to_string());
                for lane in 0..32_i32 {
                    let first = lane / width * width;
                    let end = first + width;
                    let wanted = match mode {
                        "up" => Some(lane - by).filter(|source| *source >= first),
                        "down" => Some(lane + by).filter(|source| *source < end),
                        "bfly" => Some(lane ^ by).filter(|source| *source < end),
                        _ => Some(first + by % width),
                    };
                    let source = wanted.unwrap_or(lane);
                    let expected = (source as u32 * 3 + 1, wanted.is_some());
                    let found = found[lane as usize];
                    assert_eq!(found, expected, "{mode} {by} of {width}, lane {lane}");
                }
            }
        }
    }
}

/// Any clamp and segment, as the PTX manual has them.
#[test]
fn shuffles_with_any_clamp() {
    let mut draw = Draw::new(1);
    for _ in 0..100 {
        let clamp = draw.below(1 << 13) as u32;
        let (factor, plus) = (draw.word() | 1, draw.word());
        let set = format!("mad.lo.u32 %r1, %i0, {factor}, {plus};");
        for mode in ["up", "down", "bfly", "idx"] {
            let found = shuffled(mode, &set, &clamp.to_string());
            for lane in 0..32_u32 {
                let b = lane.wrapping_mul(factor).wrapping_add(plus) & 31;
                let fixed = clamp >> 8;
                // Bit by bit: those of the segment come from the thread's own number.
                let mixed = |other: u32| {
                    (0..5).fold(0, |sum, bit| {
                        let from = if fixed >> bit & 1 != 0 { lane } else { other };
                        sum | from & 1 << bit
                    })
                };
                let bound = i64::from(mixed(clamp & 31));
                let (source, within) = match mode {
                    "up" => {
                        let source = i64::from(lane) - i64::from(b);
                        (source, source >= bound)
                    }
                    "down" => (i64::from(lane + b), i64::from(lane + b) <= bound),
                    "bfly" => (i64::from(lane ^ b), i64::from(lane ^ b) <= bound),
                    _ => (i64::from(mixed(b)), i64::from(mixed(b)) <= bound),
                };
                let source = if within { source as u32 } else { lane };
                let found = found[lane as usize];
                assert_eq!(
                    found,
                    (source * 3 + 1, within),
                    "{mode} {clamp:#x} {lane} {b}"
                );
            }
        }
    }
}

#[test]
fn a_shuffle_may_write_over_its_own_source() {
    let ptx = kernel(
        "mov.u32 %r0, %i0;\nshfl.sync.bfly.b32 %r0, %r0, 1, 31, -1;\nst.global.u32 [%I1], %r0;",
    );
    let expected: Vec<u32> = (0..32).map(|lane| lane ^ 1).collect();
    assert_eq!(run(&ptx, 1, 32).unwrap(), expected);
}

#[test]
fn votes() {
    let ptx = kernel(
        "
and.b32 %r0, %i0, 5;
setp.eq.u32 %p0, %r0, 1;
vote.sync.ballot.b32 %r1, %p0, -1;
mov.u32 %r2, 0;
setp.lt.u32 %p1, %i0, 8;
@!%p1 bra end;
vote.sync.ballot.b32 %r2, 1, 0xff;
activemask.b32 %r3;
setp.ne.u32 %p2, %r3, 0xff;
@%p2 mov.u32 %r2, 0;
end:
add.u32 %r1, %r1, %r2;
st.global.u32 [%I1], %r1;",
    );
    let ballot = (0..32)
        .filter(|n| n & 5 == 1)
        .fold(0_u32, |mask, n| mask | 1 << n);
    let mut expected = vec![ballot; 32];
    expected[..8].fill(ballot + 0xff);
    assert_eq!(run(&ptx, 1, 32).unwrap(), expected);
}

#[test]
fn threads_that_parted_meet_at_a_shuffle() {
    // Odd threads take a long way to it.
    let ptx = kernel(
        "
and.b32 %r0, %i0, 1;
setp.eq.u32 %p0, %r0, 0;
mul.lo.u32 %r1, %i0, 10;
@%p0 bra meet;
mov.u32 %r2, 0;
again:
add.u32 %r2, %r2, 1;
setp.lt.u32 %p1, %r2, %i0;
@%p1 bra again;
add.u32 %r1, %r1, %r2;
meet:
shfl.sync.down.b32 %r3, %r1, 1, 31, -1;
st.global.u32 [%I1], %r3;",
    );
    let value = |n: u32| n * 10 + if n % 2 == 1 { n } else { 0 };
    let expected: Vec<u32> = (0..32).map(|n| value((n + 1).min(31))).collect();
    assert_eq!(run(&ptx, 1, 32).unwrap(), expected);
}

/// The first instruction is where those wait that take part; then the others go by it.
#[test]
fn threads_at_different_places_do_not_meet() {
    let ptx = kernel(
        "
setp.lt.u32 %p0, %i0, 16;
@%p0 bra other;
bar.warp.sync -1;
ret;
other:
bar.warp.sync 0xffffffff;",
    );
    let place = FIRST.to_owned() + "0";
    let reason = "waits for ever: for a thread of its warp";
    assert_kernel_error(&ptx, run(&ptx, 1, 32), "sync 0xffffffff", &place, reason);
}

#[test]
fn halves_of_a_warp_meet_by_themselves() {
    // Both at the same instruction, each with its own members; one half is there twice.
    let ptx = kernel(
        "
setp.lt.u32 %p0, %i0, 16;
selp.b32 %r0, 0xffff, 0xffff0000, %p0;
mov.u32 %r1, 0;
again:
shfl.sync.bfly.b32 %r2, %i0, 1, 31, %r0;
vote.sync.ballot.b32 %r4, 1, %r0;
bar.warp.sync %r0;
add.u32 %r1, %r1, 1;
setp.ge.u32 %p1, %r1, 2;
and.pred %p1, %p1, %p0;
setp.ge.u32 %p2, %r1, 5;
or.pred %p1, %p1, %p2;
@!%p1 bra again;
mad.lo.u32 %r2, %r1, 100, %r2;
setp.ne.u32 %p3, %r4, %r0;
@%p3 mov.u32 %r2, 0;
st.global.u32 [%I1], %r2;",
    );
    let expected: Vec<u32> = (0..32)
        .map(|lane| if lane < 16 { 200 } else { 500 } + (lane ^ 1))
        .collect();
    assert_eq!(run(&ptx, 1, 32).unwrap(), expected);
}

#[test]
fn the_other_half_is_no_source() {
    let ptx = kernel(
        "
setp.lt.u32 %p0, %i0, 16;
selp.b32 %r0, 0xffff, 0xffff0000, %p0;
shfl.sync.idx.b32 %r2, %i0, 20, 31, %r0;",
    );
    let reason = "takes a value from thread 20 of its warp, which takes no part";
    let place = FIRST.to_owned() + "0";
    assert_kernel_error(&ptx, run(&ptx, 1, 32), "shfl", &place, reason);
}

#[test]
fn threads_that_ended_are_not_awaited() {
    // Lane 31 and all odd ones are gone, some of them after the others have begun to wait.
    let ptx = kernel(
        "
and.b32 %r0, %i0, 1;
setp.eq.u32 %p0, %r0, 0;
@!%p0 bra odd;
bar.warp.sync -1;
vote.sync.ballot.b32 %r1, 1, -1;
shfl.sync.down.b32 %r2, %i0, 2, 30, -1;
add.u32 %r1, %r1, %r2;
st.global.u32 [%I1], %r1;
ret;
odd:
mov.u32 %r3, 0;
again:
add.u32 %r3, %r3, 1;
setp.lt.u32 %p1, %r3, 3000;
@%p1 bra again;
exit;",
    );
    let expected: Vec<u32> = (0..32)
        .map(|lane| match lane {
            30 => 0x5555_5555 + 30,
            _ if lane % 2 == 0 => 0x5555_5555 + lane + 2,
            _ => 0,
        })
        .collect();
    assert_eq!(run(&ptx, 1, 32).unwrap(), expected);
}

#[test]
fn threads_that_there_are_not_in_the_last_warp_are_not_awaited() {
    let ptx = kernel("vote.sync.ballot.b32 %r1, 1, -1;\nst.global.u32 [%I1], %r1;");
    let found = run(&ptx, 1, 37).unwrap();
    assert_eq!(found[..32], [u32::MAX; 32]);
    assert_eq!(found[32..], [0x1f; 5]);
}

#[test]
fn nothing_comes_from_threads_that_ended() {
    let ptx = kernel(
        "
setp.eq.u32 %p0, %i0, 3;
@%p0 exit;
shfl.sync.idx.b32 %r2, %i0, 3, 31, -1;",
    );
    let reason = "takes a value from thread 3 of its warp, which takes no part";
    assert_kernel_error(
        &ptx,
        run(&ptx, 1, 32),
        "shfl",
        &(FIRST.to_owned() + "0"),
        reason,
    );
}

#[test]
fn a_thread_that_never_comes_is_found() {
    for wait in [
        "shfl.sync.idx.b32 %r2, %i0, 3, 31, -1",
        "vote.sync.ballot.b32 %r2, 1, -1",
        "bar.warp.sync -1",
    ] {
        let ptx = kernel(&format!(
            "
setp.eq.u32 %p0, %i0, 37;
@%p0 bra apart;
{wait};
bar.sync 0;
ret;
apart:
bar.sync 0;"
        ));
        let reason = "waits for ever: for a thread of its warp";
        let place = FIRST.to_owned() + "32";
        assert_kernel_error(&ptx, run(&ptx, 1, 64), wait, &place, reason);
    }
}

#[test]
fn who_takes_part_names_himself() {
    let ptx = kernel("bar.warp.sync 0xfffffeff;");
    let reason = "thread 8 of its warp is not among the members that it names";
    assert_kernel_error(
        &ptx,
        run(&ptx, 1, 32),
        "bar.warp",
        &(FIRST.to_owned() + "8"),
        reason,
    );
}

#[test]
fn nothing_comes_from_threads_that_are_not_named() {
    let ptx = kernel(
        "
setp.lt.u32 %p0, %i0, 8;
@%p0 shfl.sync.down.b32 %r2, %i0, 4, 31, 0xff;",
    );
    let reason = "takes a value from thread 8 of its warp, which takes no part";
    assert_kernel_error(
        &ptx,
        run(&ptx, 1, 32),
        "shfl",
        &(FIRST.to_owned() + "4"),
        reason,
    );
}

#[test]
fn the_chance_of_the_seed_changes_nothing_in_a_warp() {
    let ptx = kernel(
        "
mov.u32 %r1, %i0;
mov.u32 %r3, 0;
again:
shfl.sync.up.b32 %r2, %r1, 1, 0, -1;
add.u32 %r1, %r1, %r2;
add.u32 %r3, %r3, 1;
setp.lt.u32 %p0, %r3, 9;
@%p0 bra again;
st.global.u32 [%I1], %r1;",
    );
    let of = |seed| -> Result<Vec<u32>, DeviceError> {
        run_with(&mut Machine::with_seed(&ptx, seed), 3, 64)
    };
    let first = of(0).unwrap();
    for seed in 1..10 {
        assert_eq!(of(seed).unwrap(), first);
    }
}
