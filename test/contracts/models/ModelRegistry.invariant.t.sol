// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IModelRegistry} from "../../../contracts/interfaces/IModelRegistry.sol";
import {ModelRegistry} from "../../../contracts/models/ModelRegistry.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {vm} from "../utils/Vm.sol";
import {RegistryHandler} from "./RegistryHandler.sol";

contract ModelRegistryInvariants {
    RegistryHandler private handler;
    ModelRegistry private registry;

    function setUp() public {
        handler = RegistryHandler(deployArtifact("RegistryHandler", ""));
        registry = handler.registry();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev The handler is worth something only if its calls get through.
    function test_HandlerPublishesAndDeprecates() public {
        handler.register(0, 0);
        handler.register(0, 0);
        handler.publish(0, 0, 1);
        handler.publish(0, 1, 2);
        handler.deprecate(0, 0);
        vm.assertEq(handler.modelCount(), 1, "models");
        vm.assertEq(handler.versionCount(), 1, "versions");
        vm.assertTrue(handler.isDeprecated(handler.versionIds(0)), "deprecated");
    }

    function invariant_PublishedVersionsNeverChange() public view {
        for (uint256 i = 0; i < handler.versionCount(); ++i) {
            bytes32 versionId = handler.versionIds(i);
            vm.assertEq(handler.fingerprint(versionId), handler.fingerprintOf(versionId), "version changed");
        }
    }

    /// @dev Unknown -> Published -> Deprecated, and no other way.
    function invariant_StatusFollowsTheLife() public view {
        for (uint256 i = 0; i < handler.versionCount(); ++i) {
            bytes32 versionId = handler.versionIds(i);
            (IModelRegistry.VersionStatus status, , , , uint64 deprecatedAt) = registry.settlementData(
                versionId
            );
            vm.assertEq(deprecatedAt, handler.deprecatedAt(versionId), "time of the deprecation");
            vm.assertTrue(
                status ==
                    (
                        handler.isDeprecated(versionId)
                            ? IModelRegistry.VersionStatus.Deprecated
                            : IModelRegistry.VersionStatus.Published
                    ),
                "status"
            );
        }
    }

    function invariant_ListsAreComplete() public view {
        uint256 models = handler.modelCount();
        vm.assertEq(registry.modelCount(), models, "model count");
        bytes32[] memory listed = registry.listModels(0, type(uint256).max);
        vm.assertEq(listed.length, models, "model list");
        uint256 versions = 0;
        for (uint256 i = 0; i < models; ++i) {
            vm.assertEq(listed[i], handler.modelIds(i), "model order");
            IModelRegistry.ModelView memory model = registry.getModel(listed[i]);
            vm.assertEq(model.owner, handler.ownerOf(listed[i]), "model owner");
            vm.assertEq(model.versionCount, handler.versionCountOf(listed[i]), "version count");
            versions += registry.listVersions(listed[i], 0, type(uint256).max).length;
        }
        vm.assertEq(versions, handler.versionCount(), "version lists");
    }
}
