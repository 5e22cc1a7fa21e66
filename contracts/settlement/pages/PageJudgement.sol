// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IInferenceSettlement} from "../../interfaces/IInferenceSettlement.sol";
import {IModelRegistry} from "../../interfaces/IModelRegistry.sol";
import {IPageSettlement} from "../../interfaces/IPageSettlement.sol";
import {ITEERegistry} from "../../interfaces/ITEERegistry.sol";
import {ITEERegistryTypes} from "../../interfaces/ITEERegistryTypes.sol";
import {InferenceResults} from "../InferenceResults.sol";
import {PageTree} from "../PageTree.sol";
import {RequestIds} from "../RequestIds.sol";
import {PageRecords} from "./PageRecords.sol";

/// @title PageJudgement
/// @notice What is wrong with a leaf. A part of {PageSettlement}.
///
/// Versions, services and session keys are judged as of the result's time, but of no later second than the one before the
/// proposal: nothing that happens in the proposal's own second or later changes a verdict, but for a ban, a denied operator or a
/// revoked certificate, which say that an enclave was never to be trusted. Of an optimistic page results and admissions are
/// from before the second of the proposal; what the model answers is not judged here at all but proved on demand.
///
/// @dev Static calls to the registries and no `try`: with too little gas a judgement reverts, and never says that a good
/// leaf is bad. `tryRecoverCalldata` and `isSignedBy` call precompiles that fail for want of gas only where a 63rd of their
/// price is left, with which nothing can be finished.
abstract contract PageJudgement is PageRecords {
    /// @notice How far an enclave's clock may be ahead of the chain's, in seconds.
    uint256 public constant MAXIMUM_CLOCK_SKEW = InferenceResults.MAXIMUM_CLOCK_SKEW;

    /// @inheritdoc IPageSettlement
    ITEERegistry public immutable override REGISTRY;
    IModelRegistry private immutable MODELS;
    /// @inheritdoc IPageSettlement
    mapping(bytes32 modelVersion => uint256 time) public override admittedAt;

    constructor() {
        ITEERegistry registry = SETTLEMENT.teeRegistry();
        if (address(registry) == address(0)) revert PageSettlement_NotAContract(address(0));
        REGISTRY = registry;
        MODELS = SETTLEMENT.modelRegistry();
    }

    /// @inheritdoc IPageSettlement
    function judgeLeaf(
        PageHeader calldata header,
        Leaf calldata leaf
    ) external view override returns (Reason reason) {
        bytes32 pageId = pageIdOf(header);
        (reason, ) = _judge(header, pageId, leaf);
    }

    /// @inheritdoc IPageSettlement
    function verifyInclusion(
        PageHeader calldata header,
        Leaf calldata leaf
    ) external view override returns (PageState state, uint256 until, uint256 proposerDeposit) {
        proposerDeposit = _accounts[header.proposer].amount;
        bool isIncluded =
            _isTaken(header, leaf.index) &&
                leaf.result.requestId == _requestAt(header, leaf.index) &&
                PageTree.climb(_leafOf(leaf), leaf.index, leaf.siblings) == header.root;
        if (!isIncluded) return (state, until, proposerDeposit);
        bytes32 pageId = pageIdOf(header);
        if ((provedIn[pageId] >> leaf.index) & 1 == 1) return (PageState.Final, 0, proposerDeposit);
        (state, until) = _stateInPage(pageId);
    }

    /// @dev Reverts for a leaf that does not lead to the root, or that the page does not take.
    /// @return reason what is wrong with it
    /// @return leafHash the leaf as it stands in the tree
    function _judge(
        PageHeader calldata header,
        bytes32 pageId,
        Leaf calldata leaf
    ) internal view returns (Reason reason, bytes32 leafHash) {
        _requireTaken(header, pageId, leaf.index);
        bytes32 digest = _digestOf(leaf.result);
        leafHash = PageTree.hashLeaf(digest, InferenceResults.hashCalldata(leaf.signature));
        if (PageTree.climb(leafHash, leaf.index, leaf.siblings) != header.root) {
            leafHash = PageTree.EMPTY_LEAF;
            if (PageTree.climb(leafHash, leaf.index, leaf.siblings) != header.root) {
                revert PageSettlement_NotIncluded(pageId, leaf.index);
            }
            return (Reason.MalformedLeaf, leafHash);
        }
        reason = _judgeResult(header, pageId, leaf, digest);
    }

    function _judgeResult(
        PageHeader calldata header,
        bytes32 pageId,
        Leaf calldata leaf,
        bytes32 digest
    ) private view returns (Reason) {
        IInferenceSettlement.InferenceResult calldata result = leaf.result;
        (Reason reason, uint256 proposedAt, uint256 time) = _judgePlace(header, pageId, leaf);
        if (reason != Reason.None) return reason;
        if (result.timestamp < time) time = result.timestamp;
        reason = _judgeSignature(header, result.teeId, digest, leaf.signature, time);
        if (reason != Reason.None) return reason;
        if (!_isVersionGood(result.modelVersion, time)) return Reason.VersionInvalid;
        if (_isProvable(header)) {
            uint256 admitted = admittedAt[result.modelVersion];
            return admitted != 0 && admitted < proposedAt ? Reason.None : Reason.VersionInvalid;
        }
        return REGISTRY.wasInService(result.teeId, time) ? Reason.None : Reason.KeyNotInService;
    }

    /// @dev What is wrong with where and when a result is.
    /// @return reason None, MalformedLeaf, WrongNode or OutsideWindow
    /// @return proposedAt when the page was proposed; now if it was not
    /// @return latest second as of which it is judged: the one before the proposal. Of a page that was not proposed it is
    /// now, since its proposal comes in a later second: what has ended by now is known to whoever asks
    function _judgePlace(
        PageHeader calldata header,
        bytes32 pageId,
        Leaf calldata leaf
    ) internal view returns (Reason reason, uint256 proposedAt, uint256 latest) {
        IInferenceSettlement.InferenceResult calldata result = leaf.result;
        PageRecord storage record = _records[pageId];
        proposedAt = record.proposedAt;
        uint256 resultWindow = record.resultWindow;
        if (proposedAt == 0) {
            proposedAt = block.timestamp;
            latest = proposedAt;
            resultWindow = _settings.resultWindow;
        } else latest = proposedAt - 1;
        if (result.requestId != _requestAt(header, leaf.index)) reason = Reason.MalformedLeaf;
        else if (result.teeId != header.teeId) reason = Reason.WrongNode;
        else {
            // Of an optimistic page there is a proof to come, for which a version's deprecation counts at the result's time.
            uint256 newest = _isProvable(header) ? proposedAt - 1 : proposedAt + MAXIMUM_CLOCK_SKEW;
            if (result.timestamp > newest || proposedAt > uint256(result.timestamp) + resultWindow) {
                reason = Reason.OutsideWindow;
            }
        }
    }

    /// @dev Session keys are certified once, and their terms stay known when they end. Of a node without an enclave only its
    /// account's own key counts, and its code is not looked at: an account gets code and loses it (EIP-7702), and contracts
    /// change what they say of a signature.
    /// @return reason None, InvalidSignature, or KeyNotInService for a session key at a time that it is not valid at
    function _judgeSignature(
        PageHeader calldata header,
        bytes32 teeId,
        bytes32 digest,
        bytes calldata signature,
        uint256 time
    ) internal view returns (Reason) {
        if (_isProvable(header)) {
            bool isNodes = _isSignedBy(RequestIds.nodeOfPage(header.ledgerPage), digest, signature);
            return isNodes ? Reason.None : Reason.InvalidSignature;
        }
        (address key, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem == ECDSA.RecoverError.NoError) {
            ITEERegistryTypes.SessionKey memory session = REGISTRY.sessionKey(teeId, key);
            if (session.signsResults) {
                return time >= session.from && time < session.until ? Reason.None : Reason.KeyNotInService;
            }
        }
        // Reverts for an unknown node, of which there are no pages.
        return REGISTRY.isSignedBy(teeId, digest, signature) ? Reason.None : Reason.InvalidSignature;
    }

    /// @dev Whether proofs of its results can be demanded, so that they are a node's own.
    function _isProvable(PageHeader calldata header) private pure returns (bool) {
        return header.kind == IInferenceSettlement.Verification.Optimistic;
    }

    /// @dev By the account's own key. Zero, which is nobody, signs nothing.
    function _isSignedBy(
        address account,
        bytes32 digest,
        bytes calldata signature
    ) internal pure returns (bool) {
        (address signer, ECDSA.RecoverError problem, ) = ECDSA.tryRecoverCalldata(digest, signature);
        return problem == ECDSA.RecoverError.NoError && signer == account;
    }

    function _isVersionGood(bytes32 modelVersion, uint256 time) private view returns (bool) {
        (IModelRegistry.VersionStatus status, , , , uint256 deprecatedAt) = MODELS.settlementData(
            modelVersion
        );
        if (status == IModelRegistry.VersionStatus.Published) return true;
        return status != IModelRegistry.VersionStatus.Unknown && time < deprecatedAt;
    }

    function _requireIncluded(PageHeader calldata header, bytes32 pageId, Leaf calldata leaf) internal view {
        _requireTaken(header, pageId, leaf.index);
        if (PageTree.climb(_leafOf(leaf), leaf.index, leaf.siblings) != header.root) {
            revert PageSettlement_NotIncluded(pageId, leaf.index);
        }
    }

    function _requireGood(bytes32 pageId, uint8 index, Reason reason) internal pure {
        if (reason != Reason.None) revert PageSettlement_LeafIsBad(pageId, index, reason);
    }

    function _requireTaken(PageHeader calldata header, bytes32 pageId, uint8 index) internal pure {
        if (!_isTaken(header, index)) revert PageSettlement_NotTaken(pageId, index);
    }

    function _leafOf(Leaf calldata leaf) private view returns (bytes32) {
        return PageTree.hashLeaf(_digestOf(leaf.result), InferenceResults.hashCalldata(leaf.signature));
    }

    /// @dev EIP-712 digest under the settlement's domain.
    function _digestOf(IInferenceSettlement.InferenceResult calldata result) internal view returns (bytes32) {
        return InferenceResults.toDigest(address(SETTLEMENT), InferenceResults.hashStruct(result));
    }

    function _isTaken(PageHeader calldata header, uint8 index) private pure returns (bool) {
        return (header.bitmap >> index) & 1 == 1;
    }

    /// @dev The request whose result belongs in this place.
    function _requestAt(PageHeader calldata header, uint8 index) private pure returns (bytes32) {
        return bytes32((header.ledgerPage << 8) | index);
    }
}
