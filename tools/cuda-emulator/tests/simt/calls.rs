//! Functions that kernels call.

use crate::common::{HEAD, Machine, kernel, run};
use haca_cuda_emulator::device::Device;

/// A module with a function in front of the kernel.
fn module(functions: &str, body: &str) -> String {
    [HEAD, functions, "\n", &kernel(body)[HEAD.len()..]].concat()
}

/// Stores `base + index * 4 <- value * 2` unless the value is odd.
const STORE_EVEN: &str = "
.func store_even(.param .b64 base, .param .b32 index, .param .b32 value)
{
.reg .pred %p<2>;
.reg .b32 %r<8>;
.reg .b64 %R<8>;
ld.param.b64 %R0, [base];
ld.param.b32 %r0, [index];
ld.param.b32 %r1, [value];
and.b32 %r2, %r1, 1;
setp.ne.u32 %p0, %r2, 0;
@%p0 bra end;
add.u32 %r1, %r1, %r1;
mul.wide.u32 %R1, %r0, 4;
add.u64 %R0, %R0, %R1;
st.global.u32 [%R0], %r1;
bra.uni end;
end:
ret;
}";

#[test]
fn twice_with_other_parameters() {
    let ptx = module(
        STORE_EVEN,
        "
mov.u32 %r0, 1000;
{
.param .b64 param0;
st.param.b64 [param0], %I0;
.param .b32 param1;
st.param.b32 [param1+0], %i0;
.param .b32 param2;
st.param.b32 [param2], %i0;
call.uni store_even, (param0, param1, param2);
}
setp.eq.u32 %p0, %i0, 4;
@%p0 ret;
add.u32 %r1, %i0, 32;
add.u32 %r2, %i0, 1;
{
.param .b64 param0;
st.param.b64 [param0], %I0;
.param .b32 param1;
st.param.b32 [param1], %r1;
.param .b32 param2;
st.param.b32 [param2], %r2;
call store_even, (param0, param1, param2);
}
add.u32 %r0, %r0, 1;
st.global.u32 [%I1+256], %r0;",
    );
    let mut machine = Machine::new(&ptx);
    let out = machine.put(&[0; 96]);
    let argument = crate::common::Argument::Long(out);
    machine.run(1, 32, &[argument]).unwrap();
    let found = machine.get(out, 96).unwrap();
    for n in 0..32_usize {
        let even = |value: usize| {
            if value.is_multiple_of(2) {
                value as u32 * 2
            } else {
                0
            }
        };
        assert_eq!(found[n], even(n), "{n}");
        let second = if n == 4 { 0 } else { even(n + 1) };
        assert_eq!(found[n + 32], second, "{n}");
        // The caller's registers are its own.
        assert_eq!(found[n + 64], if n == 4 { 0 } else { 1001 }, "{n}");
    }
}

#[test]
fn narrow_parameters_are_cut_and_extended() {
    let ptx = module(
        "
.func keep(.param .b64 at, .param .b8 byte, .param .b16 half)
{
.reg .b32 %r<8>;
.reg .b64 %R<8>;
ld.param.b64 %R0, [at];
ld.param.u8 %r0, [byte];
ld.param.s8 %r1, [byte];
ld.param.s16 %r2, [half];
mov.u32 %r3, 0;
st.global.v4.u32 [%R0], {%r0, %r1, %r2, %r3};
}",
        "
mov.u32 %r0, 0x7fff9a81;
.param .b64 param0;
.param .b8 param1;
.param .b16 param2;
st.param.b64 [param0], %I0;
st.param.b8 [param1], %r0;
st.param.b16 [param2], %r0;
call keep, (param0, param1, param2);",
    );
    let expected = [0x81, 0xffff_ff81, 0xffff_9a81, 0];
    assert_eq!(run(&ptx, 4, 1).unwrap(), expected);
}

#[test]
fn functions_call_functions() {
    let ptx = module(
        "
.func inner(.param .b64 at)
{
.reg .b64 %R<2>;
ld.param.b64 %R0, [at];
red.global.add.u32 [%R0], 1;
}
.func outer(.param .b64 at)
{
.reg .b64 %R<2>;
ld.param.b64 %R1, [at];
{ .param .b64 param0; st.param.b64 [param0], %R1; call inner, (param0); }
{ .param .b64 param0; st.param.b64 [param0], %R1; call inner, (param0); }
ret;
}",
        "
{ .param .b64 param0; st.param.b64 [param0], %I1; call outer, (param0); }
{ .param .b64 param0; st.param.b64 [param0], %I1; call inner, (param0); }",
    );
    assert_eq!(run(&ptx, 1, 40).unwrap(), [3; 40]);
}

#[test]
fn a_function_has_its_shared_memory_once() {
    // What the first call leaves there, the second one finds, and dynamic memory lies behind.
    let ptx = module(
        "
.func count(.param .b64 at, .param .b32 first)
{
.reg .pred %p<2>;
.reg .b32 %r<8>;
.reg .b64 %R<2>;
.shared .align 64 .b8 memory[8];
ld.param.b64 %R0, [at];
ld.param.b32 %r0, [first];
setp.ne.u32 %p0, %r0, 0;
@%p0 st.shared.u32 [memory], %r0;
ld.shared.u32 %r1, [memory];
add.u32 %r1, %r1, 1;
st.shared.u32 [memory], %r1;
mov.u32 %r2, memory;
mad.lo.u32 %r1, %r2, 1000, %r1;
st.global.u32 [%R0], %r1;
}",
        "
.shared .align 1 .b8 odd[3];
{ .param .b64 param0; st.param.b64 [param0], %I0;
  .param .b32 param1; st.param.b32 [param1], 7; call count, (param0, param1); }
add.u64 %R0, %I0, 4;
{ .param .b64 param0; st.param.b64 [param0], %R0;
  .param .b32 param1; st.param.b32 [param1], 0; call count, (param0, param1); }
mov.u32 %r0, dynamic;
st.global.u32 [%I0+8], %r0;",
    );
    let mut machine = Machine::new(&ptx);
    let found = crate::common::run_with(&mut machine, 3, 1).unwrap();
    assert_eq!(found, [64_008, 64_009, 80]);
    assert_eq!(machine.device.attributes(0).unwrap().shared_bytes, 80);
}

#[test]
fn bad_calls_are_refused() {
    let function = ".func f(.param .b32 a)\n{\nret;\n}\n.func own(.param .b32 a)\n{
.reg .b32 %q<2>;\nld.param.b32 %q0, [a];\n.param .b32 b;\nst.param.b32 [b], %q0;\ncall own, (b);\n}";
    for (body, reason) in [
        ("call nobody, ();", "no function nobody"),
        ("call f, ();", "too deep, or other parameters"),
        ("call f, (%r0);", "call of f"),
        ("call (%r0), f, (%r0);", "a call that returns something"),
        ("@%p0 call f, ();", "unknown instruction call"),
        (
            ".param .b32 b;\ncall own, (b);",
            "too deep, or other parameters",
        ),
        (
            ".param .b32 b;\nst.param.b64 [b], %R0;",
            "a parameter of another size",
        ),
        (
            ".param .b32 b;\nld.param.b64 %R0, [b];",
            "a parameter of another size",
        ),
        (".param .align 4 .b8 b[12];", "a call passes Some(12) bytes"),
    ] {
        let ptx = module(function, body);
        let mut device = Device::new(1);
        let module = device.load(&ptx).unwrap();
        let error = device.define(module, 0, "k").unwrap_err().to_string();
        assert!(error.contains(reason), "{body}: {error}");
        assert!(error.starts_with("PTX line "), "{error}");
    }
    let mut device = Device::new(1);
    let module = device.load(&module(function, "")).unwrap();
    let error = device.define(module, 0, "f").unwrap_err().to_string();
    assert_eq!(error, "invalid value: kernel's name");
}
