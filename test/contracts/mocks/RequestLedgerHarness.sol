// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RequestLedger} from "../../../contracts/settlement/RequestLedger.sol";

/// @title RequestLedgerHarness
/// @notice Calls the library from outside.
contract RequestLedgerHarness {
    using RequestLedger for RequestLedger.Ledger;

    RequestLedger.Ledger private _ledger;

    function record(bytes32 requestId) external {
        _ledger.record(requestId);
    }

    function isRecorded(bytes32 requestId) external view returns (bool) {
        return _ledger.isRecorded(requestId);
    }

    function bitmapOf(address node, uint256 wordIndex) external view returns (uint256) {
        return _ledger.bitmapOf(node, wordIndex);
    }
}
