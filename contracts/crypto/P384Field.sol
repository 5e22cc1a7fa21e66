// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title P384Field
/// @notice Arithmetic modulo p = 2^384 - 2^128 - 2^96 + 2^32 - 1.
///
/// An element is two words, high * 2^256 + low, below 2^384 and not always below p. Every function takes such
/// elements, for all values of them, and returns such an element. Products are Montgomery products: divided by
/// 2^256 modulo p.
///
/// With C = 2^384 - p = 2^128 + 2^96 - 2^32 + 1, a multiple of 2^384 folds down: t 2^384 = t C modulo p.
library P384Field {
    uint256 internal constant P_HIGH = 0xffffffffffffffffffffffffffffffff;
    uint256 internal constant P_LOW = 0xfffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff;
    /// @dev C = 2^384 - p, and C - 2^128.
    uint256 private constant C = 0x100000000ffffffffffffffff00000001;
    uint256 private constant C_TAIL = 0xffffffffffffffff00000001;
    /// @dev C^-1 modulo 2^256, which is -p^-1.
    uint256 private constant C_INVERSE = 0xfffffffcfffffffafffffffbfffffffe00000000000000010000000100000001;
    /// @dev 2^512 modulo p, which is 2^128 C: multiplying by it brings a number into Montgomery form.
    uint256 private constant SQUARED_RADIX_HIGH = 1;
    uint256 private constant SQUARED_RADIX_LOW = 0xffffffffffffffff0000000100000000000000000000000000000000;
    uint256 private constant LOW_HALF = 0xffffffffffffffffffffffffffffffff;
    /// @dev 2^128.
    uint256 private constant HALF_RADIX = 0x100000000000000000000000000000000;

    /// @notice The Montgomery form of a number below 2^384: a 2^256 modulo p.
    function toMontgomery(uint256 a1, uint256 a0) internal pure returns (uint256 r1, uint256 r0) {
        return multiply(a1, a0, SQUARED_RADIX_HIGH, SQUARED_RADIX_LOW);
    }

    // solhint-disable function-max-lines

    /// @notice a b / 2^256 modulo p.
    /// @dev The high word of a product of two words x, y follows from x y modulo 2^256 - 1, which is high + low or
    /// high + low + 1 - 2^256: high = m - low - (m < low). It holds for a sum of two products alike, as long as
    /// the sum is below 2^512 - 2^257.
    function multiply(
        uint256 a1,
        uint256 a0,
        uint256 b1,
        uint256 b0
    ) internal pure returns (uint256 r1, uint256 r0) {
        assembly ("memory-safe") {
            // a b = w0 + w1 2^256 + w2 2^512
            let w1 := add(mul(a0, b1), mul(a1, b0))
            let w2 := addmod(mulmod(a0, b1, not(0)), mulmod(a1, b0, not(0)), not(0))
            w2 := add(mul(a1, b1), sub(sub(w2, w1), lt(w2, w1)))
            let w0 := mul(a0, b0)
            let carry := mulmod(a0, b0, not(0))
            carry := sub(sub(carry, w0), lt(carry, w0))
            w1 := add(w1, carry)
            w2 := add(w2, lt(w1, carry))

            // Montgomery: with m = w0 / C modulo 2^256, a b + m p is a multiple of 2^256. Since
            // m p = m 2^384 - m C, and the low word of m C is w0,
            // (a b + m p) / 2^256 = w1 + w2 2^256 + m 2^128 - (m C >> 256)
            let m := mul(w0, C_INVERSE)
            carry := mulmod(m, C, not(0))
            carry := sub(sub(carry, w0), lt(carry, w0))
            r0 := shl(128, m)
            w1 := add(w1, r0)
            r1 := lt(w1, r0)
            r1 := sub(add(r1, shr(128, m)), lt(w1, carry))
            r0 := sub(w1, carry)
            // `r1` is not negative, as m 2^128 >= m C >> 256. The sum passes 2^512 only if a and b are almost 2^384.
            w2 := add(w2, r1)
            let overflow := lt(w2, r1)

            // t = (...) >> 384 folds down as t 2^128 + t (C - 2^128)
            let t := shr(128, w2)
            carry := mul(t, C_TAIL)
            r0 := add(r0, carry)
            r1 := add(and(w2, LOW_HALF), lt(r0, carry))
            carry := shl(128, t)
            r0 := add(r0, carry)
            r1 := add(r1, lt(r0, carry))

            // Rare: about one product in 2^127.
            if or(overflow, shr(128, r1)) {
                if overflow {
                    r0 := add(r0, SQUARED_RADIX_LOW)
                    r1 := add(r1, add(SQUARED_RADIX_HIGH, lt(r0, SQUARED_RADIX_LOW)))
                }
                for {} shr(128, r1) {} {
                    r0 := add(r0, C)
                    r1 := add(sub(r1, HALF_RADIX), lt(r0, C))
                }
            }
        }
    }

    /// @notice a^2 / 2^256 modulo p.
    function square(uint256 a1, uint256 a0) internal pure returns (uint256 r1, uint256 r0) {
        assembly ("memory-safe") {
            // As in `multiply`, with 2 a0 a1 for the middle. The rest is repeated: shared, it would cost a call per
            // product, 3% of a signature check.
            let twice := shl(1, a1)
            let w1 := mul(a0, twice)
            let w2 := mulmod(a0, twice, not(0))
            w2 := add(mul(a1, a1), sub(sub(w2, w1), lt(w2, w1)))
            let w0 := mul(a0, a0)
            let carry := mulmod(a0, a0, not(0))
            carry := sub(sub(carry, w0), lt(carry, w0))
            w1 := add(w1, carry)
            w2 := add(w2, lt(w1, carry))

            // Montgomery: with m = w0 / C modulo 2^256, a b + m p is a multiple of 2^256. Since
            // m p = m 2^384 - m C, and the low word of m C is w0,
            // (a b + m p) / 2^256 = w1 + w2 2^256 + m 2^128 - (m C >> 256)
            let m := mul(w0, C_INVERSE)
            carry := mulmod(m, C, not(0))
            carry := sub(sub(carry, w0), lt(carry, w0))
            r0 := shl(128, m)
            w1 := add(w1, r0)
            r1 := lt(w1, r0)
            r1 := sub(add(r1, shr(128, m)), lt(w1, carry))
            r0 := sub(w1, carry)
            // `r1` is not negative, as m 2^128 >= m C >> 256. The sum passes 2^512 only if a and b are almost 2^384.
            w2 := add(w2, r1)
            let overflow := lt(w2, r1)

            // t = (...) >> 384 folds down as t 2^128 + t (C - 2^128)
            let t := shr(128, w2)
            carry := mul(t, C_TAIL)
            r0 := add(r0, carry)
            r1 := add(and(w2, LOW_HALF), lt(r0, carry))
            carry := shl(128, t)
            r0 := add(r0, carry)
            r1 := add(r1, lt(r0, carry))

            // Rare: about one product in 2^127.
            if or(overflow, shr(128, r1)) {
                if overflow {
                    r0 := add(r0, SQUARED_RADIX_LOW)
                    r1 := add(r1, add(SQUARED_RADIX_HIGH, lt(r0, SQUARED_RADIX_LOW)))
                }
                for {} shr(128, r1) {} {
                    r0 := add(r0, C)
                    r1 := add(sub(r1, HALF_RADIX), lt(r0, C))
                }
            }
        }
    }

    // solhint-enable function-max-lines

    /// @notice a + b modulo p.
    function add(
        uint256 a1,
        uint256 a0,
        uint256 b1,
        uint256 b0
    ) internal pure returns (uint256 r1, uint256 r0) {
        assembly ("memory-safe") {
            r0 := add(a0, b0)
            r1 := add(add(a1, b1), lt(r0, a0))
            for {} shr(128, r1) {} {
                r0 := add(r0, C)
                r1 := add(sub(r1, HALF_RADIX), lt(r0, C))
            }
        }
    }

    /// @notice a - b modulo p.
    function subtract(
        uint256 a1,
        uint256 a0,
        uint256 b1,
        uint256 b0
    ) internal pure returns (uint256 r1, uint256 r0) {
        assembly ("memory-safe") {
            r0 := sub(a0, b0)
            r1 := sub(sub(a1, b1), lt(a0, b0))
            // while negative, add p = 2^384 - C
            for {} slt(r1, 0) {} {
                r1 := sub(add(r1, HALF_RADIX), lt(r0, C))
                r0 := sub(r0, C)
            }
        }
    }

    /// @notice a - b - c modulo p.
    function subtractTwo(
        uint256 a1,
        uint256 a0,
        uint256 b1,
        uint256 b0,
        uint256 c1,
        uint256 c0
    ) internal pure returns (uint256 r1, uint256 r0) {
        assembly ("memory-safe") {
            r0 := sub(a0, b0)
            r1 := sub(sub(sub(a1, b1), c1), lt(a0, b0))
            r1 := sub(r1, lt(r0, c0))
            r0 := sub(r0, c0)
            for {} slt(r1, 0) {} {
                r1 := sub(add(r1, HALF_RADIX), lt(r0, C))
                r0 := sub(r0, C)
            }
        }
    }

    /// @notice Whether the integer v1 2^256 + v0 is a multiple of p.
    /// @param v1 two's complement, between -2^136 and 2^136: no element, but the plain sum of a few
    function isMultiple(uint256 v1, uint256 v0) internal pure returns (bool result) {
        // k p = k 2^384 - k C has the high word k 2^128 for k <= 0 and k 2^128 - 1 for k > 0.
        assembly ("memory-safe") {
            let k := sar(128, add(v1, 1))
            result := and(eq(v0, mul(sub(0, k), C)), eq(v1, sub(shl(128, k), sgt(k, 0))))
        }
    }

    /// @notice Whether a number is below p.
    function isCanonical(uint256 a1, uint256 a0) internal pure returns (bool) {
        return a1 < P_HIGH || (a1 == P_HIGH && a0 < P_LOW);
    }

    /// @notice Whether `a` is zero modulo p.
    function isZero(uint256 a1, uint256 a0) internal pure returns (bool result) {
        assembly ("memory-safe") {
            result := or(iszero(or(a1, a0)), and(eq(a0, P_LOW), eq(a1, P_HIGH)))
        }
    }
}
