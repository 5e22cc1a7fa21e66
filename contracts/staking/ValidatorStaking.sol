// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IPageSettlement} from "../interfaces/IPageSettlement.sol";
import {Slashing} from "./parts/Slashing.sol";
import {StakeStorage} from "./parts/StakeStorage.sol";

/// @title ValidatorStaking
/// @notice See {IValidatorStaking}. The parts are {StakeStorage} (what is stored, snapshots, parameters), {StakeRewards} (the
/// stream), {ValidatorSet} (who is in it, keys, commissions), {Delegations} (shares of pools, and what leaves them),
/// {Attestations} (the quorum's door, pay for it) and {Slashing}.
///
/// Access: `setParameters` is governance's. Everything else is the caller's own or open to everybody. Nobody can keep stake
/// from leaving, move somebody else's, or slash without a page that {PageSettlement} has found to be wrong.
///
/// The OPG here is what is staked, what unbonds and what is left of rewards, as `booksNow` has them; what somebody sends without a
/// call is nobody's, and changes no share's worth.
///
/// @dev The token and the pages are the only contracts that are called, at the end of a call but for views of pages. Neither
/// runs foreign code.
contract ValidatorStaking is Slashing {
    /// @param authority the AccessManager
    /// @param token OPG
    /// @param pages which this is to attest
    /// @param parameters the first ones
    constructor(
        address authority,
        ERC20Burnable token,
        IPageSettlement pages,
        Parameters memory parameters
    ) AccessManaged(authority) EIP712("HACA ValidatorStaking", "1") StakeStorage(token, pages) {
        if (authority.code.length == 0) revert ValidatorStaking_NotAContract(authority);
        _setParameters(parameters);
    }
}
