// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title FlashVoter
/// @notice Borrows tokens, uses their votes and returns them, in one transaction.
contract FlashVoter {
    IERC20 private immutable TOKEN;
    IGovernor private immutable GOVERNOR;

    constructor(IERC20 token, IGovernor governor) {
        TOKEN = token;
        GOVERNOR = governor;
    }

    modifier withLoan(address lender, uint256 amount) {
        TOKEN.transferFrom(lender, address(this), amount);
        IVotes(address(TOKEN)).delegate(address(this));
        _;
        TOKEN.transfer(lender, amount);
    }

    function borrowAndPropose(
        address lender,
        uint256 amount,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description
    ) external withLoan(lender, amount) {
        GOVERNOR.propose(targets, values, calldatas, description);
    }

    /// @dev A vote that the governor does not take is no reason to give up the loan.
    function borrowAndVote(
        address lender,
        uint256 amount,
        uint256 proposalId
    ) external withLoan(lender, amount) {
        try GOVERNOR.castVote(proposalId, 1) {} catch {} // solhint-disable-line no-empty-blocks
    }
}
