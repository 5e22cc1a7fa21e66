// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPageSettlementTypes} from "../../../contracts/interfaces/IPageSettlementTypes.sol";
import {IValidatorStaking} from "../../../contracts/interfaces/IValidatorStaking.sol";
import {IValidatorStakingTypes} from "../../../contracts/interfaces/IValidatorStakingTypes.sol";
import {deployArtifact} from "../utils/DeployArtifact.sol";
import {vm} from "../utils/Vm.sol";
import {StakingHandler} from "./StakingHandler.sol";

contract StakingInvariants {
    uint256 private constant VALIDATORS = 4;
    uint256 private constant HOLDERS = 7;
    /// @dev To take everything out costs as much as many other calls.
    uint256 private constant LEAVE_EVERY = 16;

    StakingHandler private handler;
    IValidatorStaking private staking;

    /// @notice Everybody is out, and everything as it was before.
    error EverybodyLeft();

    function setUp() public {
        handler = StakingHandler(deployArtifact("StakingHandler", ""));
        staking = handler.staking();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev The handler is worth something only if its calls get through.
    function test_HandlerAttestsRefutesSlashesAndPays() public {
        handler.delegate(4, 0, 0);
        handler.delegate(5, 1, type(uint256).max);
        handler.propose(0, 1);
        for (uint256 fault = 1; fault < 5; ++fault) handler.propose(fault, 1);
        handler.wait(25 hours);
        for (uint256 page = 0; page < 5; ++page) handler.attest(page, 1);
        vm.assertEq(handler.done(0), 5, "attested");
        handler.watch(0);
        handler.watch(1);
        handler.wait(10 hours);
        handler.watch(2);
        handler.watch(3);
        vm.assertEq(handler.done(2), 3, "refuted");
        handler.undelegate(0, 0, type(uint256).max);
        handler.slash(1, 0);
        handler.slash(1, 0);
        handler.slash(2, 1);
        handler.slash(4, 1);
        vm.assertEq(handler.done(1), 2, "slashed");
        handler.addRewards(1_000e18);
        handler.pay(0);
        vm.assertEq(handler.done(3), 1, "paid");
        invariant_HoldsWhatItOwes();
        invariant_PartsAreTheWhole();
        invariant_SnapshotsAreWhatTheirEpochsBeganWith();
        invariant_WhatWasShownToBeFalseIsNotFinal();
        for (uint256 i = 0; i < LEAVE_EVERY; ++i) {
            invariant_EverybodyCanLeave();
            handler.wait(0);
        }
        handler.withdraw(0);
        vm.assertEq(handler.withdrawn(), 0, "too early");
        handler.waitLonger(10 days);
        handler.waitLonger(10 days);
        handler.withdraw(0);
        vm.assertTrue(handler.withdrawn() > 9_000e18, "withdrawn");
        invariant_HoldsWhatItOwes();
    }

    function invariant_HoldsWhatItOwes() public view {
        IValidatorStakingTypes.Books memory books = staking.booksNow();
        uint256 owed = uint256(books.staked) + books.unbonding + books.rewards;
        vm.assertEq(handler.token().balanceOf(address(staking)), owed, "balance");
        vm.assertEq(
            handler.delegated(),
            handler.withdrawn() + handler.slashed() + books.staked + books.unbonding,
            "what went in"
        );
    }

    function invariant_PartsAreTheWhole() public view {
        uint256 staked;
        for (uint256 v = 0; v < VALIDATORS; ++v) {
            address validator = handler.holderAt(v);
            IValidatorStakingTypes.Validator memory content = staking.validatorOf(validator);
            staked += content.stake;
            uint256 shares;
            uint256 worth;
            for (uint256 h = 0; h < HOLDERS; ++h) {
                (IValidatorStakingTypes.Delegation memory part, uint256 stake) = staking.delegationOf(
                    validator,
                    handler.holderAt(h)
                );
                shares += part.shares;
                worth += stake;
            }
            vm.assertEq(shares, content.shares, "shares");
            vm.assertTrue(worth <= content.stake && content.stake <= worth + HOLDERS, "worth");
            vm.assertTrue(content.stake <= content.shares, "a share is worth a unit at most");
        }
        vm.assertEq(staked, staking.booksNow().staked, "pools");
        uint256 votes;
        for (uint256 h = 0; h < HOLDERS; ++h) {
            votes += staking.stakeAt(handler.holderAt(h), handler.clock());
        }
        vm.assertTrue(votes <= staked, "more votes than stake");
    }

    function invariant_SnapshotsAreWhatTheirEpochsBeganWith() public view {
        for (uint256 i = 0; i < handler.epochCount(); ++i) {
            (uint256 epoch, bytes31 expected) = handler.epochAt(i);
            bytes31 actual = staking.snapshotHashOf(epoch);
            if (actual != 0) vm.assertEq(bytes32(actual), bytes32(expected), "snapshot");
        }
    }

    /// @dev Good pages are final by time, and bad ones are unless somebody looked.
    function invariant_WhatWasShownToBeFalseIsNotFinal() public view {
        for (uint256 i = 0; i < handler.pageCount(); ++i) {
            (bytes32 id, bool isGood, bool wasChallenged, uint256 end) = handler.pageAt(i);
            (IPageSettlementTypes.PageState state, ) = handler.pages().stateOfPage(id);
            bool isRefuted = state >= IPageSettlementTypes.PageState.Rejected;
            vm.assertTrue(isRefuted == (wasChallenged && !isGood), "refuted");
            if (isRefuted) continue;
            bool isFinal = state == IPageSettlementTypes.PageState.Final;
            vm.assertTrue(isFinal == (handler.clock() > end), "final");
        }
    }

    function invariant_EverybodyCanLeave() public {
        if (handler.calls() % LEAVE_EVERY != 0) return;
        try this.leaveAll() {
            vm.assertTrue(false, "it has to revert");
        } catch (bytes memory reason) {
            vm.assertEq(bytes32(bytes4(reason)), bytes32(EverybodyLeft.selector), "somebody cannot leave");
        }
        vm.warp(handler.clock());
    }

    /// @notice Takes everything out, and undoes it.
    function leaveAll() external {
        uint256 time = handler.clock();
        for (uint256 v = 0; v < VALIDATORS; ++v) {
            for (uint256 h = 0; h < HOLDERS; ++h) _undelegate(handler.holderAt(v), handler.holderAt(h));
        }
        time += 23 days;
        vm.warp(time);
        for (uint256 i = 0; i < handler.leavingCount(); ++i) {
            StakingHandler.Leaving memory leaving = handler.leavingAt(i);
            _withdraw(leaving.validator, leaving.holder, leaving.epoch);
        }
        for (uint256 v = 0; v < VALIDATORS; ++v) {
            for (uint256 h = 0; h < HOLDERS; ++h) {
                _withdraw(handler.holderAt(v), handler.holderAt(h), handler.clock() / 1 days + 1);
            }
        }
        IValidatorStakingTypes.Books memory books = staking.booksNow();
        // Units that are worth less than one to everybody.
        vm.assertTrue(uint256(books.staked) + books.unbonding <= VALIDATORS * HOLDERS, "left over");
        revert EverybodyLeft();
    }

    function _undelegate(address validator, address holder) private {
        (IValidatorStakingTypes.Delegation memory part, uint256 stake) = staking.delegationOf(
            validator,
            holder
        );
        if (stake == 0) return;
        vm.prank(holder);
        staking.undelegate(validator, part.shares);
    }

    /// @dev What was withdrawn a moment ago is not there any more.
    function _withdraw(address validator, address holder, uint256 epoch) private {
        (, uint256 amount) = staking.unbondingOf(validator, epoch, holder);
        if (amount == 0) return;
        vm.prank(holder);
        staking.withdraw(validator, epoch);
    }
}
