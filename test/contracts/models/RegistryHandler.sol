// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IModelRegistry} from "../../../contracts/interfaces/IModelRegistry.sol";
import {ModelRegistry} from "../../../contracts/models/ModelRegistry.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {Groth16Simulator} from "../utils/Groth16Simulator.sol";
import {bound, vm} from "../utils/Vm.sol";

/// @title RegistryHandler
/// @notice Random use of the registry by several accounts, with its own account of what must be there.
contract RegistryHandler {
    uint256 private constant OWNERS = 3;
    uint256 private constant VERSIONS = 4;

    ModelRegistry public immutable registry;
    bytes[] private _keys;

    bytes32[] public modelIds;
    bytes32[] public versionIds;
    /// @notice keccak256 of what readers saw directly after publication, without the deprecation.
    mapping(bytes32 versionId => bytes32) public fingerprintOf;
    mapping(bytes32 versionId => bool) public isDeprecated;
    mapping(bytes32 versionId => uint256) public deprecatedAt;
    mapping(bytes32 modelId => uint256) public versionCountOf;
    mapping(bytes32 modelId => address) public ownerOf;

    constructor() {
        registry = ModelRegistry(deployArtifact("ModelRegistry", ""));
        for (uint256 words = 2; words <= 3; ++words) {
            _keys.push(Groth16Simulator.makeKey(Groth16Simulator.makeTrapdoor(words, words + 1)));
        }
    }

    function register(uint256 ownerSeed, uint256 slugSeed) external {
        address owner = _owner(ownerSeed);
        string memory slug = slugSeed % 2 == 0 ? "even" : "odd";
        bytes32 modelId = registry.computeModelId(owner, slug);
        vm.prank(owner);
        try registry.registerModel(slug) returns (bytes32 registered) {
            vm.assertEq(registered, modelId, "model id");
            vm.assertEq(ownerOf[modelId], address(0), "registered twice");
            ownerOf[modelId] = owner;
            modelIds.push(modelId);
        } catch {
            vm.assertEq(ownerOf[modelId], owner, "a new model was refused");
        }
    }

    function publish(uint256 modelSeed, uint256 callerSeed, uint256 versionSeed) external {
        if (modelIds.length == 0) return;
        bytes32 modelId = modelIds[modelSeed % modelIds.length];
        IModelRegistry.VersionParams memory params = _params(versionSeed);
        bytes32 versionId = registry.computeVersionId(modelId, params.major, params.minor);
        address caller = _owner(callerSeed);
        bool isAllowed = caller == ownerOf[modelId] && fingerprintOf[versionId] == 0;
        vm.prank(caller);
        try registry.publishVersion(modelId, params) {
            vm.assertTrue(isAllowed, "a version that had to be refused");
            fingerprintOf[versionId] = fingerprint(versionId);
            versionIds.push(versionId);
            ++versionCountOf[modelId];
        } catch {
            vm.assertFalse(isAllowed, "a version that had to be accepted");
        }
    }

    function deprecate(uint256 versionSeed, uint256 callerSeed) external {
        if (versionIds.length == 0) return;
        bytes32 versionId = versionIds[versionSeed % versionIds.length];
        address caller = _owner(callerSeed);
        bool isAllowed =
            caller == ownerOf[registry.getVersion(versionId).modelId] && !isDeprecated[versionId];
        vm.prank(caller);
        try registry.deprecateVersion(versionId) {
            vm.assertTrue(isAllowed, "a deprecation that had to be refused");
            isDeprecated[versionId] = true;
            deprecatedAt[versionId] = block.timestamp;
        } catch {
            vm.assertFalse(isAllowed, "a deprecation that had to be accepted");
        }
    }

    function wait(uint256 seed) external {
        vm.warp(block.timestamp + bound(seed, 0, 1 days));
    }

    function fingerprint(bytes32 versionId) public view returns (bytes32) {
        IModelRegistry.VersionView memory version = registry.getVersion(versionId);
        version.status = IModelRegistry.VersionStatus.Unknown;
        version.deprecatedAt = 0;
        (, address keyStore, uint16 inputWords, uint16 outputWords, ) = registry.settlementData(versionId);
        return
            keccak256(
                abi.encode(
                    version,
                    registry.getVerifyingKey(versionId),
                    keyStore.code,
                    inputWords,
                    outputWords
                )
            );
    }

    function modelCount() external view returns (uint256) {
        return modelIds.length;
    }

    function versionCount() external view returns (uint256) {
        return versionIds.length;
    }

    function _owner(uint256 seed) private pure returns (address) {
        return address(uint160(0x1000 + (seed % OWNERS)));
    }

    function _params(uint256 seed) private view returns (IModelRegistry.VersionParams memory params) {
        uint256 outputWords = 1 + ((seed >> 8) % 2);
        params.minor = uint32(seed % VERSIONS);
        params.modelHash = keccak256(abi.encode("model", seed));
        params.blobId = bytes32(seed);
        params.circuitHash = keccak256(abi.encode("circuit", seed));
        if (seed % 3 != 0) {
            params.transcriptHash = keccak256(abi.encode("transcript", seed));
            params.csHash = abi.encode(params.circuitHash, params.transcriptHash);
        }
        // What is under a commitment may be of any size; packed, it has to be one word here.
        bool isCommitted = seed % 5 == 0;
        if (isCommitted) params.inputMode = IModelRegistry.InputMode.Committed;
        params.verifyingKey = _keys[outputWords - 1];
        params.inputLayout = new IModelRegistry.TensorLayout[](1);
        params.inputLayout[0] = IModelRegistry.TensorLayout(
            uint32(1 + (seed % (isCommitted ? 1_000_000 : 248))),
            1,
            false,
            int8(uint8(seed))
        );
        params.outputLayout = new IModelRegistry.TensorLayout[](1);
        params.outputLayout[0] = IModelRegistry.TensorLayout(uint32(outputWords), 248, true, 0);
    }
}
