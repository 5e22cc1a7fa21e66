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
        Groth16Batch.verify(keyStore, 1, wordCount, _positions(wordCount, proofs, contexts), contexts);
    }

    function holds(
        address keyStore,
        uint256 wordCount,
        bytes calldata proofs,
        uint256[] calldata contexts
    ) external view returns (bool) {
        return Groth16Batch.holds(keyStore, 1, wordCount, _positions(wordCount, proofs, contexts), contexts);
    }

    function challengeOf(
        address keyStore,
        uint256 wordCount,
        bytes calldata proofs,
        uint256[] calldata contexts
    ) external view returns (bytes32) {
        return
            Groth16Batch.challengeOf(keyStore, wordCount, _positions(wordCount, proofs, contexts), contexts);
    }

    /// @notice How much memory a verification takes for good.
    function measureMemory(
        address keyStore,
        uint256 wordCount,
        bytes calldata proofs,
        uint256[] calldata contexts
    ) external view returns (uint256 taken) {
        uint256[] memory positions = _positions(wordCount, proofs, contexts);
        uint256[] memory copy = contexts;
        uint256 before;
        assembly ("memory-safe") {
            before := mload(0x40)
        }
        Groth16Batch.holds(keyStore, 1, wordCount, positions, copy);
        assembly ("memory-safe") {
            taken := sub(mload(0x40), before)
        }
    }

    function _positions(
        uint256 wordCount,
        bytes calldata proofs,
        uint256[] calldata contexts
    ) private pure returns (uint256[] memory positions) {
        uint256 length = 256 + 32 * wordCount;
        require(proofs.length == length * contexts.length, "length of the proofs");
        positions = new uint256[](contexts.length);
        for (uint256 i = 0; i < contexts.length; ++i) {
            uint256 position;
            assembly ("memory-safe") {
                position := add(proofs.offset, mul(i, length))
            }
            positions[i] = position;
        }
    }
}
