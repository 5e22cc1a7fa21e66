// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {ICaptureRules} from "./ICaptureRules.sol";
import {IInferenceSettlement} from "./IInferenceSettlement.sol";
import {IPageSettlementTypes} from "./IPageSettlementTypes.sol";
import {IPayouts} from "./IPayouts.sol";
import {IUptoProxy} from "./IUptoProxy.sol";

/// @title IInferenceEscrow
/// @notice Holds what a payer permits for one request until a settled result of it is shown, or until the deadline.
///
/// A payer pays with a stock client of x402, scheme `upto`: a permit of Permit2 to this contract (`payTo`), whose
/// facilitator is `facilitatorOf(terms)`. That address is made of the terms, so that the payer's signature covers them,
/// though the client knows nothing of them: whoever opens the job can open it under these terms only. Whoever sees the
/// permit may open it; nothing of it is theirs to choose.
///
/// A job ends once: captured by a result, refunded from its deadline on, or cancelled by whom it would have paid. What is
/// paid is the price that the result was signed with, in the smallest unit of the job's token, and never an argument.
///
/// What a payer relies on. The request hash should be of one request only (with a salt in what is hashed): a result of the
/// same request that was not paid for captures the job as well as a newer one, once. A page counts from when it is Final,
/// which nobody may have looked at (see {IPageSettlement}); who wants a proof or an enclave's signature seen by the chain
/// signs terms without pages. One that is disproved later has been paid.
interface IInferenceEscrow is ICaptureRules, IPayouts {
    /// @notice How a job stands.
    /// - None: never opened
    /// - Open: tokens are held for it
    /// - Captured: a result was paid
    /// - Refunded: its deadline passed
    /// - Cancelled: its node or payee gave it up
    enum JobStatus {
        None,
        Open,
        Captured,
        Refunded,
        Cancelled
    }

    /// @notice What a job is about. The payer's signature covers all of it.
    /// @param node whose result it has to be, as in its request id; of an enclave its address form
    /// @param payee who is paid for it
    /// @param requestHash the result's `inputHash`
    /// @param token in which it is paid
    /// @param feeBps hundredths of a percent of the price that are the fee, of the contract's when the job is opened
    /// @param kinds what counts: bit `k` a result that was settled alone as verification `k` (1 and 2, ZKML and TEE), bit
    /// `4 + k` one in a final page of kind `k` (6 and 7, TEE and Optimistic)
    /// @param captureWindow seconds from opening to deadline
    struct Terms {
        address node;
        address payee;
        bytes32 requestHash;
        address token;
        uint16 feeBps;
        uint8 kinds;
        uint32 captureWindow;
    }

    /// @notice A permit of the payer's, of Permit2 by x402's proxy.
    /// @param payer who pays
    /// @param amount smallest units that are permitted, and held: the most that the result may cost
    /// @param nonce of the payer at Permit2
    /// @param validAfter first second of the permit, in unix seconds
    /// @param validUntil last second of the permit, in unix seconds
    /// @param signature the payer's
    struct Payment {
        address payer;
        uint128 amount;
        uint256 nonce;
        uint256 validAfter;
        uint256 validUntil;
        bytes signature;
    }

    /// @notice A job. Its hash alone is stored: callers bring it.
    /// @param terms what it is about
    /// @param payer who paid
    /// @param nonce of the payer at Permit2; payer and nonce name the job
    /// @param amount smallest units that are held
    /// @param deadline first second in which it is refunded and not captured, in unix seconds
    /// @param feeReceiver who gets the fee
    struct Job {
        Terms terms;
        address payer;
        uint256 nonce;
        uint128 amount;
        uint64 deadline;
        address feeReceiver;
    }

    /// @notice Tokens are held for a job.
    /// @param jobId the job
    /// @param node whose result it waits for
    /// @param requestHash the request
    /// @param job what callers bring from now on
    event JobOpened(bytes32 indexed jobId, address indexed node, bytes32 indexed requestHash, Job job);
    /// @notice A result was paid, for the only time; the rest went back to the payer.
    /// @param jobId the job
    /// @param requestId the result's request
    /// @param price smallest units that it cost
    /// @param fee smallest units of it that went to the receiver of fees
    event JobCaptured(bytes32 indexed jobId, bytes32 indexed requestId, uint256 price, uint256 fee);
    /// @notice A job's tokens went back to the payer after its deadline.
    /// @param jobId the job
    /// @param amount smallest units
    event JobRefunded(bytes32 indexed jobId, uint256 amount);
    /// @notice A job's tokens went back to the payer because its node or payee gave it up.
    /// @param jobId the job
    /// @param amount smallest units
    event JobCancelled(bytes32 indexed jobId, uint256 amount);
    /// @notice Governance let jobs be opened in a token, or ended that.
    /// @param token the token
    /// @param isAllowed whether jobs are opened in it from now on
    event TokenAllowed(address indexed token, bool isAllowed);
    /// @notice Governance set the fee of jobs that are opened from now on.
    /// @param feeBps hundredths of a percent of the price
    /// @param receiver who gets it
    event FeeChanged(uint16 feeBps, address indexed receiver);

    /// @notice Somebody else than the escrow called a facilitator of it.
    /// @param caller who called
    error InferenceEscrow_NotEscrow(address caller);
    /// @notice Jobs are not opened in this token.
    /// @param token the token
    error InferenceEscrow_TokenNotAllowed(address token);
    /// @notice The fee is above the most, is not the one of today, or has nobody to go to.
    /// @param expected hundredths of a percent
    /// @param actual hundredths of a percent
    error InferenceEscrow_FeeInvalid(uint256 expected, uint256 actual);
    /// @notice The terms let nothing count, or something that is never settled.
    /// @param kinds the bits given
    error InferenceEscrow_KindsInvalid(uint8 kinds);
    /// @notice The capture window is outside its bounds.
    /// @param minimum least seconds; where pages count, an hour, their long road and a day
    /// @param maximum most seconds
    /// @param actual the seconds given
    error InferenceEscrow_WindowInvalid(uint256 minimum, uint256 maximum, uint256 actual);
    /// @notice Fewer or more tokens came in than the permit says.
    /// @param expected smallest units
    /// @param actual smallest units
    error InferenceEscrow_AmountInvalid(uint256 expected, uint256 actual);
    /// @notice The job was opened before, or is not open.
    /// @param jobId the job
    /// @param status how it stands
    error InferenceEscrow_JobNotInStatus(bytes32 jobId, JobStatus status);
    /// @notice The job is open, and not with this content.
    /// @param jobId the job
    error InferenceEscrow_WrongJob(bytes32 jobId);
    /// @notice The job's deadline has not come.
    /// @param deadline first second that is not too early, in unix seconds
    /// @param blockTimestamp the block's time
    error InferenceEscrow_TooEarly(uint256 deadline, uint256 blockTimestamp);
    /// @notice Somebody else than the job's node or payee was to cancel it.
    /// @param caller who called
    error InferenceEscrow_NotParty(address caller);

    /// @notice Opens a job by the payer's permit, and holds all that is permitted. Anyone who has the permit may.
    /// @param terms the permit's facilitator is `facilitatorOf(terms)`
    /// @param payment the permit
    /// @return jobId the job
    function open(Terms calldata terms, Payment calldata payment) external returns (bytes32 jobId);

    /// @notice Pays for a result that was settled alone, and gives the rest back. Anyone, before the deadline.
    /// @param job as it was opened
    /// @param result the typed message that was settled
    /// @param kind as which it was settled
    function capture(
        Job calldata job,
        IInferenceSettlement.InferenceResult calldata result,
        IInferenceSettlement.Verification kind
    ) external;

    /// @notice Pays for a result in a page that is final, and gives the rest back. Anyone, before the deadline.
    /// @param job as it was opened
    /// @param header of the page
    /// @param leaf the result
    function captureFromPage(
        Job calldata job,
        IPageSettlementTypes.PageHeader calldata header,
        IPageSettlementTypes.Leaf calldata leaf
    ) external;

    /// @notice Gives everything back to the payer. Anyone, from the deadline on. Nobody can stop it.
    /// @param job as it was opened
    function refund(Job calldata job) external;

    /// @notice Gives everything back to the payer at once. The job's node or payee.
    /// @param job as it was opened
    function cancel(Job calldata job) external;

    /// @notice Lets jobs be opened in a token, or ends that; jobs that are open stay as they are. Restricted to governance.
    /// A token whose transfers bring less than they say cannot be used.
    /// @param token the token
    /// @param isAllowed whether jobs are opened in it
    function setToken(address token, bool isAllowed) external;

    /// @notice Sets the fee of jobs that are opened from now on. Restricted to governance.
    /// @param feeBps hundredths of a percent of the price, `MAXIMUM_FEE_BPS` at most
    /// @param receiver who gets it; zero only where there is none
    function setFee(uint16 feeBps, address receiver) external;

    /// @notice Whom a permit has to name as its facilitator: the address of a clone that is made when the job is opened.
    /// @param terms of the job
    /// @return facilitator the address
    function facilitatorOf(Terms calldata terms) external view returns (address facilitator);

    /// @notice The job of a permit: keccak256(abi.encode(payer, nonce)).
    /// @param payer whose permit it is
    /// @param nonce of the permit
    /// @return jobId the job
    function jobIdOf(address payer, uint256 nonce) external pure returns (bytes32 jobId);

    /// @notice How a job stands.
    /// @param jobId the job
    /// @return status None for one that was not opened
    function statusOf(bytes32 jobId) external view returns (JobStatus status);

    /// @notice Whether a result of this request captured a job that paid a payee in a token.
    /// @param requestId the request
    /// @param payee who was paid
    /// @param token in which
    /// @return isIt whether it did
    function isCaptured(bytes32 requestId, address payee, address token) external view returns (bool isIt);

    /// @notice The shortest window that terms may have.
    /// @param kinds what counts for the job
    /// @return window seconds; where pages count, an hour, their long road, what a late request adds to it, and a day
    function leastWindow(uint8 kinds) external view returns (uint256 window);

    /// @notice Whether jobs are opened in a token.
    /// @param token the token
    /// @return isAllowed whether they are
    function isTokenAllowed(address token) external view returns (bool isAllowed);

    /// @notice The fee of jobs that are opened now.
    /// @return feeBps hundredths of a percent of the price
    /// @return receiver who gets it
    function fee() external view returns (uint16 feeBps, address receiver);

    /// @notice x402's proxy of the scheme `upto`.
    /// @return proxy its address
    function PROXY() external view returns (IUptoProxy proxy);
}
