// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IPageSettlementTypes} from "./IPageSettlementTypes.sol";
import {IValidatorStakingTypes} from "./IValidatorStakingTypes.sol";

/// @title IValidatorStaking
/// @notice Stake of validators, who look at pages of results and vouch for them. It is the attester of {IPageSettlement}: more
/// than two thirds of the set's stake take a page to the short road, and lose stake where a contract has shown that
/// they vouched for what was wrong by itself.
///
/// **Snapshots.** Set and weights are fixed for each epoch, by the first call in it that would change either, and before that
/// call does. Only a hash is kept; callers bring the list. A snapshot is a list of words. The first one has the terms: the
/// set's stake in its highest 96 bits, the least stake for an attestation in the next 96, then 16 bits for each of the parts
/// that signers lose with and without a quorum. Every further word is a member: key in the highest 160 bits, stake in the
/// lowest 96.
///
/// **Pools.** Whoever delegates gets shares of a validator's pool; rounding goes against who comes or leaves. What leaves
/// cannot be withdrawn for `UNBONDING` and answers for signatures of the epoch in which it left and those before. What is in a
/// pool answers for all signatures, also those from before somebody came: delegating takes them over.
interface IValidatorStaking is IValidatorStakingTypes {
    // Validators

    /// @notice Makes the caller a validator, outside the set yet.
    /// @param key whose signatures count, of nobody else ever
    /// @param consent the key's, over EIP-712 `SigningKey(address validator)`
    /// @param commission part of the rewards that is the owner's
    /// @param amount first stake, of the caller's, which has to be allowed
    function register(address key, bytes calldata consent, uint16 commission, uint96 amount) external;

    /// @notice Takes the caller into the set, from the next epoch on.
    /// @param weakest who is displaced, the member with the least stake, which is less than the caller's; zero while there is
    /// room
    function enter(address weakest) external;

    /// @notice Takes the caller out of the set, from the next epoch on.
    function exit() external;

    /// @notice Announces another key of the caller's; zero takes an announcement back.
    /// @param key the key, which nobody has used
    /// @param consent the key's, as with `register`; ignored for zero
    function announceKey(address key, bytes calldata consent) external;

    /// @notice Sets the caller's commission: at once if it is not higher, otherwise it announces it.
    /// @param commission the commission
    function setCommission(uint16 commission) external;

    /// @notice Puts in force what a validator announced and whose time has come. Anyone.
    /// @param validator the owner
    function applyAnnouncements(address validator) external;

    // Stake

    /// @notice Puts stake of the caller's, which has to be allowed, into a pool.
    /// @param validator whose pool
    /// @param amount at least `MINIMUM_DELEGATION`
    /// @return shares that the caller got
    function delegate(address validator, uint96 amount) external returns (uint256 shares);

    /// @notice Takes stake out of a pool. An owner whose stake gets too small leaves the set.
    /// @param validator whose pool
    /// @param shares of the caller's
    /// @return amount on its way out; slashes of earlier signatures can still make it less
    /// @return epoch under which it can be withdrawn
    function undelegate(address validator, uint128 shares) external returns (uint256 amount, uint256 epoch);

    /// @notice Pays out what left a pool, `UNBONDING` after the start of the epoch that `undelegate` said.
    /// @param validator whose pool it had been in
    /// @param epoch that one
    /// @return amount smallest units
    function withdraw(address validator, uint256 epoch) external returns (uint256 amount);

    /// @notice Pays out the caller's rewards.
    /// @param validator whose pool earned them
    /// @return amount smallest units
    function claimRewards(address validator) external returns (uint256 amount);

    // Pages

    /// @notice Fixes the snapshot of this epoch, if it is not. Anyone; every call that changes set or stake does it first.
    function freeze() external;

    /// @notice Takes a page to the short road. Anyone may bring the signatures of more than two thirds of the set's stake, as
    /// far as it can still be slashed. Not for Optimistic pages.
    /// @param header of a pending page
    /// @param snapshot of this epoch
    /// @param signers bit i is member i of the snapshot
    /// @param signatures theirs, in the order of the snapshot, 64 bytes each (EIP-2098), over EIP-712
    /// `Attestation(bytes32 pageId)`
    function attest(
        IPageSettlementTypes.PageHeader calldata header,
        uint256[] calldata snapshot,
        uint256 signers,
        bytes calldata signatures
    ) external;

    /// @notice Divides fees and rewards of attested pages among their signers, by their weights. Anyone.
    /// @param epoch in which they were attested
    /// @param snapshot of that epoch
    /// @param signerSets for each set of signers that vouched for pages together, its bits
    function payPages(uint256 epoch, uint256[] calldata snapshot, uint256[] calldata signerSets) external;

    /// @notice Slashes a signer of an attested page that was refuted for a reason up to InvalidSignature. Anyone, for a bounty.
    /// @param pageId the page
    /// @param snapshot of the epoch in which it was attested
    /// @param index of the member in the snapshot
    function slash(bytes32 pageId, uint256[] calldata snapshot, uint256 index) external;

    /// @notice Slashes who signed such a page without having been part of a quorum, within `EVIDENCE_TIME` of its end. Anyone,
    /// for a bounty. Not for Optimistic pages, for which nobody can vouch.
    /// @param pageId the page
    /// @param epoch in which it was attested; if it was not, one between proposal and end
    /// @param snapshot of that epoch
    /// @param index of the member in the snapshot
    /// @param signature the member's, as with `attest`
    function slashShown(
        bytes32 pageId,
        uint256 epoch,
        uint256[] calldata snapshot,
        uint256 index,
        bytes calldata signature
    ) external;

    // Rewards and settings

    /// @notice Takes rewards of the caller's, which have to be allowed. They reach the pools in the seven days that begin now,
    /// and until the end of the eighth; a fifth by pages.
    /// @param amount smallest units, not zero
    function addRewards(uint96 amount) external;

    /// @notice Sets the parameters. Restricted to governance.
    /// @param parameters within their bounds
    function setParameters(Parameters calldata parameters) external;

    // Reads

    /// @notice The snapshot of this epoch, if it were fixed now: no call in it came before.
    /// @return snapshot as `attest` takes it
    function snapshotNow() external view returns (uint256[] memory snapshot);

    /// @notice Hash of an epoch's snapshot: the first 31 bytes of keccak256 of its words.
    /// @param epoch the epoch
    /// @return snapshotHash zero if it was not fixed
    function snapshotHashOf(uint256 epoch) external view returns (bytes31 snapshotHash);

    /// @notice The set as it is for the next epoch.
    /// @return members owners, at most 21, in no order
    function membersNow() external view returns (address[] memory members);

    /// @notice A validator.
    /// @param validator the owner
    /// @return content all zero for who did not register
    function validatorOf(address validator) external view returns (Validator memory content);

    /// @notice What a validator announced.
    /// @param validator the owner
    /// @return content all zero for nothing
    function announcementOf(address validator) external view returns (Announcement memory content);

    /// @notice Whose key this is or was.
    /// @param key the key
    /// @return validator the owner; zero for nobody
    function validatorOfKey(address key) external view returns (address validator);

    /// @notice What somebody has in a pool.
    /// @param validator whose pool
    /// @param delegator whose shares
    /// @return content all zero for nothing; rewards since the last change are not in it
    /// @return stake what the shares are worth
    function delegationOf(
        address validator,
        address delegator
    ) external view returns (Delegation memory content, uint256 stake);

    /// @notice What somebody's stake in pools was worth at a second, for votes: without what is on its way out, and without what came
    /// in that second. Slashes up to it have made it less. Never more than it was worth; less by traces of rounding.
    /// @param delegator whose stake
    /// @param timepoint unix seconds; of one that is not past, the answer can change
    /// @return stake smallest units
    function stakeAt(address delegator, uint256 timepoint) external view returns (uint256 stake);

    /// @notice Pools that `stakeAt` looks at besides a validator's own: those in which somebody has stake, or had it.
    /// @param delegator whose stake
    /// @return validators owners of the pools, at most 24
    function poolsOf(address delegator) external view returns (address[] memory validators);

    /// @notice What of a pool is on its way out.
    /// @param validator whose pool
    /// @param epoch under which it can be withdrawn
    /// @param delegator whose part
    /// @return content all that leaves under this epoch
    /// @return amount the delegator's part of it
    function unbondingOf(
        address validator,
        uint256 epoch,
        address delegator
    ) external view returns (Unbonding memory content, uint256 amount);

    /// @notice Pages that the same signers vouched for, and that were not paid yet.
    /// @param epoch in which they did
    /// @param signers bit i is member i of the epoch's snapshot
    /// @return tally all zero if there is none
    function tallyOf(uint256 epoch, uint256 signers) external view returns (Tally memory tally);

    /// @notice What of all the OPG here is what.
    /// @return current the books
    function booksNow() external view returns (Books memory current);

    /// @notice The parameters now.
    /// @return current them
    function parametersNow() external view returns (Parameters memory current);
}
