// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IOPG} from "./IOPG.sol";
import {IVestingVault} from "./IVestingVault.sol";

/// @title IVestingFactory
/// @notice Makes grants: one vault each, funded by the caller in the same call.
///
/// Anyone may make a grant of their own tokens. The factory never holds a token, and has no owner.
interface IVestingFactory {
    /// @notice A grant was made and funded.
    /// @param vault which holds it
    /// @param beneficiary whom it pays
    /// @param funder who paid for it
    /// @param terms its terms
    event GrantCreated(
        address indexed vault,
        address indexed beneficiary,
        address indexed funder,
        IVestingVault.Terms terms
    );

    /// @notice A grant was to be made to nobody, or to the token.
    /// @param beneficiary the account
    error VestingFactory_BeneficiaryInvalid(address beneficiary);
    /// @notice The amounts or the times of a grant contradict each other.
    /// @param total whole grant, in the smallest unit
    /// @param tgeAmount part that vests at `tge`
    /// @param tge token generation event, unix seconds
    /// @param start when the rest begins to accrue
    /// @param end when everything is vested
    error VestingFactory_ScheduleInvalid(
        uint96 total,
        uint96 tgeAmount,
        uint40 tge,
        uint40 start,
        uint40 end
    );
    /// @notice A grant names who may revoke it but not where that goes, or the other way round, or would refund to
    /// the token.
    /// @param revoker who may revoke it
    /// @param refundTo where that goes
    error VestingFactory_RevocationInvalid(address revoker, address refundTo);
    /// @notice No grants were to be made.
    error VestingFactory_BatchEmpty();
    /// @notice The factory was to be created over an address without code.
    /// @param account that address
    error VestingFactory_NotAContract(address account);

    /// @notice Makes a grant and moves `terms.total` from the caller, who must have allowed it, to its vault.
    /// @param terms of the grant
    /// @return vault which holds it
    function create(IVestingVault.Terms calldata terms) external returns (address vault);

    /// @notice Makes a grant whose tokens never vote while they are in its vault, whoever its beneficiary is.
    /// @param terms of the grant
    /// @return vault which holds it
    function createWithoutVotes(IVestingVault.Terms calldata terms) external returns (address vault);

    /// @notice Makes many grants. Either all of them are made or none.
    /// @param terms of the grants
    /// @return vaults which hold them, in the same order
    function createBatch(IVestingVault.Terms[] calldata terms) external returns (address[] memory vaults);

    /// @notice Whether `account` is a vault of this factory's kind: it runs `implementation` and nothing else.
    /// It does not say who made it, nor that it is funded.
    /// @param account the account
    function isVault(address account) external view returns (bool);

    /// @notice The code that all vaults run.
    function implementation() external view returns (address);

    /// @notice What grants are of.
    function token() external view returns (IOPG);
}
