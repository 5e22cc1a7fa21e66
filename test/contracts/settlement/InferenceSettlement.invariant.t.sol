// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {deployArtifact} from "../utils/DeployArtifact.sol";
import {vm} from "../utils/Vm.sol";
import {SettlementHandler} from "./SettlementHandler.sol";

contract InferenceSettlementInvariants {
    SettlementHandler private handler;

    function setUp() public {
        handler = SettlementHandler(deployArtifact("SettlementHandler", ""));
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev The handler is worth something only if its calls get through, and its faults are faults.
    function test_HandlerSettlesAndRefuses() public {
        handler.settle(0, 0, 1, true);
        handler.settle(0, 1, 2, false);
        handler.settle(0, 0, 3, false);
        for (uint256 fault = 0; fault < 4; ++fault) {
            handler.settleWithFault(1, fault, 4, fault);
        }
        vm.assertEq(handler.settledCount(), 2, "settled");
        vm.assertEq(handler.refusedCount(), 5, "refused");
        handler.deprecateAndPublish();
        handler.settleDeprecated(0, 3, 5, 0);
        vm.assertEq(handler.settledCount(), 3, "answered before the deprecation");
        handler.settleDeprecated(0, 4, 5, 1 hours);
        vm.assertEq(handler.refusedCount(), 6, "answered in its second");
    }

    /// @dev Settled once and recorded once, or never: for every request that the handler can name.
    function invariant_BitmapEqualsEvents() public view {
        for (uint256 i = 0; i < handler.nodeCount(); ++i) {
            address node = handler.nodeAt(i);
            uint256[2] memory bitmap;
            for (uint256 j = 0; j < handler.nonceCount(); ++j) {
                uint256 nonce = handler.firstNonce() + j;
                bytes32 requestId = handler.requestIdOf(node, nonce);
                bool isSettled = handler.isSettled(requestId);
                vm.assertEq(handler.eventCount(requestId), isSettled ? 1 : 0, "events");
                vm.assertTrue(handler.settlement().isSettled(requestId) == isSettled, "record");
                if (isSettled) bitmap[nonce / 256] |= 1 << (nonce % 256);
            }
            vm.assertEq(
                handler.settlement().occupied((uint256(uint160(node)) << 88) | 0),
                bitmap[0],
                "first page"
            );
            vm.assertEq(
                handler.settlement().occupied((uint256(uint160(node)) << 88) | 1),
                bitmap[1],
                "second page"
            );
        }
    }

    function invariant_WindowStaysInBounds() public view {
        uint64 window = handler.settlement().settlementWindow();
        vm.assertTrue(window >= handler.settlement().MINIMUM_SETTLEMENT_WINDOW(), "below the minimum");
        vm.assertTrue(window <= handler.settlement().MAXIMUM_SETTLEMENT_WINDOW(), "above the maximum");
    }
}
