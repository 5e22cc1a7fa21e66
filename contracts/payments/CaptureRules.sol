// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICaptureRules} from "../interfaces/ICaptureRules.sol";
import {IInferenceSettlement} from "../interfaces/IInferenceSettlement.sol";
import {IPageSettlement} from "../interfaces/IPageSettlement.sol";
import {IPageSettlementTypes} from "../interfaces/IPageSettlementTypes.sol";
import {InferenceResults} from "../settlement/InferenceResults.sol";
import {RequestIds} from "../settlement/RequestIds.sol";
import {PaidKinds} from "./PaidKinds.sol";

/// @title CaptureRules
/// @notice See {ICaptureRules}. A part of {InferenceEscrow} and of {CommerceOperator}.
abstract contract CaptureRules is ICaptureRules {
    /// @notice What a job waits for.
    /// @param scope whom a capture pays and in what: what has captured is listed by it
    /// @param node whose result it has to be
    /// @param payer whom the result has to name as requester
    /// @param requestHash the result's `inputHash`
    /// @param kinds what counts
    /// @param maximum smallest units that are held
    /// @param deadline first second that is too late
    struct Awaited {
        bytes32 scope;
        address node;
        address payer;
        bytes32 requestHash;
        uint8 kinds;
        uint256 maximum;
        uint256 deadline;
    }

    IInferenceSettlement public immutable override SETTLEMENT;
    IPageSettlement public immutable override PAGES;

    /// @dev As the ledger's pages. One list for all would let a payer use a result up by a payment to themselves.
    mapping(bytes32 scope => mapping(uint256 page => uint256 bitmap)) private _captured;

    /// @param pages where results settle in pages; where they settle alone, it knows
    constructor(IPageSettlement pages) {
        _requireContract(address(pages));
        (PAGES, SETTLEMENT) = (pages, pages.SETTLEMENT());
    }

    /// @dev Writes down that the result captures, for the only time.
    /// @param kind the bit of the result's kind, by `_kindAlone` or `_kindInPage`
    /// @return price smallest units to pay for it
    function _take(
        Awaited memory job,
        IInferenceSettlement.InferenceResult calldata result,
        uint8 kind
    ) internal returns (uint256 price) {
        if (block.timestamp >= job.deadline) revert CaptureRules_TooLate(job.deadline, block.timestamp);
        if (job.kinds & kind == 0) revert CaptureRules_KindNotAccepted(job.kinds, kind);
        address node = RequestIds.nodeOf(result.requestId);
        if (node != job.node) revert CaptureRules_WrongNode(job.node, node);
        if (result.requester != job.payer) revert CaptureRules_WrongRequester(job.payer, result.requester);
        if (result.inputHash != job.requestHash) {
            revert CaptureRules_WrongRequest(job.requestHash, result.inputHash);
        }
        price = result.price;
        if (price == 0 || price > job.maximum) revert CaptureRules_PriceInvalid(job.maximum, price);

        uint256 page = RequestIds.pageOf(result.requestId);
        uint256 bit = RequestIds.bitOf(result.requestId);
        uint256 captured = _captured[job.scope][page];
        if (captured & bit != 0) revert CaptureRules_AlreadyCaptured(result.requestId);
        _captured[job.scope][page] = captured | bit;
    }

    /// @dev Whether a result of this request has captured a job of a scope.
    function _isTaken(bytes32 scope, bytes32 requestId) internal view returns (bool) {
        return _captured[scope][RequestIds.pageOf(requestId)] & RequestIds.bitOf(requestId) != 0;
    }

    /// @dev The bit of a result that was settled alone as this kind, with every field as it is here.
    function _kindAlone(
        IInferenceSettlement.InferenceResult calldata result,
        IInferenceSettlement.Verification kind
    ) internal view returns (uint8) {
        bytes32 digest = InferenceResults.toDigest(address(SETTLEMENT), InferenceResults.hashStruct(result));
        if (SETTLEMENT.digestOf(result.requestId) != keccak256(abi.encode(kind, digest))) {
            revert CaptureRules_NotSettled(result.requestId);
        }
        return PaidKinds.alone(kind);
    }

    /// @dev The bit of a result in a page that is final.
    function _kindInPage(
        IPageSettlementTypes.PageHeader calldata header,
        IPageSettlementTypes.Leaf calldata leaf
    ) internal view returns (uint8) {
        (IPageSettlementTypes.PageState state, , ) = PAGES.verifyInclusion(header, leaf);
        if (state != IPageSettlementTypes.PageState.Final) revert CaptureRules_PageNotFinal(state);
        return PaidKinds.inPage(header.kind);
    }

    function _requireContract(address account) internal view {
        if (account.code.length == 0) revert CaptureRules_NotAContract(account);
    }
}
