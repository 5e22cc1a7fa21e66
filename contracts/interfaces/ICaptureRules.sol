// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IInferenceSettlement} from "./IInferenceSettlement.sol";
import {IPageSettlement} from "./IPageSettlement.sol";
import {IPageSettlementTypes} from "./IPageSettlementTypes.sol";

/// @title ICaptureRules
/// @notice Which results pay for a job, whoever holds its tokens: those of {IInferenceEscrow} and of {ICommerceOperator}.
///
/// A result counts by its digest and kind in the settlement, or by its inclusion in a page that is Final; the ledger's bit says
/// neither. It has to be of the job's node, payer and request, and its own price is what is paid. One that captured is written
/// down, so that it never captures a second job that pays the same payee
/// in the same token. Others are apart: a payer who pays themselves for a result uses nothing up that is a node's.
interface ICaptureRules {
    /// @notice A contract that is needed has no code.
    /// @param account its address
    error CaptureRules_NotAContract(address account);
    /// @notice The job's deadline has come.
    /// @param deadline first second that is too late, in unix seconds
    /// @param blockTimestamp the block's time
    error CaptureRules_TooLate(uint256 deadline, uint256 blockTimestamp);
    /// @notice The terms do not let this kind of result count.
    /// @param kinds the terms' bits
    /// @param kind the result's bit
    error CaptureRules_KindNotAccepted(uint8 kinds, uint8 kind);
    /// @notice The result is another node's.
    /// @param expected the terms' node
    /// @param actual the node that the request names
    error CaptureRules_WrongNode(address expected, address actual);
    /// @notice The result names another requester than the payer.
    /// @param expected the payer
    /// @param actual the requester
    error CaptureRules_WrongRequester(address expected, address actual);
    /// @notice The result is of another request.
    /// @param expected the job's request hash
    /// @param actual the result's input hash
    error CaptureRules_WrongRequest(bytes32 expected, bytes32 actual);
    /// @notice The result has no price, or one above what is held.
    /// @param maximum smallest units that are held
    /// @param actual the result's price
    error CaptureRules_PriceInvalid(uint256 maximum, uint256 actual);
    /// @notice This result was not settled alone as this kind.
    /// @param requestId its request
    error CaptureRules_NotSettled(bytes32 requestId);
    /// @notice The result is not in this page, or the page is not final.
    /// @param state of the result in the page
    error CaptureRules_PageNotFinal(IPageSettlementTypes.PageState state);
    /// @notice A result of this request captured a job before.
    /// @param requestId the request
    error CaptureRules_AlreadyCaptured(bytes32 requestId);

    /// @notice Where pages are.
    /// @return pages its address
    function PAGES() external view returns (IPageSettlement pages);

    /// @notice Where results are settled alone.
    /// @return settlement its address
    function SETTLEMENT() external view returns (IInferenceSettlement settlement);
}
