// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IOPG} from "./IOPG.sol";
import {IVestingVault} from "./IVestingVault.sol";

/// @title IVestingFactory
/// @notice Makes grants: one vault each, funded by the caller in the same call.
///
/// Anyone may make a grant of his own tokens. The factory never holds a token, and has no owner.
interface IVestingFactory {
    event GrantCreated(
        address indexed vault,
        address indexed beneficiary,
        address indexed funder,
        IVestingVault.Terms terms
    );

    error VestingFactory_BeneficiaryInvalid(address beneficiary);
    error VestingFactory_ScheduleInvalid(
        uint96 total,
        uint96 tgeAmount,
        uint40 tge,
        uint40 start,
        uint40 end
    );
    error VestingFactory_RevocationInvalid(address revoker, address refundTo);
    error VestingFactory_BatchEmpty();
    error VestingFactory_NotAContract(address account);

    /// @notice Makes a grant and moves `terms.total` from the caller, who must have allowed it, to its vault.
    function create(IVestingVault.Terms calldata terms) external returns (address vault);

    /// @notice Makes a grant whose tokens never vote while they are in its vault, whoever its beneficiary is.
    function createWithoutVotes(IVestingVault.Terms calldata terms) external returns (address vault);

    /// @notice Makes many grants. Either all of them are made or none.
    function createBatch(IVestingVault.Terms[] calldata terms) external returns (address[] memory vaults);

    /// @notice Whether `account` is a vault of this factory's kind: it runs `implementation` and nothing else.
    /// It does not say who made it, nor that it is funded.
    function isVault(address account) external view returns (bool);

    /// @notice The code that all vaults run.
    function implementation() external view returns (address);

    function token() external view returns (IOPG);
}
