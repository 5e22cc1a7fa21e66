// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {RequestLedger} from "../../../contracts/settlement/parts/RequestLedger.sol";

/// @title RequestLedgerHarness
/// @notice Calls the ledger's inner functions from outside.
contract RequestLedgerHarness is RequestLedger {
    constructor(address authority) AccessManaged(authority) {}

    function record(bytes32 requestId) external {
        _record(requestId);
    }

    function recordAll(uint256 page, uint256 bitmap) external {
        _recordAll(page, bitmap);
    }
}
