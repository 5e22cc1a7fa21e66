// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title IAttestationErrors
/// @notice Why a piece of attestation evidence is refused. Offsets count bytes from the start of the item that is
/// being read: the document, its payload, or one certificate.
interface IAttestationErrors {
    /// @notice An item reaches behind the end of its bytes.
    /// @param offset where the item begins
    error Cbor_Truncated(uint256 offset);
    /// @notice An item is of another type than the format has there.
    /// @param offset where it begins
    /// @param expectedMajorType as RFC 8949 numbers it
    /// @param actualMajorType its own
    error Cbor_UnexpectedType(uint256 offset, uint256 expectedMajorType, uint256 actualMajorType);
    /// @notice A length or integer is not written in the fewest bytes.
    /// @param offset where the item begins
    error Cbor_NotShortestForm(uint256 offset);
    /// @notice A reserved header, or an indefinite length where none is allowed.
    /// @param offset where the item begins
    /// @param header its first byte
    error Cbor_UnsupportedHeader(uint256 offset, uint256 header);
    /// @notice An unknown key's value nests deeper than is followed.
    /// @param offset where it went too deep
    /// @param maximum levels that are followed
    error Cbor_NestingTooDeep(uint256 offset, uint256 maximum);
    /// @notice Something comes behind the item.
    /// @param offset where it begins
    error Cbor_TrailingBytes(uint256 offset);

    /// @notice An item reaches behind the end of its bytes.
    /// @param offset where it begins
    error Der_Truncated(uint256 offset);
    /// @notice An item has another tag than the format has there.
    /// @param offset where it begins
    /// @param expected the format's tag
    /// @param actual its own
    error Der_UnexpectedTag(uint256 offset, uint256 expected, uint256 actual);
    /// @notice A length that is indefinite, above 65,535, or not written in the fewest bytes.
    /// @param offset where the item begins
    error Der_LengthInvalid(uint256 offset);
    /// @notice A negative integer, or one with redundant leading bytes.
    /// @param offset where the integer begins
    error Der_IntegerInvalid(uint256 offset);
    /// @notice An integer is longer than the field may be.
    /// @param offset where it begins
    /// @param maximumBytes most bytes
    /// @param actualBytes its bytes
    error Der_IntegerTooLong(uint256 offset, uint256 maximumBytes, uint256 actualBytes);
    /// @notice Something comes behind the item.
    /// @param offset where it begins
    error Der_TrailingBytes(uint256 offset);

    /// @notice The certificate differs from the subset at this place: version, algorithm, key type, signature or
    /// time.
    /// @param offset where the field begins
    error X509_FieldInvalid(uint256 offset);
    /// @notice A time is no date of the calendar, or in another form than RFC 5280 has.
    /// @param offset where it begins
    error X509_TimeInvalid(uint256 offset);
    /// @notice A critical extension that the verifier does not judge, or a second one of the same kind.
    /// @param offset where the extension begins
    error X509_ExtensionRefused(uint256 offset);
    /// @notice The certificate lacks basicConstraints or keyUsage.
    error X509_ExtensionMissing();

    /// @notice The document is no COSE_Sign1 with ES384 and an empty unprotected header.
    /// @param offset where the header begins
    error NitroDocument_HeaderInvalid(uint256 offset);
    /// @notice The payload has a key twice.
    /// @param offset where the second begins
    error NitroDocument_KeyRepeated(uint256 offset);
    /// @notice The payload lacks a key that every document has.
    /// @param presentKeys those that it has, as bits
    error NitroDocument_KeyMissing(uint256 presentKeys);
    /// @notice The payload has too many keys that are not known.
    /// @param maximum most that are passed over
    error NitroDocument_TooManyUnknownKeys(uint256 maximum);
    /// @notice The measurements were made with another hash than SHA-384.
    error NitroDocument_DigestUnsupported();
    /// @notice A field is too short or too long.
    /// @param offset where it begins
    /// @param minimum least bytes or entries
    /// @param maximum most
    /// @param actual its own
    error NitroDocument_LengthInvalid(uint256 offset, uint256 minimum, uint256 maximum, uint256 actual);
    /// @notice A measurement has a number that there is not.
    /// @param offset where it stands
    /// @param index the number
    error NitroDocument_PcrIndexInvalid(uint256 offset, uint256 index);
    /// @notice A measurement comes twice.
    /// @param index its number
    error NitroDocument_PcrRepeated(uint256 index);
    /// @notice PCR0, PCR1 or PCR2 is not there.
    /// @param index its number
    error NitroDocument_PcrMissing(uint256 index);
    /// @notice PCR0, PCR1 or PCR2 is zero: the enclave runs in debug mode and measures nothing.
    /// @param index number of the measurement
    error NitroDocument_DebugMode(uint256 index);
    /// @notice A measurement of an image has another length than those of documents.
    /// @param index its number
    /// @param expectedLength bytes of those in documents
    /// @param actualLength its bytes
    error NitroFields_MeasurementInvalid(uint256 index, uint256 expectedLength, uint256 actualLength);
}
