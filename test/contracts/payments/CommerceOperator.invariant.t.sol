// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICommerceOperator} from "../../../contracts/interfaces/ICommerceOperator.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {vm} from "../utils/Vm.sol";
import {JobsHandler} from "./JobsHandler.sol";
import {JobsInvariants} from "./JobsInvariants.sol";
import {OperatorHandler} from "./OperatorHandler.sol";

contract CommerceOperatorInvariants is JobsInvariants {
    OperatorHandler private handler;

    function setUp() public {
        handler = OperatorHandler(deployArtifact("OperatorHandler", ""));
    }

    function test_HandlerCapturesCancelsReclaimsAndRefunds() public {
        _endThreeOfFour();
        // A payer whom the token blocks keeps the job where it is.
        handler.refund(3);
        handler.reclaim(3);
        vm.assertTrue(handler.isOpen(3), "still open");
        handler.setBlocked(0, false);
        handler.reclaim(3);
        vm.assertEq(handler.jobAt(3).ends[3], 1, "reclaimed");
        handler.open(1, 5e18 - 1, 0, 0);
        for (uint256 i = 0; i < 5; ++i) handler.wait(1 days);
        handler.refund(4);
        vm.assertEq(handler.jobAt(4).ends[1], 1, "refunded");
        _requireAll();
    }

    function test_HandlerLeavesARestAndCredits_AndGivesThemBack() public {
        handler.open(0, 5e18 - 1, 0, 0);
        // The payer, the payee and the receiver of the fee.
        uint256[3] memory blocked = [uint256(0), 3, 4];
        for (uint256 i = 0; i < 3; ++i) handler.setBlocked(blocked[i], true);
        handler.capture(0, 0, 0, 1e18, false);
        vm.assertEq(handler.heldOf(0), 4e18, "rest");
        _requireAll();
        for (uint256 i = 0; i < 3; ++i) handler.setBlocked(blocked[i], false);
        handler.refund(0);
        vm.assertEq(handler.heldOf(0), 0, "given back");
        handler.withdraw(3);
        handler.withdraw(4);
        vm.assertEq(handler.token().balanceOf(address(handler.operator())), 0, "withdrawn");
        vm.assertEq(handler.token().balanceOf(handler.PAYEE()), 0.975e18, "payee");
        _requireAll();
    }

    /// @dev The public escrow holds all of an open job, nothing of one that went back, and of a captured one what its payer
    /// could not be given; the operator holds credits alone.
    function invariant_HoldsOpenJobsRestsAndCredits() public view {
        (uint256 owed, uint256 elsewhere) = _sums();
        uint256 jobs;
        for (uint256 i = 0; i < handler.jobCount(); ++i) {
            uint256 held = handler.heldOf(i);
            uint256 amount = handler.jobAt(i).amount;
            ICommerceOperator.Status status = handler.statusOf(i);
            if (status == ICommerceOperator.Status.Open) vm.assertEq(held, amount, "open");
            else if (status == ICommerceOperator.Status.Captured) vm.assertTrue(held < amount, "rest");
            else vm.assertEq(held, 0, "returned");
            jobs += held;
        }
        uint256 inPublic = handler.token().balanceOf(address(handler.commerce()));
        uint256 inOperator = handler.token().balanceOf(address(handler.operator()));
        vm.assertEq(inPublic, jobs, "jobs");
        vm.assertEq(inOperator, owed, "credits");
        uint256 supply = handler.token().totalSupply();
        vm.assertEq(inPublic + inOperator + elsewhere, supply, "somebody else was paid");
    }

    function _requireAll() private view {
        invariant_HoldsOpenJobsRestsAndCredits();
        invariant_EndsEachJobOnce();
        invariant_ARequestCapturesOnce();
    }

    function _handler() internal view override returns (JobsHandler) {
        return handler;
    }

    /// @dev Of a job that went back the operator does not say how.
    function _endOf(uint256 job, uint256[4] memory ends) internal view override returns (uint256) {
        if (handler.statusOf(job) == ICommerceOperator.Status.Captured) return 0;
        for (uint256 i = 1; i < 3; ++i) if (ends[i] == 1) return i;
        return 3;
    }
}
