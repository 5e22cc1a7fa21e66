// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ICommerceEscrow} from "../../contracts/interfaces/ICommerceEscrow.sol";

/// @notice What the escrow calls of a collector.
interface ICommerceCollector {
    function collectTokens(
        ICommerceEscrow.PaymentInfo calldata paymentInfo,
        address tokenStore,
        uint256 amount,
        bytes calldata collectorData
    ) external;
}

/// @title CommerceEscrowBase
/// @notice What of the public escrow of commerce payments an operator and its payers meet, written from the protocol's ABI and
/// documentation: authorise, capture, void and reclaim. How a capture takes its fee is each version's own. The genuine one is
/// not the project's to keep.
///
/// @dev Without immutables, so that its code can be put at the published addresses. It holds all tokens itself.
abstract contract CommerceEscrowBase is ICommerceEscrow {
    using SafeERC20 for IERC20;

    struct PaymentState {
        bool hasCollectedPayment;
        uint120 capturableAmount;
        uint120 refundableAmount;
    }

    error ZeroAmount();
    error ExceedsMaxAmount(uint256 amount, uint256 maxAmount);
    error AfterPreApprovalExpiry(uint48 timestamp, uint48 expiry);
    error InvalidExpiries(uint48 preApproval, uint48 authorization, uint48 refund);
    error InvalidFeeReceiver(address attempted, address expected);
    error TokenCollectionFailed();
    error PaymentAlreadyCollected(bytes32 paymentInfoHash);
    error AfterAuthorizationExpiry(uint48 timestamp, uint48 expiry);
    error BeforeAuthorizationExpiry(uint48 timestamp, uint48 expiry);
    error InsufficientAuthorization(bytes32 paymentInfoHash, uint256 authorized, uint256 requested);
    error ZeroAuthorization(bytes32 paymentInfoHash);

    bytes32 private constant TYPE = keccak256(
        "PaymentInfo(address operator,address payer,address receiver,address token,uint120 maxAmount,uint48 preApprovalExpiry,uint48 authorizationExpiry,uint48 refundExpiry,uint16 minFeeBps,uint16 maxFeeBps,address feeReceiver,uint256 salt)"
    );

    mapping(bytes32 paymentInfoHash => PaymentState) public override paymentState;
    bool private _isEntered;

    modifier guarded(address sender) {
        require(!_isEntered, "reentered");
        _isEntered = true;
        if (msg.sender != sender) revert InvalidSender(msg.sender, sender);
        _;
        _isEntered = false;
    }

    function authorize(
        PaymentInfo calldata paymentInfo,
        uint256 amount,
        address tokenCollector,
        bytes calldata collectorData
    ) external override guarded(paymentInfo.operator) {
        _requireGood(paymentInfo, amount);
        bytes32 hash = getHash(paymentInfo);
        if (paymentState[hash].hasCollectedPayment) revert PaymentAlreadyCollected(hash);
        paymentState[hash] = PaymentState(true, uint120(amount), 0);
        IERC20 token = IERC20(paymentInfo.token);
        uint256 before = token.balanceOf(address(this));
        ICommerceCollector(tokenCollector).collectTokens(paymentInfo, address(this), amount, collectorData);
        if (token.balanceOf(address(this)) != before + amount) revert TokenCollectionFailed();
    }

    function void(PaymentInfo calldata paymentInfo) external override guarded(paymentInfo.operator) {
        _giveBack(paymentInfo);
    }

    function reclaim(PaymentInfo calldata paymentInfo) external guarded(paymentInfo.payer) {
        if (block.timestamp < paymentInfo.authorizationExpiry) {
            revert BeforeAuthorizationExpiry(uint48(block.timestamp), paymentInfo.authorizationExpiry);
        }
        _giveBack(paymentInfo);
    }

    function getHash(PaymentInfo calldata paymentInfo) public view override returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), keccak256(abi.encode(TYPE, paymentInfo))));
    }

    /// @param fee smallest units of the amount
    function _capture(
        PaymentInfo calldata paymentInfo,
        uint256 amount,
        uint256 fee,
        address feeReceiver
    ) internal {
        if (amount == 0) revert ZeroAmount();
        if (paymentInfo.feeReceiver != address(0) && paymentInfo.feeReceiver != feeReceiver) {
            revert InvalidFeeReceiver(feeReceiver, paymentInfo.feeReceiver);
        }
        if (block.timestamp >= paymentInfo.authorizationExpiry) {
            revert AfterAuthorizationExpiry(uint48(block.timestamp), paymentInfo.authorizationExpiry);
        }
        bytes32 hash = getHash(paymentInfo);
        PaymentState storage state = paymentState[hash];
        if (state.capturableAmount < amount) {
            revert InsufficientAuthorization(hash, state.capturableAmount, amount);
        }
        state.capturableAmount -= uint120(amount);
        state.refundableAmount += uint120(amount);
        IERC20 token = IERC20(paymentInfo.token);
        if (fee != 0) token.safeTransfer(feeReceiver, fee);
        token.safeTransfer(paymentInfo.receiver, amount - fee);
    }

    function _giveBack(PaymentInfo calldata paymentInfo) private {
        bytes32 hash = getHash(paymentInfo);
        uint256 amount = paymentState[hash].capturableAmount;
        if (amount == 0) revert ZeroAuthorization(hash);
        paymentState[hash].capturableAmount = 0;
        IERC20(paymentInfo.token).safeTransfer(paymentInfo.payer, amount);
    }

    function _requireGood(PaymentInfo calldata paymentInfo, uint256 amount) private view {
        (uint48 first, uint48 second, uint48 third) = (
            paymentInfo.preApprovalExpiry,
            paymentInfo.authorizationExpiry,
            paymentInfo.refundExpiry
        );
        if (amount == 0) revert ZeroAmount();
        if (amount > paymentInfo.maxAmount) revert ExceedsMaxAmount(amount, paymentInfo.maxAmount);
        if (block.timestamp >= first) revert AfterPreApprovalExpiry(uint48(block.timestamp), first);
        if (first > second || second > third) revert InvalidExpiries(first, second, third);
    }
}
