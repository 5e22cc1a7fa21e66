// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITEERegistry} from "../../../contracts/interfaces/ITEERegistry.sol";
import {OpenVerifier} from "./OpenVerifier.sol";

/// @notice An operator that is its own verifier, and retires its node while the registry has its evidence verified.
contract RetiringOperator is OpenVerifier {
    ITEERegistry private immutable _REGISTRY;
    bytes32 private _retiring;

    constructor(ITEERegistry registry) {
        _REGISTRY = registry;
    }

    function register(ITEERegistry.Registration calldata registration) external returns (bytes32) {
        return _REGISTRY.register(registration);
    }

    function renew(bytes32 teeId, ITEERegistry.Registration calldata registration) external {
        _retiring = teeId;
        _REGISTRY.renew(teeId, registration);
    }

    function verify(
        bytes calldata evidence,
        bytes[] calldata
    ) external override returns (Claims memory claims) {
        if (_retiring != 0) _REGISTRY.retireTEE(_retiring);
        return abi.decode(evidence, (Claims));
    }
}
