// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IInferenceSettlement} from "./IInferenceSettlement.sol";
import {IPageSettlementTypes} from "./IPageSettlementTypes.sol";

/// @title IValidatorStakingTypes
/// @notice What validators and their stake are made of, what happens to them, and why a call is refused;
/// {IValidatorStaking} has the functions.
///
/// Amounts are smallest units of OPG, times unix seconds, parts hundredths of a percent. An epoch is a day (UTC), known by its
/// number since 1970.
interface IValidatorStakingTypes {
    /// @notice What governance sets, within bounds.
    /// @param minimumSelfStake stake that a validator's owner needs in their own pool; for who enters from now on
    /// @param minimumTotalStake stake of the whole set below which nothing is attested; from the next epoch on
    /// @param slashWithQuorum part that a signer loses for a wrong page that a quorum vouched for; for epochs to come
    /// @param slashWithout part that a signer loses for any other wrong page; for epochs to come
    /// @param dailySlash part that a validator loses in a day at most; at once
    /// @param bounty for whoever slashes, out of the pool, besides what is burned; at once
    struct Parameters {
        uint96 minimumSelfStake;
        uint96 minimumTotalStake;
        uint16 slashWithQuorum;
        uint16 slashWithout;
        uint16 dailySlash;
        uint96 bounty;
    }

    /// @notice A validator and its pool, known by its owner's account.
    /// @param key whose signatures count; never zero for a validator that registered
    /// @param stake what is in the pool, the owner's own included
    /// @param shares of the pool, of all who delegated to it
    /// @param commission part of the pool's rewards that is its owner's
    /// @param place in the set, counted from 1; zero outside
    /// @param isClosed whether so much was slashed that nobody delegates to it any more
    /// @param worths how often it was remembered what a share is worth: after each slash, but not twice in a second
    /// @param slashDay the last day on which it was slashed
    /// @param slashLeft what it could lose that day, then
    /// @param pot what it earned by pages and its pool has not got yet: a seventh goes there in a day
    /// @param potAt when a part of the pot last went there
    /// @param rewardPerShare of all times, scaled by 1e27
    /// @param paidPerStake how much of what every unit of stake earns the pool has got, scaled by 1e27
    struct Validator {
        address key;
        uint96 stake;
        uint128 shares;
        uint16 commission;
        uint8 place;
        bool isClosed;
        uint32 worths;
        uint32 slashDay;
        uint96 slashLeft;
        uint96 pot;
        uint40 potAt;
        uint256 rewardPerShare;
        uint256 paidPerStake;
    }

    /// @notice What a validator announced and is not in force yet.
    /// @param key the next one; zero if none is announced
    /// @param keyFrom when it can be put in force
    /// @param commission the next one
    /// @param commissionFrom when it can be put in force; zero if none is announced
    struct Announcement {
        address key;
        uint40 keyFrom;
        uint16 commission;
        uint40 commissionFrom;
    }

    /// @notice What somebody has in a pool.
    /// @param shares of the pool
    /// @param owed rewards that were counted and not claimed; of an owner, also their commission
    /// @param since when the shares are as many as they are; zero for somebody who never delegated to it; until 2106
    /// @param changes how often they were others before
    /// @param paidPerShare up to where rewards were counted, scaled by 1e27
    struct Delegation {
        uint104 shares;
        uint96 owed;
        uint32 since;
        uint24 changes;
        uint256 paidPerShare;
    }

    /// @notice What left a pool in one epoch and still answers for signatures of epochs before.
    /// @param amount what is there
    /// @param shares of all whose it is
    struct Unbonding {
        uint128 amount;
        uint128 shares;
    }

    /// @notice Pages that the same signers vouched for in an epoch, and that were not paid yet.
    /// @param fees of them
    /// @param pages how many
    struct Tally {
        uint96 fees;
        uint32 pages;
    }

    /// @notice What of all the OPG here is what. It is all there is, but for what somebody sent without a call.
    /// @param staked in pools
    /// @param unbonding on its way out
    /// @param rewards not claimed yet: still to be streamed, earned by pages, or owed
    struct Books {
        uint96 staked;
        uint96 unbonding;
        uint96 rewards;
    }

    /// @notice Somebody became a validator, outside the set yet.
    /// @param validator the owner
    /// @param key whose signatures count
    /// @param commission part of the rewards that is theirs
    event ValidatorRegistered(address indexed validator, address indexed key, uint16 commission);
    /// @notice A validator entered the set; it counts from the next epoch on.
    /// @param validator the owner
    event ValidatorEntered(address indexed validator);
    /// @notice A validator left the set, by its own call, displaced, or closed; it counts until the epoch ends.
    /// @param validator the owner
    event ValidatorLeft(address indexed validator);
    /// @notice So much of a pool was slashed that it is closed for good.
    /// @param validator the owner
    event PoolClosed(address indexed validator);
    /// @notice Another key was announced.
    /// @param validator the owner
    /// @param key the next one
    /// @param from when it can be put in force
    event KeyAnnounced(address indexed validator, address indexed key, uint256 from);
    /// @notice Another key is in force; its signatures count from the next epoch on.
    /// @param validator the owner
    /// @param key the key
    event KeyChanged(address indexed validator, address indexed key);
    /// @notice A higher commission was announced.
    /// @param validator the owner
    /// @param commission the next one
    /// @param from when it can be put in force
    event CommissionAnnounced(address indexed validator, uint16 commission, uint256 from);
    /// @notice Another commission is in force, for rewards from now on.
    /// @param validator the owner
    /// @param commission the commission
    event CommissionChanged(address indexed validator, uint16 commission);
    /// @notice Stake went into a pool.
    /// @param validator whose pool
    /// @param delegator whose stake
    /// @param amount smallest units
    /// @param shares that they got
    event Delegated(address indexed validator, address indexed delegator, uint256 amount, uint256 shares);
    /// @notice Stake left a pool.
    /// @param validator whose pool
    /// @param delegator whose stake
    /// @param epoch under which it can be withdrawn
    /// @param amount smallest units
    /// @param shares of the pool that they gave
    /// @param unbondingShares that they got of what leaves in this epoch
    event Undelegated(
        address indexed validator,
        address indexed delegator,
        uint256 indexed epoch,
        uint256 amount,
        uint256 shares,
        uint256 unbondingShares
    );
    /// @notice Stake was paid out.
    /// @param validator whose pool it had been in
    /// @param delegator who got it
    /// @param epoch under which it was
    /// @param amount smallest units
    event Withdrawn(
        address indexed validator,
        address indexed delegator,
        uint256 indexed epoch,
        uint256 amount
    );
    /// @notice Set and weights of an epoch are fixed.
    /// @param epoch the epoch
    /// @param snapshot as `attest` takes it
    event SnapshotFrozen(uint256 indexed epoch, uint256[] snapshot);
    /// @notice Fees and rewards of pages went to their signers.
    /// @param epoch in which they were attested
    /// @param signers bit i is member i of the epoch's snapshot
    /// @param pages how many
    /// @param amount for all of the signers
    event PagesPaid(uint256 indexed epoch, uint256 signers, uint256 pages, uint256 amount);
    /// @notice A validator was slashed.
    /// @param validator the owner
    /// @param pageId the page that they had signed
    /// @param epoch whose stake answered: of what unbonds, what left since
    /// @param slashable what there was of it
    /// @param taken of that, in equal parts from pool and unbonding stake, rounded down
    /// @param bounty of it for the caller; all else was burned
    event Slashed(
        address indexed validator,
        bytes32 indexed pageId,
        uint256 epoch,
        uint256 slashable,
        uint256 taken,
        uint256 bounty
    );
    /// @notice Rewards came in.
    /// @param from who paid them
    /// @param amount smallest units
    event RewardsAdded(address indexed from, uint256 amount);
    /// @notice A pool earned something.
    /// @param validator whose pool
    /// @param amount smallest units
    /// @param commission of it for the owner
    event PoolRewarded(address indexed validator, uint256 amount, uint256 commission);
    /// @notice Rewards were paid out.
    /// @param validator whose pool earned them
    /// @param delegator who got them
    /// @param amount smallest units
    event RewardsClaimed(address indexed validator, address indexed delegator, uint256 amount);
    /// @notice Governance set the parameters, or the deployment did.
    /// @param parameters from now on
    event ParametersChanged(Parameters parameters);

    /// @notice A contract that is needed has no code.
    /// @param account its address
    error ValidatorStaking_NotAContract(address account);
    /// @notice A parameter is out of its bounds.
    /// @param minimum least value
    /// @param maximum most value
    /// @param actual the value given
    error ValidatorStaking_ParameterInvalid(uint256 minimum, uint256 maximum, uint256 actual);
    /// @notice Nobody registered as this validator.
    /// @param validator the account
    error ValidatorStaking_UnknownValidator(address validator);
    /// @notice The caller is a validator already.
    /// @param validator the caller
    error ValidatorStaking_AlreadyRegistered(address validator);
    /// @notice The key was used before, or is the zero address.
    /// @param key the key
    error ValidatorStaking_KeyInvalid(address key);
    /// @notice The key's holder has not signed that it is for this validator.
    /// @param key the key
    error ValidatorStaking_NoConsentOfKey(address key);
    /// @notice The commission is above its bound.
    /// @param maximum most of it
    /// @param actual what was given
    error ValidatorStaking_CommissionInvalid(uint256 maximum, uint256 actual);
    /// @notice Nothing was announced that could be put in force by now.
    /// @param validator the owner
    error ValidatorStaking_NothingAnnounced(address validator);
    /// @notice The pool is closed.
    /// @param validator the owner
    error ValidatorStaking_Closed(address validator);
    /// @notice The validator is in the set, or is not, as the call needs.
    /// @param validator the owner
    error ValidatorStaking_PlaceInvalid(address validator);
    /// @notice The owner's own stake is too small.
    /// @param minimum least stake
    /// @param actual their stake
    error ValidatorStaking_SelfStakeTooSmall(uint256 minimum, uint256 actual);
    /// @notice The set is full and this is not its weakest member, or nobody has to go.
    /// @param expected who would be displaced; zero for nobody
    /// @param actual who was named
    error ValidatorStaking_NotTheWeakest(address expected, address actual);
    /// @notice The validator to be displaced has as much stake.
    /// @param needed more than this
    /// @param actual stake of who wants to enter
    error ValidatorStaking_NotStronger(uint256 needed, uint256 actual);
    /// @notice The amount is too small, or more than there is.
    /// @param minimum least amount
    /// @param maximum most amount
    /// @param actual the amount given
    error ValidatorStaking_AmountInvalid(uint256 minimum, uint256 maximum, uint256 actual);
    /// @notice The caller has stake in as many other pools as they can have it in, or had until lately.
    /// @param maximum pools
    error ValidatorStaking_TooManyPools(uint256 maximum);
    /// @notice It is too early.
    /// @param earliest first second for it
    /// @param blockTimestamp the block's time
    error ValidatorStaking_TooEarly(uint256 earliest, uint256 blockTimestamp);
    /// @notice It is too late.
    /// @param latest last second for it
    /// @param blockTimestamp the block's time
    error ValidatorStaking_TooLate(uint256 latest, uint256 blockTimestamp);
    /// @notice The list is not the epoch's snapshot, or the epoch has none.
    /// @param epoch the epoch
    /// @param expected hash of the snapshot
    /// @param actual hash of the list
    error ValidatorStaking_NotTheSnapshot(uint256 epoch, bytes31 expected, bytes31 actual);
    /// @notice Nobody vouches for pages of this kind, and nobody answers for a signature under one.
    /// @param kind the kind
    error ValidatorStaking_KindNotOpen(IInferenceSettlement.Verification kind);
    /// @notice A signer is named who is not in the snapshot, or not as many signatures come as signers.
    /// @param signers bits of the signers
    /// @param signatureBytes length of the signatures
    error ValidatorStaking_SignersInvalid(uint256 signers, uint256 signatureBytes);
    /// @notice A signature is not the member's, or not of this page, contract and chain.
    /// @param index of the member in the snapshot
    /// @param key whose it should be
    error ValidatorStaking_SignatureInvalid(uint256 index, address key);
    /// @notice The signers have too little stake.
    /// @param needed more than this
    /// @param actual their stake, as far as it can still be slashed
    error ValidatorStaking_NoQuorum(uint256 needed, uint256 actual);
    /// @notice The whole set has too little stake for anything to be attested.
    /// @param minimum least stake
    /// @param actual the set's
    error ValidatorStaking_TotalStakeTooSmall(uint256 minimum, uint256 actual);
    /// @notice These signers have vouched for no page of the epoch that was not paid.
    /// @param epoch the epoch
    /// @param signers bits of the signers
    error ValidatorStaking_NothingToPay(uint256 epoch, uint256 signers);
    /// @notice Signers do not answer for this page: it was not refuted, or for something that they could not see.
    /// @param pageId the page
    /// @param reason why it was refuted
    error ValidatorStaking_NotSlashable(bytes32 pageId, IPageSettlementTypes.Reason reason);
    /// @notice The member is not among the signers of the page; or is, and is slashed by that.
    /// @param pageId the page
    /// @param index of the member in the snapshot
    error ValidatorStaking_SignerInvalid(bytes32 pageId, uint256 index);
    /// @notice The validator was slashed for this page before.
    /// @param pageId the page
    /// @param validator the owner
    error ValidatorStaking_AlreadySlashed(bytes32 pageId, address validator);
    /// @notice The validator has lost so much today that the rest has to wait until tomorrow.
    /// @param left what it can lose today
    /// @param actual what it was to lose
    error ValidatorStaking_DailySlashReached(uint256 left, uint256 actual);
}
