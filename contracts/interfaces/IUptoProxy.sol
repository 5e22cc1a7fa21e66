// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title IUptoProxy
/// @notice What is called of x402's proxy of the scheme `upto`: the account that the payer's permit names as facilitator,
/// and no other, moves up to what was permitted to where the permit says. Written from the protocol's public ABI.
interface IUptoProxy {
    /// @notice Token and most of it.
    /// @param token the token
    /// @param amount smallest units
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    /// @notice What Permit2 is given to transfer by signature.
    /// @param permitted token and most of it
    /// @param nonce of the payer at Permit2, used once
    /// @param deadline last second of the permit, in unix seconds
    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce;
        uint256 deadline;
    }

    /// @notice What the payer signs besides.
    /// @param to who gets the tokens
    /// @param facilitator who may call
    /// @param validAfter first second of the permit, in unix seconds
    struct Witness {
        address to;
        address facilitator;
        uint256 validAfter;
    }

    /// @notice Moves tokens of a payer.
    /// @param permit as signed
    /// @param amount smallest units, not zero
    /// @param owner the payer
    /// @param witness as signed; its facilitator is the caller
    /// @param signature the payer's, of Permit2's typed data
    function settle(
        PermitTransferFrom calldata permit,
        uint256 amount,
        address owner,
        Witness calldata witness,
        bytes calldata signature
    ) external;
}
