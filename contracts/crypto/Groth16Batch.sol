// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGroth16Errors} from "../interfaces/IGroth16Errors.sol";
import {Groth16} from "./Groth16.sol";

/// @title Groth16Batch
/// @notice Many Groth16 proofs under one verifying key, for N + 3 pairings instead of 4 N.
///
/// With coefficients r[1..N] that nobody can foresee, all proofs (A, B, C)[i] hold if
///
///     prod e(-r[i] A[i], B[i]) * e(sum r[i] alpha, beta) * e(sum r[i] L[i], gamma) * e(sum r[i] C[i], delta) = 1
///
/// where L[i] is as in {Groth16}. What does not hold passes with a probability of less than 2^-247 for each try at the
/// hash; docs/groth16-batch.md has the argument.
///
/// The coefficients come from keccak256 over everything that the equation is about: chain, contract, key store, number of
/// proofs, and every byte of every proof and signal. They have 248 bits, because ECMUL has one price, and are never zero.
///
/// What a caller must know is said in {Groth16}. Besides: the code of the key store never changes, which is why its
/// address stands for the key.
///
/// @dev Works in the memory behind the free pointer, and allocates none: a work area of 160 bytes, the sums of the
/// coefficients and of each signal times its coefficient, the key, the pairs.
library Groth16Batch {
    bytes32 private constant TAG = keccak256("HACA Groth16 batch 1");

    /// @dev Bits that a hash loses to become a coefficient.
    uint256 private constant COEFFICIENT_SHIFT = 8;
    /// @dev ECADD reads 128 bytes at the start of the work area, ECMUL 96 bytes behind the first point.
    uint256 private constant WORK_LENGTH = 160;
    /// @dev Numbers of {Groth16}, where they are explained: assembly takes no constants of another library.
    uint256 private constant ECADD = 6;
    uint256 private constant ECMUL = 7;
    uint256 private constant ECADD_GAS = 2 * 150;
    uint256 private constant ECMUL_GAS = 2 * 6_000;
    /// @dev The pairs of the key: alpha and beta, the signals and gamma, C and delta.
    uint256 private constant KEY_PAIRS = 3;

    /// @notice Returns if all proofs hold, and reverts with an error of `IGroth16Errors` if not.
    /// @param keyStore account whose code holds the key
    /// @param keyOffset where in that code the key begins
    /// @param wordCount public signals of a proof but the last
    /// @param positions for each proof, where in the calldata `A (64) | B (128) | C (64) | words (32 each)` begins; the
    /// caller has looked that all of it is there
    /// @param contexts for each proof its last public signal, below 2^248
    function verify(
        address keyStore,
        uint256 keyOffset,
        uint256 wordCount,
        uint256[] memory positions,
        uint256[] memory contexts
    ) internal view {
        (bool isWellFormed, bool isOne) = _check(keyStore, keyOffset, wordCount, positions, contexts);
        if (!isWellFormed) {
            (uint256 index, uint256 word) = _firstOutsideField(wordCount, positions);
            if (index < wordCount) revert IGroth16Errors.Groth16_PublicSignalOutOfRange(index, word);
            revert IGroth16Errors.Groth16_ProofPointInvalid();
        }
        if (!isOne) revert IGroth16Errors.Groth16_ProofInvalid();
    }

    /// @notice Whether all proofs hold. Parameters as for `verify`; reverts only if there is no key.
    function holds(
        address keyStore,
        uint256 keyOffset,
        uint256 wordCount,
        uint256[] memory positions,
        uint256[] memory contexts
    ) internal view returns (bool isOne) {
        (, isOne) = _check(keyStore, keyOffset, wordCount, positions, contexts);
    }

    /// @return isWellFormed whether every word is below the field's order, and the precompiles took every point
    /// @return isOne whether the equation holds; false if not well formed
    function _check(
        address keyStore,
        uint256 keyOffset,
        uint256 wordCount,
        uint256[] memory positions,
        uint256[] memory contexts
    ) private view returns (bool isWellFormed, bool isOne) {
        bytes32 challenge = challengeOf(keyStore, wordCount, positions, contexts);
        uint256 work;
        uint256 sums;
        uint256 key;
        uint256 pairs;
        // Addresses and lengths in memory cannot overflow: the gas ends long before.
        unchecked {
            uint256 length = Groth16.keyLength(wordCount + 1);
            assembly ("memory-safe") {
                work := mload(0x40)
            }
            sums = work + WORK_LENGTH;
            key = sums + 32 * (wordCount + 2);
            pairs = key + length;
            Groth16.loadKey(keyStore, keyOffset, length, key);
            // What was there before is the challenge's. The sums, and the point that C is added up in, begin with zero.
            assembly ("memory-safe") {
                calldatacopy(work, calldatasize(), sub(key, work))
            }
        }
        isWellFormed =
            _placeProofs(challenge, wordCount, positions, contexts, work, sums, pairs) &&
            _placeKey(wordCount, positions.length, work, sums, key, pairs);
        if (isWellFormed) {
            (isWellFormed, isOne) = Groth16.pairing(pairs, positions.length + KEY_PAIRS);
        }
    }

    /// @dev The first word that is not below the field's order; `wordCount` if there is none.
    function _firstOutsideField(
        uint256 wordCount,
        uint256[] memory positions
    ) private pure returns (uint256 index, uint256 word) {
        uint256 order = Groth16.SCALAR_ORDER;
        uint256 headLength = Groth16.PROOF_LENGTH;
        assembly ("memory-safe") {
            index := wordCount
            let position := add(positions, 0x20)
            let end := add(position, shl(5, mload(positions)))
            for {} lt(position, end) {
                position := add(position, 0x20)
            } {
                let first := add(mload(position), headLength)
                for {
                    let i := 0
                } lt(i, wordCount) {
                    i := add(i, 1)
                } {
                    let value := calldataload(add(first, shl(5, i)))
                    if iszero(lt(value, order)) {
                        index := i
                        word := value
                        position := end
                        break
                    }
                }
            }
        }
    }

    /// @notice The hash that the coefficients come from: of the frame first, then over the hash so far with each proof and
    /// its signals.
    function challengeOf(
        address keyStore,
        uint256 wordCount,
        uint256[] memory positions,
        uint256[] memory contexts
    ) internal view returns (bytes32 challenge) {
        bytes32 tag = TAG;
        uint256 headLength = Groth16.PROOF_LENGTH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, tag)
            mstore(add(free, 0x20), chainid())
            mstore(add(free, 0x40), address())
            mstore(add(free, 0x60), keyStore)
            mstore(add(free, 0x80), mload(positions))
            challenge := keccak256(free, 0xa0)
            let length := add(headLength, shl(5, wordCount))
            let context := add(contexts, 0x20)
            let position := add(positions, 0x20)
            let end := add(position, shl(5, mload(positions)))
            for {} lt(position, end) {
                position := add(position, 0x20)
            } {
                mstore(free, challenge)
                calldatacopy(add(free, 0x20), mload(position), length)
                mstore(add(add(free, 0x20), length), mload(context))
                challenge := keccak256(free, add(0x40, length))
                context := add(context, 0x20)
            }
        }
    }

    // One loop, which a function of its own for its inner one would cost a call for each proof.
    // solhint-disable function-max-lines
    /// @dev The pairs (-r[i] A[i], B[i]); the sum of r[i] C[i] in the first 64 bytes of `work`; and in `sums`, modulo the
    /// field's order, the sum of r[i], and for each signal the sum of r[i] times it. A word that is not below the order is
    /// refused, because the sums would be the same as with the word that it is reduced to.
    function _placeProofs(
        bytes32 challenge,
        uint256 wordCount,
        uint256[] memory positions,
        uint256[] memory contexts,
        uint256 work,
        uint256 sums,
        uint256 pairs
    ) private view returns (bool isWellFormed) {
        isWellFormed = true;
        uint256 count = positions.length;
        uint256 scalarOrder = Groth16.SCALAR_ORDER;
        uint256 baseOrder = Groth16.BASE_ORDER;
        assembly ("memory-safe") {
            let term := add(work, 0x40)
            let scalar := add(work, 0x80)
            for {
                let i := 0
            } and(isWellFormed, lt(i, count)) {
                i := add(i, 1)
            } {
                mstore(0x00, challenge)
                mstore(0x20, i)
                let r := shr(COEFFICIENT_SHIFT, keccak256(0x00, 0x40))
                r := or(r, iszero(r))
                mstore(scalar, r)
                let position := mload(add(add(positions, 0x20), shl(5, i)))

                // Both kinds of calls return a point (64 bytes), or bits get lost.
                calldatacopy(term, position, 0x40)
                isWellFormed := staticcall(ECMUL_GAS, ECMUL, term, 0x60, pairs, 0x40)
                isWellFormed := and(isWellFormed, eq(returndatasize(), 0x40))
                // -A = (x, p - y). Only of the point at infinity y is zero; it becomes p, which the pairing refuses.
                mstore(add(pairs, 0x20), sub(baseOrder, mload(add(pairs, 0x20))))
                calldatacopy(add(pairs, 0x40), add(position, 0x40), 0x80)
                pairs := add(pairs, 0xc0)

                calldatacopy(term, add(position, 0xc0), 0x40)
                isWellFormed := and(isWellFormed, staticcall(ECMUL_GAS, ECMUL, term, 0x60, term, 0x40))
                isWellFormed := and(isWellFormed, eq(returndatasize(), 0x40))
                isWellFormed := and(isWellFormed, staticcall(ECADD_GAS, ECADD, work, 0x80, work, 0x40))
                isWellFormed := and(isWellFormed, eq(returndatasize(), 0x40))

                mstore(sums, addmod(mload(sums), r, scalarOrder))
                let sum := add(sums, 0x20)
                let word := add(position, 0x100)
                for {
                    let end := add(word, shl(5, wordCount))
                } lt(word, end) {
                    word := add(word, 0x20)
                } {
                    let value := calldataload(word)
                    isWellFormed := and(isWellFormed, lt(value, scalarOrder))
                    mstore(sum, addmod(mload(sum), mulmod(r, value, scalarOrder), scalarOrder))
                    sum := add(sum, 0x20)
                }
                let context := mload(add(add(contexts, 0x20), shl(5, i)))
                mstore(sum, addmod(mload(sum), mulmod(r, context, scalarOrder), scalarOrder))
            }
        }
    }

    // solhint-enable function-max-lines

    /// @dev The three pairs of the key, behind those of `count` proofs. A key's points were checked when it was published.
    function _placeKey(
        uint256 wordCount,
        uint256 count,
        uint256 work,
        uint256 sums,
        uint256 key,
        uint256 pairs
    ) private view returns (bool isWellFormed) {
        assembly ("memory-safe") {
            let term := add(work, 0x40)
            let scalar := add(work, 0x80)
            pairs := add(pairs, mul(count, 0xc0))
            // alpha times the sum of the coefficients, beta
            mcopy(term, key, 0x40)
            mstore(scalar, mload(sums))
            isWellFormed := staticcall(ECMUL_GAS, ECMUL, term, 0x60, pairs, 0x40)
            isWellFormed := and(isWellFormed, eq(returndatasize(), 0x40))
            mcopy(add(pairs, 0x40), add(key, 0x40), 0x80)
            // the sum of C, delta
            mcopy(add(pairs, 0x180), work, 0x40)
            mcopy(add(pairs, 0x1c0), add(key, 0x140), 0x80)
            // the sum of L, gamma: IC times the sums
            calldatacopy(work, calldatasize(), 0x40)
            let ic := add(key, 0x1c0)
            for {
                let end := add(sums, shl(5, add(wordCount, 2)))
            } lt(sums, end) {
                sums := add(sums, 0x20)
            } {
                mcopy(term, ic, 0x40)
                mstore(scalar, mload(sums))
                isWellFormed := and(isWellFormed, staticcall(ECMUL_GAS, ECMUL, term, 0x60, term, 0x40))
                isWellFormed := and(isWellFormed, eq(returndatasize(), 0x40))
                isWellFormed := and(isWellFormed, staticcall(ECADD_GAS, ECADD, work, 0x80, work, 0x40))
                isWellFormed := and(isWellFormed, eq(returndatasize(), 0x40))
                ic := add(ic, 0x40)
            }
            mcopy(add(pairs, 0xc0), work, 0x40)
            mcopy(add(pairs, 0x100), add(key, 0xc0), 0x80)
        }
    }
}
