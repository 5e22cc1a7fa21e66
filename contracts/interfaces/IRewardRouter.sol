// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title IRewardRouter
/// @notice Passes staking rewards on. The vault of staking rewards can be redirected once; it pays this contract from then on, and
/// governance says to whom that passes on.
interface IRewardRouter {
    /// @notice Rewards were passed on.
    /// @param recipient who got them
    /// @param amount smallest units of OPG
    event RewardsForwarded(address indexed recipient, uint256 amount);
    /// @notice Governance named who gets rewards from now on.
    /// @param recipient the contract, or zero
    event RecipientChanged(address indexed recipient);

    /// @notice A contract that is needed has no code.
    /// @param account its address
    error RewardRouter_NotAContract(address account);
    /// @notice Nobody gets rewards yet; they stay here.
    error RewardRouter_NoRecipient();
    /// @notice There is nothing to pass on.
    error RewardRouter_NothingHere();

    /// @notice Passes all OPG that is here on, by the recipient's `addRewards`. Anyone.
    /// @return amount smallest units
    function forward() external returns (uint256 amount);

    /// @notice Names who gets rewards. What is here already goes there, too. Restricted to governance.
    /// @param recipient a contract with {IValidatorStaking}'s `addRewards`; zero to keep them here
    function setRecipient(address recipient) external;

    /// @notice Who gets rewards.
    /// @return current zero while they stay here
    function recipient() external view returns (address current);
}
