// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {Groth16} from "../settlement/Groth16.sol";

/// @title VerifyingKeyCheck
/// @notice Refuses verifying keys under which anybody could forge a proof, as far as a key shows it.
///
/// Format: `alpha1 (64) | beta2 (128) | gamma2 (128) | delta2 (128) | IC[0..n] (64 each)`.
///
/// - Every point is a point of its group other than zero. A zero IC[i] would leave public signal i unbound.
/// - `delta` is not `gamma` or `-gamma`. Such a key comes from a setup without a phase 2 contribution; C can then
///   cancel the public signals, and (alpha, beta, -L) or (alpha, beta, L) proves anything.
/// - `beta` is not `gamma` or `-gamma`: (alpha + L, beta, 0) or (alpha - L, beta, 0) would prove anything.
///
/// What is not checked, because no key shows it: whether somebody knows the discrete logarithms of the points, and
/// whether the key belongs to the circuit. Both rest on the setup ceremony that the model's owner publishes.
library VerifyingKeyCheck {
    uint256 private constant COORDINATE_LENGTH = 32;
    uint256 private constant BETA = Groth16.G1_LENGTH;
    uint256 private constant GAMMA = BETA + Groth16.G2_LENGTH;
    uint256 private constant DELTA = GAMMA + Groth16.G2_LENGTH;
    /// @dev y^2 = x^3 + 3.
    uint256 private constant CURVE_B = 3;

    /// @notice Reverts with an error of `IModelRegistry` unless `key` is a sound key for `signalCount` signals.
    function requireSound(bytes calldata key, uint256 signalCount) internal view {
        uint256 expected = Groth16.keyLength(signalCount);
        if (key.length != expected) {
            revert IModelRegistry.ModelRegistry_VerifyingKeyLengthInvalid(expected, key.length);
        }
        _requireG1(key, 0);
        _requireG2(key, BETA);
        _requireG2(key, GAMMA);
        _requireG2(key, DELTA);
        for (uint256 offset = Groth16.KEY_HEAD_LENGTH; offset < expected; offset += Groth16.G1_LENGTH) {
            _requireG1(key, offset);
        }
        if (_isSameOrOpposite(key, GAMMA, DELTA)) {
            revert IModelRegistry.ModelRegistry_VerifyingKeyGammaEqualsDelta();
        }
        if (_isSameOrOpposite(key, GAMMA, BETA)) {
            revert IModelRegistry.ModelRegistry_VerifyingKeyGammaEqualsBeta();
        }
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

    /// @dev P and -P, and no other two points, have the same x coordinate.
    function _isSameOrOpposite(bytes calldata key, uint256 a, uint256 b) private pure returns (bool) {
        return
            _coordinate(key, a) == _coordinate(key, b) &&
            _coordinate(key, a + COORDINATE_LENGTH) == _coordinate(key, b + COORDINATE_LENGTH);
    }

    function _coordinate(bytes calldata key, uint256 offset) private pure returns (uint256) {
        return uint256(bytes32(key[offset:offset + COORDINATE_LENGTH]));
    }
}
