// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPageSettlementTypes} from "../../../contracts/interfaces/IPageSettlementTypes.sol";
import {IValidatorStakingTypes} from "../../../contracts/interfaces/IValidatorStakingTypes.sol";
import {bound, vm} from "../utils/Vm.sol";
import {StakingWorld} from "./StakingWorld.sol";

/// @title StakingHandler
/// @notice Random use of stake and pages by validators, delegators, a proposer who also lies, and a watcher, with its own account
/// of what must have happened. What the account says is possible has to go through.
contract StakingHandler is StakingWorld {
    uint256 private constant MOST_PAGES = 200;
    /// @dev Worth of shares below which rounding may leave nothing to take out.
    uint256 private constant DUST = 1_000;

    struct Page {
        bytes32 id;
        uint256 proposedAt;
        uint256 attestedAt;
        uint256 signers;
        bool wasChallenged;
        IPageSettlementTypes.PageHeader header;
        IPageSettlementTypes.Leaf leaf;
    }

    struct Leaving {
        address holder;
        address validator;
        uint256 epoch;
    }

    Page[] private _pages;
    Leaving[] private _leaving;
    mapping(bytes32 leaving => bool) private _isLeaving;
    mapping(bytes32 pageAndValidator => bool) private _isSlashed;
    mapping(uint256 epoch => bool) private _hadSlash;
    mapping(uint256 epoch => uint256[]) private _snapshots;
    uint256[] private _epochs;

    uint256 public clock = START + 1 days;
    uint256 private _block = 1_000;
    uint256 public calls;
    /// @notice OPG that ever went in, came out, and was taken by slashes, the bounty included.
    uint256 public delegated = VALIDATORS * 40_000 * OPG;
    uint256 public withdrawn;
    uint256 public slashed;
    /// @notice How often each of attest, slash, refute and pay got through.
    uint256[4] public done;

    constructor() {
        _begin();
    }

    modifier step() {
        _begin();
        _;
    }

    function delegate(uint256 holderSeed, uint256 validatorSeed, uint256 amountSeed) external step {
        (address holder, address validator) = _pair(holderSeed, validatorSeed);
        uint256 balance = token.balanceOf(holder);
        if (balance < OPG || staking.validatorOf(validator).isClosed) return;
        uint256 amount = bound(amountSeed, OPG, balance);
        (, uint256 before) = staking.delegationOf(validator, holder);
        vm.prank(holder);
        staking.delegate(validator, uint96(amount));
        (, uint256 stake) = staking.delegationOf(validator, holder);
        vm.assertTrue(stake <= before + amount + 1, "more than was put in");
        vm.assertTrue(stake + 2 >= before + amount, "rounded away");
        delegated += amount;
    }

    function undelegate(uint256 holderSeed, uint256 validatorSeed, uint256 part) external step {
        (address holder, address validator) = _pair(holderSeed, validatorSeed);
        (IValidatorStakingTypes.Delegation memory content, uint256 stake) = staking.delegationOf(
            validator,
            holder
        );
        if (stake < DUST) return;
        uint256 shares = bound(part, content.shares / 4, content.shares);
        vm.prank(holder);
        (uint256 amount, uint256 epoch) = staking.undelegate(validator, uint128(shares));
        vm.assertTrue(amount <= stake, "more than there was");
        bytes32 key = keccak256(abi.encode(holder, validator, epoch));
        if (_isLeaving[key]) return;
        _isLeaving[key] = true;
        _leaving.push(Leaving(holder, validator, epoch));
    }

    function withdraw(uint256 seed) external step {
        if (_leaving.length == 0) return;
        uint256 index = seed % _leaving.length;
        Leaving memory leaving = _leaving[index];
        bool isDue = clock >= leaving.epoch * EPOCH + 21 days;
        vm.prank(leaving.holder);
        try staking.withdraw(leaving.validator, leaving.epoch) returns (uint256 amount) {
            vm.assertTrue(isDue, "too early");
            withdrawn += amount;
        } catch {
            vm.assertFalse(isDue, "a withdrawal that was refused");
            return;
        }
        _isLeaving[keccak256(abi.encode(leaving.holder, leaving.validator, leaving.epoch))] = false;
        _leaving[index] = _leaving[_leaving.length - 1];
        _leaving.pop();
    }

    function claim(uint256 holderSeed, uint256 validatorSeed) external step {
        (address holder, address validator) = _pair(holderSeed, validatorSeed);
        vm.prank(holder);
        try staking.claimRewards(validator) {} catch (bytes memory reason) {
            _require(reason, IValidatorStakingTypes.ValidatorStaking_AmountInvalid.selector);
        }
    }

    function addRewards(uint256 seed) external step {
        staking.addRewards(uint96(bound(seed, 1, 10_000 * OPG)));
    }

    function enterOrExit(uint256 validatorSeed, uint256 seed) external step {
        address validator = holderAt(validatorSeed % VALIDATORS);
        IValidatorStakingTypes.Validator memory content = staking.validatorOf(validator);
        (, uint256 own) = staking.delegationOf(validator, validator);
        if (content.place != 0) {
            if (seed % 8 != 0) return;
            vm.prank(validator);
            staking.exit();
        } else if (!content.isClosed && own >= 10_000 * OPG) {
            vm.prank(validator);
            staking.enter(address(0));
        }
    }

    /// @notice Most pages are good; the others have one fault.
    function propose(uint256 faultSeed, uint256 feeSeed) external step {
        if (_pages.length == MOST_PAGES) return;
        uint96 fee = uint96(bound(feeSeed, 0, 3) * OPG);
        pages.deposit(address(this), uint128(1_000 * OPG + fee));
        uint256 fault = faultSeed % 8;
        (IPageSettlementTypes.PageHeader memory header, IPageSettlementTypes.Leaf memory leaf) = _makePage(
            1 + _pages.length,
            fault,
            fee
        );
        vm.assertTrue(_isGood(header, leaf, clock) == (fault == 0 || fault > 4), "the test's verifier");
        (bytes32 id, ) = pages.proposePage(
            IPageSettlementTypes.Proposal({
                kind: header.kind,
                teeId: header.teeId,
                ledgerPage: header.ledgerPage,
                bitmap: header.bitmap,
                root: header.root,
                blobId: header.blobId,
                fee: fee,
                deadline: 0
            }),
            ""
        );
        Page storage page = _pages.push();
        page.id = id;
        page.proposedAt = clock;
        page.header = header;
        page.leaf = leaf;
    }

    /// @notice Validators sign whatever it is, all but some.
    function attest(uint256 pageSeed, uint256 absent) external step {
        if (_pages.length == 0) return;
        Page storage page = _pages[pageSeed % _pages.length];
        (IPageSettlementTypes.PageState state, ) = pages.stateOfPage(page.id);
        if (state != IPageSettlementTypes.PageState.Pending || page.attestedAt != 0) return;
        staking.freeze();
        uint256 epoch = clock / EPOCH;
        uint256[] memory snapshot = _snapshots[epoch];
        uint256 signers = ((1 << (snapshot.length - 1)) - 1) & ~(absent % 5 == 0 ? absent >> 8 : 0);
        uint256 weight;
        for (uint256 i = 1; i < snapshot.length; ++i) {
            if ((signers >> (i - 1)) & 1 == 1) weight += uint96(snapshot[i]);
        }
        uint256 total = snapshot[0] >> 160;
        bool isQuorum = total >= 30_000 * OPG && 3 * weight > 2 * total;
        bytes memory signatures = _attestationOf(page.id, snapshot, signers);
        try staking.attest(page.header, snapshot, signers, signatures) {
            vm.assertTrue(isQuorum, "no quorum");
            page.attestedAt = clock;
            page.signers = signers;
            ++done[0];
        } catch {
            vm.assertTrue(!isQuorum || _hadSlash[epoch], "a quorum that was refused");
        }
    }

    /// @notice A watcher looks at a page while something can be shown.
    function watch(uint256 pageSeed) external step {
        if (_pages.length == 0) return;
        Page storage page = _pages[pageSeed % _pages.length];
        (IPageSettlementTypes.PageState state, ) = pages.stateOfPage(page.id);
        bool isOpen =
            state == IPageSettlementTypes.PageState.Pending ||
                (state == IPageSettlementTypes.PageState.Final && clock <= endOf(page) + EVIDENCE_WINDOW);
        if (!isOpen) return;
        page.wasChallenged = true;
        IPageSettlementTypes.Leaf memory leaf = page.leaf;
        bytes32 leafHash = keccak256(
            abi.encodePacked(bytes1(0), _digestOf(leaf.result), keccak256(leaf.signature))
        );
        pages.commitChallenge(
            keccak256(abi.encode(page.id, leaf.index, leafHash, bytes32(0), address(this), bytes32(calls)))
        );
        vm.roll(++_block);
        bool isGood = _isGood(page.header, leaf, page.proposedAt);
        try pages.challenge(page.header, leaf, address(this), bytes32(calls)) {
            vm.assertFalse(isGood, "a good page fell");
            ++done[2];
        } catch {
            vm.assertTrue(isGood, "a challenge that was refused");
        }
    }

    function slash(uint256 pageSeed, uint256 signerSeed) external step {
        if (_pages.length == 0) return;
        Page storage page = _pages[pageSeed % _pages.length];
        (IPageSettlementTypes.PageState state, ) = pages.stateOfPage(page.id);
        if (page.attestedAt == 0 || state < IPageSettlementTypes.PageState.Rejected) return;
        uint256[] memory snapshot = _snapshots[page.attestedAt / EPOCH];
        uint256 index = signerSeed % (snapshot.length - 1);
        bytes32 key = keccak256(abi.encode(page.id, snapshot[index + 1] >> 96));
        bool isSigner = (page.signers >> index) & 1 == 1;
        IValidatorStakingTypes.Books memory before = staking.booksNow();
        uint256 supply = token.totalSupply();
        try staking.slash(page.id, snapshot, index) {
            vm.assertTrue(isSigner && !_isSlashed[key], "slashed wrongly");
            IValidatorStakingTypes.Books memory books = staking.booksNow();
            uint256 taken = uint256(before.staked) + before.unbonding - books.staked - books.unbonding;
            uint256 burned = supply - token.totalSupply();
            vm.assertTrue(burned <= taken && taken <= burned + 10 * OPG, "burned and bounty");
            vm.assertTrue(books.rewards == before.rewards, "rewards were slashed");
            slashed += taken;
            _isSlashed[key] = true;
            _hadSlash[clock / EPOCH] = true;
            ++done[1];
        } catch (bytes memory reason) {
            // Nothing is left that answers, or nothing more today; else it has to go through.
            if (!isSigner || _isSlashed[key]) return;
            if (bytes4(reason) == IValidatorStakingTypes.ValidatorStaking_DailySlashReached.selector) return;
            _require(reason, IValidatorStakingTypes.ValidatorStaking_AmountInvalid.selector);
        }
    }

    function pay(uint256 pageSeed) external step {
        if (_pages.length == 0) return;
        Page storage page = _pages[pageSeed % _pages.length];
        uint256 epoch = page.attestedAt / EPOCH;
        if (page.attestedAt == 0 || staking.tallyOf(epoch, page.signers).pages == 0) return;
        uint256[] memory sets = new uint256[](1);
        sets[0] = page.signers;
        staking.payPages(epoch, _snapshots[epoch], sets);
        ++done[3];
    }

    function wait(uint256 seed) external step {
        clock += bound(seed, 1, 40 hours);
        vm.warp(clock);
    }

    /// @notice So that what is on its way out arrives, and windows end.
    function waitLonger(uint256 seed) external step {
        clock += bound(seed, 2 days, 12 days);
        vm.warp(clock);
    }

    function pageCount() external view returns (uint256) {
        return _pages.length;
    }

    /// @notice What the account says of a page.
    function pageAt(
        uint256 index
    ) external view returns (bytes32 id, bool isGood, bool wasChallenged, uint256 end) {
        Page storage page = _pages[index];
        return (page.id, _isGood(page.header, page.leaf, page.proposedAt), page.wasChallenged, endOf(page));
    }

    function leavingCount() external view returns (uint256) {
        return _leaving.length;
    }

    function leavingAt(uint256 index) external view returns (Leaving memory) {
        return _leaving[index];
    }

    function epochCount() external view returns (uint256) {
        return _epochs.length;
    }

    /// @notice An epoch, and the hash of what there was when it began.
    function epochAt(uint256 index) external view returns (uint256 epoch, bytes31 snapshotHash) {
        epoch = _epochs[index];
        snapshotHash = bytes31(keccak256(abi.encodePacked(_snapshots[epoch])));
    }

    function endOf(Page storage page) private view returns (uint256 end) {
        end = page.proposedAt + LONG_ROAD;
        if (page.attestedAt != 0 && page.attestedAt + SHORT_ROAD < end) end = page.attestedAt + SHORT_ROAD;
    }

    /// @dev Notes what there is at the beginning of each epoch.
    function _begin() private {
        ++calls;
        vm.warp(clock);
        vm.roll(++_block);
        uint256 epoch = clock / EPOCH;
        if (_snapshots[epoch].length != 0) return;
        _snapshots[epoch] = staking.snapshotNow();
        _epochs.push(epoch);
    }

    function _pair(
        uint256 holderSeed,
        uint256 validatorSeed
    ) private pure returns (address holder, address validator) {
        return (holderAt(holderSeed % HOLDERS), holderAt(validatorSeed % VALIDATORS));
    }

    function _require(bytes memory reason, bytes4 expected) private pure {
        vm.assertEq(bytes32(bytes4(reason)), bytes32(expected), "another error than predicted");
    }
}
