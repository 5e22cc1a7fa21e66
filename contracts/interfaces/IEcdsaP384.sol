// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IEcdsaP384
/// @notice ECDSA over P-384 with SHA-384 (ES384 of RFC 9053, `ecdsa-with-SHA384` of X.509), checked with the help
/// of values that the caller computes off-chain.
///
/// `hints` come from `generateP384Hints` of the TypeScript package in `attestation/`; they depend on message, key
/// and signature. They save gas and nothing else: `verify` checks each value before it uses it, so that no hints
/// whatsoever make it accept a signature that is not valid.
///
/// What a caller must know:
/// - `verify` returns nothing. It returns if the signature is valid and reverts if not.
/// - A revert does not prove that the signature is invalid: the hints may be wrong.
/// - Signatures are malleable: (r, n - s) is as valid as (r, s), and both forms occur in genuine certificates. A
///   signature, or its hash, is never an identity or a replay guard.
interface IEcdsaP384 {
    /// @notice The public key is not 96 bytes long.
    /// @param expected 96
    /// @param actual its bytes
    error EcdsaP384_PublicKeyLengthInvalid(uint256 expected, uint256 actual);
    /// @notice The public key is not a point of the curve with coordinates below p.
    error EcdsaP384_PublicKeyInvalid();
    /// @notice The signature is not 96 bytes long.
    /// @param expected 96
    /// @param actual its bytes
    error EcdsaP384_SignatureLengthInvalid(uint256 expected, uint256 actual);
    /// @notice `r` or `s` is not in [1, n - 1].
    error EcdsaP384_SignatureOutOfRange();
    /// @notice The hints are shorter or longer than what they say.
    error EcdsaP384_HintsLengthInvalid();
    /// @notice A hinted value does not satisfy its equation, at this offset of the hints: the hints belong to
    /// another signature, are corrupted, or the signature is not valid.
    /// @param offset in bytes
    error EcdsaP384_HintInvalid(uint256 offset);

    /// @notice Returns if `signature` is a valid signature of `message` under `publicKey`; reverts if not.
    /// @param message signed bytes, not hashed
    /// @param publicKey affine coordinates x | y, 48 bytes each, big-endian (SEC 1 uncompressed, without the 0x04)
    /// @param signature r | s, 48 bytes each, big-endian (IEEE P1363, as in COSE; convert DER first)
    /// @param hints output of `generateP384Hints` for these three
    function verify(
        bytes calldata message,
        bytes calldata publicKey,
        bytes calldata signature,
        bytes calldata hints
    ) external view;
}
