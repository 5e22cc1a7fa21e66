//! Kernels do the same with registers that share rows as with registers that do not.

use std::collections::HashMap;

use proptest::prelude::*;

use super::module::Module;
use super::translate::Kernel;
use crate::machine::error::KernelError;
use crate::machine::launch::Launch;
use crate::machine::memory::Memory;
use crate::machine::random::Random;

const REGISTERS: usize = 12;
const THREADS: usize = 32;

/// A statement of a program; registers by number.
#[derive(Debug, Clone)]
enum Line {
    Compute(&'static str, usize, usize, usize),
    Carry(usize, usize, usize),
    Compare(usize, usize, usize),
    Guarded(usize, bool, usize, usize),
    Select(usize, usize, usize, usize),
    Wide(usize, usize, usize),
    Narrow(usize, usize),
    Shuffle(usize, usize, usize),
    /// goes on so many lines further on, if a predicate holds
    Skip(usize, usize),
    /// goes back so many lines, but not for ever
    Back(usize, usize),
}

fn line() -> impl Strategy<Value = Line> {
    let r = || 0..REGISTERS;
    let p = || 0..4_usize;
    let function = prop::sample::select(vec!["add.u32", "sub.u32", "xor.b32", "mul.lo.u32"]);
    prop_oneof![
        4 => (function, r(), r(), r()).prop_map(|(f, to, a, b)| Line::Compute(f, to, a, b)),
        1 => (r(), r(), r()).prop_map(|(to, a, b)| Line::Carry(to, a, b)),
        2 => (p(), r(), r()).prop_map(|(to, a, b)| Line::Compare(to, a, b)),
        2 => (p(), any::<bool>(), r(), r()).prop_map(|(p, not, to, a)| Line::Guarded(p, not, to, a)),
        1 => (r(), r(), r(), p()).prop_map(|(to, a, b, p)| Line::Select(to, a, b, p)),
        1 => (r(), r(), r()).prop_map(|(to, a, b)| Line::Wide(to, a, b)),
        1 => (r(), r()).prop_map(|(to, a)| Line::Narrow(to, a)),
        1 => (r(), r(), p()).prop_map(|(to, a, p)| Line::Shuffle(to, a, p)),
        2 => (p(), 0..8_usize).prop_map(|(p, far)| Line::Skip(p, far)),
        1 => (p(), 0..6_usize).prop_map(|(p, far)| Line::Back(p, far)),
    ]
}

/// Starts from the thread's number, and stores everything at the end.
fn text(lines: &[Line]) -> String {
    let mut text = "
.version 9.0
.target sm_80
.address_size 64
.entry k(.param .u64 out) {
.reg .pred %p<6>;
.reg .b32 %r<13>;
.reg .b64 %R<13>;
.reg .b32 %left;
.reg .b32 %tid;
.reg .b32 %count;
.reg .b64 %at;
.reg .b64 %step;
mov.u32 %left, 8;
mov.u32 %tid, %tid.x;
"
    .to_owned();
    // Only some begin with a value: the others are zero, or what they get on a way there.
    for n in 0..REGISTERS / 2 {
        text += &format!("mad.lo.u32 %r{n}, %tid, {}, {n};\n", n * 77 + 3);
    }
    for (n, line) in lines.iter().enumerate() {
        text += &format!("L{n}:\n");
        text += &match *line {
            Line::Compute(function, to, a, b) => format!("{function} %r{to}, %r{a}, %r{b};\n"),
            Line::Carry(to, a, b) => {
                format!("add.cc.u32 %r{to}, %r{a}, %r{b};\naddc.u32 %r{a}, %r{b}, 0;\n")
            }
            Line::Compare(to, a, b) => format!("setp.lt.u32 %p{to}, %r{a}, %r{b};\n"),
            Line::Guarded(p, not, to, a) => {
                let not = if not { "!" } else { "" };
                format!("@{not}%p{p} add.u32 %r{to}, %r{a}, 1;\n")
            }
            Line::Select(to, a, b, p) => format!("selp.b32 %r{to}, %r{a}, %r{b}, %p{p};\n"),
            Line::Wide(to, a, b) => format!("mul.wide.u32 %R{to}, %r{a}, %r{b};\n"),
            Line::Narrow(to, a) => {
                format!("shr.u64 %R{a}, %R{a}, 3;\ncvt.u32.u64 %r{to}, %R{a};\n")
            }
            // Each thread by itself, for others may be elsewhere.
            Line::Shuffle(to, a, p) => format!(
                "{{ .reg .b32 %own;\nshl.b32 %own, 1, %tid;
shfl.sync.down.b32 %r{to}|%p{p}, %r{a}, 1, 0, %own; }}\n"
            ),
            Line::Skip(p, far) => format!("@%p{p} bra L{};\n", (n + 1 + far).min(lines.len())),
            Line::Back(p, far) => format!(
                "setp.eq.u32 %p5, %left, 0;\n@%p5 bra L{};\nsub.u32 %left, %left, 1;\n@!%p{p} bra L{};\n",
                n + 1,
                n.saturating_sub(far)
            ),
        };
    }
    text += &format!("L{}:\nld.param.u64 %at, [out];\n", lines.len());
    text += "mul.wide.u32 %step, %tid, 256;\nadd.u64 %at, %at, %step;\n";
    for n in 0..REGISTERS {
        text += &format!("st.global.u32 [%at+{}], %r{n};\n", n * 4);
        text += &format!("st.global.u64 [%at+{}], %R{n};\n", 64 + n * 8);
    }
    for n in 0..4 {
        text += &format!(
            "selp.u32 %count, 1, 0, %p{n};\nst.global.u32 [%at+{}], %count;\n",
            192 + n * 4
        );
    }
    text + "}\n"
}

fn outcome(kernel: &Kernel) -> Result<Vec<u8>, KernelError> {
    let mut memory = Memory::default();
    let out = memory.allocate_with(vec![0; THREADS * 256]);
    let launch = Launch {
        kernel,
        blocks: [1; 3],
        threads: [THREADS as u32, 1, 1],
        dynamic_shared: 0,
        parameters: out.to_le_bytes().to_vec(),
        meeting: 0,
    };
    launch.run(&mut memory, &mut Random::new(1))?;
    Ok(memory.read(out, THREADS * 256).unwrap().to_vec())
}

fn both(text: &str) -> [Kernel; 2] {
    let module = Module::parse(text).unwrap();
    let function = &module.functions["k"];
    let none = HashMap::new();
    [
        Kernel::translate(&module, function, &none).unwrap(),
        Kernel::translate_unshared(&module, function, &none).unwrap(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn programs_do_the_same(lines in prop::collection::vec(line(), 1..40)) {
        let text = text(&lines);
        let [shared, unshared] = both(&text);
        prop_assert!(shared.rows.words <= unshared.rows.words);
        prop_assert_eq!(outcome(&shared).unwrap(), outcome(&unshared).unwrap(), "{}", text);
    }
}

const HEAD: &str = ".version 9.0\n.target sm_80\n.address_size 64\n";

#[test]
fn values_that_are_not_needed_together_share_a_row() {
    let mut text =
        HEAD.to_owned() + ".entry k(.param .u64 out) {\n.reg .b32 %r<100>;\n.reg .b64 %R<2>;\n";
    text += "ld.param.u64 %R0, [out];\nmov.u32 %r0, %tid.x;\n";
    for n in 1..100 {
        text += &format!("add.u32 %r{n}, %r{}, 1;\n", n - 1);
    }
    text += "st.global.u32 [%R0], %r99;\n}";
    let [shared, unshared] = both(&text);
    assert_eq!((shared.rows.words, shared.rows.longs), (2, 1));
    assert_eq!((unshared.rows.words, unshared.rows.longs), (100, 2));
}

#[test]
fn writes_of_some_threads_keep_the_others_values() {
    // Between its two writes, nothing but the guard says that %r1 is needed still.
    let mut text = HEAD.to_owned()
        + ".entry k(.param .u64 out) {
.reg .pred %p;
.reg .b32 %r<10>;
.reg .b64 %R<2>;
ld.param.u64 %R0, [out];
mov.u32 %r0, %tid.x;
mul.wide.u32 %R1, %r0, 4;
add.u64 %R0, %R0, %R1;
setp.lt.u32 %p, %r0, 16;
add.u32 %r1, %r0, 100;
";
    for n in 2..9 {
        text += &format!("mov.u32 %r{n}, {n};\nst.global.u32 [%R0], %r{n};\n");
    }
    text += "@%p mov.u32 %r1, 7;\nst.global.u32 [%R0], %r1;\n}";
    for kernel in both(&text) {
        let found = outcome(&kernel).unwrap();
        let words = found
            .chunks_exact(4)
            .take(THREADS)
            .map(|word| u32::from(word[0]));
        let expected: Vec<u32> = (0..32).map(|n| if n < 16 { 7 } else { n + 100 }).collect();
        assert_eq!(words.collect::<Vec<u32>>(), expected);
    }
}
