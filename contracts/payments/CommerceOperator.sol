// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ICommerceEscrow} from "../interfaces/ICommerceEscrow.sol";
import {ICommerceOperator} from "../interfaces/ICommerceOperator.sol";
import {IInferenceSettlement} from "../interfaces/IInferenceSettlement.sol";
import {IPageSettlement} from "../interfaces/IPageSettlement.sol";
import {IPageSettlementTypes} from "../interfaces/IPageSettlementTypes.sol";
import {CaptureRules} from "./CaptureRules.sol";
import {PaidKinds} from "./PaidKinds.sol";
import {Payouts} from "./Payouts.sol";

/// @title CommerceOperator
/// @notice See {ICommerceOperator}. {CommerceOperators} makes clones of it, whose terms stand in their code. {CaptureRules}
/// judges results, {Payouts} pays.
///
/// Access: everything is open to everybody, but `cancel`, which is the node's or the payee's, and gives tokens to payers only.
/// There is no owner, and nothing to set or to pause.
///
/// @dev The public escrow does what its operator says, so that all limits are here. How a job stands is what that escrow says
/// of its payment, which only `open` takes in: whatever is held or captured was judged there. Foreign code runs in tokens, in
/// collectors, in payers that are contracts and in what their signatures call (ERC-6492): all under one guard, and what a call
/// is to change here is written before.
contract CommerceOperator is ICommerceOperator, CaptureRules, Payouts {
    uint256 private constant WHOLE_BPS = 10_000;
    uint256 private constant ADDRESS_SHIFT = 96;

    /// @dev As x402's clients hash the two addresses and their nonce.
    bytes32 private constant SALT_TYPE_HASH = keccak256(
        "x402AuthCaptureSaltBinding(address receiverAuthorizer,address policy,uint256 saltNonce)"
    );
    /// @dev Version 1.0 takes the fee in hundredths of a percent, 1.1 in smallest units. It is always none.
    bytes4 private constant CAPTURE_BY_BPS = bytes4(
        keccak256(
            "capture((address,address,address,address,uint120,uint48,uint48,uint48,uint16,uint16,address,uint256),uint256,uint16,address)"
        )
    );
    bytes4 private constant CAPTURE_BY_AMOUNT = bytes4(
        keccak256(
            "capture((address,address,address,address,uint120,uint48,uint48,uint48,uint16,uint16,address,uint256),uint256,uint256,address)"
        )
    );

    ICommerceEscrow public immutable override COMMERCE;
    address public immutable override ERC3009_COLLECTOR;
    address public immutable override PERMIT2_COLLECTOR;
    bytes4 private immutable CAPTURE;

    /// @param pages where results settle in pages; where they settle alone, it knows
    /// @param commerce the public escrow
    /// @param erc3009Collector what brings tokens to it by EIP-3009
    /// @param permit2Collector what brings tokens to it by Permit2
    constructor(
        IPageSettlement pages,
        ICommerceEscrow commerce,
        address erc3009Collector,
        address permit2Collector
    ) CaptureRules(pages) {
        _requireContract(address(commerce));
        _requireContract(erc3009Collector);
        _requireContract(permit2Collector);
        (COMMERCE, CAPTURE) = (commerce, _captureOf(commerce));
        (ERC3009_COLLECTOR, PERMIT2_COLLECTOR) = (erc3009Collector, permit2Collector);
    }

    /// @inheritdoc ICommerceOperator
    function open(
        Job calldata job,
        address collector,
        bytes calldata signature
    ) external override nonReentrant returns (bytes32 paymentHash) {
        ICommerceEscrow.PaymentInfo calldata payment = job.payment;
        paymentHash = _hashOf(payment);
        _requireGood(job);
        if (collector != ERC3009_COLLECTOR && collector != PERMIT2_COLLECTOR) {
            revert CommerceOperator_CollectorUnknown(collector);
        }
        emit JobOpened(paymentHash, payment.payer, job.requestHash, job);
        COMMERCE.authorize(payment, payment.maxAmount, collector, signature);
    }

    /// @inheritdoc ICommerceOperator
    function capture(
        Job calldata job,
        IInferenceSettlement.InferenceResult calldata result,
        IInferenceSettlement.Verification kind
    ) external override nonReentrant {
        _capture(job, result, _kindAlone(result, kind));
    }

    /// @inheritdoc ICommerceOperator
    function captureFromPage(
        Job calldata job,
        IPageSettlementTypes.PageHeader calldata header,
        IPageSettlementTypes.Leaf calldata leaf
    ) external override nonReentrant {
        _capture(job, leaf.result, _kindInPage(header, leaf));
    }

    /// @inheritdoc ICommerceOperator
    function refund(ICommerceEscrow.PaymentInfo calldata payment) external override nonReentrant {
        bytes32 paymentHash = _hashOf(payment);
        (Status status, uint256 held) = _stateOf(paymentHash);
        if (held == 0) revert CommerceOperator_NotOpen(paymentHash, status);
        if (status == Status.Open && block.timestamp < payment.authorizationExpiry) {
            revert CommerceOperator_TooEarly(payment.authorizationExpiry, block.timestamp);
        }
        emit JobRefunded(paymentHash, held);
        COMMERCE.void(payment);
    }

    /// @inheritdoc ICommerceOperator
    function cancel(ICommerceEscrow.PaymentInfo calldata payment) external override nonReentrant {
        Terms memory content = terms();
        if (msg.sender != content.node && msg.sender != content.payee) {
            revert CommerceOperator_NotParty(msg.sender);
        }
        bytes32 paymentHash = _hashOf(payment);
        uint256 held = _requireOpen(paymentHash);
        emit JobCancelled(paymentHash, held);
        COMMERCE.void(payment);
    }

    /// @inheritdoc ICommerceOperator
    function statusOf(
        ICommerceEscrow.PaymentInfo calldata payment
    ) external view override returns (Status status) {
        (status, ) = _stateOf(_hashOf(payment));
    }

    /// @inheritdoc ICommerceOperator
    function isCaptured(bytes32 requestId) external view override returns (bool) {
        return _isTaken(bytes32(0), requestId);
    }

    /// @inheritdoc ICommerceOperator
    function terms() public view override returns (Terms memory) {
        return abi.decode(Clones.fetchCloneArgs(address(this)), (Terms));
    }

    /// @inheritdoc ICommerceOperator
    function saltOf(bytes32 requestHash, uint256 saltNonce) public pure override returns (uint256) {
        address receiverAuthorizer = address(uint160(uint256(requestHash) >> ADDRESS_SHIFT));
        address policy = address(uint160(uint256(requestHash)));
        return uint256(keccak256(abi.encode(SALT_TYPE_HASH, receiverAuthorizer, policy, saltNonce)));
    }

    /// @param kind the bit of the result's kind
    function _capture(
        Job calldata job,
        IInferenceSettlement.InferenceResult calldata result,
        uint8 kind
    ) private {
        ICommerceEscrow.PaymentInfo calldata payment = job.payment;
        Terms memory content = terms();
        bytes32 paymentHash = _hashOf(payment);
        _requireSalt(job);
        uint256 price = _take(
            Awaited({
                scope: bytes32(0),
                node: content.node,
                payer: payment.payer,
                requestHash: job.requestHash,
                kinds: content.kinds,
                maximum: payment.maxAmount,
                deadline: payment.authorizationExpiry
            }),
            result,
            kind
        );
        uint256 held = _requireOpen(paymentHash);
        // The price is below 2^120, and the fee's share below the whole.
        uint256 feePart = (price * content.feeBps) / WHOLE_BPS;
        emit JobCaptured(paymentHash, result.requestId, price, feePart);
        Address.functionCall(
            address(COMMERCE),
            abi.encodeWithSelector(CAPTURE, payment, price, 0, payment.feeReceiver)
        );
        _pay(content.token, content.payee, price - feePart);
        _pay(content.token, content.feeReceiver, feePart);
        if (price < held) _returnRest(payment, paymentHash, held - price);
    }

    /// @dev A payer whom the token blocks keeps nobody from what is theirs. As with {Payouts}, a call with little gas cannot make
    /// a good one fail: the 64th part that is left would have to pay for the event.
    function _returnRest(
        ICommerceEscrow.PaymentInfo calldata payment,
        bytes32 paymentHash,
        uint256 rest
    ) private {
        try COMMERCE.void(payment) {
            return;
        } catch {
            emit RestKept(paymentHash, rest);
        }
    }

    function _requireGood(Job calldata job) private view {
        ICommerceEscrow.PaymentInfo calldata payment = job.payment;
        Terms memory content = terms();
        if (payment.receiver != address(this)) revert CommerceOperator_ReceiverInvalid(payment.receiver);
        if (payment.token != content.token) {
            revert CommerceOperator_TokenInvalid(content.token, payment.token);
        }
        if (payment.minFeeBps != 0) revert CommerceOperator_FeeInvalid(payment.minFeeBps);
        _requireSalt(job);
        uint256 deadline = payment.authorizationExpiry;
        uint256 left = deadline < block.timestamp ? 0 : deadline - block.timestamp;
        uint256 minimum = PaidKinds.leastWindow(content.kinds, PAGES);
        if (left < minimum || left > PaidKinds.LONGEST_WINDOW) {
            revert CommerceOperator_WindowInvalid(minimum, PaidKinds.LONGEST_WINDOW, left);
        }
    }

    function _requireSalt(Job calldata job) private pure {
        uint256 salt = saltOf(job.requestHash, job.saltNonce);
        if (salt != job.payment.salt) revert CommerceOperator_SaltInvalid(salt, job.payment.salt);
    }

    function _requireOpen(bytes32 paymentHash) private view returns (uint256) {
        (Status status, uint256 held) = _stateOf(paymentHash);
        if (status != Status.Open) revert CommerceOperator_NotOpen(paymentHash, status);
        return held;
    }

    /// @return status how the job stands
    /// @return held smallest units that the public escrow holds for it
    function _stateOf(bytes32 paymentHash) private view returns (Status status, uint256 held) {
        bool isCollected;
        uint256 paid;
        (isCollected, held, paid) = COMMERCE.paymentState(paymentHash);
        if (!isCollected) status = Status.None;
        else if (paid != 0) status = Status.Captured;
        else status = held == 0 ? Status.Returned : Status.Open;
    }

    /// @dev Of a payment of this operator's: with another's the public escrow would do nothing.
    function _hashOf(ICommerceEscrow.PaymentInfo calldata payment) private view returns (bytes32) {
        if (payment.operator != address(this)) revert CommerceOperator_OtherOperator(payment.operator);
        return COMMERCE.getHash(payment);
    }

    /// @dev Only a function that there is refuses a stranger by name.
    function _captureOf(ICommerceEscrow commerce) private returns (bytes4) {
        bytes4[2] memory known = [CAPTURE_BY_AMOUNT, CAPTURE_BY_BPS];
        ICommerceEscrow.PaymentInfo memory nobodys;
        for (uint256 i = 0; i < known.length; ++i) {
            // solhint-disable-next-line avoid-low-level-calls
            (, bytes memory reason) = address(commerce).call(
                abi.encodeWithSelector(known[i], nobodys, 1, 0, address(0))
            );
            if (bytes4(reason) == ICommerceEscrow.InvalidSender.selector) return known[i];
        }
        revert CommerceOperator_UnknownVersion(address(commerce));
    }
}
