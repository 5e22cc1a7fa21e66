// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IInferenceSettlement} from "../../interfaces/IInferenceSettlement.sol";
import {ITEERegistry} from "../../interfaces/ITEERegistry.sol";
import {Proposals} from "../Proposals.sol";
import {RequestIds} from "../RequestIds.sol";
import {SettlementBase} from "./SettlementBase.sol";

/// @title SignedSettlement
/// @notice Results that an enclave vouches for, and results that nobody does. A part of {InferenceSettlement}.
abstract contract SignedSettlement is SettlementBase {
    /// @inheritdoc IInferenceSettlement
    ITEERegistry public override teeRegistry;

    /// @dev Vanilla results have records of their own, and never use up a request.
    mapping(uint256 page => uint256 bitmap) private _vanillaPages;

    /// @inheritdoc IInferenceSettlement
    function setTeeRegistry(ITEERegistry registry) external override restricted {
        if (address(teeRegistry) != address(0)) revert InferenceSettlement_TEERegistryIsSet(teeRegistry);
        _requireContract(address(registry));
        teeRegistry = registry;
        emit TEERegistrySet(registry);
    }

    /// @inheritdoc IInferenceSettlement
    function settleTee(InferenceResult calldata result, bytes calldata signature) external override {
        _requireTimely(result.timestamp);
        _settleTee(result, signature);
    }

    /// @inheritdoc IInferenceSettlement
    function settleTeeLate(InferenceResult calldata result, bytes calldata signature) external override {
        _requireWriter();
        _settleTee(result, signature);
    }

    /// @inheritdoc IInferenceSettlement
    function settleVanilla(
        InferenceResult calldata result,
        uint64 deadline,
        bytes calldata proposalSignature
    ) external override {
        if (result.teeId != 0) revert InferenceSettlement_TeeIdNotZero(result.teeId);
        _requireTimely(result.timestamp);
        _requireVersion(result);
        bytes32 requestId = result.requestId;
        uint256 page = RequestIds.pageOf(requestId);
        uint256 bit = RequestIds.bitOf(requestId);
        address node = RequestIds.nodeOf(requestId);
        if (msg.sender != node) {
            if (block.timestamp > deadline) {
                revert InferenceSettlement_ProposalExpired(deadline, block.timestamp);
            }
            bytes32 structHash = Proposals.hashStruct(
                uint8(Verification.Vanilla),
                page,
                bit,
                hashResult(result),
                0,
                deadline
            );
            _requireConsent(node, _hashTypedDataV4(structHash), proposalSignature);
        }
        // A result that was settled as verified is not to be had as unverified afterwards.
        if ((occupied(page) | _vanillaPages[page]) & bit != 0) {
            revert InferenceSettlement_AlreadySettled(requestId);
        }
        _vanillaPages[page] |= bit;
        _emitSettled(result, Verification.Vanilla);
    }

    /// @inheritdoc IInferenceSettlement
    function isRecordedVanilla(bytes32 requestId) external view override returns (bool) {
        return _vanillaPages[RequestIds.pageOf(requestId)] & RequestIds.bitOf(requestId) != 0;
    }

    function _settleTee(InferenceResult calldata result, bytes calldata signature) private {
        _requireVersion(result);
        address expected = RequestIds.nodeOfEnclave(result.teeId);
        address node = RequestIds.nodeOf(result.requestId);
        if (node != expected) revert InferenceSettlement_WrongNode(expected, node);
        bytes32 digest = hashResult(result);
        // As with proofs, the record comes before the expensive checks, which are static calls to the registry.
        _record(result.requestId);
        _keepDigest(result.requestId, result.price, Verification.TEE, digest);
        _requireEnclave(result, digest, signature);
        _emitSettled(result, Verification.TEE);
    }

    function _requireVersion(InferenceResult calldata result) private view {
        (, , , uint256 deprecatedAt) = _knownVersion(result.modelVersion);
        _requireNotDeprecated(result.modelVersion, deprecatedAt, result.timestamp);
    }

    /// @dev The enclave was in service, and its key or a session key of it has signed. Heartbeats and the age of the
    /// attestation are not asked for: liveness is not truth, and a heartbeat must not change a verdict.
    function _requireEnclave(
        InferenceResult calldata result,
        bytes32 digest,
        bytes calldata signature
    ) private view {
        ITEERegistry registry = teeRegistry;
        if (address(registry) == address(0)) revert InferenceSettlement_NoTEERegistry();
        bytes32 teeId = result.teeId;
        // A node's clock may be ahead; nobody was in service in the future.
        uint256 time = result.timestamp < block.timestamp ? result.timestamp : block.timestamp;
        if (!registry.wasInService(teeId, time)) revert InferenceSettlement_NotInService(teeId, time);
        if (_isSignedBySession(registry, teeId, digest, signature, time)) return;
        if (!registry.isSignedBy(teeId, digest, signature)) {
            revert InferenceSettlement_EnclaveSignatureInvalid(teeId);
        }
    }

    function _isSignedBySession(
        ITEERegistry registry,
        bytes32 teeId,
        bytes32 digest,
        bytes calldata signature,
        uint256 time
    ) private view returns (bool) {
        (address key, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem != ECDSA.RecoverError.NoError) return false;
        ITEERegistry.SessionKey memory session = registry.sessionKey(teeId, key);
        return session.signsResults && time >= session.from && time < session.until;
    }

    function _emitSettled(InferenceResult calldata result, Verification verification) private {
        emit InferenceSettled(
            result.requestId,
            result.modelVersion,
            result.requester,
            verification,
            result.inputHash,
            result.outputHash,
            result.price,
            result.timestamp,
            result.teeId,
            new uint256[](0)
        );
    }
}
