// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title IOPG
/// @notice The token that pays and secures the network: fixed supply, 18 decimals, votes counted by timestamp.
///
/// Besides ERC-20 it speaks EIP-2612 (permits), EIP-3009 (transfers by signature, with nonces that the signer
/// draws at random), EIP-5805 and EIP-6372 (votes, `mode=timestamp`) and can be burnt by its holder. Nobody can
/// mint, pause, freeze or upgrade it.
///
/// An account can give up its votes for good, by delegating to `NON_VOTING`: nobody can cast those votes, and a
/// quorum that is a fraction of what can vote leaves them out. The treasury's accounts have done so from the
/// beginning.
///
/// The functions here are the `bytes signature` forms of the standard ones: they take an ECDSA signature of the
/// account's own key or whatever the account, if it is a contract, accepts through ERC-1271. The forms with
/// `(v, r, s)` take the account's own key only.
interface IOPG is IERC20 {
    /// @notice A `bytes` signature is neither the account's own nor accepted by it through ERC-1271.
    /// @param account whose signature it should be
    error OPG_SignatureInvalid(address account);
    /// @notice The account has given up its votes, those of all tokens that it will ever hold included.
    /// @param account the account
    error OPG_VotesGivenUp(address account);
    /// @notice The token was to be created without a treasury.
    error OPG_TreasuryZero();

    /// @notice All OPG there ever will be, in the smallest unit: 1,000,000,000 tokens of 18 decimals.
    function SUPPLY() external view returns (uint256);

    /// @notice Nobody's account. Whoever delegates to it never votes again, nor delegates to another; its votes are
    /// the sum of all tokens that cannot vote.
    function NON_VOTING() external view returns (address);

    /// @notice EIP-3009 transfer. Anyone may submit it, so the payment may arrive in another transaction than the
    /// one expected: whoever reacts to a payment uses `receiveWithAuthorization`.
    /// @param from who pays and signs
    /// @param to who is paid
    /// @param value in the smallest unit
    /// @param validAfter unix seconds; valid only afterwards
    /// @param validBefore unix seconds; valid only before
    /// @param nonce any 32 bytes that `from` has not used yet
    /// @param signature by `from`
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice EIP-3009 transfer that only the receiver can submit.
    /// @param from who pays and signs
    /// @param to who is paid, and calls
    /// @param value in the smallest unit
    /// @param validAfter unix seconds; valid only afterwards
    /// @param validBefore unix seconds; valid only before
    /// @param nonce any 32 bytes that `from` has not used yet
    /// @param signature by `from`
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Makes a nonce useless before it is used.
    /// @param authorizer whose nonce it is
    /// @param nonce not used yet
    /// @param signature by the authorizer
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external;

    /// @notice EIP-2612 permit.
    /// @param owner who lets their tokens be spent, and signs
    /// @param spender who may spend them
    /// @param value in the smallest unit
    /// @param deadline unix seconds; valid up to and including it
    /// @param signature by the owner
    function permit(
        address owner,
        address spender,
        uint256 value,
        uint256 deadline,
        bytes calldata signature
    ) external;
}
