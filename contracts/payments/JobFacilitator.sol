// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IInferenceEscrow} from "../interfaces/IInferenceEscrow.sol";
import {IUptoProxy} from "../interfaces/IUptoProxy.sol";

/// @title JobFacilitator
/// @notice Whom a payer's permit names as facilitator: a clone of this contract, whose address is made of the job's terms.
/// It passes the escrow's calls on to x402's proxy as they are, and does nothing else. {InferenceEscrow} makes it.
///
/// @dev What it is made with is in the code that clones run: they have no storage. It has no functions of its own, so that
/// the permit is encoded once on its way.
contract JobFacilitator {
    address private immutable ESCROW;
    address private immutable PROXY;

    /// @param proxy x402's proxy of the scheme `upto`
    constructor(IUptoProxy proxy) {
        (ESCROW, PROXY) = (msg.sender, address(proxy));
    }

    /// @notice Calls the proxy with what it is called with. Only the escrow.
    // solhint-disable-next-line no-complex-fallback
    fallback() external {
        if (msg.sender != ESCROW) revert IInferenceEscrow.InferenceEscrow_NotEscrow(msg.sender);
        Address.functionCall(PROXY, msg.data);
    }
}
