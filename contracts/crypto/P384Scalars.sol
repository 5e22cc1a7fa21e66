// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title P384Scalars
/// @notice Congruences modulo n, the order of P-384's group, with a hinted quotient.
///
/// a s + c d = q n holds over the integers if it holds modulo each of four numbers without common factors whose
/// product is above |a s + c d - q n|. The four are 2^256, 2^256 - 1, 2^256 - 3 and 2^256 - 5: one is a power of two,
/// the others are odd and differ by 2 and 4. Their product is above 2^1023.
library P384Scalars {
    /// @dev n, a prime.
    uint256 internal constant N_HIGH = 0xffffffffffffffffffffffffffffffff;
    uint256 internal constant N_LOW = 0xffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973;

    /// @dev The moduli are 2^256 - GAP.
    uint256 private constant GAP_A = 1;
    uint256 private constant GAP_B = 3;
    uint256 private constant GAP_C = 5;

    /// @dev Where a second part of `a` stands: a = low + 2^192 high.
    uint256 private constant SPLIT = 192;

    /// @notice (aLow + 2^192 aHigh) b + c d = q n.
    /// @dev With |aLow|, |aHigh|, |c| below 2^254, b and d below 2^384 and |q| below 2^511, both sides are below
    /// 2^896.
    struct Equation {
        int256 aLow;
        int256 aHigh;
        uint256 bHigh;
        uint256 bLow;
        int256 c;
        uint256 dHigh;
        uint256 dLow;
        int256 qHigh;
        uint256 qLow;
    }

    /// @notice Whether the equation holds.
    function holds(Equation memory equation) internal pure returns (bool) {
        return
            _holdsModuloWord(equation) &&
            _holdsModulo(equation, GAP_A) &&
            _holdsModulo(equation, GAP_B) &&
            _holdsModulo(equation, GAP_C);
    }

    /// @notice Whether a number is in [1, n - 1].
    function isInRange(uint256 high, uint256 low) internal pure returns (bool) {
        return (high | low) != 0 && (high < N_HIGH || (high == N_HIGH && low < N_LOW));
    }

    /// @dev Modulo 2^256.
    function _holdsModuloWord(Equation memory equation) private pure returns (bool) {
        unchecked {
            uint256 a = uint256(equation.aLow) + (uint256(equation.aHigh) << SPLIT);
            return a * equation.bLow + uint256(equation.c) * equation.dLow == equation.qLow * N_LOW;
        }
    }

    /// @dev Modulo m = 2^256 - gap.
    function _holdsModulo(Equation memory equation, uint256 gap) private pure returns (bool) {
        uint256 m;
        unchecked {
            m = 0 - gap;
        }
        uint256 a = addmod(
            mulmod(_residue(equation.aHigh, gap), 1 << SPLIT, m),
            _residue(equation.aLow, gap),
            m
        );
        uint256 left = addmod(
            mulmod(a, _residue(equation.bHigh, equation.bLow, gap), m),
            mulmod(_residue(equation.c, gap), _residue(equation.dHigh, equation.dLow, gap), m),
            m
        );
        uint256 q = addmod(mulmod(_residue(equation.qHigh, gap), gap, m), equation.qLow, m);
        return left == mulmod(q, _residue(N_HIGH, N_LOW, gap), m);
    }

    /// @dev high 2^256 + low modulo 2^256 - gap.
    function _residue(uint256 high, uint256 low, uint256 gap) private pure returns (uint256) {
        unchecked {
            return addmod(mulmod(high, gap, 0 - gap), low, 0 - gap);
        }
    }

    /// @dev A number for `value` modulo 2^256 - gap: two's complement stands for value + 2^256, if negative.
    function _residue(int256 value, uint256 gap) private pure returns (uint256) {
        unchecked {
            return value < 0 ? uint256(value) - gap : uint256(value);
        }
    }
}
