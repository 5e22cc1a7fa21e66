// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CodeStore} from "../../../contracts/utils/CodeStore.sol";
import {IGroth16Errors} from "../../../contracts/interfaces/IGroth16Errors.sol";
import {Groth16} from "../../../contracts/crypto/Groth16.sol";

/// @title Groth16Harness
/// @notice Calls the library from outside, with a key stored as the registry stores it.
contract Groth16Harness is IGroth16Errors {
    event KeyStored(address store);

    function storeKey(bytes calldata key) external returns (address store) {
        store = CodeStore.write(key);
        emit KeyStored(store);
    }

    function verify(
        address keyStore,
        uint256 keyOffset,
        bytes calldata proof,
        uint256[] calldata signals
    ) external view {
        Groth16.verify(keyStore, keyOffset, proof, signals);
    }

    /// @notice How much memory a verification takes for good.
    function measureMemory(
        address keyStore,
        bytes calldata proof,
        uint256[] calldata signals
    ) external view returns (uint256 taken) {
        uint256[] memory copy = signals;
        uint256 before;
        assembly ("memory-safe") {
            before := mload(0x40)
        }
        Groth16.verify(keyStore, 1, proof, copy);
        assembly ("memory-safe") {
            taken := sub(mload(0x40), before)
        }
    }

    /// @notice Gas that the library itself uses, with cold key store.
    function measureVerify(
        address keyStore,
        bytes calldata proof,
        uint256[] calldata signals
    ) external view returns (uint256) {
        uint256[] memory copy = signals;
        uint256 before = gasleft();
        Groth16.verify(keyStore, 1, proof, copy);
        return before - gasleft();
    }
}
