// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";
import {IOPG} from "../interfaces/IOPG.sol";
import {IStakedVotes} from "../interfaces/IStakedVotes.sol";
import {IValidatorStaking} from "../interfaces/IValidatorStaking.sol";

/// @title StakedVotes
/// @notice See {IStakedVotes}.
///
/// Access: it has no state, and nothing in it can be changed.
contract StakedVotes is IStakedVotes {
    /// @notice The token, OPG.
    IERC5805 public immutable TOKEN;
    /// @notice Where stake is.
    IValidatorStaking public immutable STAKING;
    /// @inheritdoc IStakedVotes
    address public immutable override NON_VOTING;

    /// @param token OPG
    /// @param staking whose stake votes
    constructor(IERC5805 token, IValidatorStaking staking) {
        if (address(token).code.length == 0) revert StakedVotes_NotAContract(address(token));
        if (address(staking).code.length == 0) revert StakedVotes_NotAContract(address(staking));
        TOKEN = token;
        STAKING = staking;
        NON_VOTING = IOPG(address(token)).NON_VOTING();
    }

    /// @notice Votes now. Stake that came in this very second is not among them.
    function getVotes(address account) external view override returns (uint256) {
        return TOKEN.getVotes(account) + _stakeVotes(account, block.timestamp);
    }

    /// @notice Votes at a past second.
    function getPastVotes(address account, uint256 timepoint) external view override returns (uint256) {
        // The token refuses what is not past.
        return TOKEN.getPastVotes(account, timepoint) + _stakeVotes(account, timepoint);
    }

    /// @inheritdoc IStakedVotes
    function getPastStakeVotes(
        address account,
        uint256 timepoint
    ) external view override returns (uint256 votes) {
        if (timepoint >= block.timestamp) TOKEN.getPastVotes(account, timepoint);
        return _stakeVotes(account, timepoint);
    }

    /// @notice The supply: what is staked is part of it.
    function getPastTotalSupply(uint256 timepoint) external view override returns (uint256) {
        return TOKEN.getPastTotalSupply(timepoint);
    }

    /// @notice Who votes with an account's OPG. With its stake it votes itself.
    function delegates(address account) external view override returns (address) {
        return TOKEN.delegates(account);
    }

    /// @notice Refused: the token would take this contract for the one who delegates.
    function delegate(address) external view override {
        revert StakedVotes_DelegateInTheToken(address(TOKEN));
    }

    /// @notice Refused, so that there is one place for delegations.
    function delegateBySig(address, uint256, uint256, uint8, bytes32, bytes32) external view override {
        revert StakedVotes_DelegateInTheToken(address(TOKEN));
    }

    function clock() external view override returns (uint48) {
        return TOKEN.clock();
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() external view override returns (string memory) {
        return TOKEN.CLOCK_MODE();
    }

    /// @dev Otherwise a proposal could stake what the treasury holds, and have it vote. Votes are given up for ever, so that it
    /// does not matter when it is asked.
    function _stakeVotes(address account, uint256 timepoint) private view returns (uint256) {
        if (TOKEN.delegates(account) == NON_VOTING) return 0;
        return STAKING.stakeAt(account, timepoint);
    }
}
