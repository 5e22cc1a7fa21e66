// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {vm} from "./Vm.sol";

/// @dev Deploys a contract by its artifact, so that whoever does has not all of its code in their own: a world of several
/// contracts would exceed the limit on code.
function deployArtifact(string memory name, bytes memory arguments) returns (address deployed) {
    bytes memory code = bytes.concat(vm.getCode(name), arguments);
    assembly ("memory-safe") {
        deployed := create(0, add(code, 0x20), mload(code))
        if iszero(deployed) {
            let pointer := mload(0x40)
            returndatacopy(pointer, 0, returndatasize())
            revert(pointer, returndatasize())
        }
    }
}
