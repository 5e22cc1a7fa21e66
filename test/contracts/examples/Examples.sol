// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InferenceConsumer} from "../../../examples/InferenceConsumer.sol";
import {IInferenceSettlement} from "../../../contracts/interfaces/IInferenceSettlement.sol";
import {ITEERegistry} from "../../../contracts/interfaces/ITEERegistry.sol";

/// @notice The example of docs/integrating.md as it stands: Hardhat deploys only what it finds in its own folders.
contract ExampleInferenceConsumer is InferenceConsumer {
    constructor(
        IInferenceSettlement settlement_,
        ITEERegistry enclaves_,
        bytes32 version,
        uint256 maximumAge_
    ) InferenceConsumer(settlement_, enclaves_, version, maximumAge_) {}
}
