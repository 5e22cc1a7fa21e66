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
/// @dev All memory is taken by `open`: a work area of 160 bytes; the sums of the coefficients and of each signal times its
/// coefficient; the key; the pairs. A proof is copied to where its pair will be, which B never leaves, and its last 64
/// bytes and its words lie where the next one comes.
library Groth16Batch {
    /// @notice Proofs to be checked together.
    struct Batch {
        /// public signals of a proof but the last
        uint256 wordCount;
        /// bytes of a proof and its words
        uint256 length;
        /// hash of what all proofs share
        bytes32 frame;
        /// hash of that and of every proof so far
        bytes32 hash;
        /// where in memory the work area begins, the key, and the pairs
        uint256 work;
        uint256 key;
        uint256 pairs;
        /// where the pair of the next proof will be
        uint256 next;
        /// where in the calldata the proof begins that was copied last
        uint256 position;
    }

    bytes32 private constant TAG = keccak256("HACA Groth16 batch 2");

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

    /// @notice An empty batch.
    /// @param keyStore account whose code holds the key
    /// @param keyOffset where in that code the key begins
    /// @param wordCount public signals of a proof but the last
    /// @param capacity most proofs that the caller adds; nothing looks
    function open(
        address keyStore,
        uint256 keyOffset,
        uint256 wordCount,
        uint256 capacity
    ) internal view returns (Batch memory batch) {
        uint256 keyLength = Groth16.keyLength(wordCount + 1);
        uint256 work;
        // Addresses and lengths in memory cannot overflow: the gas ends long before.
        unchecked {
            batch.wordCount = wordCount;
            batch.length = Groth16.PROOF_LENGTH + 32 * wordCount;
            assembly ("memory-safe") {
                work := mload(0x40)
            }
            batch.work = work;
            batch.key = work + WORK_LENGTH + 32 * (wordCount + 2);
            batch.pairs = batch.key + keyLength;
            // The pairs of the key are longer than what a proof, its context and a hash need behind the pair of the last.
            uint256 end = batch.pairs + Groth16.PAIR_LENGTH * (capacity + KEY_PAIRS) + 32 * wordCount;
            assembly ("memory-safe") {
                mstore(0x40, end)
            }
        }
        Groth16.loadKey(keyStore, keyOffset, keyLength, batch.key);
        batch.frame = _hashFrame(keyStore);
        clear(batch);
    }

    /// @notice Takes all proofs out.
    function clear(Batch memory batch) internal pure {
        batch.hash = batch.frame;
        batch.next = batch.pairs;
    }

    /// @notice Copies a proof and its words to memory, as the next that `add` takes.
    /// @param position where in the calldata `A (64) | B (128) | C (64) | words (32 each)` begins; the caller has looked that
    /// all of it is there
    /// @return words where in memory the words begin; what is there must not be changed
    function copy(Batch memory batch, uint256 position) internal pure returns (uint256 words) {
        uint256 next = batch.next;
        uint256 length = batch.length;
        uint256 proofLength = Groth16.PROOF_LENGTH;
        batch.position = position;
        assembly ("memory-safe") {
            calldatacopy(next, position, length)
            words := add(next, proofLength)
        }
    }

    /// @notice Adds the proof that was copied last.
    /// @param context its last public signal, below 2^248
    function add(Batch memory batch, uint256 context) internal pure {
        uint256 next = batch.next;
        uint256 length = batch.length;
        bytes32 hash = batch.hash;
        uint256 position = batch.position;
        assembly ("memory-safe") {
            let end := add(next, length)
            mstore(end, context)
            mstore(add(end, 0x20), hash)
            hash := keccak256(next, add(length, 0x40))
            // In the place of A until that is multiplied.
            mstore(next, position)
            mstore(add(next, 0x20), context)
            next := add(next, 0xc0)
        }
        batch.hash = hash;
        batch.next = next;
    }

    /// @notice Returns if all proofs hold, and reverts with an error of `IGroth16Errors` if not. Uses the batch up.
    function verify(Batch memory batch) internal view {
        (bool isWellFormed, bool isOne, uint256 pair) = _check(batch);
        if (!isWellFormed) {
            (uint256 index, uint256 word) = _firstOutsideField(batch, pair);
            if (index < batch.wordCount) revert IGroth16Errors.Groth16_PublicSignalOutOfRange(index, word);
            revert IGroth16Errors.Groth16_ProofPointInvalid();
        }
        if (!isOne) revert IGroth16Errors.Groth16_ProofInvalid();
    }

    /// @notice Whether all proofs hold. Uses the batch up, until it is cleared.
    function holds(Batch memory batch) internal view returns (bool isOne) {
        (, isOne, ) = _check(batch);
    }

    /// @notice The hash that the coefficients come from: of the hash over everything, and the number of proofs.
    /// @dev That hash is of the frame first, then of each proof, its signals, and the hash so far.
    function challengeOf(Batch memory batch) internal pure returns (bytes32 challenge) {
        uint256 count = _count(batch);
        bytes32 hash = batch.hash;
        assembly ("memory-safe") {
            mstore(0x00, hash)
            mstore(0x20, count)
            challenge := keccak256(0x00, 0x40)
        }
    }

    function _hashFrame(address keyStore) private view returns (bytes32) {
        return keccak256(abi.encode(TAG, block.chainid, address(this), keyStore));
    }

    function _count(Batch memory batch) private pure returns (uint256) {
        // The next pair is never before the first.
        unchecked {
            return (batch.next - batch.pairs) / Groth16.PAIR_LENGTH;
        }
    }

    /// @return isWellFormed whether every word is below the field's order, and the precompiles took every point
    /// @return isOne whether the equation holds; false if not well formed
    /// @return pair the pair of the first proof that is not well formed by itself; behind the last if there is none
    function _check(Batch memory batch) private view returns (bool isWellFormed, bool isOne, uint256 pair) {
        uint256 work = batch.work;
        uint256 key = batch.key;
        // The sums, and the point that C is added up in, begin with zero.
        assembly ("memory-safe") {
            calldatacopy(work, calldatasize(), sub(key, work))
        }
        pair = _placeProofs(challengeOf(batch), batch.wordCount, work, batch.pairs, batch.next);
        isWellFormed = pair == batch.next && _placeKey(batch.wordCount, work, key, pair);
        if (isWellFormed) {
            (isWellFormed, isOne) = Groth16.pairing(batch.pairs, _count(batch) + KEY_PAIRS);
        }
    }

    /// @dev The first word that is not below the field's order, of the proofs from the one that `_placeProofs` stopped at;
    /// `wordCount` if there is none. Those before have none.
    function _firstOutsideField(
        Batch memory batch,
        uint256 pair
    ) private pure returns (uint256 index, uint256 word) {
        uint256 order = Groth16.SCALAR_ORDER;
        uint256 headLength = Groth16.PROOF_LENGTH;
        uint256 wordCount = batch.wordCount;
        uint256 end = batch.next;
        assembly ("memory-safe") {
            index := wordCount
            for {} lt(pair, end) {
                pair := add(pair, 0xc0)
            } {
                let first := add(mload(pair), headLength)
                for {
                    let i := 0
                } lt(i, wordCount) {
                    i := add(i, 1)
                } {
                    let value := calldataload(add(first, shl(5, i)))
                    if iszero(lt(value, order)) {
                        index := i
                        word := value
                        pair := end
                        break
                    }
                }
            }
        }
    }

    // One loop, which a function of its own for its inner one would cost a call for each proof.
    // solhint-disable function-max-lines
    /// @dev The pairs (-r[i] A[i], B[i]), of which B is in place; the sum of r[i] C[i] in the first 64 bytes of `work`; and in
    /// the sums, modulo the field's order, the sum of r[i], and for each signal the sum of r[i] times it. A word that is not
    /// below the order is refused, because the sums would be the same as with the word that it is reduced to.
    /// @return pair the pair of the first proof that is not well formed, with the proof's position again; `end` if all are
    function _placeProofs(
        bytes32 challenge,
        uint256 wordCount,
        uint256 work,
        uint256 pairs,
        uint256 end
    ) private view returns (uint256 pair) {
        uint256 scalarOrder = Groth16.SCALAR_ORDER;
        uint256 baseOrder = Groth16.BASE_ORDER;
        pair = pairs;
        assembly ("memory-safe") {
            let term := add(work, 0x40)
            let scalar := add(work, 0x80)
            let sums := add(work, WORK_LENGTH)
            let wordsLength := shl(5, wordCount)
            mstore(0x00, challenge)
            for {
                let i := 0
            } lt(pair, end) {
                i := add(i, 1)
                pair := add(pair, 0xc0)
            } {
                mstore(0x20, i)
                let r := shr(COEFFICIENT_SHIFT, keccak256(0x00, 0x40))
                r := or(r, iszero(r))
                mstore(scalar, r)
                let position := mload(pair)
                let context := mload(add(pair, 0x20))

                // That both precompiles are there at all, `_placeKey` sees.
                calldatacopy(term, position, 0x40)
                let isWellFormed := staticcall(ECMUL_GAS, ECMUL, term, 0x60, pair, 0x40)
                // -A = (x, p - y). Only of the point at infinity y is zero; it becomes p, which the pairing refuses.
                mstore(add(pair, 0x20), sub(baseOrder, mload(add(pair, 0x20))))
                calldatacopy(term, add(position, 0xc0), 0x40)
                isWellFormed := and(isWellFormed, staticcall(ECMUL_GAS, ECMUL, term, 0x60, term, 0x40))
                isWellFormed := and(isWellFormed, staticcall(ECADD_GAS, ECADD, work, 0x80, work, 0x40))

                mstore(sums, addmod(mload(sums), r, scalarOrder))
                let sum := add(sums, 0x20)
                let word := add(position, 0x100)
                for {
                    let wordsEnd := add(word, wordsLength)
                } lt(word, wordsEnd) {
                    word := add(word, 0x20)
                } {
                    let value := calldataload(word)
                    isWellFormed := and(isWellFormed, lt(value, scalarOrder))
                    mstore(sum, addmod(mload(sum), mulmod(r, value, scalarOrder), scalarOrder))
                    sum := add(sum, 0x20)
                }
                mstore(sum, addmod(mload(sum), mulmod(r, context, scalarOrder), scalarOrder))
                if iszero(isWellFormed) {
                    mstore(pair, position)
                    break
                }
            }
        }
    }

    // solhint-enable function-max-lines

    /// @dev The three pairs of the key, at `pairs`, behind those of the proofs. A key's points were checked when it was
    /// published. Looks for all of the batch whether its precompiles are there: the call of an account without code
    /// succeeds, and returns nothing.
    function _placeKey(
        uint256 wordCount,
        uint256 work,
        uint256 key,
        uint256 pairs
    ) private view returns (bool isWellFormed) {
        assembly ("memory-safe") {
            let term := add(work, 0x40)
            let scalar := add(work, 0x80)
            let sums := add(work, WORK_LENGTH)
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
