// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {GovernorVotesQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IOPG} from "../interfaces/IOPG.sol";

/// @title HacaGovernor
/// @notice Holders of OPG decide; the timelock carries it out, after a delay in which the guardian can cancel.
///
/// OpenZeppelin's modules: simple counting (for, against, abstain), quorum as a fraction, and an extension of the
/// vote when the quorum is reached late. Votes count as they stood at a proposal's snapshot, a past second, so that
/// borrowed tokens that are returned in the same transaction never count.
///
/// One thing is its own: the quorum is a fraction of what can vote, and not of the supply. Tokens whose holder has
/// given up their votes for good ({IOPG-NON_VOTING}), first of all those of the treasury, are no part of it.
///
/// Access: everything that changes a setting is for the timelock alone, which acts only on proposals.
contract HacaGovernor is
    Governor,
    GovernorSettings,
    GovernorCountingSimple,
    GovernorVotes,
    GovernorVotesQuorumFraction,
    GovernorPreventLateQuorum,
    GovernorTimelockControl
{
    /// @param votingDelay from proposal to snapshot, seconds
    /// @param votingPeriod from snapshot to deadline, seconds
    /// @param proposalThreshold votes that a proposer needs, smallest units
    /// @param quorumPercent votes for and abstaining that a proposal needs, percent of what can vote; not zero
    /// @param lateQuorumExtension time to vote that is left, at least, once the quorum is reached, seconds
    struct Settings {
        uint48 votingDelay;
        uint32 votingPeriod;
        uint256 proposalThreshold;
        uint256 quorumPercent;
        uint48 lateQuorumExtension;
    }

    /// @dev Who has the votes that nobody can cast.
    address private immutable _nonVoting;

    /// @notice With a quorum of zero a single vote would decide.
    error HacaGovernor_QuorumZero();

    constructor(
        IVotes token,
        TimelockController timelockController,
        Settings memory settings
    )
        Governor("HACA Governor")
        GovernorSettings(settings.votingDelay, settings.votingPeriod, settings.proposalThreshold)
        GovernorVotes(token)
        GovernorVotesQuorumFraction(settings.quorumPercent)
        GovernorPreventLateQuorum(settings.lateQuorumExtension)
        GovernorTimelockControl(timelockController)
    {
        _nonVoting = IOPG(address(token)).NON_VOTING();
    }

    /// @notice Tokens that could vote at a past second, delegated or not: the supply without those whose votes were
    /// given up for good.
    /// @param timepoint unix seconds
    function electorate(uint256 timepoint) public view returns (uint256) {
        return token().getPastTotalSupply(timepoint) - token().getPastVotes(_nonVoting, timepoint);
    }

    /// @notice Votes for and abstaining that a proposal with that snapshot needs.
    /// @param timepoint unix seconds, in the past
    function quorum(
        uint256 timepoint
    ) public view override(Governor, GovernorVotesQuorumFraction) returns (uint256) {
        return Math.mulDiv(electorate(timepoint), quorumNumerator(timepoint), quorumDenominator());
    }

    function state(
        uint256 proposalId
    ) public view override(Governor, GovernorTimelockControl) returns (ProposalState) {
        return super.state(proposalId);
    }

    function proposalDeadline(
        uint256 proposalId
    ) public view override(Governor, GovernorPreventLateQuorum) returns (uint256) {
        return super.proposalDeadline(proposalId);
    }

    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    function proposalNeedsQueuing(
        uint256 proposalId
    ) public view override(Governor, GovernorTimelockControl) returns (bool) {
        return super.proposalNeedsQueuing(proposalId);
    }

    function _updateQuorumNumerator(uint256 newQuorumNumerator) internal override {
        if (newQuorumNumerator == 0) revert HacaGovernor_QuorumZero();
        super._updateQuorumNumerator(newQuorumNumerator);
    }

    function _tallyUpdated(uint256 proposalId) internal override(Governor, GovernorPreventLateQuorum) {
        super._tallyUpdated(proposalId);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }
}
