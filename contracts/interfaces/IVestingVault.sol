// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IOPG} from "./IOPG.sol";

/// @title IVestingVault
/// @notice Holds the OPG of one grant and lets it out as it vests.
///
/// A vault is a clone whose terms lie in its code, where no transaction can change them. It keeps no books: what
/// is locked follows from the terms and the clock, and whatever the vault holds beyond that belongs to the
/// beneficiary. Tokens that somebody sends to a vault are therefore not stuck: the next release pays them out.
///
/// A payment is the token's own `Transfer` from the vault; there is no second event that would say the same.
///
/// Nothing pauses a release, and only `release` and, where the terms say so, `revoke` move tokens out.
interface IVestingVault {
    /// @notice What a beneficiary may do with the grant.
    /// `Fixed`: nothing, it pays the same account for ever.
    /// `Transferable`: hand it to another account, which has to accept.
    /// `RedirectableOnce`: point it at a contract, once.
    enum Transferability {
        Fixed,
        Transferable,
        RedirectableOnce
    }

    /// @notice What a grant was made with.
    /// @param beneficiary account that the grant was made to
    /// @param total whole grant, in the smallest unit
    /// @param tgeAmount part that vests at `tge`
    /// @param tge token generation event, unix seconds
    /// @param start the rest begins to accrue, unix seconds
    /// @param end everything is vested, unix seconds
    /// @param transferability what the beneficiary may do with the grant
    /// @param revoker may take back what is not vested; zero: nobody ever can
    /// @param refundTo where that goes; zero exactly if `revoker` is
    struct Terms {
        address beneficiary;
        uint96 total;
        uint96 tgeAmount;
        uint40 tge;
        uint40 start;
        uint40 end;
        Transferability transferability;
        address revoker;
        address refundTo;
    }

    /// @notice What was not vested was taken back.
    /// @param refundTo who got it
    /// @param refund what was not vested, in the smallest unit
    event Revoked(address indexed refundTo, uint256 refund);
    /// @notice The grant was offered to another account, or the offer withdrawn.
    /// @param current its beneficiary
    /// @param pending who may accept it; zero if nobody
    event BeneficiaryTransferStarted(address indexed current, address indexed pending);
    /// @notice The grant has another beneficiary.
    /// @param previous the one before
    /// @param current the one from now on
    event BeneficiaryTransferred(address indexed previous, address indexed current);

    /// @notice What was called is no clone with terms, such as the code that all vaults run.
    error VestingVault_NotAVault();
    /// @notice Somebody else than the beneficiary called.
    /// @param beneficiary the beneficiary
    /// @param caller who called
    error VestingVault_NotBeneficiary(address beneficiary, address caller);
    /// @notice Somebody else than who was offered the grant was to accept it.
    /// @param pending who was offered it; zero if nobody
    /// @param caller who called
    error VestingVault_NotPendingBeneficiary(address pending, address caller);
    /// @notice Somebody else than the revoker was to revoke the grant.
    /// @param revoker the revoker; zero if nobody ever can
    /// @param caller who called
    error VestingVault_NotRevoker(address revoker, address caller);
    /// @notice The grant was revoked before.
    error VestingVault_AlreadyRevoked();
    /// @notice Everything is vested.
    error VestingVault_NothingToRevoke();
    /// @notice What was asked for is not possible with this grant.
    /// @param expected what it would have to be
    /// @param actual what it is
    error VestingVault_TransferabilityInvalid(Transferability expected, Transferability actual);
    /// @notice The grant was pointed at a contract before.
    error VestingVault_AlreadyRedirected();
    /// @notice The grant was to be pointed at the token, at its own vault, or at what has no code.
    /// @param beneficiary the account
    error VestingVault_BeneficiaryInvalid(address beneficiary);

    /// @notice Pays everything that is not locked to the beneficiary. Anyone may call it, at any time; paying
    /// nothing is no error.
    /// @return amount what was paid, in the smallest unit
    function release() external returns (uint256 amount);

    /// @notice Lets `delegatee` vote with everything that the vault holds, locked tokens included. Beneficiary only.
    /// The token refuses it for a grant that was made without votes ({IOPG-OPG_VotesGivenUp}), whoever the
    /// beneficiary is by then.
    /// @dev The factory may call it as well, and does when it makes such a grant, never afterwards.
    /// @param delegatee who is to vote
    function delegate(address delegatee) external;

    /// @notice Takes back what is not vested, once. What is vested stays claimable for ever. Revoker only.
    /// @return refund what was taken back, in the smallest unit
    function revoke() external returns (uint256 refund);

    /// @notice Offers a `Transferable` grant to another account; zero withdraws the offer. Beneficiary only.
    /// @param pending who may accept it
    function transferBeneficiary(address pending) external;

    /// @notice Takes the offer.
    function acceptBeneficiary() external;

    /// @notice Points a `RedirectableOnce` grant at a contract for good. Beneficiary only.
    /// @dev One step, because a contract cannot be expected to accept; the price is that it must have code.
    /// @param target which is paid from then on
    function redirect(address target) external;

    /// @notice The terms, as the grant was made.
    function terms() external view returns (Terms memory);

    /// @notice Who is paid now.
    function beneficiary() external view returns (address);

    /// @notice Who may accept the grant; zero if nobody.
    function pendingBeneficiary() external view returns (address);

    /// @notice What is vested at `time` (unix seconds), past or future. A revoked grant stays at what was vested
    /// when it was revoked.
    /// @param time unix seconds
    function vested(uint256 time) external view returns (uint256);

    /// @notice What `release` would pay now.
    function releasable() external view returns (uint256);

    /// @notice What was paid so far: everything vested that is not here any more.
    function released() external view returns (uint256);

    /// @notice First second after now at which more becomes vested; zero if that never happens.
    function nextUnlock() external view returns (uint256);

    /// @notice When the grant was revoked, unix seconds; zero if it was not.
    function revokedAt() external view returns (uint256);

    /// @notice What the grant is of.
    function token() external view returns (IOPG);
}
