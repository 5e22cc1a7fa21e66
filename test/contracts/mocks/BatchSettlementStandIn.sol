// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    ApprovedCollector as Collector,
    BatchSettlementStandIn as StandIn
} from "../../../testing/upto/BatchSettlementStandIn.sol";

/// @title ApprovedCollector
/// @notice That of the stand-ins, for tests that deploy it.
contract ApprovedCollector is Collector {}

/// @title BatchSettlementStandIn
/// @notice That of the stand-ins, for tests that deploy it. It keeps its domain, as the genuine one does, so that gas is told
/// as it will be.
contract BatchSettlementStandIn is StandIn {
    bytes32 private immutable DOMAIN = super._domain();

    function _domain() internal view override returns (bytes32) {
        return DOMAIN;
    }
}
