//! Fields of bits, conversions, selections, predicates, scopes.

use crate::common::{Draw, HEAD, Machine, compute, kernel, run};

#[test]
fn insertions_at_every_edge() {
    let edges = [0, 1, 5, 31, 32, 33, 63, 64, 200, 255, 256, 257, 0x1_0008];
    let mut draw = Draw::new(1);
    let inputs: Vec<Vec<u64>> = edges
        .iter()
        .flat_map(|at| edges.map(|length| (*at, length)))
        .map(|(at, length)| vec![draw.long(), draw.long(), at, length])
        .collect();
    let body = "bfi.b32 %o0, %a0, %a1, %a2, %a3;\nbfi.b64 %O0, %A0, %A1, %a2, %a3;\n";
    let answers = compute(body, &inputs);
    for (n, input) in inputs.iter().enumerate() {
        // As the manual has it: bit by bit, with eight bits of position and length.
        let inserted = |width: u64| {
            let (at, length) = (input[2] & 0xff, input[3] & 0xff);
            let mut result = input[1];
            for bit in 0..length {
                if at + bit < width {
                    let one = 1 << (at + bit);
                    result = result & !one | (input[0] >> bit & 1) << (at + bit);
                }
            }
            result
        };
        assert_eq!(answers.words[n][0], inserted(32) as u32, "{input:x?}");
        assert_eq!(answers.longs[n][0], inserted(64), "{input:x?}");
    }
}

#[test]
fn every_table_of_three_bits() {
    let inputs = Draw::new(2).inputs(32, 3);
    for first in (0..256_u32).step_by(16) {
        let body: String = (0..16)
            .map(|n| format!("lop3.b32 %o{n}, %a0, %a1, %a2, {};\n", first + n))
            .collect();
        let answers = compute(&body, &inputs);
        for (input, answer) in inputs.iter().zip(answers.words) {
            for (table, found) in (first..).zip(answer) {
                let expected = (0..32).fold(0, |word, bit| {
                    let of = |n: usize| (input[n] >> bit & 1) as u32;
                    let row = of(0) * 4 + of(1) * 2 + of(2);
                    word | (table >> row & 1) << bit
                });
                assert_eq!(found, expected, "table {table}, {input:x?}");
            }
        }
    }
}

/// A number of `bits` as a conversion reads it.
fn read(value: u64, bits: u32, signed: bool) -> i128 {
    let low = i128::from(value) & ((1 << bits) - 1);
    if signed && low >> (bits - 1) & 1 != 0 {
        low - (1 << bits)
    } else {
        low
    }
}

/// Conversions from and to registers that have the types' width, or 16 bits for 8.
#[test]
fn conversions_of_every_width() {
    let types = ["u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64"];
    let of = |name: &str| (name[1..].parse::<u32>().unwrap(), name.starts_with('s'));
    let inputs = Draw::new(3).inputs(64, 1);
    for from in types {
        for into in types {
            let ((from_bits, from_signed), (bits, signed)) = (of(from), of(into));
            let source = match from_bits {
                64 => "%A0",
                32 => "%a0",
                _ => "%h0",
            };
            let (target, store) = match bits {
                64 => ("%O0", ""),
                32 => ("%o0", ""),
                _ => ("%h1", "cvt.u32.u16 %o0, %h1;\n"),
            };
            let body =
                format!("cvt.u16.u64 %h0, %A0;\ncvt.{into}.{from} {target}, {source};\n{store}");
            let answers = compute(&body, &inputs);
            for (n, input) in inputs.iter().enumerate() {
                let number = read(input[0], from_bits, from_signed);
                // What the type does not fill of a register is filled by its sign.
                let number = read(number as u64, bits, signed) as u64;
                let (found, expected) = match bits {
                    64 => (answers.longs[n][0], number),
                    32 => (answers.words[n][0].into(), number & 0xffff_ffff),
                    _ => (answers.words[n][0].into(), number & 0xffff),
                };
                assert_eq!(found, expected, "cvt.{into}.{from} {:#x}", input[0]);
            }
        }
    }
}

#[test]
fn conversions_into_wider_registers() {
    let body = "
cvt.u16.u32 %h0, %a0;
cvt.s32.s8 %o0, %a0;
cvt.s16.s8 %o1, %h0;
cvt.u16.s8 %o2, %h0;
cvt.u8.u32 %o3, %a0;
cvt.s8.s64 %o4, %A0;
cvt.u16.u64 %o5, %A0;
";
    let answers = compute(body, &[vec![0x1234_8186]]);
    assert_eq!(
        answers.words[0][..6],
        [0xffff_ff86, 0xffff_ff86, 0xff86, 0x86, 0xffff_ff86, 0x8186]
    );
}

#[test]
fn halves_are_words_without_an_upper_half() {
    let body = "
mov.u16 %h0, -2;
cvt.u32.u16 %o0, %h0;
not.b16 %h1, %h0;
cvt.u32.u16 %o1, %h1;
and.b16 %h2, %h0, 255;
cvt.u32.u16 %o2, %h2;
setp.eq.s16 %p0, %h0, -2;
selp.u16 %h3, %h0, %h1, %p0;
cvt.u32.u16 %o3, %h3;
cvt.s32.s16 %o4, %h3;
";
    let answers = compute(body, &[vec![0]]);
    assert_eq!(
        answers.words[0][..5],
        [0xfffe, 1, 0xfe, 0xfffe, 0xffff_fffe]
    );
}

#[test]
fn predicates_and_selections() {
    let body = "
setp.ne.u32 %p0, %a0, 0;
setp.ne.u32 %p1, %a1, 0;
and.pred %p2, %p0, %p1;
selp.b32 %o0, 1, 0, %p2;
or.pred %p2, %p0, %p1;
selp.u32 %o1, 1, 0, %p2;
xor.pred %p2, %p0, %p1;
selp.s32 %o2, 1, 0, %p2;
not.pred %p2, %p0;
selp.u32 %o3, 1, 0, %p2;
mov.pred %p3, %p1;
selp.u32 %o4, 1, 0, %p3;
mov.pred %p3, -1;
selp.u32 %o5, 1, 0, %p3;
mov.pred %p3, 0;
selp.u32 %o6, 1, 0, %p3;
selp.b64 %O0, %A0, %A1, %p0;
@%p0 mov.u32 %o7, 5;
@!%p0 mov.u32 %o8, 6;
@%p0 setp.eq.u32 %p4, 0, 0;
selp.u32 %o9, 1, 0, %p4;
";
    let inputs: Vec<Vec<u64>> = (0..64).map(|n| vec![n & 1, n >> 1 & 1]).collect();
    let answers = compute(body, &inputs);
    for (n, input) in inputs.iter().enumerate() {
        let (a, b) = (input[0] as u32, input[1] as u32);
        let expected = [a & b, a | b, a ^ b, 1 - a, b, 1, 0, a * 5, (1 - a) * 6, a];
        assert_eq!(answers.words[n][..10], expected, "{input:?}");
        assert_eq!(
            answers.longs[n][0],
            if a == 1 { input[0] } else { input[1] }
        );
    }
}

#[test]
fn inner_scopes_hide_outer_names() {
    let ptx = kernel(
        "
mov.u32 %r1, 1;
{ .reg.b32 %r<3>;
  .reg .u32 single;
  mov.u32 %r1, 2;
  mov.u32 single, 40;
  { .reg .b32 single; mov.u32 single, 3; }
  mov.u32 %r5, single;
  add.u32 %r2, %r1, %r5;
  mov.u32 %r6, %r2;
}
add.u32 %r3, %r1, %r6;
st.global.u32 [%I1], %r3;",
    );
    assert_eq!(run(&ptx, 1, 1).unwrap(), [43]);
}

#[test]
fn ranges_end_where_they_say() {
    let ptx =
        HEAD.to_owned() + ".entry k() {\n.reg .b32 %z<3>;\nmov.u32 %z2, 0;\nmov.u32 %z3, 0;\n}";
    let mut device = Machine::new(HEAD).device;
    let module = device.load(&ptx).unwrap();
    let error = device.define(module, 0, "k").unwrap_err();
    assert_eq!(error.to_string(), "PTX line 7: mov.u32: unknown name %z3");
}

#[test]
fn numbers_of_every_notation() {
    let ptx = kernel(
        "
add.u32 %r0, 0x10, 0b101;
add.u32 %r0, %r0, 010;
add.u32 %r0, %r0, 100U;
add.s32 %r0, %r0, -1;
st.global.u32 [%I1], %r0;",
    );
    assert_eq!(run(&ptx, 1, 1).unwrap(), [16 + 5 + 8 + 100 - 1]);
}
