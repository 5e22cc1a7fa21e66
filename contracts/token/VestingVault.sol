// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IOPG} from "../interfaces/IOPG.sol";
import {IVestingVault} from "../interfaces/IVestingVault.sol";
import {GrantTerms} from "./GrantTerms.sol";
import {VestingSchedule} from "./VestingSchedule.sol";

/// @title VestingVault
/// @notice See {IVestingVault}. The code behind every vault; the terms of each lie behind the code of its clone.
///
/// Access: the beneficiary delegates and hands over, the revoker of a revocable grant revokes, everything else is
/// open to everybody. No approval is ever given: tokens leave by `transfer`, to the beneficiary or to `refundTo`.
///
/// Storage: empty until the grant is handed over, offered or revoked, and not even read where the terms allow none
/// of that.
///
/// @dev What `token.transfer` returns is not looked at: OPG reverts where it cannot pay.
contract VestingVault is IVestingVault {
    using GrantTerms for Terms;
    using VestingSchedule for VestingSchedule.Schedule;

    /// @inheritdoc IVestingVault
    IOPG public immutable override token;

    /// @dev Gives up the votes of the grants that are made without; a factory has no other call of a vault.
    address private immutable _factory;

    /// @dev Zero: the beneficiary is the one in the terms.
    address private _successor;
    uint48 private _revokedAt;

    /// @inheritdoc IVestingVault
    address public override pendingBeneficiary;

    constructor(IOPG vestedToken) {
        token = vestedToken;
        _factory = msg.sender;
    }

    /// @inheritdoc IVestingVault
    function release() external override returns (uint256 amount) {
        Terms memory grant = terms();
        amount = _releasable(grant);
        if (amount != 0) token.transfer(_beneficiary(grant), amount);
    }

    /// @inheritdoc IVestingVault
    function delegate(address delegatee) external override {
        Terms memory grant = terms();
        if (msg.sender != _factory) _requireBeneficiary(grant);
        IVotes(address(token)).delegate(delegatee);
    }

    /// @inheritdoc IVestingVault
    function revoke() external override returns (uint256 refund) {
        Terms memory grant = terms();
        // A grant without a revoker has the zero address there, which cannot call.
        if (msg.sender != grant.revoker) revert VestingVault_NotRevoker(grant.revoker, msg.sender);
        if (_revokedAt != 0) revert VestingVault_AlreadyRevoked();
        refund = _locked(grant);
        if (refund == 0) revert VestingVault_NothingToRevoke();

        _revokedAt = uint48(block.timestamp);
        emit Revoked(grant.refundTo, refund);
        token.transfer(grant.refundTo, refund);
    }

    /// @inheritdoc IVestingVault
    function transferBeneficiary(address pending) external override {
        Terms memory grant = terms();
        address current = _requireBeneficiary(grant);
        _requireTransferability(Transferability.Transferable, grant.transferability);

        pendingBeneficiary = pending;
        emit BeneficiaryTransferStarted(current, pending);
    }

    /// @inheritdoc IVestingVault
    /// @dev Needs no check of the terms: nobody is pending where they allow no transfer.
    function acceptBeneficiary() external override {
        address pending = pendingBeneficiary;
        if (msg.sender != pending) revert VestingVault_NotPendingBeneficiary(pending, msg.sender);

        delete pendingBeneficiary;
        _setBeneficiary(_beneficiary(terms()), pending);
    }

    /// @inheritdoc IVestingVault
    function redirect(address target) external override {
        Terms memory grant = terms();
        _requireTransferability(Transferability.RedirectableOnce, grant.transferability);
        if (_successor != address(0)) revert VestingVault_AlreadyRedirected();
        address current = _requireBeneficiary(grant);
        // The vault and the token have code as well, and would keep what they are sent.
        if (target.code.length == 0 || target == address(this) || target == address(token)) {
            revert VestingVault_BeneficiaryInvalid(target);
        }

        _setBeneficiary(current, target);
    }

    /// @inheritdoc IVestingVault
    function beneficiary() external view override returns (address) {
        return _beneficiary(terms());
    }

    /// @inheritdoc IVestingVault
    function vested(uint256 time) external view override returns (uint256) {
        return _vested(terms(), time);
    }

    /// @inheritdoc IVestingVault
    function releasable() external view override returns (uint256) {
        return _releasable(terms());
    }

    /// @inheritdoc IVestingVault
    function released() external view override returns (uint256) {
        Terms memory grant = terms();
        uint256 entitled = _vested(grant, block.timestamp);
        uint256 here = _releasable(grant);
        // More than is vested can be here only if somebody sent it.
        return here < entitled ? entitled - here : 0;
    }

    /// @inheritdoc IVestingVault
    function nextUnlock() external view override returns (uint256) {
        if (_revokedAt != 0) return 0;
        return terms().scheduleOf().nextUnlockAfter(block.timestamp);
    }

    /// @inheritdoc IVestingVault
    function revokedAt() external view override returns (uint256) {
        return _revokedAt;
    }

    /// @inheritdoc IVestingVault
    function terms() public view override returns (Terms memory) {
        return GrantTerms.load();
    }

    function _setBeneficiary(address previous, address current) private {
        _successor = current;
        emit BeneficiaryTransferred(previous, current);
    }

    function _requireBeneficiary(Terms memory grant) private view returns (address current) {
        current = _beneficiary(grant);
        if (msg.sender != current) revert VestingVault_NotBeneficiary(current, msg.sender);
    }

    function _beneficiary(Terms memory grant) private view returns (address) {
        if (grant.transferability == Transferability.Fixed) return grant.beneficiary;
        address successor = _successor;
        return successor == address(0) ? grant.beneficiary : successor;
    }

    function _vested(Terms memory grant, uint256 time) private view returns (uint256) {
        uint256 revocation = _revokedAt;
        if (revocation != 0 && revocation < time) time = revocation;
        return grant.scheduleOf().vestedAt(time);
    }

    /// @dev What has to stay. Nothing of a revoked grant: what was locked has left.
    function _locked(Terms memory grant) private view returns (uint256) {
        if (grant.revoker != address(0) && _revokedAt != 0) return 0;
        return grant.total - grant.scheduleOf().vestedAt(block.timestamp);
    }

    function _releasable(Terms memory grant) private view returns (uint256) {
        uint256 balance = token.balanceOf(address(this));
        uint256 locked = _locked(grant);
        // A vault that was never funded, which no factory makes, has nothing to pay.
        return balance > locked ? balance - locked : 0;
    }

    function _requireTransferability(Transferability expected, Transferability actual) private pure {
        if (expected != actual) revert VestingVault_TransferabilityInvalid(expected, actual);
    }
}
