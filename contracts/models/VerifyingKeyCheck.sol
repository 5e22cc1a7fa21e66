// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {Groth16} from "../crypto/Groth16.sol";

/// @title VerifyingKeyCheck
/// @notice Refuses verifying keys under which anybody could forge a proof, as far as a key shows it.
///
/// Format: `alpha1 (64) | beta2 (128) | gamma2 (128) | delta2 (128) | IC[0..n] (64 each)`.
///
/// In this order:
/// - Every point is a point of its group other than zero.
/// - `alpha`, `beta` and `delta` are not the generator of their group or its opposite. (`gamma` may be, and is in
///   every key of snarkjs.)
/// - No two of `beta`, `gamma` and `delta` are equal or opposite.
/// - No two of `alpha` and the IC points are equal or opposite.
///
/// docs/verifying-keys.md has the forgery that each rule stops, and what no key shows: multiples that somebody
/// chose, the logarithms of the points, and whether the key belongs to the circuit. These rest on the setup ceremony
/// that the model's owner publishes. `protocol/src/verifyingKey.ts` and the native verifier hold the same list, over
/// the same vectors (`test/vectors/verifyingKeys.json`).
library VerifyingKeyCheck {
    uint256 private constant COORDINATE_LENGTH = 32;
    uint256 private constant ALPHA = 0;
    uint256 private constant BETA = Groth16.G1_LENGTH;
    uint256 private constant GAMMA = BETA + Groth16.G2_LENGTH;
    uint256 private constant DELTA = GAMMA + Groth16.G2_LENGTH;
    /// @dev y^2 = x^3 + 3.
    uint256 private constant CURVE_B = 3;
    /// @dev x coordinates of the generators of EIP-196 and EIP-197.
    uint256 private constant G1_GENERATOR_X = 1;
    uint256 private constant G2_GENERATOR_X_IMAGINARY =
        11559732032986387107991004021392285783925812861821192530917403151452391805634;
    uint256 private constant G2_GENERATOR_X_REAL =
        10857046999023057135944570762232829481370756359578518086990519993285655852781;

    /// @notice Reverts with an error of `IModelRegistry` unless `key` is a sound key for `signalCount` signals.
    function requireSound(bytes calldata key, uint256 signalCount) internal view {
        uint256 expected = Groth16.keyLength(signalCount);
        if (key.length != expected) {
            revert IModelRegistry.ModelRegistry_VerifyingKeyLengthInvalid(expected, key.length);
        }
        _requireG1(key, ALPHA);
        _requireG2(key, BETA);
        _requireG2(key, GAMMA);
        _requireG2(key, DELTA);
        for (uint256 offset = Groth16.KEY_HEAD_LENGTH; offset < expected; offset += Groth16.G1_LENGTH) {
            _requireG1(key, offset);
        }
        if (_coordinate(key, ALPHA) == G1_GENERATOR_X) {
            revert IModelRegistry.ModelRegistry_VerifyingKeyPointIsGenerator(ALPHA);
        }
        _requireNotGenerator2(key, BETA);
        _requireNotGenerator2(key, DELTA);
        _requireUnrelated2(key, BETA, GAMMA);
        _requireUnrelated2(key, BETA, DELTA);
        _requireUnrelated2(key, GAMMA, DELTA);
        _requireUnrelated1(key);
    }

    /// @dev The zero point is written (0, 0) and fails the equation; every other point of the curve is in the
    /// group, whose cofactor is one.
    function _requireG1(bytes calldata key, uint256 offset) private pure {
        uint256 p = Groth16.BASE_ORDER;
        uint256 x = _coordinate(key, offset);
        uint256 y = _coordinate(key, offset + COORDINATE_LENGTH);
        bool isOnCurve = mulmod(y, y, p) == addmod(mulmod(mulmod(x, x, p), x, p), CURVE_B, p);
        if (x >= p || y >= p || !isOnCurve) {
            revert IModelRegistry.ModelRegistry_VerifyingKeyPointInvalid(offset);
        }
    }

    /// @dev The pairing precompile checks range, curve and subgroup of a G2 point, also beside a zero G1 point
    /// (EIP-197); the pairing itself is then one.
    function _requireG2(bytes calldata key, uint256 offset) private view {
        bytes calldata point = key[offset:offset + Groth16.G2_LENGTH];
        uint256 gasLimit = Groth16.ECPAIRING_BASE_GAS + Groth16.ECPAIRING_PAIR_GAS;
        uint256 precompile = Groth16.ECPAIRING;
        bool isPoint;
        assembly ("memory-safe") {
            let pair := mload(0x40)
            mstore(pair, 0)
            mstore(add(pair, 0x20), 0)
            calldatacopy(add(pair, 0x40), point.offset, 0x80)
            let isZero := iszero(
                or(
                    or(mload(add(pair, 0x40)), mload(add(pair, 0x60))),
                    or(mload(add(pair, 0x80)), mload(add(pair, 0xa0)))
                )
            )
            isPoint := staticcall(gasLimit, precompile, pair, 0xc0, 0x00, 0x20)
            isPoint := and(isPoint, eq(returndatasize(), 0x20))
            isPoint := and(isPoint, eq(mload(0x00), 1))
            isPoint := and(isPoint, iszero(isZero))
        }
        if (!isPoint) revert IModelRegistry.ModelRegistry_VerifyingKeyPointInvalid(offset);
    }

    function _requireNotGenerator2(bytes calldata key, uint256 offset) private pure {
        if (
            _coordinate(key, offset) == G2_GENERATOR_X_IMAGINARY &&
            _coordinate(key, offset + COORDINATE_LENGTH) == G2_GENERATOR_X_REAL
        ) {
            revert IModelRegistry.ModelRegistry_VerifyingKeyPointIsGenerator(offset);
        }
    }

    /// @dev P and -P, and no other two points, have the same x coordinate.
    function _requireUnrelated2(bytes calldata key, uint256 a, uint256 b) private pure {
        if (
            _coordinate(key, a) == _coordinate(key, b) &&
            _coordinate(key, a + COORDINATE_LENGTH) == _coordinate(key, b + COORDINATE_LENGTH)
        ) {
            revert IModelRegistry.ModelRegistry_VerifyingKeyPointsRelated(a, b);
        }
    }

    /// @dev alpha and the IC points, each entered in a table by its x coordinate: comparing each with each would
    /// cost the largest key a million gas. Whoever chooses points that collide in the table pays for it himself.
    function _requireUnrelated1(bytes calldata key) private pure {
        uint256 end = key.length;
        uint256 count = 1 + (end - Groth16.KEY_HEAD_LENGTH) / Groth16.G1_LENGTH;
        // A power of two, so that a mask finds places, and at most half full, so that a search ends.
        uint256 size = 2;
        while (size < 2 * count) size <<= 1;
        // Offset of a point, plus one; zero where the place is free.
        uint256[] memory entries = new uint256[](size);
        uint256 mask = size - 1;
        _enter(key, ALPHA, entries, mask);
        for (uint256 offset = Groth16.KEY_HEAD_LENGTH; offset < end; offset += Groth16.G1_LENGTH) {
            _enter(key, offset, entries, mask);
        }
    }

    function _enter(bytes calldata key, uint256 offset, uint256[] memory entries, uint256 mask) private pure {
        uint256 x = _coordinate(key, offset);
        uint256 place = x & mask;
        for (uint256 entry = entries[place]; entry != 0; entry = entries[place]) {
            if (_coordinate(key, entry - 1) == x) {
                revert IModelRegistry.ModelRegistry_VerifyingKeyPointsRelated(entry - 1, offset);
            }
            place = (place + 1) & mask;
        }
        entries[place] = offset + 1;
    }

    function _coordinate(bytes calldata key, uint256 offset) private pure returns (uint256) {
        return uint256(bytes32(key[offset:offset + COORDINATE_LENGTH]));
    }
}
