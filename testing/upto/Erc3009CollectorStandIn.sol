// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

interface IAuthorizedToken {
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;
    function transfer(address to, uint256 amount) external returns (bool);
}

/// @title Erc3009CollectorStandIn
/// @notice What x402's collector of deposits by EIP-3009 does: brings x402's contract of channels, and nobody else, what a payer
/// authorised for one channel. Written from the protocol's library.
contract Erc3009CollectorStandIn {
    address public constant SETTLEMENT = 0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003;

    error OnlySettlement();

    function collect(
        address payer,
        address token,
        uint256 amount,
        bytes32 channelId,
        bytes calldata data
    ) external {
        if (msg.sender != SETTLEMENT) revert OnlySettlement();
        (uint256 validAfter, uint256 validBefore, uint256 salt, bytes memory signature) = abi.decode(
            data,
            (uint256, uint256, uint256, bytes)
        );
        bytes32 nonce = keccak256(abi.encode(channelId, salt));
        IAuthorizedToken(token).receiveWithAuthorization(
            payer,
            address(this),
            amount,
            validAfter,
            validBefore,
            nonce,
            signature
        );
        require(IAuthorizedToken(token).transfer(msg.sender, amount), "transfer");
    }
}
