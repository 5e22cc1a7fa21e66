// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGroth16Errors} from "../interfaces/IGroth16Errors.sol";

/// @title Groth16
/// @notice Groth16 over BN254 with the verifying key as data: one verifier for every circuit.
///
/// A proof (A, B, C) for the public signals s[1..n] holds if
///
///     e(-A, B) * e(alpha, beta) * e(L, gamma) * e(C, delta) = 1,    L = IC[0] + s[1] IC[1] + ... + s[n] IC[n]
///
/// (J. Groth, "On the Size of Pairing-Based Non-interactive Arguments", EUROCRYPT 2016, section 3.2).
///
/// Key and proof formats are those of `IModelRegistry.VersionParams.verifyingKey` and
/// `IInferenceSettlement.settleZkml`.
///
/// What a caller must know:
/// - The key is trusted. `VerifyingKeyCheck` says what is checked when a model version is published; here only a
///   key that is not there at all is refused.
/// - The caller passes exactly as many signals as the key has: n is taken from `signals`, and a shorter list
///   would be checked against a shorter key.
/// - Proofs are malleable: whoever has one can make others for the same signals. A proof is never an identity.
///
/// @dev Memory of a verification: 160 bytes of work area, then the four pairs of the pairing precompile. The key
/// is loaded behind the first pair, which puts alpha and beta where the second pair has them; gamma and delta
/// move to the third and fourth pair once the IC points, which lie in their way, are used up.
library Groth16 {
    /// @dev Order r of the groups: signals are below it.
    uint256 internal constant SCALAR_ORDER =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @dev Order p of the base field: coordinates are below it.
    uint256 internal constant BASE_ORDER =
        21888242871839275222246405745257275088696311157297823662689037894645226208583;

    uint256 internal constant G1_LENGTH = 64;
    uint256 internal constant G2_LENGTH = 128;
    uint256 internal constant PAIR_LENGTH = 64 + 128;
    uint256 internal constant PROOF_LENGTH = 64 + 128 + 64;
    /// @dev alpha1, beta2, gamma2, delta2.
    uint256 internal constant KEY_HEAD_LENGTH = 64 + 3 * 128;

    /// @dev Precompiles of EIP-196 and EIP-197.
    uint256 internal constant ECADD = 6;
    uint256 internal constant ECMUL = 7;
    uint256 internal constant ECPAIRING = 8;
    /// @dev Twice the prices of EIP-1108. A failing precompile burns all the gas that it is given, so that the gas
    /// is bounded; the second half leaves room for a chain that raises the prices.
    uint256 internal constant ECADD_GAS = 2 * 150;
    uint256 internal constant ECMUL_GAS = 2 * 6_000;
    uint256 internal constant ECPAIRING_BASE_GAS = 2 * 45_000;
    uint256 internal constant ECPAIRING_PAIR_GAS = 2 * 34_000;

    /// @dev ECADD reads 128 bytes at the start of the work area, ECMUL 96 bytes behind the first point.
    uint256 private constant WORK_LENGTH = 160;
    uint256 private constant PAIRS = 4;

    /// @notice Length of a verifying key for `signalCount` public signals.
    function keyLength(uint256 signalCount) internal pure returns (uint256) {
        // Cannot overflow: a list of 2^250 signals does not fit any memory.
        unchecked {
            return KEY_HEAD_LENGTH + G1_LENGTH * (signalCount + 1);
        }
    }

    /// @notice Returns if `proof` proves `signals` under the key, and reverts with an error of `IGroth16Errors` if
    /// not.
    /// @param keyStore account whose code holds the key
    /// @param keyOffset where in that code the key begins
    function verify(
        address keyStore,
        uint256 keyOffset,
        bytes calldata proof,
        uint256[] memory signals
    ) internal view {
        if (proof.length != PROOF_LENGTH) {
            revert IGroth16Errors.Groth16_ProofLengthInvalid(PROOF_LENGTH, proof.length);
        }
        requireInScalarField(signals);

        uint256 length = keyLength(signals.length);
        uint256 work;
        uint256 pairs;
        uint256 key;
        // Addresses and lengths in memory cannot overflow: the gas ends long before.
        unchecked {
            work = _allocate(WORK_LENGTH + PAIR_LENGTH + length);
            pairs = work + WORK_LENGTH;
            key = pairs + PAIR_LENGTH;
        }
        loadKey(keyStore, keyOffset, length, key);
        _computePublicPoint(key, signals, work);
        _placePairs(pairs, work, proof);
        (bool isWellFormed, bool isOne) = pairing(pairs, PAIRS);
        if (!isWellFormed) revert IGroth16Errors.Groth16_ProofPointInvalid();
        if (!isOne) revert IGroth16Errors.Groth16_ProofInvalid();
    }

    /// @notice Refuses public signals that are not below the scalar field's order, before anything reduces them.
    function requireInScalarField(uint256[] memory signals) internal pure {
        uint256 inRange;
        assembly ("memory-safe") {
            let first := add(signals, 0x20)
            let end := add(first, shl(5, mload(signals)))
            let signal := first
            for {} lt(signal, end) {
                signal := add(signal, 0x20)
            } {
                if iszero(lt(mload(signal), SCALAR_ORDER)) {
                    break
                }
            }
            inRange := shr(5, sub(signal, first))
        }
        if (inRange != signals.length) {
            revert IGroth16Errors.Groth16_PublicSignalOutOfRange(inRange, signals[inRange]);
        }
    }

    /// @notice Copies the key to `target` in memory; refuses a key that is not there. Code that is too short reads as zeros; without the check of alpha, a proof
    /// of zeros would hold against an account without code.
    function loadKey(address keyStore, uint256 keyOffset, uint256 length, uint256 target) internal view {
        bool isMissing;
        assembly ("memory-safe") {
            extcodecopy(keyStore, target, keyOffset, length)
            isMissing := iszero(or(mload(target), mload(add(target, 0x20))))
        }
        if (isMissing) revert IGroth16Errors.Groth16_KeyMissing(keyStore);
    }

    /// @dev L = IC[0] + sum of signals[i] * IC[i + 1], written to the first 64 bytes of `work`.
    /// @param key address of the key in memory
    /// @param work 160 bytes: L (64) | point (64) | scalar (32)
    function _computePublicPoint(uint256 key, uint256[] memory signals, uint256 work) private view {
        bool isValid = true;
        assembly ("memory-safe") {
            let ic := add(key, KEY_HEAD_LENGTH)
            let signal := add(signals, 0x20)
            let end := add(signal, shl(5, mload(signals)))
            let term := add(work, 0x40)
            let scalar := add(work, 0x80)
            mcopy(work, ic, 0x40)
            for {} lt(signal, end) {
                signal := add(signal, 0x20)
            } {
                ic := add(ic, 0x40)
                mcopy(term, ic, 0x40)
                mstore(scalar, mload(signal))
                // Both calls succeed and return a point (64 bytes), or bits get lost.
                isValid := and(isValid, staticcall(ECMUL_GAS, ECMUL, term, 0x60, term, 0x40))
                isValid := and(isValid, eq(returndatasize(), 0x40))
                isValid := and(isValid, staticcall(ECADD_GAS, ECADD, work, 0x80, work, 0x40))
                isValid := and(isValid, eq(returndatasize(), 0x40))
            }
        }
        if (!isValid) revert IGroth16Errors.Groth16_KeyPointInvalid();
    }

    /// @dev Completes the four pairs: (-A, B), (alpha, beta), (L, gamma), (C, delta). Alpha and beta are in place.
    function _placePairs(uint256 pairs, uint256 publicPoint, bytes calldata proof) private pure {
        bool isValid;
        assembly ("memory-safe") {
            calldatacopy(pairs, proof.offset, 0xc0)
            // -A = (x, p - y). A `y` that is not below p could wrap around to a valid one, so that it is refused
            // here; `y = 0`, which only the point at infinity has, becomes p, which the precompile refuses.
            let y := mload(add(pairs, 0x20))
            isValid := lt(y, BASE_ORDER)
            mstore(add(pairs, 0x20), sub(BASE_ORDER, y))
            // delta: behind gamma in the key, to the second half of the fourth pair
            mcopy(add(pairs, 0x280), add(pairs, 0x200), 0x80)
            // gamma: behind beta in the key, to the second half of the third pair (the ranges overlap)
            mcopy(add(pairs, 0x1c0), add(pairs, 0x180), 0x80)
            mcopy(add(pairs, 0x180), publicPoint, 0x40)
            calldatacopy(add(pairs, 0x240), add(proof.offset, 0xc0), 0x40)
        }
        if (!isValid) revert IGroth16Errors.Groth16_ProofPointInvalid();
    }

    /// @notice Whether the product of `count` pairings is one.
    /// @param pairs address of the pairs in memory
    /// @return isWellFormed whether the precompile took every point
    /// @return isOne whether the product is one; nothing if not well formed
    function pairing(uint256 pairs, uint256 count) internal view returns (bool isWellFormed, bool isOne) {
        assembly ("memory-safe") {
            let gasLimit := add(ECPAIRING_BASE_GAS, mul(ECPAIRING_PAIR_GAS, count))
            let length := mul(PAIR_LENGTH, count)
            isWellFormed := staticcall(gasLimit, ECPAIRING, pairs, length, 0x00, 0x20)
            isWellFormed := and(isWellFormed, eq(returndatasize(), 0x20))
            isOne := and(isWellFormed, eq(mload(0x00), 1))
        }
    }

    function _allocate(uint256 length) private pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := mload(0x40)
            mstore(0x40, add(pointer, length))
        }
    }
}
