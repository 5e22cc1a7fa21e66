// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IRewardRouter} from "../interfaces/IRewardRouter.sol";
import {IValidatorStaking} from "../interfaces/IValidatorStaking.sol";

/// @title RewardRouter
/// @notice See {IRewardRouter}.
///
/// Access: `setRecipient` is governance's. Tokens leave to the recipient only, and no allowance outlasts a call.
contract RewardRouter is IRewardRouter, AccessManaged {
    using SafeERC20 for IERC20;

    /// @notice The token, OPG.
    IERC20 public immutable TOKEN;

    /// @inheritdoc IRewardRouter
    address public override recipient;

    constructor(address authority, IERC20 token) AccessManaged(authority) {
        if (authority.code.length == 0) revert RewardRouter_NotAContract(authority);
        if (address(token).code.length == 0) revert RewardRouter_NotAContract(address(token));
        TOKEN = token;
    }

    /// @inheritdoc IRewardRouter
    function forward() external override returns (uint256 amount) {
        address recipient_ = recipient;
        if (recipient_ == address(0)) revert RewardRouter_NoRecipient();
        amount = TOKEN.balanceOf(address(this));
        if (amount == 0) revert RewardRouter_NothingHere();
        emit RewardsForwarded(recipient_, amount);
        TOKEN.forceApprove(recipient_, amount);
        // All OPG there is fits 96 bits.
        IValidatorStaking(recipient_).addRewards(uint96(amount));
        // A recipient that took less keeps no allowance for later.
        TOKEN.forceApprove(recipient_, 0);
    }

    /// @inheritdoc IRewardRouter
    function setRecipient(address recipient_) external override restricted {
        if (recipient_ != address(0) && recipient_.code.length == 0) {
            revert RewardRouter_NotAContract(recipient_);
        }
        recipient = recipient_;
        emit RecipientChanged(recipient_);
    }
}
