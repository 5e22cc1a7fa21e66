// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TimelockController as OpenZeppelinTimelock} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title TimelockController
/// @notice OpenZeppelin's timelock, whose delay never falls below the one that it was deployed with.
///
/// That delay is the time in which holders can leave and the guardian can cancel: a proposal that shortened it
/// would take both from everybody for all proposals after it.
///
/// Access: as OpenZeppelin's. Roles are changed by an operation alone, and so is the delay.
contract TimelockController is OpenZeppelinTimelock {
    /// @notice Seconds, at least, between scheduling and execution.
    uint256 public immutable MINIMUM_DELAY;

    /// @notice An operation would leave a delay below the minimum.
    error TimelockController_DelayTooShort(uint256 minimum, uint256 actual);

    /// @param minDelay seconds; also the least that the delay can ever be
    /// @param proposers accounts that may schedule and cancel
    /// @param executors accounts that may execute; zero: everybody
    /// @param admin may grant roles until it renounces; zero: nobody but operations
    constructor(
        uint256 minDelay,
        address[] memory proposers,
        address[] memory executors,
        address admin
    ) OpenZeppelinTimelock(minDelay, proposers, executors, admin) {
        MINIMUM_DELAY = minDelay;
    }

    /// @dev Looks at the outcome rather than at the call, so that it does not matter how a call got here.
    function _execute(address target, uint256 value, bytes calldata data) internal override {
        super._execute(target, value, data);
        uint256 delay = getMinDelay();
        if (delay < MINIMUM_DELAY) revert TimelockController_DelayTooShort(MINIMUM_DELAY, delay);
    }
}
