//! Sums, products, shifts and comparisons, against Rust's own.

use crate::common::{Draw, compute};

const THREADS: usize = 512;

/// A long number's words.
fn words(input: &[u64]) -> Vec<u32> {
    input.iter().map(|long| *long as u32).collect()
}

#[test]
fn sums_and_differences_of_256_bits() {
    let mut body = String::new();
    for (function, first) in [("add", 0), ("sub", 8)] {
        body += &format!("{function}.cc.u32 %o{first}, %a0, %a8;\n");
        for n in 1..8 {
            let cc = if n < 7 { ".cc" } else { "" };
            let to = first + n;
            body += &format!("{function}c{cc}.u32 %o{to}, %a{n}, %a{};\n", n + 8);
        }
    }
    let inputs = Draw::new(1).inputs(THREADS, 16);
    let answers = compute(&body, &inputs);
    for (input, answer) in inputs.iter().zip(answers.words) {
        let words = words(input);
        let (mut carry, mut borrow) = (0_i64, 0_i64);
        for n in 0..8 {
            let (a, b) = (i64::from(words[n]), i64::from(words[n + 8]));
            let (sum, difference) = (a + b + carry, a - b + borrow);
            (carry, borrow) = (sum >> 32, difference >> 32);
            assert_eq!(answer[n], sum as u32, "{words:x?}");
            assert_eq!(answer[n + 8], difference as u32, "{words:x?}");
        }
    }
}

#[test]
fn the_carry_stays_until_it_is_set_again() {
    // A move, an addition without .cc and one with a guard that does not hold leave it alone.
    let body = "
add.cc.u32 %r0, %a0, %a1;
mov.u32 %r1, 7;
add.u32 %r2, %a0, %a0;
setp.ne.u32 %p0, %r1, 7;
@%p0 add.cc.u32 %r3, %r1, %r1;
addc.u32 %o0, 0, 0;
sub.cc.u32 %r0, %a0, %a1;
subc.u32 %o1, 0, 0;
subc.cc.u32 %r4, %a0, %a1;
subc.u32 %o2, 0, 0;
// Threads of the same warp with other input keep theirs.
add.cc.u32 %r5, -1, 1;
setp.lt.u32 %p1, %a0, %a1;
@%p1 add.cc.u32 %r5, 0, 0;
addc.u32 %o3, 0, 0;
sub.cc.u32 %r5, 0, 1;
@%p1 sub.cc.u32 %r5, 0, 0;
subc.u32 %o4, 1, 0;
";
    let inputs = Draw::new(2).inputs(THREADS, 2);
    let answers = compute(body, &inputs);
    for (input, answer) in inputs.iter().zip(answers.words) {
        let (a, b) = (input[0] as u32, input[1] as u32);
        let borrows = a < b;
        let again = i64::from(a) - i64::from(b) - i64::from(borrows) < 0;
        assert_eq!(answer[0], u32::from(a.checked_add(b).is_none()));
        assert_eq!(answer[1], 0_u32.wrapping_sub(borrows.into()));
        assert_eq!(answer[2], 0_u32.wrapping_sub(again.into()));
        assert_eq!(answer[3..5], [u32::from(!borrows), u32::from(borrows)]);
    }
}

#[test]
fn products_of_256_bits() {
    let mut body = String::new();
    for i in 0..8 {
        let b = i + 8;
        for (half, shift) in [("lo", 0), ("hi", 1)] {
            for j in 0..8 {
                let name = if j == 0 { "mad" } else { "madc" };
                let to = i + j + shift;
                body += &format!("{name}.{half}.cc.u32 %o{to}, %a{j}, %a{b}, %o{to};\n");
            }
            let top = i + 8 + shift;
            if top < 16 {
                body += &format!("addc.u32 %o{top}, %o{top}, 0;\n");
            }
        }
    }
    let inputs = Draw::new(3).inputs(THREADS, 16);
    let answers = compute(&body, &inputs);
    for (input, answer) in inputs.iter().zip(answers.words) {
        let words = words(input);
        let mut expected = [0_u32; 16];
        for i in 0..8 {
            let mut carry = 0;
            for j in 0..8 {
                let product = u128::from(words[j]) * u128::from(words[i + 8]);
                let sum = product + u128::from(expected[i + j]) + carry;
                expected[i + j] = sum as u32;
                carry = sum >> 32;
            }
            expected[i + 8] = carry as u32;
        }
        assert_eq!(answer, expected, "{words:x?}");
    }
}

#[test]
fn words_one_by_one() {
    type Function = fn(u32, u32) -> u32;
    let signed = |a: u32| a.cast_signed();
    let functions: [(&str, Function); 12] = [
        ("add.s32", u32::wrapping_add),
        ("sub.u32", u32::wrapping_sub),
        ("mul.lo.s32", u32::wrapping_mul),
        ("mul.hi.u32", |a, b| {
            ((u64::from(a) * u64::from(b)) >> 32) as u32
        }),
        ("min.u32", u32::min),
        ("max.u32", u32::max),
        ("min.s32", |a, b| {
            a.cast_signed().min(b.cast_signed()).cast_unsigned()
        }),
        ("max.s32", |a, b| {
            a.cast_signed().max(b.cast_signed()).cast_unsigned()
        }),
        ("and.b32", |a, b| a & b),
        ("or.b32", |a, b| a | b),
        ("xor.b32", |a, b| a ^ b),
        ("mad.lo.u32", |a, b| a.wrapping_mul(b).wrapping_add(5)),
    ];
    let mut body = String::new();
    for (n, (name, _)) in functions.iter().enumerate() {
        let plus = if name.starts_with("mad") { ", 5" } else { "" };
        body += &format!("{name} %o{n}, %a0, %a1{plus};\n");
    }
    body += "not.b32 %o12, %a0;\nneg.s32 %o13, %a0;\nclz.b32 %o14, %a0;\nbrev.b32 %o15, %a0;\n";
    let inputs = Draw::new(4).inputs(THREADS, 2);
    let answers = compute(&body, &inputs);
    for (input, answer) in inputs.iter().zip(answers.words) {
        let (a, b) = (input[0] as u32, input[1] as u32);
        for ((name, function), found) in functions.iter().zip(&answer) {
            assert_eq!(*found, function(a, b), "{name} {a:#x}, {b:#x}");
        }
        let zeros = (0..32).rev().take_while(|bit| a >> bit & 1 == 0).count();
        let reversed = (0..32).fold(0, |word, bit| word | (a >> bit & 1) << (31 - bit));
        let others = [
            u32::MAX - a,
            signed(a).wrapping_neg() as u32,
            zeros as u32,
            reversed,
        ];
        assert_eq!(answer[12..], others, "{a:#x}");
    }
}

#[test]
fn longs_one_by_one() {
    type Function = fn(u64, u64) -> u64;
    let functions: [(&str, Function); 10] = [
        ("add.s64", u64::wrapping_add),
        ("sub.u64", u64::wrapping_sub),
        ("mul.lo.s64", u64::wrapping_mul),
        ("and.b64", |a, b| a & b),
        ("or.b64", |a, b| a | b),
        ("xor.b64", |a, b| a ^ b),
        ("min.u64", u64::min),
        ("max.u64", u64::max),
        ("min.s64", |a, b| {
            a.cast_signed().min(b.cast_signed()).cast_unsigned()
        }),
        ("max.s64", |a, b| {
            a.cast_signed().max(b.cast_signed()).cast_unsigned()
        }),
    ];
    let mut body = String::new();
    for (n, (name, _)) in functions.iter().enumerate() {
        body += &format!("{name} %O{n}, %A0, %A1;\n");
    }
    body += "not.b64 %O10, %A0;\nneg.s64 %O11, %A0;
mul.wide.u32 %O12, %a0, %a1;\nmul.wide.s32 %O13, %a0, %a1;\n";
    let inputs = Draw::new(5).inputs(THREADS, 2);
    let answers = compute(&body, &inputs);
    for (input, answer) in inputs.iter().zip(answers.longs) {
        let (a, b) = (input[0], input[1]);
        for ((name, function), found) in functions.iter().zip(&answer) {
            assert_eq!(*found, function(a, b), "{name} {a:#x}, {b:#x}");
        }
        let (low_a, low_b) = (a as u32, b as u32);
        let signed = i128::from(low_a.cast_signed()) * i128::from(low_b.cast_signed());
        let unsigned = u128::from(low_a) * u128::from(low_b);
        let others = [
            u64::MAX - a,
            0_u64.wrapping_sub(a),
            unsigned as u64,
            signed as u64,
        ];
        assert_eq!(answer[10..14], others, "{a:#x} {b:#x}");
    }
}

#[test]
fn shifts_by_the_width_and_more() {
    let body = "
shl.b32 %o0, %a0, %a1;
shr.u32 %o1, %a0, %a1;
shr.s32 %o2, %a0, %a1;
shr.b32 %o3, %a0, %a1;
shl.b64 %O0, %A0, %a1;
shr.u64 %O1, %A0, %a1;
shr.s64 %O2, %A0, %a1;
";
    let amounts = [0, 1, 31, 32, 33, 63, 64, 65, 255, 256, 1 << 31, u32::MAX];
    let mut draw = Draw::new(6);
    let inputs: Vec<Vec<u64>> = (0..THREADS)
        .map(|n| vec![draw.long(), u64::from(amounts[n % amounts.len()])])
        .collect();
    let answers = compute(body, &inputs);
    for (n, input) in inputs.iter().enumerate() {
        let (a, by) = (input[0], input[1].min(100) as u32);
        // With room to both sides, nothing has to be clamped.
        let low = u128::from(a as u32);
        let left = (low << by) as u32;
        let right = (low >> by) as u32;
        let signed = (i128::from((a as u32).cast_signed()) >> by) as u32;
        assert_eq!(
            answers.words[n][..4],
            [left, right, signed, right],
            "{input:x?}"
        );
        let left = (u128::from(a) << by) as u64;
        let right = (u128::from(a) >> by) as u64;
        let signed = (i128::from(a.cast_signed()) >> by) as u64;
        assert_eq!(answers.longs[n][..3], [left, right, signed], "{input:x?}");
    }
}

#[test]
fn comparisons() {
    type Holds = fn(std::cmp::Ordering) -> bool;
    let comparisons: [(&str, Holds); 6] = [
        ("eq", std::cmp::Ordering::is_eq),
        ("ne", std::cmp::Ordering::is_ne),
        ("lt", std::cmp::Ordering::is_lt),
        ("le", std::cmp::Ordering::is_le),
        ("gt", std::cmp::Ordering::is_gt),
        ("ge", std::cmp::Ordering::is_ge),
    ];
    let mut inputs = Draw::new(7).inputs(THREADS, 2);
    for input in inputs.iter_mut().step_by(3) {
        input[1] = input[0];
    }
    for (name, holds) in comparisons {
        let body: String = [
            "u32 %p0, %a0",
            "s32 %p0, %a0",
            "u64 %p0, %A0",
            "s64 %p0, %A0",
        ]
        .iter()
        .enumerate()
        .map(|(n, text)| {
            let b = text[9..].replace('0', "1");
            format!("setp.{name}.{text}, {b};\nselp.u32 %o{n}, 1, 0, %p0;\n")
        })
        .collect();
        let answers = compute(&body, &inputs);
        for (input, answer) in inputs.iter().zip(answers.words) {
            let (a, b) = (input[0], input[1]);
            let orders = [
                (a as u32).cmp(&(b as u32)),
                (a as i32).cmp(&(b as i32)),
                a.cmp(&b),
                a.cast_signed().cmp(&b.cast_signed()),
            ];
            let expected = orders.map(|order| u32::from(holds(order)));
            assert_eq!(answer[..4], expected, "{name} {input:x?}");
        }
    }
}

#[test]
fn unsigned_comparisons_by_their_other_names() {
    let body = "
setp.lo.u32 %p0, %a0, %a1;
selp.u32 %o0, 1, 0, %p0;
setp.ls.u32 %p0, %a0, %a1;
selp.u32 %o1, 1, 0, %p0;
setp.hi.u32 %p0, %a0, %a1;
selp.u32 %o2, 1, 0, %p0;
setp.hs.u32 %p0, %a0, %a1;
selp.u32 %o3, 1, 0, %p0;
";
    let inputs = [[1, 2], [2, 1], [2, 2]].map(|pair| pair.to_vec());
    let answers = compute(body, &inputs);
    assert_eq!(answers.words[0][..4], [1, 1, 0, 0]);
    assert_eq!(answers.words[1][..4], [0, 0, 1, 1]);
    assert_eq!(answers.words[2][..4], [0, 1, 0, 1]);
}
