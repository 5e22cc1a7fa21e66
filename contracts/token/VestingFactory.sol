// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IOPG} from "../interfaces/IOPG.sol";
import {IVestingFactory} from "../interfaces/IVestingFactory.sol";
import {IVestingVault} from "../interfaces/IVestingVault.sol";
import {GrantTerms} from "./GrantTerms.sol";
import {VestingSchedule} from "./VestingSchedule.sol";
import {VestingVault} from "./VestingVault.sol";

/// @title VestingFactory
/// @notice See {IVestingFactory}.
///
/// Access: open to everybody; there is nothing to administer, and no state.
contract VestingFactory is IVestingFactory {
    using GrantTerms for IVestingVault.Terms;
    using SafeERC20 for IOPG;
    using VestingSchedule for VestingSchedule.Schedule;

    /// @inheritdoc IVestingFactory
    IOPG public immutable override token;

    /// @inheritdoc IVestingFactory
    address public immutable override implementation;

    constructor(IOPG vestedToken) {
        if (address(vestedToken).code.length == 0) {
            revert VestingFactory_NotAContract(address(vestedToken));
        }
        token = vestedToken;
        implementation = address(new VestingVault(vestedToken));
    }

    /// @inheritdoc IVestingFactory
    function create(IVestingVault.Terms calldata terms) external override returns (address vault) {
        return _create(terms);
    }

    /// @inheritdoc IVestingFactory
    function createWithoutVotes(
        IVestingVault.Terms calldata terms
    ) external override returns (address vault) {
        vault = _create(terms);
        IVestingVault(vault).delegate(token.NON_VOTING());
    }

    /// @inheritdoc IVestingFactory
    function createBatch(
        IVestingVault.Terms[] calldata terms
    ) external override returns (address[] memory vaults) {
        if (terms.length == 0) revert VestingFactory_BatchEmpty();
        vaults = new address[](terms.length);
        for (uint256 i = 0; i < terms.length; ++i) {
            vaults[i] = _create(terms[i]);
        }
    }

    /// @inheritdoc IVestingFactory
    function isVault(address account) external view override returns (bool) {
        if (account.code.length <= GrantTerms.CLONE_LENGTH) return false;
        // All code of a clone before its arguments, as OpenZeppelin's Clones makes it.
        bytes memory prefix = abi.encodePacked(
            hex"363d3d373d3d3d363d73",
            implementation,
            hex"5af43d82803e903d91602b57fd5bf3"
        );
        bytes memory code = account.code;
        uint256 cloneLength = GrantTerms.CLONE_LENGTH;
        assembly ("memory-safe") {
            mstore(code, cloneLength)
        }
        return keccak256(code) == keccak256(prefix);
    }

    function _create(IVestingVault.Terms calldata terms) private returns (address vault) {
        _requireTerms(terms);
        vault = Clones.cloneWithImmutableArgs(implementation, terms.encode());
        emit GrantCreated(vault, terms.beneficiary, msg.sender, terms);
        token.safeTransferFrom(msg.sender, vault, terms.total);
    }

    function _requireTerms(IVestingVault.Terms calldata terms) private view {
        // The token would keep what it is sent.
        if (terms.beneficiary == address(0) || terms.beneficiary == address(token)) {
            revert VestingFactory_BeneficiaryInvalid(terms.beneficiary);
        }
        if (!terms.scheduleOf().isValid()) {
            revert VestingFactory_ScheduleInvalid(
                terms.total,
                terms.tgeAmount,
                terms.tge,
                terms.start,
                terms.end
            );
        }
        // `RedirectableOnce` and revocation do not exclude each other; a revoker without a place for the refund
        // does, and so does a refund into the token.
        bool isRevocable = terms.revoker != address(0);
        bool hasRefund = terms.refundTo != address(0);
        if (isRevocable != hasRefund || terms.refundTo == address(token)) {
            revert VestingFactory_RevocationInvalid(terms.revoker, terms.refundTo);
        }
    }
}
