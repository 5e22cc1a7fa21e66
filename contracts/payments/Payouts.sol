// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IPayouts} from "../interfaces/IPayouts.sol";

/// @title Payouts
/// @notice See {IPayouts}. A part of {InferenceEscrow} and of {CommerceOperator}.
abstract contract Payouts is IPayouts, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IPayouts
    mapping(address token => mapping(address account => uint256 amount)) public override creditOf;

    /// @inheritdoc IPayouts
    function withdrawCredit(address token, address receiver) external override nonReentrant {
        _requireAccount(receiver);
        uint256 amount = creditOf[token][msg.sender];
        if (amount == 0) revert Payouts_NoCredit(token, msg.sender);
        creditOf[token][msg.sender] = 0;
        emit CreditWithdrawn(token, msg.sender, receiver, amount);
        IERC20(token).safeTransfer(receiver, amount);
    }

    /// @dev Whoever calls with little gas cannot make a good transfer fail: it gets 63 of 64 parts of what there is, and the
    /// 64th would have to pay for the credit's slot.
    function _pay(address token, address account, uint256 amount) internal {
        if (amount == 0 || IERC20(token).trySafeTransfer(account, amount)) return;
        creditOf[token][account] += amount;
        emit Credited(token, account, amount);
    }

    /// @dev Tokens that are sent to the contract itself would be nobody's.
    function _requireAccount(address account) internal view {
        if (account == address(0) || account == address(this)) revert Payouts_AccountInvalid(account);
    }
}
