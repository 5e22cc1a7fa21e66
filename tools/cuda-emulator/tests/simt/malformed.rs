//! PTX and fat binaries that are none: an error that tells the line, never a panic.

use haca_cuda_emulator::device::Device;
use haca_cuda_emulator::device::error::DeviceError;
use haca_cuda_emulator::device::fatbinary::{FatbinaryError, ptx_of, size_of};
use proptest::prelude::*;

use crate::common::HEAD;

/// Something of everything.
const VALID: &str = "// a comment
.version 9.0
.target sm_80, debug
.address_size 64
/* another
one */ .extern .shared .align 16 .b8 dynamic[];
.const .align 16 .b8 bytes[8] = {1, 2, 255};
.visible .global .u32 word = -5;
.func f(.param .b64 at, .param .b32 value)
{
.reg .b32 %r<4>;
.reg .b64 %R<4>;
.shared .align 8 .b8 own[16];
ld.param.b64 %R0, [at];
ld.param.b32 %r0, [value];
st.global.u32 [%R0+4], %r0;
ret;
}
.visible .entry k(
.param .u64 out,
.param .align 4 .b8 more[12]
)
.maxntid 64, 2, 1
.minnctapersm 1
{
.reg .pred %p<3>;
.reg .b16 %h<3>;
.reg .b32 %r<16>;
.reg .b64 %R<8>;
.pragma \"nounroll\";
ld.param.u64 %R0, [out];
cvta.to.global.u64 %R1, %R0;
ld.global.v2.u32 {%r0, %r1}, [%R1+8];
{ .reg.pred %top;
add.cc.u32 %r2, %r0, %r1; madc.hi.u32 %r3, %r0, 0xffU, -3;
setp.eq.u32 %top, %r2, 0;
@%top mov.u32 %r2, %tid.x;
}
$L__BB0_1:
bfi.b32 %r4, %r0, %r1, 3, 5;
lop3.b32 %r5, %r0, %r1, %r4, 0x3c;
cvt.u16.u32 %h0, %r5;
shfl.sync.idx.b32 %r6|%p0, %r5, 3, 31, -1;
vote.sync.ballot.b32 %r7, %p0, 0xffffffff;
atom.shared.add.u32 %r8, [dynamic+4], 1;
{
.param .b64 param0;
st.param.b64 [param0], %R1;
.param .b32 param1;
st.param.b32 [param1+0], %r6;
call.uni f, (param0, param1);
}
@!%p0 bra $L__BB0_1;
bar.sync 0;
ret;
}
";

/// Loads a text and translates its kernel.
fn load(text: &str) -> Result<(), DeviceError> {
    let mut device = Device::new(1);
    let module = device.load(text)?;
    device.define(module, 0, "k")
}

/// Fails if an error has no line of the text.
fn check(text: &str) -> Result<(), TestCaseError> {
    match load(text) {
        Err(DeviceError::Ptx(error)) => {
            let lines = text.matches('\n').count() as u32 + 1;
            prop_assert!((1..=lines).contains(&error.line), "{error} of {lines}");
        }
        Err(DeviceError::Invalid(_)) | Ok(()) => {}
        Err(other) => prop_assert!(false, "{other}"),
    }
    Ok(())
}

#[test]
fn the_text_itself_is_valid() {
    load(VALID).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn texts_with_other_characters(
        places in prop::collection::vec((0..VALID.len(), "[\\[\\]{}()<>,;:@!|+\"/*.$%a-z0-9 \n\u{e9}-]{0,3}"), 1..4),
    ) {
        let mut text = VALID.to_owned();
        for (at, other) in places {
            let at = at.min(text.len());
            let (start, end) = (text.floor_char_boundary(at), text.ceil_char_boundary(at + 1));
            text.replace_range(start..end.min(text.len()).max(start), &other);
        }
        check(&text)?;
    }

    #[test]
    fn texts_with_words_moved(from in 0..200_usize, to in 0..200_usize, end in 0..200_usize, copy: bool) {
        let mut words: Vec<&str> = VALID.split_inclusive([' ', ',', '\n', '[', ']']).collect();
        let (from, to) = (from % words.len(), to % words.len());
        if copy { words[to] = words[from] } else { words.swap(from, to) }
        check(&words.concat())?;
        check(&words[..end % words.len()].concat())?;
    }

    #[test]
    fn texts_with_other_numbers(which in 0..200_usize, number in prop_oneof![
        Just("0".to_owned()), Just("-1".to_owned()), Just("4294967295".to_owned()),
        Just("18446744073709551615".to_owned()), Just("1073741824".to_owned()),
        Just("99999999999999999999999".to_owned()), any::<u64>().prop_map(|n| n.to_string()),
    ]) {
        // One of the numbers that stand alone.
        let starts: Vec<usize> = VALID
            .match_indices(|c: char| c.is_ascii_digit())
            .map(|(at, _)| at)
            .filter(|at| VALID[..*at].ends_with([' ', '<', '[', '+', '{', ',']))
            .collect();
        let start = starts[which % starts.len()];
        let length = VALID[start..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
        let mut text = VALID.to_owned();
        text.replace_range(start..start + length, &number);
        check(&text)?;
    }

    #[test]
    fn bytes_that_are_no_fat_binary(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = ptx_of(&bytes);
        if let Some(header) = bytes.first_chunk::<16>() {
            let _ = size_of(*header);
        }
    }

    #[test]
    fn fat_binaries_with_other_bytes(places in prop::collection::vec((0..140_usize, any::<u8>()), 1..6)) {
        let mut bytes = fatbinary(&[(2, b"machine code"), (1, &VALID.as_bytes()[..64])]);
        for (at, byte) in places {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let _ = ptx_of(&bytes);
        let _ = size_of(*bytes.first_chunk().unwrap());
    }
}

#[test]
fn errors_tell_their_line() {
    for (line, text, reason) in [
        (4, ";", "outside of a function"),
        (4, ".unknown x", "unknown directive .unknown"),
        (
            5,
            ".entry k()\n.reqntid 32\n{}",
            "unknown directive .reqntid",
        ),
        (5, ".entry k() {\nmov.u32 %r0\n}", "';' is missing"),
        (5, ".entry k() {\n.reg .b128 x;\n}", "unknown register type"),
        (
            5,
            ".entry k() {\n.reg .b32 x<65537>;\n}",
            "65537 is not within",
        ),
        (
            6,
            ".entry k() {\n.reg .b32 x;\nmov.u32 x, 0q;\n}",
            "0q is no number",
        ),
        (4, ".entry k() {", "a word is missing before None"),
        (4, ".entry k() { /* no end", "a word is missing before None"),
        (4, ".entry k() { .pragma \"no end", "';' is missing"),
        (
            4,
            ".global .u32 x[2] = {1, 2, 3};",
            "more content than room",
        ),
        (4, ".global .u32 x[] = {1};", "a variable without a size"),
        (4, ".global .align 3 .u32 x;", "alignment 3"),
        (4, ".shared .u32 x;", "sized shared memory"),
        (4, ".func (.param .b32 r) f() {}", "return values"),
        (
            5,
            ".entry k() {}\n.entry k() {}",
            "a function that there is already",
        ),
        (
            5,
            ".entry k() {\nfrobnicate;\n}",
            "unknown instruction frobnicate",
        ),
        (5, ".entry k() {\n@p bra x;\n}", "p is no predicate"),
        (5, ".entry k() {\n\"a\nb\";\n}", "a word is missing"),
        (
            7,
            ".entry k() {\n.pragma \"a\nb\";\nbra x;\n}",
            "no label x",
        ),
        (6, ".entry k() {\n/*/ a\n*/ bra x;\n}", "no label x"),
    ] {
        let error = load(&(HEAD.to_owned() + text)).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
        assert!(
            error.starts_with(&format!("PTX line {line}: ")),
            "{text}: {error}"
        );
    }
}

#[test]
fn deep_nesting_is_no_deep_recursion() {
    for open in ["[", "{", "(", "{mov.u32 "] {
        let text = HEAD.to_owned() + ".entry k() {\nmov.u32 " + &open.repeat(200_000);
        assert!(matches!(load(&text), Err(DeviceError::Ptx(_))), "{open}");
    }
    let text = HEAD.to_owned() + ".entry k() {\n" + &"{".repeat(200_000);
    assert!(matches!(load(&text), Err(DeviceError::Ptx(_))));
}

#[test]
fn sizes_that_fit_nowhere() {
    let variable = ".shared .b64 x#[134217728];\n";
    let many: String = (0..5)
        .map(|n| variable.replace('#', &n.to_string()))
        .collect();
    let error = load(&format!("{HEAD}.entry k() {{\n{many}}}")).unwrap_err();
    assert!(error.to_string().contains("no room"), "{error}");
    let registers = ".reg .b32 %r<60000>;\n".repeat(9);
    let error = load(&format!("{HEAD}.entry k() {{\n{registers}}}")).unwrap_err();
    assert!(
        error.to_string().contains("more than 262144 registers"),
        "{error}"
    );
}

/// As nvcc has them: a header, and entries with headers of 64 bytes.
fn fatbinary(entries: &[(u16, &[u8])]) -> Vec<u8> {
    let mut rest = Vec::new();
    for (kind, content) in entries {
        rest.extend_from_slice(&kind.to_le_bytes());
        rest.extend_from_slice(&[1, 1]);
        rest.extend_from_slice(&64_u32.to_le_bytes());
        rest.extend_from_slice(&(content.len() as u64).to_le_bytes());
        rest.resize(rest.len() + 48, 0);
        rest.extend_from_slice(content);
    }
    let mut bytes = 0xba55_ed50_u32.to_le_bytes().to_vec();
    bytes.extend_from_slice(&[1, 0, 16, 0]);
    bytes.extend_from_slice(&(rest.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&rest);
    bytes
}

#[test]
fn the_text_of_a_fat_binary() {
    let text = [HEAD.as_bytes(), b"\0\0\0"].concat();
    let bytes = fatbinary(&[
        (2, b"machine code"),
        (1, b"compressed"),
        (1, &text),
        (1, b".version"),
    ]);
    assert_eq!(size_of(*bytes.first_chunk().unwrap()), Ok(bytes.len()));
    assert_eq!(ptx_of(&bytes), Ok(HEAD));
    let none = fatbinary(&[(2, b".version"), (1, b"compressed")]);
    assert_eq!(ptx_of(&none), Err(FatbinaryError::NoPtx));
    let cut = &bytes[..bytes.len() / 2];
    assert_eq!(ptx_of(cut), Err(FatbinaryError::Truncated));
    assert_eq!(size_of([0; 16]), Err(FatbinaryError::WrongMagic(0)));
    let mut huge = *bytes.first_chunk::<16>().unwrap();
    huge[8..].fill(0xff);
    assert_eq!(size_of(huge), Err(FatbinaryError::Truncated));
    let mut huge = bytes.clone();
    huge[24..32].fill(0xff);
    assert_eq!(ptx_of(&huge), Err(FatbinaryError::Truncated));
}
