// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceEscrow} from "../../../contracts/interfaces/IInferenceEscrow.sol";
import {IPageSettlementTypes} from "../../../contracts/interfaces/IPageSettlementTypes.sol";
import {vm} from "../utils/Vm.sol";
import {EscrowHandler} from "./EscrowHandler.sol";

contract InferenceEscrowInvariants {
    EscrowHandler private handler;

    function setUp() public {
        handler = new EscrowHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev The handler is worth something only if its calls get through.
    function test_HandlerCapturesRefundsCancelsAndCredits() public {
        for (uint256 i = 0; i < 4; ++i) handler.open(i, 5e18 - 1, 0, 0);
        vm.assertEq(handler.jobCount(), 4, "opened");
        handler.capture(0, 0, 0, 1e18, true);
        handler.captureFromPage(1, 0, 1, 1e18, uint256(IPageSettlementTypes.PageState.Final));
        handler.captureFromPage(2, 0, 2, 1e18, uint256(IPageSettlementTypes.PageState.Pending));
        handler.cancel(2, 1);
        handler.setBlocked(0, true);
        handler.refund(3);
        for (uint256 i = 0; i < 4; ++i) handler.wait(1 days);
        handler.refund(3);
        uint256[4] memory expected = [uint256(0), 0, 2, 1];
        for (uint256 i = 0; i < 4; ++i) {
            (, , uint256[3] memory ends) = handler.jobAt(i);
            vm.assertEq(ends[expected[i]], 1, "ended");
        }
        address payer = handler.payerAt(0);
        vm.assertEq(handler.escrow().creditOf(address(handler.token()), payer), 5e18, "credit");
        invariant_HoldsOpenJobsAndCredits();
        invariant_EndsEachJobOnce();
        invariant_ARequestCapturesOnce();
        handler.setBlocked(0, false);
        handler.withdraw(0);
        invariant_HoldsOpenJobsAndCredits();
    }

    function invariant_HoldsOpenJobsAndCredits() public view {
        address token = address(handler.token());
        uint256 owed;
        for (uint256 i = 0; i < handler.jobCount(); ++i) {
            (bytes32 jobId, uint256 amount, ) = handler.jobAt(i);
            if (handler.escrow().statusOf(jobId) == IInferenceEscrow.JobStatus.Open) owed += amount;
        }
        uint256 held = handler.token().balanceOf(address(handler.escrow()));
        uint256 elsewhere;
        for (uint256 i = 0; i < handler.accountCount(); ++i) {
            address account = handler.accountAt(i);
            owed += handler.escrow().creditOf(token, account);
            elsewhere += handler.token().balanceOf(account);
        }
        vm.assertEq(held, owed, "held");
        vm.assertEq(held + elsewhere, handler.token().totalSupply(), "somebody else was paid");
    }

    /// @dev No path to two of capture, refund and cancellation, or to one of them twice.
    function invariant_EndsEachJobOnce() public view {
        for (uint256 i = 0; i < handler.jobCount(); ++i) {
            (bytes32 jobId, , uint256[3] memory ends) = handler.jobAt(i);
            uint256 status = uint256(handler.escrow().statusOf(jobId));
            uint256 open = uint256(IInferenceEscrow.JobStatus.Open);
            vm.assertEq(ends[0] + ends[1] + ends[2], status == open ? 0 : 1, "ends");
            if (status != open) vm.assertEq(ends[status - open - 1], 1, "status");
        }
    }

    function invariant_ARequestCapturesOnce() public view {
        address token = address(handler.token());
        for (uint256 i = 0; i < handler.requestCount(); ++i) {
            bytes32 requestId = handler.requestAt(i);
            uint256 count = handler.captures(requestId);
            vm.assertTrue(count <= 1, "captured twice");
            bool isCaptured = handler.escrow().isCaptured(requestId, handler.PAYEE(), token);
            vm.assertTrue(isCaptured == (count == 1), "record");
        }
    }
}
