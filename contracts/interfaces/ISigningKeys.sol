// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title ISigningKeys
/// @notice Signing keys as SubjectPublicKeyInfo (RFC 5280) in DER, and signatures under them. Stateless.
interface ISigningKeys {
    /// @notice Kinds of signing keys. A message is 32 bytes `m`; what is signed is:
    /// RSA (2048 to 4096 bits, exponent 65537): PSS with SHA-256, MGF1-SHA-256 and a salt of 32 bytes, over SHA256(m);
    /// P-256: ECDSA over SHA256(m), signature r | s; secp256k1: ECDSA over m, signature r | s | v, low s.
    enum KeyKind {
        None,
        Rsa,
        P256,
        Secp256k1
    }

    /// @notice The key is of no kind that is known, or not in DER.
    error SigningKeys_KeyUnsupported();

    /// @notice The kind of a well-formed key; reverts for anything else. Whether an elliptic curve's point is on its
    /// curve is not looked at: no signature is valid under a point that is not.
    /// @param encodedKey SubjectPublicKeyInfo in DER
    function kindOf(bytes calldata encodedKey) external pure returns (KeyKind);

    /// @notice Whether the key signed `message`. Never reverts on a bad signature.
    /// @param kind the key's kind, as `kindOf` returned it
    /// @param encodedKey the key
    /// @param message 32 bytes
    /// @param signature whatever it is
    function isSigned(
        KeyKind kind,
        bytes calldata encodedKey,
        bytes32 message,
        bytes calldata signature
    ) external view returns (bool);
}
