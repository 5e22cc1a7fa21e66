// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInferenceEscrow} from "../interfaces/IInferenceEscrow.sol";
import {IUptoProxy} from "../interfaces/IUptoProxy.sol";

/// @title JobFacilitator
/// @notice Whom a payer's permit names as facilitator: a clone of this contract, whose address is made of the job's terms.
/// It calls x402's proxy for the escrow and does nothing else. {InferenceEscrow} makes it.
///
/// @dev What it is made with is in the code that clones run: they have no storage.
contract JobFacilitator {
    address private immutable ESCROW;
    IUptoProxy private immutable PROXY;

    /// @param proxy x402's proxy of the scheme `upto`
    constructor(IUptoProxy proxy) {
        ESCROW = msg.sender;
        PROXY = proxy;
    }

    /// @notice Moves all that a payer permits to the escrow. Only the escrow.
    /// @param permit as the payer signed it
    /// @param payer who signed
    /// @param validAfter as the payer signed it
    /// @param signature the payer's
    function collect(
        IUptoProxy.PermitTransferFrom calldata permit,
        address payer,
        uint256 validAfter,
        bytes calldata signature
    ) external {
        if (msg.sender != ESCROW) revert IInferenceEscrow.InferenceEscrow_NotEscrow(msg.sender);
        IUptoProxy.Witness memory witness = IUptoProxy.Witness(ESCROW, address(this), validAfter);
        PROXY.settle(permit, permit.permitted.amount, payer, witness, signature);
    }
}
