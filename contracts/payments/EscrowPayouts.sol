// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IInferenceEscrow} from "../interfaces/IInferenceEscrow.sol";

/// @title EscrowPayouts
/// @notice How tokens leave the escrow: by a transfer, or as a credit where that fails, so that nobody whom a token blocks
/// keeps others from what is theirs. A part of {InferenceEscrow}.
abstract contract EscrowPayouts is IInferenceEscrow, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IInferenceEscrow
    mapping(address token => mapping(address account => uint256 amount)) public override creditOf;

    /// @inheritdoc IInferenceEscrow
    function withdrawCredit(address token, address receiver) external override nonReentrant {
        _requireAccount(receiver);
        uint256 amount = creditOf[token][msg.sender];
        if (amount == 0) revert InferenceEscrow_AmountInvalid(1, 0);
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

    /// @dev Tokens that are sent to the escrow itself would be nobody's.
    function _requireAccount(address account) internal view {
        if (account == address(0) || account == address(this)) {
            revert InferenceEscrow_AccountInvalid(account);
        }
    }
}
