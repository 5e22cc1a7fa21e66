// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {P384Field} from "./P384Field.sol";

/// @title P384Points
/// @notice Affine additions and doublings on P-384 with hinted slopes.
///
/// A slope l is used only after l * dx = dy has been checked, where dx is not zero: it is then the one slope of the
/// line. The points are on the curve and not zero, and so are the sums:
///
///  - `add` refuses points with the same x, which are equal or opposite;
///  - `double` has l * 2y = 3x^2 - 3. No point has y = 0, because the order of the group is odd;
///  - `doubleAndAdd` computes (P + T) + P without the y of P + T (Eisentraeger, Lauter, Montgomery, "Fast Elliptic
///    Curve Arithmetic and Improved Weil Pairing Evaluation", CT-RSA 2003). With x' = x(P + T) and the slopes l of
///    the first and l' of the second line, y(P + T) = l (x(P) - x') - y(P) turns l' (x' - x(P)) = y(P + T) - y(P)
///    into (l + l') (x' - x(P)) = -2 y(P). Where x' = x(P), nothing satisfies it, because y(P) is not zero.
///
/// Coordinates and slopes are elements of `P384Field` in Montgomery form. A point takes four words of memory
/// (x, y, each high then low) or, packed, 96 bytes (48 per coordinate). Slopes are read from calldata, 48 bytes each.
library P384Points {
    uint256 internal constant POINT_LENGTH = 128;
    uint256 internal constant PACKED_LENGTH = 96;

    /// @dev b of y^2 = x^3 - 3x + b in Montgomery form.
    uint256 private constant B_HIGH = 0x798769361f9ee929a552b63d9d412dcc;
    uint256 private constant B_LOW = 0xcd08114b604fbff9b62b21f41f02209469afe2b7fb6d3882b30081345013875b;
    /// @dev 3 in Montgomery form is 3 * 2^256.
    uint256 private constant THREE_HIGH = 3;
    /// @dev 2^256 / 3 and 2^257 / 3, rounded down.
    uint256 private constant THIRD = 0x5555555555555555555555555555555555555555555555555555555555555555;
    uint256 private constant TWO_THIRDS = 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;

    /// @notice Whether y^2 = x^3 - 3x + b.
    function isOnCurve(uint256 point) internal pure returns (bool) {
        (uint256 x1, uint256 x0, uint256 y1, uint256 y0) = load(point);
        (y1, y0) = P384Field.square(y1, y0);
        (uint256 t1, uint256 t0) = P384Field.square(x1, x0);
        (t1, t0) = P384Field.subtract(t1, t0, THREE_HIGH, 0);
        (t1, t0) = P384Field.multiply(t1, t0, x1, x0);
        (t1, t0) = P384Field.subtractTwo(y1, y0, t1, t0, B_HIGH, B_LOW);
        return P384Field.isZero(t1, t0);
    }

    /// @notice Whether the point has these coordinates.
    function isAt(
        uint256 point,
        uint256 x1,
        uint256 x0,
        uint256 y1,
        uint256 y0
    ) internal pure returns (bool) {
        (uint256 a1, uint256 a0, uint256 b1, uint256 b0) = load(point);
        (a1, a0) = P384Field.subtract(a1, a0, x1, x0);
        (b1, b0) = P384Field.subtract(b1, b0, y1, y0);
        return P384Field.isZero(a1, a0) && P384Field.isZero(b1, b0);
    }

    /// @notice point := 2 point. False if the slope is wrong; the point is then undefined.
    function double(uint256 point, uint256 slope) internal pure returns (bool isValid) {
        (uint256 l1, uint256 l0) = _readSlope(slope);
        (uint256 x1, uint256 x0) = _loadX(point);
        isValid = _isTangent(point, x1, x0, l1, l0);
        (uint256 s1, uint256 s0) = P384Field.square(l1, l0);
        (s1, s0) = P384Field.subtractTwo(s1, s0, x1, x0, x1, x0);
        _finish(point, x1, x0, s1, s0, l1, l0);
    }

    /// @notice point := point + other, or point - other. False if the slope is wrong or the two have the same x; the
    /// point is then undefined.
    /// @param other a packed point
    function add(
        uint256 point,
        uint256 other,
        bool isNegative,
        uint256 slope
    ) internal pure returns (bool isValid) {
        (uint256 l1, uint256 l0) = _readSlope(slope);
        (uint256 s1, uint256 s0, bool isChord) = _thirdX(point, other, isNegative, l1, l0);
        (uint256 x1, uint256 x0) = _loadX(point);
        _finish(point, x1, x0, s1, s0, l1, l0);
        return isChord;
    }

    /// @notice point := 2 point + other, or 2 point - other. False as for `add`.
    /// @param slope of the line through `point` and `other`, then of the line through their sum and `point`
    function doubleAndAdd(
        uint256 point,
        uint256 other,
        bool isNegative,
        uint256 slope
    ) internal pure returns (bool isValid) {
        uint256 s1;
        uint256 s0;
        uint256 t1;
        uint256 t0;
        {
            (uint256 l1, uint256 l0) = _readSlope(slope);
            (s1, s0, isValid) = _thirdX(point, other, isNegative, l1, l0);
            (t1, t0) = _readSlope(slope + 48);
            (l1, l0) = P384Field.add(l1, l0, t1, t0);
            isValid = _isSecondSlopeSum(point, s1, s0, l1, l0) && isValid;
        }
        (uint256 x1, uint256 x0) = _loadX(point);
        {
            (uint256 q1, uint256 q0) = P384Field.square(t1, t0);
            (s1, s0) = P384Field.subtractTwo(q1, q0, x1, x0, s1, s0);
        }
        _finish(point, x1, x0, s1, s0, t1, t0);
    }

    /// @notice The four words of a point.
    function load(uint256 point) internal pure returns (uint256 x1, uint256 x0, uint256 y1, uint256 y0) {
        assembly ("memory-safe") {
            x1 := mload(point)
            x0 := mload(add(point, 0x20))
            y1 := mload(add(point, 0x40))
            y0 := mload(add(point, 0x60))
        }
    }

    /// @notice Writes a point's four words.
    function store(uint256 point, uint256 x1, uint256 x0, uint256 y1, uint256 y0) internal pure {
        assembly ("memory-safe") {
            mstore(point, x1)
            mstore(add(point, 0x20), x0)
            mstore(add(point, 0x40), y1)
            mstore(add(point, 0x60), y0)
        }
    }

    /// @notice Writes a point to 96 bytes at `packed`.
    function pack(uint256 point, uint256 packed) internal pure {
        (uint256 x1, uint256 x0, uint256 y1, uint256 y0) = load(point);
        assembly ("memory-safe") {
            mstore(packed, shl(128, x1))
            mstore(add(packed, 16), x0)
            mstore(add(packed, 48), shl(128, y1))
            mstore(add(packed, 64), y0)
        }
    }

    /// @notice The reverse of `pack`.
    function unpack(uint256 packed, uint256 point) internal pure {
        assembly ("memory-safe") {
            mstore(point, shr(128, mload(packed)))
            mstore(add(point, 0x20), mload(add(packed, 16)))
            mstore(add(point, 0x40), shr(128, mload(add(packed, 48))))
            mstore(add(point, 0x60), mload(add(packed, 64)))
        }
    }

    /// @dev Whether l * 2y = 3x^2 - 3.
    function _isTangent(
        uint256 point,
        uint256 x1,
        uint256 x0,
        uint256 l1,
        uint256 l0
    ) private pure returns (bool) {
        (uint256 y1, uint256 y0) = _loadY(point);
        (y1, y0) = P384Field.multiply(l1, l0, y1, y0);
        (x1, x0) = P384Field.square(x1, x0);
        assembly ("memory-safe") {
            // 2 l y - 3 x^2 + 3, as a plain sum
            let thrice := mul(3, x0)
            let high := add(shl(1, y1), shr(255, y0))
            y0 := shl(1, y0)
            x1 := add(mul(3, x1), add(gt(x0, THIRD), gt(x0, TWO_THIRDS)))
            y1 := sub(add(high, THREE_HIGH), add(x1, lt(y0, thrice)))
            y0 := sub(y0, thrice)
        }
        return P384Field.isMultiple(y1, y0);
    }

    /// @dev x of point + other, and whether l is the slope of their line.
    function _thirdX(
        uint256 point,
        uint256 other,
        bool isNegative,
        uint256 l1,
        uint256 l0
    ) private pure returns (uint256 s1, uint256 s0, bool isValid) {
        (uint256 x1, uint256 x0) = _loadX(point);
        uint256 o1;
        uint256 o0;
        assembly ("memory-safe") {
            o1 := shr(128, mload(other))
            o0 := mload(add(other, 16))
        }
        (s1, s0) = P384Field.square(l1, l0);
        (s1, s0) = P384Field.subtractTwo(s1, s0, x1, x0, o1, o0);
        (o1, o0) = P384Field.subtract(o1, o0, x1, x0);
        isValid = !P384Field.isZero(o1, o0);
        (o1, o0) = P384Field.multiply(o1, o0, l1, l0);
        assembly ("memory-safe") {
            // l dx - (y(other) - y), as a plain sum
            let y := mload(add(point, 0x60))
            o0 := add(o0, y)
            o1 := add(add(o1, mload(add(point, 0x40))), lt(o0, y))
            y := mload(add(other, 64))
            let high := shr(128, mload(add(other, 48)))
            switch isNegative
            case 0 {
                o1 := sub(o1, add(high, lt(o0, y)))
                o0 := sub(o0, y)
            }
            default {
                o0 := add(o0, y)
                o1 := add(o1, add(high, lt(o0, y)))
            }
        }
        isValid = isValid && P384Field.isMultiple(o1, o0);
    }

    /// @dev Whether sum * (s - x) = -2y.
    function _isSecondSlopeSum(
        uint256 point,
        uint256 s1,
        uint256 s0,
        uint256 sum1,
        uint256 sum0
    ) private pure returns (bool) {
        (uint256 x1, uint256 x0) = _loadX(point);
        (s1, s0) = P384Field.subtract(s1, s0, x1, x0);
        (s1, s0) = P384Field.multiply(s1, s0, sum1, sum0);
        (uint256 y1, uint256 y0) = _loadY(point);
        assembly ("memory-safe") {
            // sum (s - x) + 2y, as a plain sum
            s1 := add(s1, add(shl(1, y1), shr(255, y0)))
            y0 := shl(1, y0)
            s0 := add(s0, y0)
            s1 := add(s1, lt(s0, y0))
        }
        return P384Field.isMultiple(s1, s0);
    }

    /// @dev point := (s, l (x - s) - y), the end of every addition.
    function _finish(
        uint256 point,
        uint256 x1,
        uint256 x0,
        uint256 s1,
        uint256 s0,
        uint256 l1,
        uint256 l0
    ) private pure {
        (x1, x0) = P384Field.subtract(x1, x0, s1, s0);
        (x1, x0) = P384Field.multiply(x1, x0, l1, l0);
        (uint256 y1, uint256 y0) = _loadY(point);
        (y1, y0) = P384Field.subtract(x1, x0, y1, y0);
        store(point, s1, s0, y1, y0);
    }

    function _loadX(uint256 point) private pure returns (uint256 x1, uint256 x0) {
        assembly ("memory-safe") {
            x1 := mload(point)
            x0 := mload(add(point, 0x20))
        }
    }

    function _loadY(uint256 point) private pure returns (uint256 y1, uint256 y0) {
        assembly ("memory-safe") {
            y1 := mload(add(point, 0x40))
            y0 := mload(add(point, 0x60))
        }
    }

    /// @dev 48 bytes of calldata; any value is an element.
    function _readSlope(uint256 position) private pure returns (uint256 l1, uint256 l0) {
        assembly ("memory-safe") {
            l1 := shr(128, calldataload(position))
            l0 := calldataload(add(position, 16))
        }
    }
}
