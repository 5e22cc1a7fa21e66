// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title IAttestationErrors
/// @notice Why a piece of attestation evidence is refused. Offsets count bytes from the start of the item that is
/// being read: the document, its payload, or one certificate.
interface IAttestationErrors {
    /// @dev An item reaches behind the end of its bytes.
    error Cbor_Truncated(uint256 offset);
    error Cbor_UnexpectedType(uint256 offset, uint256 expectedMajorType, uint256 actualMajorType);
    /// @dev A length or integer is not written in the fewest bytes.
    error Cbor_NotShortestForm(uint256 offset);
    /// @dev A reserved header, or an indefinite length where none is allowed.
    error Cbor_UnsupportedHeader(uint256 offset, uint256 header);
    error Cbor_NestingTooDeep(uint256 offset, uint256 maximum);
    error Cbor_TrailingBytes(uint256 offset);

    error Der_Truncated(uint256 offset);
    error Der_UnexpectedTag(uint256 offset, uint256 expected, uint256 actual);
    /// @dev A length that is indefinite, above 65,535, or not written in the fewest bytes.
    error Der_LengthInvalid(uint256 offset);
    /// @dev A negative integer, or one with redundant leading bytes.
    error Der_IntegerInvalid(uint256 offset);
    error Der_IntegerTooLong(uint256 offset, uint256 maximumBytes, uint256 actualBytes);
    error Der_TrailingBytes(uint256 offset);

    /// @dev The certificate differs from the subset at this place: version, algorithm, key type, signature or time.
    error X509_FieldInvalid(uint256 offset);
    error X509_TimeInvalid(uint256 offset);
    /// @dev A critical extension that the verifier does not judge, or a second one of the same kind.
    error X509_ExtensionRefused(uint256 offset);
    error X509_ExtensionMissing();

    error NitroDocument_HeaderInvalid(uint256 offset);
    error NitroDocument_KeyRepeated(uint256 offset);
    error NitroDocument_KeyMissing(uint256 presentKeys);
    error NitroDocument_TooManyUnknownKeys(uint256 maximum);
    error NitroDocument_DigestUnsupported();
    error NitroDocument_LengthInvalid(uint256 offset, uint256 minimum, uint256 maximum, uint256 actual);
    error NitroDocument_PcrIndexInvalid(uint256 offset, uint256 index);
    error NitroDocument_PcrRepeated(uint256 index);
    error NitroDocument_PcrMissing(uint256 index);
    /// @dev PCR0, PCR1 or PCR2 is zero: the enclave runs in debug mode and measures nothing.
    error NitroDocument_DebugMode(uint256 index);
}
