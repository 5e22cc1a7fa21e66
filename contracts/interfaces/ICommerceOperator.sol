// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {ICaptureRules} from "./ICaptureRules.sol";
import {ICommerceEscrow} from "./ICommerceEscrow.sol";
import {IInferenceSettlement} from "./IInferenceSettlement.sol";
import {IPageSettlementTypes} from "./IPageSettlementTypes.sol";
import {IPayouts} from "./IPayouts.sol";

/// @title ICommerceOperator
/// @notice The operator of payments by x402's scheme `auth-capture`, whose tokens the public escrow of commerce payments holds:
/// captured is what a settled result costs, and everything else goes back to the payer.
///
/// A payer pays with a stock client. What they sign (an EIP-3009 authorisation, or a permit of Permit2) has the hash of the
/// payment as its nonce, and so covers all of it: this operator, whose address is made of its terms (node, payee, token, fee,
/// kinds); amount and deadline (`authorizationExpiry`); and the request, of whose hash the scheme's two free addresses are the
/// ends: `receiverAuthorizer` the first 20 bytes, `policy` the last 20. Whoever has the signature may open the job; nothing of
/// it is theirs to choose. Tokens are captured to this contract, which shares them out.
///
/// A job ends once: captured by a result, refunded from its deadline on, cancelled by its node or payee, or reclaimed by its
/// payer at the public escrow from the deadline on. An operator is for one payee and one token, so that a result that
/// captured has paid that payee, in that token: no other payment of the payer's uses it up.
///
/// What a payer relies on: as with {IInferenceEscrow}, and that the public escrow keeps what it holds. It tells of no end by
/// `reclaim`, but `statusOf` does. Whoever pays for one request by several routes may be charged on each of them.
interface ICommerceOperator is ICaptureRules, IPayouts {
    /// @notice How a job stands.
    /// - None: never opened
    /// - Open: tokens are held for it
    /// - Captured: a result was paid
    /// - Returned: refunded, cancelled or reclaimed
    enum Status {
        None,
        Open,
        Captured,
        Returned
    }

    /// @notice What an operator is for. It never changes.
    /// @param node whose results capture, as in their request ids; of an enclave its address form
    /// @param payee who is paid
    /// @param token in which
    /// @param feeReceiver who gets the fee
    /// @param feeBps hundredths of a percent of the price that are the fee
    /// @param kinds what counts, as in `IInferenceEscrow.Terms`
    struct Terms {
        address node;
        address payee;
        address token;
        address feeReceiver;
        uint16 feeBps;
        uint8 kinds;
    }

    /// @notice A job: a payment, and what opens its salt.
    /// @param payment as the payer signed it
    /// @param requestHash the result's `inputHash`
    /// @param saltNonce the client's random part of the salt
    struct Job {
        ICommerceEscrow.PaymentInfo payment;
        bytes32 requestHash;
        uint256 saltNonce;
    }

    /// @notice Tokens are held for a job.
    /// @param paymentHash the payment's hash, which names the job
    /// @param payer who paid
    /// @param requestHash the request
    /// @param job what callers bring from now on
    event JobOpened(bytes32 indexed paymentHash, address indexed payer, bytes32 indexed requestHash, Job job);
    /// @notice A result was paid, for the only time.
    /// @param paymentHash the job
    /// @param requestId the result's request
    /// @param price smallest units that it cost
    /// @param fee smallest units of it that went to the receiver of fees
    event JobCaptured(bytes32 indexed paymentHash, bytes32 indexed requestId, uint256 price, uint256 fee);
    /// @notice What a capture left could not be given to the payer: `refund` tries again.
    /// @param paymentHash the job
    /// @param amount smallest units
    event RestKept(bytes32 indexed paymentHash, uint256 amount);
    /// @notice A job's tokens went back to the payer after its deadline, or what a capture had left did.
    /// @param paymentHash the job
    /// @param amount smallest units
    event JobRefunded(bytes32 indexed paymentHash, uint256 amount);
    /// @notice A job's tokens went back to the payer because its node or payee gave it up.
    /// @param paymentHash the job
    /// @param amount smallest units
    event JobCancelled(bytes32 indexed paymentHash, uint256 amount);

    /// @notice The public escrow is none that this operator knows: it captures neither as version 1.0 nor as 1.1 does.
    /// @param account its address
    error CommerceOperator_UnknownVersion(address account);
    /// @notice The payment names another operator.
    /// @param actual the one that it names
    error CommerceOperator_OtherOperator(address actual);
    /// @notice The payment's receiver is not this operator.
    /// @param actual the one that it names
    error CommerceOperator_ReceiverInvalid(address actual);
    /// @notice The payment is in another token.
    /// @param expected the terms'
    /// @param actual the payment's
    error CommerceOperator_TokenInvalid(address expected, address actual);
    /// @notice The payment wants a fee of the public escrow's.
    /// @param minFeeBps hundredths of a percent at least
    error CommerceOperator_FeeInvalid(uint16 minFeeBps);
    /// @notice The payment's salt is not made of this request hash and nonce.
    /// @param expected what it would be
    /// @param actual what it is
    error CommerceOperator_SaltInvalid(uint256 expected, uint256 actual);
    /// @notice The time to the payment's deadline is outside its bounds.
    /// @param minimum least seconds; where pages count, an hour, their long road and a day
    /// @param maximum most seconds
    /// @param actual the seconds left, none for one that has come
    error CommerceOperator_WindowInvalid(uint256 minimum, uint256 maximum, uint256 actual);
    /// @notice What is to bring the tokens is not one of the escrow's two.
    /// @param collector its address
    error CommerceOperator_CollectorUnknown(address collector);
    /// @notice The job is not open; or, to be refunded, nothing is held for it.
    /// @param paymentHash the job
    /// @param status how it stands
    error CommerceOperator_NotOpen(bytes32 paymentHash, Status status);
    /// @notice The job's deadline has not come.
    /// @param deadline first second that is not too early, in unix seconds
    /// @param blockTimestamp the block's time
    error CommerceOperator_TooEarly(uint256 deadline, uint256 blockTimestamp);
    /// @notice Somebody else than the node or the payee was to cancel.
    /// @param caller who called
    error CommerceOperator_NotParty(address caller);

    /// @notice Opens a job by the payer's signature: all of the payment is held. Anyone who has the signature may.
    /// @param job the payment and what opens its salt
    /// @param collector what brings the tokens, one of the escrow's two
    /// @param signature the payer's
    /// @return paymentHash the job
    function open(
        Job calldata job,
        address collector,
        bytes calldata signature
    ) external returns (bytes32 paymentHash);

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

    /// @notice Gives everything back to the payer. Anyone, from the deadline on; what a capture has left, at any time. Nobody can
    /// stop it.
    /// @param payment the job's
    function refund(ICommerceEscrow.PaymentInfo calldata payment) external;

    /// @notice Gives everything back to the payer at once. The node or the payee.
    /// @param payment the job's
    function cancel(ICommerceEscrow.PaymentInfo calldata payment) external;

    /// @notice How the job of a payment stands.
    /// @param payment the job's
    /// @return status None for one that was not opened
    function statusOf(ICommerceEscrow.PaymentInfo calldata payment) external view returns (Status status);

    /// @notice Whether a result of this request captured a job of this operator's.
    /// @param requestId the request
    /// @return isIt whether it did
    function isCaptured(bytes32 requestId) external view returns (bool isIt);

    /// @notice What this operator is for.
    /// @return content the terms
    function terms() external view returns (Terms memory content);

    /// @notice The salt of a payment for a request: the scheme's commitment to the two ends of its hash.
    /// @param requestHash the request
    /// @param saltNonce the client's random part
    /// @return salt of the payment
    function saltOf(bytes32 requestHash, uint256 saltNonce) external pure returns (uint256 salt);

    /// @notice The public escrow.
    /// @return commerce its address
    function COMMERCE() external view returns (ICommerceEscrow commerce);

    /// @notice What brings tokens to it by EIP-3009.
    /// @return collector its address
    function ERC3009_COLLECTOR() external view returns (address collector);

    /// @notice What brings tokens to it by Permit2.
    /// @return collector its address
    function PERMIT2_COLLECTOR() external view returns (address collector);
}
