// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Permit2StandIn} from "./Permit2StandIn.sol";

/// @title UptoProxyStandIn
/// @notice What x402's proxy of the scheme `upto` does: the account that the payer named, and no other, settles up to what
/// was permitted, to whom the payer named. Written from the ABI and the types of the protocol's library.
contract UptoProxyStandIn {
    struct Witness {
        address to;
        address facilitator;
        uint256 validAfter;
    }

    error InvalidAmount();
    error AmountExceedsPermitted();
    error UnauthorizedFacilitator();
    error PaymentTooEarly();

    event Settled();

    string private constant WITNESS_TYPE =
        "Witness witness)TokenPermissions(address token,uint256 amount)Witness(address to,address facilitator,uint256 validAfter)";
    bytes32 private constant WITNESS_TYPEHASH = keccak256(
        "Witness(address to,address facilitator,uint256 validAfter)"
    );
    Permit2StandIn public constant PERMIT2 = Permit2StandIn(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    function settle(
        Permit2StandIn.PermitTransferFrom calldata permit,
        uint256 amount,
        address owner,
        Witness calldata witness,
        bytes calldata signature
    ) external {
        if (amount == 0) revert InvalidAmount();
        if (amount > permit.permitted.amount) revert AmountExceedsPermitted();
        if (msg.sender != witness.facilitator) revert UnauthorizedFacilitator();
        if (block.timestamp < witness.validAfter) revert PaymentTooEarly();
        PERMIT2.permitWitnessTransferFrom(
            permit,
            Permit2StandIn.SignatureTransferDetails({to: witness.to, requestedAmount: amount}),
            owner,
            keccak256(abi.encode(WITNESS_TYPEHASH, witness.to, witness.facilitator, witness.validAfter)),
            WITNESS_TYPE,
            signature
        );
        emit Settled();
    }
}
