//! The two moduli of BN254, least significant word first.

/// Modulus of the base field.
pub const BASE_MODULUS: [u64; 4] = [
    0x3c20_8c16_d87c_fd47,
    0x9781_6a91_6871_ca8d,
    0xb850_45b6_8181_585d,
    0x3064_4e72_e131_a029,
];

/// Modulus of the scalar field.
pub const SCALAR_MODULUS: [u64; 4] = [
    0x43e1_f593_f000_0001,
    0x2833_e848_79b9_7091,
    0xb850_45b6_8181_585d,
    0x3064_4e72_e131_a029,
];

/// Whether `integer` is below `modulus`.
pub fn is_below(integer: &[u64; 4], modulus: &[u64; 4]) -> bool {
    integer.iter().rev().lt(modulus.iter().rev())
}
