// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IEcdsaP384} from "../interfaces/IEcdsaP384.sol";
import {P384Field} from "./P384Field.sol";
import {P384Points} from "./P384Points.sol";
import {P384Scalars} from "./P384Scalars.sol";

/// @title P384
/// @notice ECDSA over NIST P-384 (FIPS 186-5, section 6.4.2), checked along a program that the caller computed.
///
/// Let z be the hash and Q the public key. The signature is valid if and only if s R = z G + r Q for a point R of
/// the curve with x = r or x = r + n. The program in the hints keeps a running sum of points. With F a fixed point
/// and i doublings done,
///
///     sum = 2^i F + g G + h 2^192 G + q Q + t R,
///
/// where the four integers are counted along. In the end, three things are required:
///
///  1. i = 192 and sum = 2^192 F, hence (g + 2^192 h) G + q Q + t R = 0;
///  2. (g + 2^192 h) s + t z = 0 and q s + t r = 0 modulo n;
///  3. t is not 0 modulo n.
///
/// s times the first is, by the second, t (s R - z G - r Q) = 0. t has an inverse modulo the prime n, which is the
/// order of every point but zero, so that s R = z G + r Q.
///
/// Nothing is assumed about how the program was made: its length, its steps and the size of the integers matter for
/// cost only. Whoever makes it takes q and t of about 192 bits, which always exist (Antipa, Brown, Gallant, Lambert,
/// Struik, Vanstone, "Accelerated Verification of ECDSA Signatures", SAC 2005), and needs half the doublings.
///
/// F comes from a hash, so that nobody knows a signature for which an ordinary program runs into one of the steps
/// that `P384Points` refuses; if one does, other integers q and t avoid it.
///
/// Hints: R's x is r + n (1 or 0) | y of R (48) | quotients of the two congruences (64 each, two's complement) |
/// slopes of the odd multiples of Q (8 * 48) | the same of R | program. Slopes and y are in Montgomery form.
///
/// Program: steps of one operation byte each. 0 doubles the sum and has one slope behind it. The others have the
/// number of a point in the table behind them, then their slopes: 1 adds the point (one slope), 2 subtracts it (one
/// slope), 3 doubles and adds (two slopes), 4 doubles and subtracts (two slopes).
library P384 {
    uint256 internal constant PUBLIC_KEY_LENGTH = 96;
    uint256 internal constant SIGNATURE_LENGTH = 96;
    /// @dev 64 odd multiples of G, 64 of 2^192 G.
    uint256 internal constant BASE_TABLE_LENGTH = 2 * BASE_MULTIPLES * P384Points.PACKED_LENGTH;

    uint256 private constant DOUBLINGS = 192;
    /// @dev G, 3 G, ..., 127 G, and Q, 3 Q, ..., 15 Q.
    uint256 private constant BASE_MULTIPLES = 64;
    uint256 private constant BASE_MULTIPLES_LOG = 6;
    uint256 private constant POINT_MULTIPLES = 8;
    uint256 private constant POINT_MULTIPLES_LOG = 3;
    uint256 private constant TABLE_Q = 2 * BASE_MULTIPLES;
    uint256 private constant TABLE_R = TABLE_Q + POINT_MULTIPLES;
    uint256 private constant TABLE_SIZE = TABLE_R + POINT_MULTIPLES;

    uint256 private constant SLOPE_LENGTH = 48;
    uint256 private constant HINT_Y = 1;
    uint256 private constant HINT_QUOTIENTS = 49;
    uint256 private constant QUOTIENT_LENGTH = 64;
    uint256 private constant HINT_SLOPES_Q = 177;
    uint256 private constant HINT_SLOPES_R = HINT_SLOPES_Q + POINT_MULTIPLES * SLOPE_LENGTH;
    uint256 private constant HINT_PROGRAM = HINT_SLOPES_R + POINT_MULTIPLES * SLOPE_LENGTH;

    uint256 private constant OPERATION_DOUBLE = 0;
    uint256 private constant OPERATION_DOUBLE_AND_ADD = 3;
    uint256 private constant OPERATION_LAST = 4;

    /// @dev F, in Montgomery form: the point whose x is SHA-384("HACA P-384 offset 0") and whose y is even.
    uint256 private constant F_X_HIGH = 0x3afd4cd6d153919f9b839c5d182a283a;
    uint256 private constant F_X_LOW = 0xf2f33d5cf118c29f699fb317b89dcf27a0006850a0524bd7c74679f203d8a1a7;
    uint256 private constant F_Y_HIGH = 0xbfd69a751ab6727ea24108f7c2f4020f;
    uint256 private constant F_Y_LOW = 0xa52bca5da3ac5cb5236b06d0fc8187fdb3da3c67ee77bb56934bbef0383466e5;
    /// @dev 2^192 F.
    uint256 private constant END_X_HIGH = 0xf16a48e22b09790e806d57581b635297;
    uint256 private constant END_X_LOW = 0x34e644c54f819f4943aaf3a199e3383d01138662420091dfdf44bf286cec763e;
    uint256 private constant END_Y_HIGH = 0x6abc937a6da531a425b70c61a82319b8;
    uint256 private constant END_Y_LOW = 0x7e3787d00fc034330ea270a1665c2516434253922d93847fc14c07d32543d34a;

    /// @dev What the program runs on, and what is required of the counts afterwards. All of it is filled in before the
    /// program runs: the loop has little room on the stack.
    struct Run {
        // addresses in memory: a point of 128 bytes, packed points of 96 bytes
        uint256 sum;
        uint256 table;
        // g, h, q, t
        int256[4] counts;
        // (g + 2^192 h) s + t z = quotient n, q s + t r = quotient n
        P384Scalars.Equation hashEquation;
        P384Scalars.Equation keyEquation;
    }

    /// @notice Returns if the signature of the hash (zHigh, zLow) is valid; reverts with an error of `IEcdsaP384` if
    /// not.
    /// @param zHigh the first 16 bytes of the hash
    /// @param zLow the other 32 bytes
    /// @param baseTable `CodeStore` of the odd multiples of G and 2^192 G; trusted
    function verify(
        uint256 zHigh,
        uint256 zLow,
        bytes calldata publicKey,
        bytes calldata signature,
        bytes calldata hints,
        address baseTable
    ) internal view {
        if (publicKey.length != PUBLIC_KEY_LENGTH) {
            revert IEcdsaP384.EcdsaP384_PublicKeyLengthInvalid(PUBLIC_KEY_LENGTH, publicKey.length);
        }
        if (signature.length != SIGNATURE_LENGTH) {
            revert IEcdsaP384.EcdsaP384_SignatureLengthInvalid(SIGNATURE_LENGTH, signature.length);
        }
        if (hints.length < HINT_PROGRAM) revert IEcdsaP384.EcdsaP384_HintsLengthInvalid();

        Run memory run = _prepare(baseTable);
        _prepareEquations(run, zHigh, zLow, signature, hints);
        _placePublicKey(run, publicKey, hints);
        _placeR(run, hints);
        _runProgram(run, _start(hints), hints.length);
        _requireRelation(run);
    }

    /// @dev Memory for the sum and the table, with the base points in it.
    function _prepare(address baseTable) private view returns (Run memory run) {
        uint256 baseLength = BASE_TABLE_LENGTH;
        uint256 sumLength = P384Points.POINT_LENGTH;
        uint256 length = sumLength + (TABLE_SIZE + 1) * P384Points.PACKED_LENGTH;
        uint256 sum;
        uint256 table;
        assembly ("memory-safe") {
            sum := mload(0x40)
            mstore(0x40, add(sum, length))
            table := add(sum, sumLength)
            // a `CodeStore` starts with a STOP byte
            extcodecopy(baseTable, table, 1, baseLength)
        }
        run.sum = sum;
        run.table = table;
    }

    /// @dev The congruences but for the counts; requires r and s to be in range.
    function _prepareEquations(
        Run memory run,
        uint256 zHigh,
        uint256 zLow,
        bytes calldata signature,
        bytes calldata hints
    ) private pure {
        (uint256 rHigh, uint256 rLow) = _read(_start(signature));
        (uint256 sHigh, uint256 sLow) = _read(_start(signature) + SLOPE_LENGTH);
        if (!P384Scalars.isInRange(rHigh, rLow) || !P384Scalars.isInRange(sHigh, sLow)) {
            revert IEcdsaP384.EcdsaP384_SignatureOutOfRange();
        }
        P384Scalars.Equation memory equation = run.hashEquation;
        (equation.bHigh, equation.bLow) = (sHigh, sLow);
        (equation.dHigh, equation.dLow) = (zHigh, zLow);
        (equation.qHigh, equation.qLow) = _readQuotient(_start(hints) + HINT_QUOTIENTS);
        equation = run.keyEquation;
        (equation.bHigh, equation.bLow) = (sHigh, sLow);
        (equation.dHigh, equation.dLow) = (rHigh, rLow);
        (equation.qHigh, equation.qLow) = _readQuotient(_start(hints) + HINT_QUOTIENTS + QUOTIENT_LENGTH);
    }

    /// @dev Q and its odd multiples.
    function _placePublicKey(Run memory run, bytes calldata publicKey, bytes calldata hints) private pure {
        (uint256 xHigh, uint256 xLow) = _read(_start(publicKey));
        (uint256 yHigh, uint256 yLow) = _read(_start(publicKey) + SLOPE_LENGTH);
        if (!P384Field.isCanonical(xHigh, xLow) || !P384Field.isCanonical(yHigh, yLow)) {
            revert IEcdsaP384.EcdsaP384_PublicKeyInvalid();
        }
        (xHigh, xLow) = P384Field.toMontgomery(xHigh, xLow);
        (yHigh, yLow) = P384Field.toMontgomery(yHigh, yLow);
        P384Points.store(run.sum, xHigh, xLow, yHigh, yLow);
        if (!P384Points.isOnCurve(run.sum)) revert IEcdsaP384.EcdsaP384_PublicKeyInvalid();
        _placeOddMultiples(run, TABLE_Q, hints, HINT_SLOPES_Q);
    }

    /// @dev R and its odd multiples: R is any point of the curve with x = r modulo n.
    function _placeR(Run memory run, bytes calldata hints) private pure {
        (uint256 xHigh, uint256 xLow) = (run.keyEquation.dHigh, run.keyEquation.dLow);
        uint256 isReduced = uint8(hints[0]);
        if (isReduced > 1) revert IEcdsaP384.EcdsaP384_HintInvalid(0);
        if (isReduced == 1) {
            unchecked {
                // below 2^385: the high word is far from its end
                uint256 low = xLow + P384Scalars.N_LOW;
                xHigh += P384Scalars.N_HIGH + (low < xLow ? 1 : 0);
                xLow = low;
            }
            if (!P384Field.isCanonical(xHigh, xLow)) revert IEcdsaP384.EcdsaP384_HintInvalid(0);
        }
        (xHigh, xLow) = P384Field.toMontgomery(xHigh, xLow);
        (uint256 yHigh, uint256 yLow) = _read(_start(hints) + HINT_Y);
        P384Points.store(run.sum, xHigh, xLow, yHigh, yLow);
        if (!P384Points.isOnCurve(run.sum)) revert IEcdsaP384.EcdsaP384_HintInvalid(HINT_Y);
        _placeOddMultiples(run, TABLE_R, hints, HINT_SLOPES_R);
    }

    /// @dev Writes P, 3 P, 5 P, ... to the table, where P is in `run.sum`.
    function _placeOddMultiples(
        Run memory run,
        uint256 first,
        bytes calldata hints,
        uint256 hint
    ) private pure {
        uint256 sum = run.sum;
        uint256 target = run.table + first * P384Points.PACKED_LENGTH;
        uint256 last = target + (POINT_MULTIPLES - 1) * P384Points.PACKED_LENGTH;
        // behind the table
        uint256 twice = run.table + TABLE_SIZE * P384Points.PACKED_LENGTH;

        P384Points.pack(sum, target);
        if (!P384Points.double(sum, _start(hints) + hint)) revert IEcdsaP384.EcdsaP384_HintInvalid(hint);
        P384Points.pack(sum, twice);
        P384Points.unpack(target, sum);
        while (target < last) {
            hint += SLOPE_LENGTH;
            target += P384Points.PACKED_LENGTH;
            if (!P384Points.add(sum, twice, false, _start(hints) + hint)) {
                revert IEcdsaP384.EcdsaP384_HintInvalid(hint);
            }
            P384Points.pack(sum, target);
        }
    }

    /// @dev Runs the program from F and requires that it ends in 2^192 F.
    function _runProgram(Run memory run, uint256 hints, uint256 hintsLength) private pure {
        P384Points.store(run.sum, F_X_HIGH, F_X_LOW, F_Y_HIGH, F_Y_LOW);
        uint256 doublings = DOUBLINGS;
        uint256 position = hints + HINT_PROGRAM;
        uint256 end = hints + hintsLength;
        unchecked {
            while (position < end) {
                (uint256 operation, uint256 index) = _readStep(position);
                bool isValid;
                uint256 next;
                if (operation == OPERATION_DOUBLE) {
                    isValid = P384Points.double(run.sum, position + 1);
                    next = position + 1 + SLOPE_LENGTH;
                    --doublings;
                } else {
                    bool isNegative = operation & 1 == 0;
                    uint256 point = run.table + index * P384Points.PACKED_LENGTH;
                    if (operation < OPERATION_DOUBLE_AND_ADD) {
                        isValid = P384Points.add(run.sum, point, isNegative, position + 2);
                        next = position + 2 + SLOPE_LENGTH;
                    } else {
                        isValid = P384Points.doubleAndAdd(run.sum, point, isNegative, position + 2);
                        next = position + 2 + 2 * SLOPE_LENGTH;
                        --doublings;
                    }
                    if (operation > OPERATION_LAST || index >= TABLE_SIZE) isValid = false;
                    _count(run.counts, index, isNegative, doublings);
                }
                if (!isValid) revert IEcdsaP384.EcdsaP384_HintInvalid(position - hints);
                position = next;
            }
        }
        // After more doublings than 192, `doublings` is a number near 2^256, which no program counts down again.
        if (position != end || doublings != 0) revert IEcdsaP384.EcdsaP384_HintsLengthInvalid();
        if (!P384Points.isAt(run.sum, END_X_HIGH, END_X_LOW, END_Y_HIGH, END_Y_LOW)) {
            revert IEcdsaP384.EcdsaP384_HintInvalid(hintsLength);
        }
    }

    /// @dev Counts a point that was added with `doublings` doublings to come: it is added 2^doublings times.
    function _count(int256[4] memory counts, uint256 index, bool isNegative, uint256 doublings) private pure {
        unchecked {
            uint256 kind = index >> BASE_MULTIPLES_LOG;
            uint256 multiple = 2 * (index & (BASE_MULTIPLES - 1)) + 1;
            if (index >= TABLE_Q) {
                kind = 2 + ((index >> POINT_MULTIPLES_LOG) & 1);
                multiple = 2 * (index & (POINT_MULTIPLES - 1)) + 1;
            }
            // below 2^199 each: no number of steps that calldata can hold takes a sum past 2^254
            int256 term = int256(multiple << doublings);
            assembly ("memory-safe") {
                if isNegative {
                    term := sub(0, term)
                }
                let count := add(counts, shl(5, kind))
                mstore(count, add(mload(count), term))
            }
        }
    }

    /// @dev The congruences, and that t is not zero: it is far below n.
    function _requireRelation(Run memory run) private pure {
        int256[4] memory counts = run.counts;
        P384Scalars.Equation memory equation = run.hashEquation;
        (equation.aLow, equation.aHigh, equation.c) = (counts[0], counts[1], counts[3]);
        bool isValid = counts[3] != 0 && P384Scalars.holds(equation);
        equation = run.keyEquation;
        (equation.aLow, equation.c) = (counts[2], counts[3]);
        if (!isValid || !P384Scalars.holds(equation)) revert IEcdsaP384.EcdsaP384_HintInvalid(HINT_QUOTIENTS);
    }

    function _start(bytes calldata data) private pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := data.offset
        }
    }

    /// @dev 48 bytes of calldata as a number.
    function _read(uint256 position) private pure returns (uint256 high, uint256 low) {
        assembly ("memory-safe") {
            high := shr(128, calldataload(position))
            low := calldataload(add(position, 16))
        }
    }

    function _readQuotient(uint256 position) private pure returns (int256 high, uint256 low) {
        assembly ("memory-safe") {
            high := calldataload(position)
            low := calldataload(add(position, 0x20))
        }
    }

    /// @dev The first two bytes of a step.
    function _readStep(uint256 position) private pure returns (uint256 operation, uint256 index) {
        assembly ("memory-safe") {
            let step := calldataload(position)
            operation := byte(0, step)
            index := byte(1, step)
        }
    }
}
