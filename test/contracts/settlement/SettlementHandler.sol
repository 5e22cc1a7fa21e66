// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGroth16Errors} from "../../../contracts/interfaces/IGroth16Errors.sol";
import {IInferenceSettlement} from "../../../contracts/interfaces/IInferenceSettlement.sol";
import {IModelRegistry} from "../../../contracts/interfaces/IModelRegistry.sol";
import {ModelRegistry} from "../../../contracts/models/ModelRegistry.sol";
import {InferenceSettlement} from "../../../contracts/settlement/InferenceSettlement.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {Groth16Simulator} from "../utils/Groth16Simulator.sol";
import {Vm, bound, vm} from "../utils/Vm.sol";

/// @title SettlementHandler
/// @notice Random honest and dishonest use of the settlement, with its own account of what must have happened.
/// Every call ends in success or in exactly the error that the account predicts.
contract SettlementHandler {
    uint256 private constant NODES = 3;
    /// @dev Nonces around the edge of a bitmap word.
    uint256 private constant FIRST_NONCE = 250;
    uint256 private constant NONCES = 12;
    uint256 private constant ORDER =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant START = 1_700_000_000;

    InferenceSettlement public immutable settlement;
    ModelRegistry public immutable registry;
    bytes32 public versionId;
    bytes32 private _deprecatedId;
    uint256 private _deprecatedAt;

    Groth16Simulator.Trapdoor private _trapdoor;
    bytes private _key;
    bytes32 private _modelId;
    uint32 private _minor;

    /// @notice The handler's own account.
    mapping(bytes32 requestId => bool) public isSettled;
    mapping(bytes32 requestId => uint256) public eventCount;
    uint256 public settledCount;
    uint256 public refusedCount;

    enum Fault {
        None,
        SignalChanged,
        OtherRequest,
        OtherSigner,
        ProofChanged
    }

    constructor() {
        vm.warp(START);
        registry = ModelRegistry(deployArtifact("ModelRegistry", ""));
        address manager = deployArtifact("AccessManager", abi.encode(address(this)));
        bytes memory arguments = abi.encode(manager, registry, 7 days);
        settlement = InferenceSettlement(deployArtifact("InferenceSettlement", arguments));
        _trapdoor = Groth16Simulator.makeTrapdoor(1, 4);
        _key = Groth16Simulator.makeKey(_trapdoor);
        _modelId = registry.registerModel("model");
        _publish();
    }

    /// @notice A settlement without fault, by the node itself or with its signature.
    function settle(uint256 nodeSeed, uint256 nonceSeed, uint256 wordSeed, bool isDirect) external {
        _settle(nodeSeed, nonceSeed, wordSeed, isDirect, Fault.None);
    }

    function settleWithFault(
        uint256 nodeSeed,
        uint256 nonceSeed,
        uint256 wordSeed,
        uint256 faultSeed
    ) external {
        _settle(nodeSeed, nonceSeed, wordSeed, false, Fault(bound(faultSeed, 1, uint256(type(Fault).max))));
    }

    function deprecateAndPublish() external {
        registry.deprecateVersion(versionId);
        (_deprecatedId, _deprecatedAt) = (versionId, block.timestamp);
        _publish();
    }

    /// @notice A result of the version that was deprecated last, from before or after its deprecation.
    function settleDeprecated(
        uint256 nodeSeed,
        uint256 nonceSeed,
        uint256 wordSeed,
        uint256 timeSeed
    ) external {
        if (_deprecatedId == 0) return;
        address node = nodeAt(nodeSeed % NODES);
        bytes32 requestId = requestIdOf(node, FIRST_NONCE + (nonceSeed % NONCES));
        (IInferenceSettlement.InferenceResult memory result, uint256[] memory words) = _result(
            requestId,
            wordSeed
        );
        result.modelVersion = _deprecatedId;
        result.timestamp = uint64(bound(timeSeed, _deprecatedAt - 1 hours, block.timestamp));
        bytes4 expected;
        if (block.timestamp > result.timestamp + settlement.settlementWindow()) {
            expected = IInferenceSettlement.InferenceSettlement_ResultExpired.selector;
        } else if (isSettled[requestId]) {
            expected = IInferenceSettlement.InferenceSettlement_AlreadySettled.selector;
        } else if (result.timestamp >= _deprecatedAt) {
            expected = IInferenceSettlement.InferenceSettlement_VersionDeprecated.selector;
        }
        _call(result, words, _prove(result, words, wordSeed), "", node, expected);
    }

    function setWindow(uint256 seed) external {
        settlement.setSettlementWindow(uint64(bound(seed, 1 hours, 90 days)));
    }

    function wait(uint256 seed) external {
        vm.warp(block.timestamp + bound(seed, 0, 10 days));
    }

    function nodeAt(uint256 index) public pure returns (address) {
        return vm.addr(1 + index);
    }

    function nodeCount() external pure returns (uint256) {
        return NODES;
    }

    function firstNonce() external pure returns (uint256) {
        return FIRST_NONCE;
    }

    function nonceCount() external pure returns (uint256) {
        return NONCES;
    }

    function requestIdOf(address node, uint256 nonce) public pure returns (bytes32) {
        return bytes32((uint256(uint160(node)) << 96) | nonce);
    }

    function _settle(
        uint256 nodeSeed,
        uint256 nonceSeed,
        uint256 wordSeed,
        bool isDirect,
        Fault fault
    ) private {
        uint256 nodeIndex = nodeSeed % NODES;
        bytes32 requestId = requestIdOf(nodeAt(nodeIndex), FIRST_NONCE + (nonceSeed % NONCES));
        (IInferenceSettlement.InferenceResult memory result, uint256[] memory words) = _result(
            requestId,
            wordSeed
        );
        bytes memory proof = _prove(result, words, wordSeed);
        bytes memory signature = _sign(nodeIndex, result);
        bytes4 expected =
            isSettled[requestId]
                ? IInferenceSettlement.InferenceSettlement_AlreadySettled.selector
                : bytes4(0);

        if (fault == Fault.SignalChanged) {
            words[0] = (words[0] + 1) % ORDER;
            if (expected == 0) expected = IInferenceSettlement.InferenceSettlement_InputHashMismatch.selector;
        } else if (fault == Fault.OtherRequest) {
            // The proof was made for another price: signed anew, but not proven.
            result.price += 1;
            signature = _sign(nodeIndex, result);
            if (expected == 0) expected = IGroth16Errors.Groth16_ProofInvalid.selector;
        } else if (fault == Fault.OtherSigner) {
            signature = _sign((nodeIndex + 1) % NODES, result);
            expected = IInferenceSettlement.InferenceSettlement_NodeSignatureInvalid.selector;
        } else if (fault == Fault.ProofChanged) {
            proof[255] ^= 0x01;
            if (expected == 0) expected = IGroth16Errors.Groth16_ProofPointInvalid.selector;
        }
        _call(
            result,
            words,
            proof,
            isDirect ? bytes("") : signature,
            isDirect ? nodeAt(nodeIndex) : address(this),
            expected
        );
    }

    function _call(
        IInferenceSettlement.InferenceResult memory result,
        uint256[] memory words,
        bytes memory proof,
        bytes memory signature,
        address caller,
        bytes4 expected
    ) private {
        vm.recordLogs();
        vm.prank(caller);
        try settlement.settleZkml(result, words, proof, signature) {
            vm.assertTrue(expected == 0, "a settlement that had to be refused");
            isSettled[result.requestId] = true;
            ++settledCount;
        } catch (bytes memory reason) {
            vm.assertEq(bytes32(bytes4(reason)), bytes32(expected), "another error than predicted");
            ++refusedCount;
        }
        _countEvents();
    }

    function _countEvents() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IInferenceSettlement.InferenceSettled.selector) {
                ++eventCount[logs[i].topics[1]];
            }
        }
    }

    function _result(
        bytes32 requestId,
        uint256 wordSeed
    ) private view returns (IInferenceSettlement.InferenceResult memory result, uint256[] memory words) {
        words = new uint256[](3);
        for (uint256 i = 0; i < 3; ++i) words[i] = Groth16Simulator.scalar(wordSeed, i);
        result.modelVersion = versionId;
        result.inputHash = keccak256(abi.encodePacked(words[0], words[1]));
        result.outputHash = keccak256(abi.encodePacked(words[2]));
        result.requestId = requestId;
        result.price = wordSeed % 1 ether;
        result.timestamp = uint64(block.timestamp);
    }

    function _prove(
        IInferenceSettlement.InferenceResult memory result,
        uint256[] memory words,
        uint256 seed
    ) private view returns (bytes memory) {
        uint256[] memory signals = new uint256[](4);
        for (uint256 i = 0; i < 3; ++i) signals[i] = words[i];
        signals[3] = settlement.contextOf(result);
        return Groth16Simulator.makeProof(_trapdoor, signals, seed);
    }

    function _sign(
        uint256 nodeIndex,
        IInferenceSettlement.InferenceResult memory result
    ) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(1 + nodeIndex, settlement.hashResult(result));
        return abi.encodePacked(r, s, v);
    }

    function _publish() private {
        IModelRegistry.VersionParams memory params;
        params.major = 1;
        params.minor = _minor++;
        params.modelHash = keccak256("model");
        params.circuitHash = keccak256("circuit");
        params.verifyingKey = _key;
        params.inputLayout = new IModelRegistry.TensorLayout[](1);
        params.inputLayout[0] = IModelRegistry.TensorLayout(2, 248, false, 0);
        params.outputLayout = new IModelRegistry.TensorLayout[](1);
        params.outputLayout[0] = IModelRegistry.TensorLayout(1, 248, false, 0);
        versionId = registry.publishVersion(_modelId, params);
    }
}
