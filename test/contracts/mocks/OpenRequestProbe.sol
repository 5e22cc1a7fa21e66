// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceSettlement} from "../../../contracts/interfaces/IInferenceSettlement.sol";

/// @title OpenRequestProbe
/// @notice Reverts if a request is settled.
contract OpenRequestProbe {
    error RequestSettled();

    function requireOpen(IInferenceSettlement settlement, bytes32 requestId) external view {
        if (settlement.isSettled(requestId)) revert RequestSettled();
    }
}
