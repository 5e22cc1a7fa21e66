// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";

/// @title IStakedVotes
/// @notice Whom the governor asks for votes: OPG that was delegated to an account in the token, and what that account's own stake
/// in validators' pools is worth.
///
/// Stake votes for who delegated it to a pool, neither for the validator nor for whom that account has delegated its OPG to. It
/// needs no delegation in the token. What is on its way out of a pool has no votes. OPG that the staking contract holds votes
/// nowhere else, so that every token votes once, and is part of the supply of which a quorum is a fraction.
interface IStakedVotes is IERC5805 {
    /// @notice Votes are delegated in the token.
    /// @param token where
    error StakedVotes_DelegateInTheToken(address token);
    /// @notice A contract that is needed has no code.
    /// @param account its address
    error StakedVotes_NotAContract(address account);

    /// @notice The token's account that has the votes which nobody can cast. Whoever has given up the votes of their OPG
    /// has none by stake, either.
    function NON_VOTING() external view returns (address);

    /// @notice Which part of an account's votes is stake of its own.
    /// @param account whose votes
    /// @param timepoint unix seconds, in the past
    /// @return votes smallest units
    function getPastStakeVotes(address account, uint256 timepoint) external view returns (uint256 votes);
}
