//! Integers of up to 256 bits as decimal strings, which is how snarkjs writes them.

/// Digits of the largest 256-bit integer.
const MAX_DIGITS: usize = 78;
/// Largest power of ten in a word, and its exponent.
const CHUNK: u64 = 10_000_000_000_000_000_000;
const CHUNK_DIGITS: usize = 19;

/// The integer that `text` stands for; `None` unless it is 1 to 78 digits and fits in 256 bits.
pub fn parse(text: &str) -> Option<[u64; 4]> {
    if text.is_empty() || text.len() > MAX_DIGITS {
        return None;
    }
    let mut words = [0; 4];
    for digit in text.bytes() {
        let mut carry = u128::from(char::from(digit).to_digit(10)?);
        for word in &mut words {
            let sum = u128::from(*word) * 10 + carry;
            *word = sum as u64;
            carry = sum >> 64;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(words)
}

/// The decimal digits of an integer.
pub fn format(mut words: [u64; 4]) -> String {
    let mut chunks = Vec::new();
    while words != [0; 4] {
        let mut remainder = 0u128;
        for word in words.iter_mut().rev() {
            let value = remainder << 64 | u128::from(*word);
            *word = (value / u128::from(CHUNK)) as u64;
            remainder = value % u128::from(CHUNK);
        }
        chunks.push(remainder as u64);
    }
    let mut text = chunks.pop().unwrap_or(0).to_string();
    for chunk in chunks.iter().rev() {
        text.push_str(&format!("{chunk:0CHUNK_DIGITS$}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_not_an_integer_of_256_bits() {
        let too_large =
            "115792089237316195423570985008687907853269984665640564039457584007913129639936";
        for text in [
            "",
            "-1",
            "1.0",
            "0x10",
            " 1",
            "１",
            too_large,
            &"9".repeat(79),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(words: [u64; 4], kept in 0usize..5) {
            let words = core::array::from_fn(|i| if i < kept { words[i] } else { 0 });
            prop_assert_eq!(parse(&format(words)), Some(words));
        }

        #[test]
        fn agrees_with_u128(value: u128) {
            prop_assert_eq!(format([value as u64, (value >> 64) as u64, 0, 0]), value.to_string());
        }
    }
}
