// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILegacyAnswers} from "../../../contracts/interfaces/ILegacyAnswers.sol";
import {ILegacyTEERegistry} from "../../../contracts/interfaces/ILegacyTEERegistry.sol";
import {ITEERegistryLens} from "../../../contracts/interfaces/ITEERegistryLens.sol";
import {ITEERegistryTypes} from "../../../contracts/interfaces/ITEERegistryTypes.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {vm} from "../utils/Vm.sol";
import {TEERegistryHandler} from "./TEERegistryHandler.sol";

contract TEERegistryInvariants {
    uint8 private constant TEE_TYPE = 0;

    TEERegistryHandler private handler;

    function setUp() public {
        handler = TEERegistryHandler(deployArtifact("TEERegistryHandler", ""));
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev The handler is worth something only if its calls get through.
    function test_HandlerAdmitsBeatsDisablesAndBans() public {
        handler.attest(0, 0, 0, 100, true);
        handler.attest(1, 1, 1, 100, true);
        handler.attest(2, 0, 1, 100, false);
        vm.assertEq(handler.admittedCount(), 2, "admitted");
        (bytes32 teeId, ) = handler.keyAt(0);
        vm.assertTrue(handler.isActive(teeId), "active");
        handler.beat(0, 0, 2 hours);
        handler.attest(0, 0, 0, 50, true);
        handler.disable(0, 1);
        handler.disable(0, 0);
        handler.enable(0, 0);
        handler.toggleImage(0);
        handler.toggleImage(0);
        vm.assertFalse(handler.isActive(teeId), "another generation");
        handler.attest(0, 0, 0, 1, true);
        vm.assertTrue(handler.isActive(teeId), "renewed");
        handler.pass(0);
        (, uint256 timestamp, , bool isTrusted) = handler.sampleAt(0);
        vm.assertTrue(isTrusted, "trusted in the past");
        handler.replaceVerifier(1);
        vm.assertFalse(handler.isActive(teeId), "another verifier");
        handler.pause(1 hours);
        handler.attest(3, 0, 0, 0, true);
        handler.attest(0, 0, 0, 0, true);
        vm.assertTrue(handler.isActive(teeId), "attested under the new verifier");
        handler.replaceVerifier(0);
        handler.pass(2);
        handler.attest(0, 0, 0, 0, true);
        handler.withdraw(0, 1);
        vm.assertFalse(handler.isActive(teeId), "revoked at another verifier");
        handler.pass(4);
        handler.attest(0, 0, 0, 0, true);
        handler.attest(0, 0, 0, 1, true);
        vm.assertTrue(handler.isActive(teeId), "another certificate");
        handler.ban(0, false);
        handler.ban(0, true);
        vm.assertFalse(handler.isActive(teeId), "banned");
        handler.retire(0, 0);
        handler.liftBan(0, true);
        handler.enable(0, 0);
        vm.assertFalse(handler.isActive(teeId), "retired");
        vm.assertTrue(handler.registry().isActiveAt(teeId, timestamp), "trusted in the past again");
        vm.assertEq(handler.refusedCount(), 6, "refused");
    }

    /// @dev What was true of a past second stays so, but for what excludes a node whatever the time.
    function invariant_PastVerdictsAreThoseOfTheirTime() public view {
        uint256 count = handler.sampleCount();
        for (uint256 i = 0; i < count; ++i) {
            (bytes32 teeId, uint256 timestamp, bool wasInService, bool isTrusted) = handler.sampleAt(i);
            vm.assertTrue(
                handler.registry().wasInService(teeId, timestamp) == wasInService,
                "in service in the past"
            );
            vm.assertTrue(handler.registry().isActiveAt(teeId, timestamp) == isTrusted, "active in the past");
        }
    }

    /// @dev The active set is exactly the nodes that satisfy every condition.
    function invariant_ActiveSetIsExact() public view {
        uint256 count = handler.admittedCount();
        uint256 activeCount = 0;
        for (uint256 i = 0; i < count; ++i) {
            bytes32 teeId = handler.admitted(i);
            bool isActive = handler.isActive(teeId);
            if (isActive) ++activeCount;
            vm.assertTrue(handler.registry().isTEEActive(teeId) == isActive, "active now");
            vm.assertTrue(
                handler.registry().isActiveAt(teeId, block.timestamp) == isActive,
                "active at this time"
            );
        }
        bytes32[] memory active = handler.lens().listActiveNodes(TEE_TYPE, 0, type(uint256).max);
        vm.assertEq(active.length, activeCount, "active list");
        for (uint256 i = 0; i < active.length; ++i) {
            vm.assertTrue(handler.isActive(active[i]), "in the list, not active");
        }
    }

    /// @dev Nobody but a node's operator, its own key, the guardian and governance changes it.
    function invariant_NodesAreWhatTheirOwnersMadeThem() public view {
        for (uint256 i = 0; i < 4; ++i) {
            (bytes32 teeId, ) = handler.keyAt(i);
            TEERegistryHandler.Standing memory standing = handler.standingOf(teeId);
            bool isKnown = standing.status != ITEERegistryTypes.NodeStatus.Unknown;
            if (!isKnown) {
                vm.assertFalse(handler.registry().isTEEEnabled(teeId), "unknown and enabled");
                continue;
            }
            ITEERegistryLens.NodeView memory node = handler.lens().getNode(teeId);
            ILegacyTEERegistry.TEEInfo memory info = handler.registry().getTEE(teeId);
            vm.assertEq(uint256(node.status), uint256(standing.status), "status");
            vm.assertEq(info.owner, standing.operator, "operator");
            vm.assertEq(uint256(node.imageGeneration), uint256(standing.generation), "generation");
            vm.assertEq(uint256(node.verifierGeneration), uint256(standing.verifierGeneration), "verifier");
            vm.assertEq(uint256(node.attestedAt), standing.attestedAt, "attested");
            vm.assertEq(info.lastHeartbeatAt, standing.lastHeartbeatAt, "heartbeat");
            vm.assertEq(keccak256(info.publicKey), teeId, "key");
        }
    }

    function invariant_EveryNodeIsListedOnce() public view {
        bytes32[] memory listed = ILegacyAnswers(address(handler.registry())).getTEEsByType(TEE_TYPE);
        vm.assertEq(listed.length, handler.admittedCount(), "count");
        for (uint256 i = 0; i < listed.length; ++i) {
            vm.assertEq(listed[i], handler.admitted(i), "order");
        }
    }
}
