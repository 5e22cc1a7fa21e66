// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPageSettlementTypes} from "../../../contracts/interfaces/IPageSettlementTypes.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {vm} from "../utils/Vm.sol";
import {ChannelHandler} from "./ChannelHandler.sol";

contract ChannelGateInvariants {
    ChannelHandler private handler;

    function setUp() public {
        handler = ChannelHandler(deployArtifact("ChannelHandler", ""));
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev The handler is worth something only if its calls get through.
    function test_HandlerCountsClaimsPaysAndGivesBack() public {
        uint256 final_ = uint256(IPageSettlementTypes.PageState.Final);
        for (uint256 i = 0; i < 3; ++i) handler.deposit(i, 10e18 - 1);
        handler.countResult(0, 0, 0, 1e18, 2);
        handler.countResult(0, 0, 1, 1e18, 0);
        handler.countResult(0, 1, 1, 1e18, 1);
        handler.countPage(1, 1, 2, 2e18, final_);
        handler.countPage(1, 1, 3, 2e18, final_ - 1);
        handler.countPage(1, 2, 3, 2e18, final_);
        handler.countPage(2, 2, 2, 2e18, final_);
        vm.assertEq(handler.honest(0), 1e18, "alone");
        vm.assertEq(handler.honest(1), 2e18, "in a page");
        vm.assertEq(handler.honest(2), 0, "another's");
        for (uint256 i = 0; i < 3; ++i) handler.claim(i, 5e18 - 1);
        handler.setBlocked(true, true);
        handler.collect();
        vm.assertEq(handler.gate().creditOf(address(handler.token()), handler.PAYEE()), 2.925e18, "credit");
        check();
        handler.setBlocked(true, false);
        handler.withdrawCredit(true);
        vm.assertEq(handler.token().balanceOf(handler.PAYEE()), 2.925e18, "paid");
        handler.refund(0, 1e18 - 1, 1);
        handler.withdraw(1, 1e18 - 1, true);
        handler.wait(1 days);
        handler.withdraw(1, 0, false);
        (uint256 held, ) = handler.batch().channels(handler.idOf(1));
        vm.assertTrue(held < 10e18, "withdrawn");
        check();
    }

    function check() private view {
        invariant_ClaimsNoMoreThanProvenAndSigned();
        invariant_ProvesTheSumOfSettledPrices();
        invariant_ARequestCountsOnce();
        invariant_TokensAreWhereTheyBelong();
    }

    function invariant_ClaimsNoMoreThanProvenAndSigned() public view {
        for (uint256 i = 0; i < handler.channelCount(); ++i) {
            (, uint256 claimed) = handler.batch().channels(handler.idOf(i));
            vm.assertTrue(claimed <= handler.honest(i), "claimed more than was proven");
            vm.assertTrue(claimed <= handler.signed(i), "claimed more than was signed");
        }
    }

    function invariant_ProvesTheSumOfSettledPrices() public view {
        for (uint256 i = 0; i < handler.channelCount(); ++i) {
            vm.assertEq(handler.gate().provenOf(handler.idOf(i)), handler.honest(i), "proven");
        }
    }

    function invariant_ARequestCountsOnce() public view {
        for (uint256 i = 0; i < handler.requestCount(); ++i) {
            bytes32 requestId = handler.requestAt(i);
            uint256 count = handler.counts(requestId);
            vm.assertTrue(count <= 1, "counted twice");
            vm.assertTrue(handler.gate().isCounted(requestId) == (count == 1), "record");
        }
    }

    /// @dev All that was claimed is with payee, receiver of the fee and gate, or waits for the gate; the rest is in the
    /// channels or with payers.
    function invariant_TokensAreWhereTheyBelong() public view {
        address gate = address(handler.gate());
        address token = address(handler.token());
        uint256 claimed;
        uint256 held;
        for (uint256 i = 0; i < handler.channelCount(); ++i) {
            (uint256 balance, uint256 total) = handler.batch().channels(handler.idOf(i));
            (claimed, held) = (claimed + total, held + balance);
        }
        (uint256 due, uint256 settled) = handler.batch().receivers(gate, token);
        vm.assertEq(due, claimed, "claimed for another receiver");
        uint256 out =
            handler.token().balanceOf(handler.PAYEE()) +
                handler.token().balanceOf(handler.FEE_RECEIVER()) +
                handler.token().balanceOf(gate);
        vm.assertEq(out, settled, "paid");
        vm.assertEq(handler.token().balanceOf(address(handler.batch())), held - settled, "in the channels");
        uint256 credits =
            handler.gate().creditOf(token, handler.PAYEE()) +
                handler.gate().creditOf(token, handler.FEE_RECEIVER());
        vm.assertTrue(credits <= handler.token().balanceOf(gate), "credit without tokens");
    }
}
