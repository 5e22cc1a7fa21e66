// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CodeStore} from "../../../contracts/utils/CodeStore.sol";
import {Groth16Batch} from "../../../contracts/crypto/Groth16Batch.sol";
import {IGroth16Errors} from "../../../contracts/interfaces/IGroth16Errors.sol";

/// @title Groth16BatchHarness
/// @notice Calls the library from outside, with a key stored as the registry stores it. `proofs` are packed:
/// `A | B | C | words` of each.
contract Groth16BatchHarness is IGroth16Errors {
    event KeyStored(address store);

    function storeKey(bytes calldata key) external returns (address store) {
        store = CodeStore.write(key);
        emit KeyStored(store);
    }

    function verify(
        address keyStore,
        uint256 wordCount,
        bytes calldata proofs,
        uint256[] calldata contexts
    ) external view {
        Groth16Batch.verify(_fill(keyStore, wordCount, proofs, contexts));
    }

    function holds(
        address keyStore,
        uint256 wordCount,
        bytes calldata proofs,
        uint256[] calldata contexts
    ) external view returns (bool) {
        return Groth16Batch.holds(_fill(keyStore, wordCount, proofs, contexts));
    }

    /// @notice Whether each proof holds by itself, checked with what the one before left in memory.
    function holdEach(
        address keyStore,
        uint256 wordCount,
        bytes calldata proofs,
        uint256[] calldata contexts
    ) external view returns (bool[] memory hold) {
        hold = new bool[](contexts.length);
        Groth16Batch.Batch memory batch = Groth16Batch.open(keyStore, 1, wordCount, 1);
        for (uint256 i = 0; i < contexts.length; ++i) {
            Groth16Batch.clear(batch);
            _add(batch, proofs, contexts, i);
            hold[i] = Groth16Batch.holds(batch);
        }
    }

    function challengeOf(
        address keyStore,
        uint256 wordCount,
        bytes calldata proofs,
        uint256[] calldata contexts
    ) external view returns (bytes32) {
        return Groth16Batch.challengeOf(_fill(keyStore, wordCount, proofs, contexts));
    }

    /// @notice Whether a verification leaves alone what stands in memory before and behind what it took.
    function leavesMemoryAlone(
        address keyStore,
        uint256 wordCount,
        bytes calldata proofs,
        uint256[] calldata contexts
    ) external view returns (bool) {
        bytes memory before = proofs;
        Groth16Batch.Batch memory batch = Groth16Batch.open(keyStore, 1, wordCount, contexts.length);
        bytes memory behind = proofs;
        bytes32 hash = keccak256(proofs);
        for (uint256 i = 0; i < contexts.length; ++i) {
            _add(batch, proofs, contexts, i);
        }
        if (keccak256(before) != hash || keccak256(behind) != hash) return false;
        Groth16Batch.holds(batch);
        return keccak256(before) == hash && keccak256(behind) == hash;
    }

    function _fill(
        address keyStore,
        uint256 wordCount,
        bytes calldata proofs,
        uint256[] calldata contexts
    ) private view returns (Groth16Batch.Batch memory batch) {
        require(proofs.length == (256 + 32 * wordCount) * contexts.length, "length of the proofs");
        batch = Groth16Batch.open(keyStore, 1, wordCount, contexts.length);
        for (uint256 i = 0; i < contexts.length; ++i) {
            _add(batch, proofs, contexts, i);
        }
    }

    function _add(
        Groth16Batch.Batch memory batch,
        bytes calldata proofs,
        uint256[] calldata contexts,
        uint256 index
    ) private pure {
        uint256 position;
        uint256 length = batch.length;
        assembly ("memory-safe") {
            position := add(proofs.offset, mul(index, length))
        }
        Groth16Batch.copy(batch, position);
        Groth16Batch.add(batch, contexts[index]);
    }
}
