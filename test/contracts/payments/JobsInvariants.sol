// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {vm} from "../utils/Vm.sol";
import {JobsHandler} from "./JobsHandler.sol";

/// @title JobsInvariants
/// @notice What holds of jobs wherever their tokens are held.
abstract contract JobsInvariants {
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler());
    }

    /// @dev No path to two ends, or to one of them twice.
    function invariant_EndsEachJobOnce() public view {
        JobsHandler handler = _handler();
        for (uint256 i = 0; i < handler.jobCount(); ++i) {
            uint256[4] memory ends = handler.jobAt(i).ends;
            uint256 count = ends[0] + ends[1] + ends[2] + ends[3];
            vm.assertEq(count, handler.isOpen(i) ? 0 : 1, "ends");
            if (count == 1) vm.assertEq(ends[_endOf(i, ends)], 1, "status");
        }
    }

    function invariant_ARequestCapturesOnce() public view {
        JobsHandler handler = _handler();
        for (uint256 i = 0; i < handler.requestCount(); ++i) {
            bytes32 requestId = handler.requestAt(i);
            uint256 count = handler.captures(requestId);
            vm.assertTrue(count <= 1, "captured twice");
            vm.assertTrue(handler.isCaptured(requestId) == (count == 1), "record");
        }
    }

    function _handler() internal view virtual returns (JobsHandler);

    /// @dev Which of its ends a job that is over has had, by its status.
    function _endOf(uint256 job, uint256[4] memory ends) internal view virtual returns (uint256);

    /// @dev Captures, cancels and refunds, by the payer's blocked account too: the handler is worth something only if its calls
    /// get through. Leaves a job open that is past its deadline, whose payer is blocked.
    function _endThreeOfFour() internal {
        JobsHandler handler = _handler();
        for (uint256 i = 0; i < 4; ++i) handler.open(i, 5e18 - 1, 0, 0);
        vm.assertEq(handler.jobCount(), 4, "opened");
        handler.capture(0, 0, 0, 1e18, true);
        // Final, and pending.
        handler.captureFromPage(1, 0, 1, 1e18, 2);
        handler.captureFromPage(2, 0, 2, 1e18, 1);
        handler.cancel(2, 1);
        handler.setBlocked(0, true);
        handler.refund(3);
        for (uint256 i = 0; i < 5; ++i) handler.wait(1 days);
        uint256[3] memory expected = [uint256(0), 0, 2];
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(handler.jobAt(i).ends[expected[i]], 1, "ended");
        }
        vm.assertTrue(handler.isOpen(3), "open");
    }

    /// @return owed smallest units that the debtor owes
    /// @return elsewhere smallest units that accounts have
    function _sums() internal view returns (uint256 owed, uint256 elsewhere) {
        JobsHandler handler = _handler();
        for (uint256 i = 0; i < handler.accountCount(); ++i) {
            address account = handler.accountAt(i);
            owed += handler.debtor().creditOf(address(handler.token()), account);
            elsewhere += handler.token().balanceOf(account);
        }
    }
}
