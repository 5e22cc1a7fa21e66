// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IInferenceSettlement} from "../../interfaces/IInferenceSettlement.sol";
import {IModelRegistry} from "../../interfaces/IModelRegistry.sol";
import {Consent} from "../../utils/Consent.sol";
import {InferenceResults} from "../InferenceResults.sol";
import {RequestLedger} from "./RequestLedger.sol";

/// @title SettlementBase
/// @notice What every kind of settlement asks: is it in time, is the version's word good, does the node agree. A part of
/// {InferenceSettlement}.
abstract contract SettlementBase is IInferenceSettlement, RequestLedger, EIP712 {
    using InferenceResults for InferenceResult;

    /// @notice Bounds of the settlement window, in seconds.
    uint64 public constant MINIMUM_SETTLEMENT_WINDOW = InferenceResults.MINIMUM_WINDOW;
    uint64 public constant MAXIMUM_SETTLEMENT_WINDOW = InferenceResults.MAXIMUM_WINDOW;

    /// @notice How far a node's clock may be ahead of the chain's, in seconds.
    uint64 public constant MAXIMUM_CLOCK_SKEW = InferenceResults.MAXIMUM_CLOCK_SKEW;

    /// @inheritdoc IInferenceSettlement
    IModelRegistry public immutable override modelRegistry;

    /// @inheritdoc IInferenceSettlement
    uint64 public override settlementWindow;

    /// @inheritdoc IInferenceSettlement
    mapping(bytes32 requestId => bytes32 digest) public override digestOf;

    constructor(
        IModelRegistry registry
    ) EIP712(InferenceResults.DOMAIN_NAME, InferenceResults.DOMAIN_VERSION) {
        _requireContract(address(registry));
        modelRegistry = registry;
    }

    /// @inheritdoc IInferenceSettlement
    function hashResult(InferenceResult calldata result) public view override returns (bytes32) {
        return _hashTypedDataV4(result.hashStruct());
    }

    /// @inheritdoc IInferenceSettlement
    function contextOf(InferenceResult calldata result) external view override returns (uint256) {
        return InferenceResults.toContext(hashResult(result));
    }

    function _setSettlementWindow(uint64 window) internal {
        if (window < MINIMUM_SETTLEMENT_WINDOW || window > MAXIMUM_SETTLEMENT_WINDOW) {
            revert InferenceSettlement_SettlementWindowInvalid(
                MINIMUM_SETTLEMENT_WINDOW,
                MAXIMUM_SETTLEMENT_WINDOW,
                window
            );
        }
        uint64 previous = settlementWindow;
        settlementWindow = window;
        emit SettlementWindowChanged(previous, window);
    }

    /// @inheritdoc IInferenceSettlement
    function openDigestOf(bytes32 requestId, bytes32 modelVersion) external view override returns (bytes32) {
        if (modelRegistry.inputModeOf(modelVersion) == IModelRegistry.InputMode.Committed) return 0;
        return digestOf[requestId];
    }

    function _requireContract(address account) internal view {
        if (account.code.length == 0) revert InferenceSettlement_NotAContract(account);
    }

    function _requireTimely(uint256 timestamp) internal view {
        uint256 latest = block.timestamp + MAXIMUM_CLOCK_SKEW;
        if (timestamp > latest) revert InferenceSettlement_ResultFromFuture(latest, timestamp);
        // No window is shorter than the minimum: a younger result is in time whatever the window is, and the
        // storage read is saved.
        if (block.timestamp <= timestamp + MINIMUM_SETTLEMENT_WINDOW) return;
        uint256 deadline = timestamp + settlementWindow;
        if (block.timestamp > deadline) revert InferenceSettlement_ResultExpired(deadline, block.timestamp);
    }

    function _requireConsent(address node, bytes32 digest, bytes calldata signature) internal view {
        if (!Consent.isGiven(node, digest, signature)) revert InferenceSettlement_NodeSignatureInvalid(node);
    }

    /// @dev What settlement needs of a version. A deprecated one still has what was answered before, as long as
    /// `_requireTimely` lets it; `_requireNotDeprecated` looks at each result.
    /// @return keyStore zero for a version without a verifying key, which has no words either
    /// @return inputWords packed input words
    /// @return outputWords packed output words
    /// @return deprecatedAt the greatest number if it is not deprecated
    function _knownVersion(
        bytes32 modelVersion
    )
        internal
        view
        returns (address keyStore, uint256 inputWords, uint256 outputWords, uint256 deprecatedAt)
    {
        IModelRegistry.VersionStatus status;
        (status, keyStore, inputWords, outputWords, deprecatedAt) = modelRegistry.settlementData(
            modelVersion
        );
        if (status == IModelRegistry.VersionStatus.Unknown) {
            revert InferenceSettlement_VersionUnknown(modelVersion);
        }
        if (status == IModelRegistry.VersionStatus.Published) deprecatedAt = type(uint256).max;
    }

    function _requireNotDeprecated(
        bytes32 modelVersion,
        uint256 deprecatedAt,
        uint256 timestamp
    ) internal pure {
        if (timestamp >= deprecatedAt) {
            revert InferenceSettlement_VersionDeprecated(modelVersion, deprecatedAt, timestamp);
        }
    }

    /// @dev Whoever pays for a result has to see which one it was. Nobody pays for one without a price.
    function _keepDigest(
        bytes32 requestId,
        uint256 price,
        Verification verification,
        bytes32 digest
    ) internal {
        if (price != 0) digestOf[requestId] = keccak256(abi.encode(verification, digest));
    }
}
