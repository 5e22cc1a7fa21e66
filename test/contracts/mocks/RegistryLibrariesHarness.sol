// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IModelRegistry} from "../../../contracts/interfaces/IModelRegistry.sol";
import {CodeStore} from "../../../contracts/utils/CodeStore.sol";
import {TensorLayouts} from "../../../contracts/models/TensorLayouts.sol";

/// @title RegistryLibrariesHarness
/// @notice Calls the registry's libraries from outside.
contract RegistryLibrariesHarness {
    function wordCount(IModelRegistry.TensorLayout[] calldata tensors) external pure returns (uint256) {
        return TensorLayouts.wordCount(tensors);
    }

    function write(bytes calldata data) external returns (address) {
        return CodeStore.write(data);
    }

    function read(address store, uint256 offset, uint256 length) external view returns (bytes memory) {
        return CodeStore.read(store, offset, length);
    }

    function readFrom(address store, uint256 offset) external view returns (bytes memory) {
        return CodeStore.readFrom(store, offset);
    }
}
