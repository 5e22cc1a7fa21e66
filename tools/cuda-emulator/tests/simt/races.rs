//! Threads that touch the same shared word without an order between them.

use crate::common::{Machine, kernel, run, run_with};

/// What the threads of two warps do with the word `word`, at first written by thread 0 and behind a
/// barrier.
fn outcomes(body: &str) -> Vec<Result<(), String>> {
    let ptx = kernel(&format!(
        "
.shared .align 16 .b8 word[128];
mov.u32 %r9, word;
shl.b32 %r10, %i0, 2;
and.b32 %r10, %r10, 127;
add.u32 %r10, %r9, %r10;
setp.eq.u32 %p0, %i0, 0;
setp.eq.u32 %p1, %i0, 1;
setp.eq.u32 %p2, %i0, 2;
setp.eq.u32 %p3, %i0, 32;
setp.eq.u32 %p4, %i0, 31;
setp.lt.u32 %p5, %i0, 32;
@%p5 st.shared.u32 [%r10], %i0;
bar.sync 0;
{body}"
    ));
    // Whichever of the warps comes first.
    let outcomes = (0..8).map(|seed| {
        let outcome = run_with(&mut Machine::with_seed(&ptx, seed), 1, 64);
        outcome.map(|_| ()).map_err(|error| error.to_string())
    });
    outcomes.collect()
}

#[track_caller]
fn assert_race(body: &str, first: u32, second: u32) {
    let ends = [(first, second), (second, first)]
        .map(|(a, b)| format!("shared memory, offset 0: race of threads {a} and {b}"));
    for outcome in outcomes(body) {
        let error = outcome.unwrap_err();
        assert!(ends.iter().any(|end| error.ends_with(end)), "{error}");
    }
}

#[track_caller]
fn assert_some_race(body: &str) {
    for outcome in outcomes(body) {
        assert!(outcome.unwrap_err().contains("race of threads"), "{body}");
    }
}

#[track_caller]
fn assert_none(body: &str) {
    for outcome in outcomes(body) {
        assert_eq!(outcome, Ok(()), "{body}");
    }
}

#[test]
fn between_warps() {
    assert_race(
        "@%p0 st.shared.u32 [word], 1;\n@%p3 st.shared.u32 [word], 1;",
        0,
        32,
    );
    assert_race(
        "@%p0 st.shared.u32 [word], 1;\n@%p3 ld.shared.u32 %r0, [word];",
        0,
        32,
    );
    assert_race(
        "@%p0 ld.shared.u32 %r0, [word];\n@%p3 st.shared.u32 [word], 1;",
        0,
        32,
    );
    assert_race(
        "@%p0 atom.shared.add.u32 %r0, [word], 1;\n@%p3 ld.shared.u32 %r0, [word];",
        0,
        32,
    );
    assert_race(
        "@%p0 atom.shared.add.u32 %r0, [word], 1;\n@%p3 st.shared.u32 [word], 1;",
        0,
        32,
    );
    // That thread 32 reads last, and writes, does not help thread 0.
    assert_race(
        "@%p0 ld.shared.u32 %r0, [word];\n@%p3 ld.shared.u32 %r0, [word];\n@%p3 st.shared.u32 [word], 1;",
        0,
        32,
    );
    // A barrier of one of the warps is none of the other.
    assert_race(
        "@%p0 st.shared.u32 [word], 1;\nbar.warp.sync -1;\n@%p3 ld.shared.u32 %r0, [word];",
        0,
        32,
    );
    let barrier = "bar.sync 0;";
    let (write, read) = (
        "@%p0 st.shared.u32 [word], 1;",
        "@%p3 ld.shared.u32 %r0, [word];",
    );
    assert_none(&format!("{write}\n{barrier}\n{read}"));
    assert_none(&format!("{read}\n{barrier}\n{write}"));
    assert_none(&format!(
        "{write}\n{barrier}\n@%p3 st.shared.u32 [word], 1;"
    ));
}

#[test]
fn what_is_read_by_many_is_not_written_by_one_of_them() {
    // Whoever reads last: that it is the one who writes does not help the others.
    for writer in ["p0", "p2", "p3", "p4"] {
        let body = format!("ld.shared.u32 %r0, [word];\n@%{writer} st.shared.u32 [word], 1;");
        assert_some_race(&body);
        let body = format!("@%p5 {body}");
        if writer != "p3" {
            assert_some_race(&body);
        }
        let body = body.replace('\n', "\nbar.sync 0;\n");
        assert_none(&body);
    }
}

#[test]
fn inside_a_warp() {
    assert_race(
        "@%p0 st.shared.u32 [word], 1;\n@%p1 st.shared.u32 [word], 1;",
        0,
        1,
    );
    assert_race(
        "@%p0 st.shared.u32 [word], 1;\n@%p1 ld.shared.u32 %r0, [word];",
        0,
        1,
    );
    assert_race(
        "@%p0 ld.shared.u32 %r0, [word];\n@%p1 st.shared.u32 [word], 1;",
        0,
        1,
    );
    // The last thread to read writes; the one before it has read as well.
    assert_race(
        "@%p0 ld.shared.u32 %r0, [word];\n@%p1 ld.shared.u32 %r0, [word];\n@%p1 st.shared.u32 [word], 1;",
        0,
        1,
    );
    assert_race("@%p5 st.shared.u32 [word], 1;", 0, 1);
    let barrier = "bar.warp.sync -1;";
    assert_none(&format!(
        "@%p0 st.shared.u32 [word], 1;\n{barrier}\n@%p1 st.shared.u32 [word], 1;\n{barrier}
@%p2 ld.shared.u32 %r0, [word];"
    ));
    assert_none(&format!(
        "@%p5 ld.shared.u32 %r0, [word];\n{barrier}\n@%p1 st.shared.u32 [word], 1;"
    ));
    assert_none("@%p0 st.shared.u32 [word], 1;\n@%p0 ld.shared.u32 %r0, [word];");
}

#[test]
fn shuffles_and_votes_order_no_memory() {
    for between in [
        "shfl.sync.idx.b32 %r1, %r1, 0, 31, -1;",
        "vote.sync.ballot.b32 %r1, 1, -1;",
    ] {
        let (write, read) = (
            "@%p0 st.shared.u32 [word], 1;",
            "@%p1 ld.shared.u32 %r0, [word];",
        );
        assert_race(&format!("{write}\n{between}\n{read}"), 0, 1);
    }
}

#[test]
fn barriers_of_some_threads_order_these_alone() {
    let write = "@%p0 st.shared.u32 [word], 1;\nsetp.lt.u32 %p6, %i0, 2;\nsetp.lt.u32 %p7, %i0, 4;
setp.gt.u32 %p8, %i0, 0;\nand.pred %p8, %p7, %p8;\n";
    let (first, second) = ("@%p6 bar.warp.sync 3;\n", "@%p8 bar.warp.sync 14;\n");
    let (read_1, read_2) = (
        "@%p1 ld.shared.u32 %r0, [word];\n",
        "@%p2 ld.shared.u32 %r0, [word];\n",
    );
    assert_none(&format!("{write}{first}{read_1}"));
    assert_race(&format!("{write}{first}{read_2}"), 0, 2);
    // Thread 1 met thread 0, and then thread 2 met thread 1.
    assert_none(&format!("{write}{first}{second}{read_2}"));
    assert_race(&format!("{write}{second}{first}{read_2}"), 0, 2);
}

#[test]
fn atomic_additions_may_meet() {
    assert_none("atom.shared.add.u32 %r0, [word], 1;\nred.shared.add.u32 [word], 1;");
    assert_race(
        "@%p0 st.shared.u32 [word], 1;\n@%p1 red.shared.add.u32 [word], 1;",
        0,
        1,
    );
    // Thread 1 reads what it added to itself, but so did thread 0.
    assert_race(
        "@%p0 red.shared.add.u32 [word], 1;\n@%p1 red.shared.add.u32 [word], 1;\n@%p1 ld.shared.u32 %r0, [word];",
        0,
        1,
    );
    // An addition by thread 1 that is in order does not hide thread 0's store from thread 2.
    assert_race(
        "@%p0 st.shared.u32 [word], 1;\nsetp.lt.u32 %p6, %i0, 2;\n@%p6 bar.warp.sync 3;
@%p1 red.shared.add.u32 [word], 1;\n@%p2 red.shared.add.u32 [word], 1;",
        0,
        2,
    );
}

#[test]
fn additions_of_a_block_add_up() {
    let ptx = kernel(
        "
.shared .u32 sum;
setp.eq.u32 %p0, %i0, 0;
@%p0 st.shared.u32 [sum], 100;
bar.sync 0;
atom.shared.add.u32 %r0, [sum], %i0;
bar.sync 0;
ld.shared.u32 %r1, [sum];
st.global.u32 [%I1], %r1;",
    );
    assert_eq!(run(&ptx, 1, 70).unwrap(), [100 + 69 * 35; 70]);
}
