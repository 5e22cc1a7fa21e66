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
/// Access: `setTarget` is governance's. Tokens leave to the target only, and no allowance outlasts a call.
contract RewardRouter is IRewardRouter, AccessManaged {
    using SafeERC20 for IERC20;

    /// @notice The token, OPG.
    IERC20 public immutable TOKEN;

    /// @inheritdoc IRewardRouter
    address public override target;

    constructor(address authority, IERC20 token) AccessManaged(authority) {
        if (authority.code.length == 0) revert RewardRouter_NotAContract(authority);
        if (address(token).code.length == 0) revert RewardRouter_NotAContract(address(token));
        TOKEN = token;
    }

    /// @inheritdoc IRewardRouter
    function forward() external override returns (uint256 amount) {
        address target_ = target;
        if (target_ == address(0)) revert RewardRouter_NoTarget();
        amount = TOKEN.balanceOf(address(this));
        if (amount == 0) revert RewardRouter_NothingHere();
        emit RewardsForwarded(target_, amount);
        TOKEN.forceApprove(target_, amount);
        // All OPG there is fits 96 bits.
        IValidatorStaking(target_).addRewards(uint96(amount));
        // A target that took less keeps no allowance for later.
        TOKEN.forceApprove(target_, 0);
    }

    /// @inheritdoc IRewardRouter
    function setTarget(address target_) external override restricted {
        if (target_ != address(0) && target_.code.length == 0) revert RewardRouter_NotAContract(target_);
        target = target_;
        emit TargetChanged(target_);
    }
}
