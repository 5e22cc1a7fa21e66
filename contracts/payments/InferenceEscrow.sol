// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IInferenceEscrow} from "../interfaces/IInferenceEscrow.sol";
import {IInferenceSettlement} from "../interfaces/IInferenceSettlement.sol";
import {IPageSettlement} from "../interfaces/IPageSettlement.sol";
import {IPageSettlementTypes} from "../interfaces/IPageSettlementTypes.sol";
import {IUptoProxy} from "../interfaces/IUptoProxy.sol";
import {CaptureRules} from "./CaptureRules.sol";
import {JobFacilitator} from "./JobFacilitator.sol";
import {PaidKinds} from "./PaidKinds.sol";
import {Payouts} from "./Payouts.sol";

/// @title InferenceEscrow
/// @notice See {IInferenceEscrow}. {CaptureRules} judges results, {Payouts} pays, {JobFacilitator} is what permits name.
///
/// Access: `setToken` and `setFee` are governance's, and are judged when a job is opened only; everything else is open to
/// everybody, but `cancel`, which is the node's or the payee's. Nobody can stop a capture or a refund, change an open job or
/// have its tokens anywhere else than with its payer, its payee and its receiver of fees.
///
/// @dev Foreign code runs in tokens, in Permit2 and in the payer, if it is a contract: all under one guard, and what a call
/// is to change is written before. What is held is the sum of open jobs and of credits.
contract InferenceEscrow is IInferenceEscrow, CaptureRules, Payouts, AccessManaged {
    /// @notice The longest window of terms; `leastWindow` has the shortest.
    uint256 public constant MAXIMUM_WINDOW = PaidKinds.LONGEST_WINDOW;
    /// @notice The highest fee.
    uint256 public constant MAXIMUM_FEE_BPS = 1_000;

    uint256 private constant WHOLE_BPS = 10_000;

    IUptoProxy public immutable override PROXY;
    address private immutable FACILITATOR;

    /// @inheritdoc IInferenceEscrow
    mapping(address token => bool isAllowed) public override isTokenAllowed;
    /// @dev Hash of a job that is open; of one that is over, its status.
    mapping(bytes32 jobId => bytes32 content) private _jobs;
    uint16 private _feeBps;
    address private _feeReceiver;

    /// @param authority the AccessManager
    /// @param pages where results settle in pages; where they settle alone, it knows
    /// @param proxy x402's proxy of the scheme `upto`
    constructor(
        address authority,
        IPageSettlement pages,
        IUptoProxy proxy
    ) CaptureRules(pages) AccessManaged(authority) {
        _requireContract(authority);
        _requireContract(address(proxy));
        PROXY = proxy;
        FACILITATOR = address(new JobFacilitator(proxy));
    }

    /// @inheritdoc IInferenceEscrow
    function open(
        Terms calldata terms,
        Payment calldata payment
    ) external override nonReentrant returns (bytes32 jobId) {
        (uint16 feeBps, address feeReceiver) = fee();
        _requireGood(terms, feeBps);
        jobId = jobIdOf(payment.payer, payment.nonce);
        JobStatus status = statusOf(jobId);
        if (status != JobStatus.None) revert InferenceEscrow_JobNotInStatus(jobId, status);
        uint64 deadline = uint64(block.timestamp) + terms.captureWindow;
        _writeJob(jobId, terms, payment, deadline, feeReceiver);
        _collect(terms, payment);
    }

    /// @inheritdoc IInferenceEscrow
    function capture(
        Job calldata job,
        IInferenceSettlement.InferenceResult calldata result,
        IInferenceSettlement.Verification kind
    ) external override nonReentrant {
        _capture(job, result, _kindAlone(result, kind));
    }

    /// @inheritdoc IInferenceEscrow
    function captureFromPage(
        Job calldata job,
        IPageSettlementTypes.PageHeader calldata header,
        IPageSettlementTypes.Leaf calldata leaf
    ) external override nonReentrant {
        _capture(job, leaf.result, _kindInPage(header, leaf));
    }

    /// @inheritdoc IInferenceEscrow
    function refund(Job calldata job) external override nonReentrant {
        if (block.timestamp < job.deadline) revert InferenceEscrow_TooEarly(job.deadline, block.timestamp);
        bytes32 jobId = _end(job, JobStatus.Refunded);
        emit JobRefunded(jobId, job.amount);
        _pay(job.terms.token, job.payer, job.amount);
    }

    /// @inheritdoc IInferenceEscrow
    function cancel(Job calldata job) external override nonReentrant {
        if (msg.sender != job.terms.node && msg.sender != job.terms.payee) {
            revert InferenceEscrow_NotParty(msg.sender);
        }
        bytes32 jobId = _end(job, JobStatus.Cancelled);
        emit JobCancelled(jobId, job.amount);
        _pay(job.terms.token, job.payer, job.amount);
    }

    /// @inheritdoc IInferenceEscrow
    function setToken(address token, bool isAllowed) external override restricted {
        if (isAllowed) _requireContract(token);
        isTokenAllowed[token] = isAllowed;
        emit TokenAllowed(token, isAllowed);
    }

    /// @inheritdoc IInferenceEscrow
    function setFee(uint16 feeBps, address receiver) external override restricted {
        if (feeBps > MAXIMUM_FEE_BPS) revert InferenceEscrow_FeeInvalid(MAXIMUM_FEE_BPS, feeBps);
        if (feeBps != 0) _requireAccount(receiver);
        (_feeBps, _feeReceiver) = (feeBps, receiver);
        emit FeeChanged(feeBps, receiver);
    }

    /// @inheritdoc IInferenceEscrow
    function facilitatorOf(Terms calldata terms) external view override returns (address) {
        return Clones.predictDeterministicAddress(FACILITATOR, _saltOf(terms));
    }

    /// @inheritdoc IInferenceEscrow
    function isCaptured(
        bytes32 requestId,
        address payee,
        address token
    ) external view override returns (bool) {
        return _isTaken(_scopeOf(payee, token), requestId);
    }

    /// @inheritdoc IInferenceEscrow
    function leastWindow(uint8 kinds) public view override returns (uint256) {
        return PaidKinds.leastWindow(kinds, PAGES);
    }

    /// @inheritdoc IInferenceEscrow
    function fee() public view override returns (uint16 feeBps, address receiver) {
        return (_feeBps, _feeReceiver);
    }

    /// @inheritdoc IInferenceEscrow
    function statusOf(bytes32 jobId) public view override returns (JobStatus) {
        uint256 content = uint256(_jobs[jobId]);
        return content > uint256(type(JobStatus).max) ? JobStatus.Open : JobStatus(content);
    }

    /// @inheritdoc IInferenceEscrow
    function jobIdOf(address payer, uint256 nonce) public pure override returns (bytes32) {
        return keccak256(abi.encode(payer, nonce));
    }

    /// @param kind the bit of the result's kind
    function _capture(
        Job calldata job,
        IInferenceSettlement.InferenceResult calldata result,
        uint8 kind
    ) private {
        Terms calldata terms = job.terms;
        uint256 price = _take(
            Awaited({
                scope: _scopeOf(terms.payee, terms.token),
                node: terms.node,
                payer: job.payer,
                requestHash: terms.requestHash,
                kinds: terms.kinds,
                maximum: job.amount,
                deadline: job.deadline
            }),
            result,
            kind
        );
        bytes32 jobId = _end(job, JobStatus.Captured);

        // Both are below 2^128 and the fee's share below the whole.
        uint256 feePart = (price * terms.feeBps) / WHOLE_BPS;
        emit JobCaptured(jobId, result.requestId, price, feePart);
        _pay(terms.token, terms.payee, price - feePart);
        _pay(terms.token, job.feeReceiver, feePart);
        _pay(terms.token, job.payer, job.amount - price);
    }

    /// @dev What is hashed and what is told are the same bytes, those of {Job}, which are encoded once.
    function _writeJob(
        bytes32 jobId,
        Terms calldata terms,
        Payment calldata payment,
        uint64 deadline,
        address feeReceiver
    ) private {
        bytes memory job = abi.encode(
            terms,
            payment.payer,
            payment.nonce,
            payment.amount,
            deadline,
            feeReceiver
        );
        _jobs[jobId] = keccak256(job);
        bytes32 opened = JobOpened.selector;
        (address node, bytes32 requestHash) = (terms.node, terms.requestHash);
        assembly ("memory-safe") {
            log4(add(job, 32), mload(job), opened, jobId, node, requestHash)
        }
    }

    /// @dev The only way out of Open, which a job is in once.
    function _end(Job calldata job, JobStatus status) private returns (bytes32 jobId) {
        jobId = jobIdOf(job.payer, job.nonce);
        JobStatus current = statusOf(jobId);
        if (current != JobStatus.Open) revert InferenceEscrow_JobNotInStatus(jobId, current);
        if (_jobs[jobId] != keccak256(abi.encode(job))) revert InferenceEscrow_WrongJob(jobId);
        _jobs[jobId] = bytes32(uint256(status));
    }

    /// @dev Permit2 checks the signature, the nonce and the times; the proxy that the clone is whom the payer named.
    function _collect(Terms calldata terms, Payment calldata payment) private {
        bytes32 salt = _saltOf(terms);
        address clone = Clones.predictDeterministicAddress(FACILITATOR, salt);
        // Another permit may name the same terms: they are not of one payer.
        if (clone.code.length == 0) Clones.cloneDeterministic(FACILITATOR, salt);
        uint256 before = IERC20(terms.token).balanceOf(address(this));
        IUptoProxy(clone).settle(
            IUptoProxy.PermitTransferFrom({
                permitted: IUptoProxy.TokenPermissions(terms.token, payment.amount),
                nonce: payment.nonce,
                deadline: payment.validUntil
            }),
            payment.amount,
            payment.payer,
            IUptoProxy.Witness(address(this), clone, payment.validAfter),
            payment.signature
        );
        uint256 received = IERC20(terms.token).balanceOf(address(this)) - before;
        if (received != payment.amount) revert InferenceEscrow_AmountInvalid(payment.amount, received);
    }

    function _requireGood(Terms calldata terms, uint16 feeBps) private view {
        _requireAccount(terms.payee);
        if (!isTokenAllowed[terms.token]) revert InferenceEscrow_TokenNotAllowed(terms.token);
        if (terms.feeBps != feeBps) revert InferenceEscrow_FeeInvalid(feeBps, terms.feeBps);
        if (!PaidKinds.areGood(terms.kinds)) revert InferenceEscrow_KindsInvalid(terms.kinds);
        uint256 minimum = leastWindow(terms.kinds);
        if (terms.captureWindow < minimum || terms.captureWindow > MAXIMUM_WINDOW) {
            revert InferenceEscrow_WindowInvalid(minimum, MAXIMUM_WINDOW, terms.captureWindow);
        }
    }

    function _scopeOf(address payee, address token) private pure returns (bytes32) {
        return keccak256(abi.encode(payee, token));
    }

    function _saltOf(Terms calldata terms) private pure returns (bytes32) {
        return keccak256(abi.encode(terms));
    }
}
