// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Permit2StandIn} from "./Permit2StandIn.sol";

/// @title Permit2CollectorStandIn
/// @notice What x402's collector of deposits by Permit2 does: has x402's contract of channels, and nobody else, sent what a payer
/// permitted for one channel. Written from the protocol's library; without its approvals by EIP-2612.
contract Permit2CollectorStandIn {
    address public constant SETTLEMENT = 0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003;
    Permit2StandIn private constant PERMIT2 = Permit2StandIn(0x000000000022D473030F116dDEE9F6B43aC78BA3);
    string private constant WITNESS_TYPE =
        "DepositWitness witness)DepositWitness(bytes32 channelId)TokenPermissions(address token,uint256 amount)";

    error OnlySettlement();

    function collect(
        address payer,
        address token,
        uint256 amount,
        bytes32 channelId,
        bytes calldata data
    ) external {
        if (msg.sender != SETTLEMENT) revert OnlySettlement();
        (uint256 nonce, uint256 deadline, bytes memory signature, ) = abi.decode(
            data,
            (uint256, uint256, bytes, bytes)
        );
        PERMIT2.permitWitnessTransferFrom(
            Permit2StandIn.PermitTransferFrom(
                Permit2StandIn.TokenPermissions(token, amount),
                nonce,
                deadline
            ),
            Permit2StandIn.SignatureTransferDetails(SETTLEMENT, amount),
            payer,
            keccak256(abi.encode(keccak256("DepositWitness(bytes32 channelId)"), channelId)),
            WITNESS_TYPE,
            signature
        );
    }
}
