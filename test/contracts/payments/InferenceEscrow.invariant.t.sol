// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceEscrow} from "../../../contracts/interfaces/IInferenceEscrow.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {vm} from "../utils/Vm.sol";
import {EscrowHandler} from "./EscrowHandler.sol";
import {JobsHandler} from "./JobsHandler.sol";
import {JobsInvariants} from "./JobsInvariants.sol";

contract InferenceEscrowInvariants is JobsInvariants {
    EscrowHandler private handler;

    function setUp() public {
        handler = EscrowHandler(deployArtifact("EscrowHandler", ""));
    }

    function test_HandlerCapturesRefundsCancelsAndCredits() public {
        _endThreeOfFour();
        handler.refund(3);
        vm.assertEq(handler.jobAt(3).ends[1], 1, "refunded");
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
        (uint256 owed, uint256 elsewhere) = _sums();
        for (uint256 i = 0; i < handler.jobCount(); ++i) {
            if (handler.isOpen(i)) owed += handler.jobAt(i).amount;
        }
        uint256 held = handler.token().balanceOf(address(handler.escrow()));
        vm.assertEq(held, owed, "held");
        vm.assertEq(held + elsewhere, handler.token().totalSupply(), "somebody else was paid");
    }

    function _handler() internal view override returns (JobsHandler) {
        return handler;
    }

    function _endOf(uint256 job, uint256[4] memory) internal view override returns (uint256) {
        return uint256(handler.statusOf(job)) - uint256(IInferenceEscrow.JobStatus.Captured);
    }
}
