// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationErrors} from "../../interfaces/IAttestationErrors.sol";
import {Calendar} from "./Calendar.sol";
import {Cursor, Slice} from "../cbor/Cursor.sol";
import {Der} from "./Der.sol";

/// @title X509
/// @notice Reads the certificates that Nitro attestation uses, and no others: version 3, P-384 keys,
/// ECDSA with SHA-384, no unique identifiers, and of the critical extensions only basicConstraints and keyUsage.
///
/// Reading checks the form. Signature, validity and issuer are for {CertificateStore} to judge.
library X509 {
    using Der for Cursor;

    /// @param tbs the signed part, header included
    /// @param issuer name, header included
    /// @param subject name, header included
    /// @param serial at most 20 bytes
    /// @param notBefore unix seconds, inclusive
    /// @param notAfter unix seconds, inclusive
    /// @param publicKey x and y, 48 bytes each
    /// @param isAuthority basicConstraints' cA
    /// @param pathLength how many authorities may follow below this one; `NO_PATH_LENGTH` if unlimited
    /// @param keyUsage the bits as they stand in the extension's first byte
    struct Certificate {
        Slice tbs;
        Slice issuer;
        Slice subject;
        uint256 serial;
        uint256 notBefore;
        uint256 notAfter;
        Slice publicKey;
        bool isAuthority;
        uint256 pathLength;
        uint256 keyUsage;
        Slice signature;
    }

    uint256 internal constant NO_PATH_LENGTH = type(uint8).max;
    /// @dev keyUsage bits 0 and 5 of RFC 5280, section 4.2.1.3, counted from the left of the byte.
    uint256 internal constant DIGITAL_SIGNATURE = 0x80;
    uint256 internal constant CERTIFICATE_SIGN = 0x04;

    uint256 internal constant SCALAR_BYTES = 48;

    /// @dev [0] EXPLICIT INTEGER 2.
    bytes32 private constant VERSION_3 = bytes32(bytes5(0xa0_03_02_01_02));
    uint256 private constant VERSION_LENGTH = 5;
    /// @dev SEQUENCE { OBJECT IDENTIFIER 1.2.840.10045.4.3.3 }, ecdsa-with-SHA384.
    bytes32 private constant ECDSA_SHA384 = bytes32(bytes12(0x30_0a_06_08_2a8648ce3d040303));
    uint256 private constant ECDSA_SHA384_LENGTH = 12;
    /// @dev SEQUENCE { SEQUENCE { 1.2.840.10045.2.1 (ecPublicKey), 1.3.132.0.34 (secp384r1) }, BIT STRING { no unused
    /// bits, uncompressed point } }, up to the point's coordinates.
    bytes32 private constant P384_KEY_PREFIX = bytes32(
        bytes24(0x30_76_30_10_06_07_2a8648ce3d0201_06_05_2b81040022_03_62_00_04)
    );
    uint256 private constant P384_KEY_PREFIX_LENGTH = 24;
    uint256 private constant PUBLIC_KEY_LENGTH = 96;

    /// @dev [3] EXPLICIT.
    uint256 private constant EXTENSIONS_TAG = 0xa3;
    uint256 private constant MAXIMUM_SERIAL_BYTES = 20;
    /// @dev DER has one encoding of true.
    uint256 private constant DER_TRUE = 0xff;

    /// @dev OBJECT IDENTIFIERs 2.5.29.19 and 2.5.29.15.
    bytes32 private constant BASIC_CONSTRAINTS = bytes32(bytes3(0x55_1d_13));
    bytes32 private constant KEY_USAGE = bytes32(bytes3(0x55_1d_0f));
    uint256 private constant EXTENSION_ID_LENGTH = 3;

    uint256 private constant UTC_TIME_LENGTH = 13;
    uint256 private constant GENERALIZED_TIME_LENGTH = 15;

    /// @notice The signed part only, header included: enough to look a certificate up.
    function readTbs(Slice der) internal pure returns (Slice) {
        return _outer(der).readWhole(Der.SEQUENCE);
    }

    /// @notice Reads a whole certificate.
    function parse(Slice der) internal pure returns (Certificate memory certificate) {
        Cursor memory outer = _outer(der);
        uint256 start = outer.position;
        _parseTbs(outer.enter(Der.SEQUENCE), certificate);
        uint256 length = outer.position - start;
        outer.position = start;
        certificate.tbs = outer.take(length);
        _expect(outer, ECDSA_SHA384, ECDSA_SHA384_LENGTH);
        certificate.signature = _readBitString(outer);
        outer.requireEnd();
    }

    /// @notice r and s of a signature `SEQUENCE { INTEGER r, INTEGER s }`, 48 bytes each. Their values are for the
    /// signature check to judge.
    function toRawSignature(Slice der) internal pure returns (bytes memory raw) {
        Cursor memory outer = der.cursor();
        Cursor memory content = outer.enter(Der.SEQUENCE);
        outer.requireEnd();
        raw = new bytes(2 * SCALAR_BYTES);
        _copyRight(content.readMagnitude(SCALAR_BYTES), raw, SCALAR_BYTES);
        _copyRight(content.readMagnitude(SCALAR_BYTES), raw, 2 * SCALAR_BYTES);
        content.requireEnd();
    }

    /// @dev The certificate's three parts; nothing follows the certificate.
    function _outer(Slice der) private pure returns (Cursor memory content) {
        Cursor memory cursor = der.cursor();
        content = cursor.enter(Der.SEQUENCE);
        cursor.requireEnd();
    }

    function _parseTbs(Cursor memory tbs, Certificate memory certificate) private pure {
        _expect(tbs, VERSION_3, VERSION_LENGTH);
        certificate.serial = tbs.readUnsigned(MAXIMUM_SERIAL_BYTES);
        _expect(tbs, ECDSA_SHA384, ECDSA_SHA384_LENGTH);
        certificate.issuer = tbs.readWhole(Der.SEQUENCE);

        Cursor memory validity = tbs.enter(Der.SEQUENCE);
        certificate.notBefore = _readTime(validity);
        certificate.notAfter = _readTime(validity);
        validity.requireEnd();

        certificate.subject = tbs.readWhole(Der.SEQUENCE);
        _expect(tbs, P384_KEY_PREFIX, P384_KEY_PREFIX_LENGTH);
        if (tbs.remaining() < PUBLIC_KEY_LENGTH) revert IAttestationErrors.Der_Truncated(tbs.offsetOf());
        certificate.publicKey = tbs.take(PUBLIC_KEY_LENGTH);
        _parseExtensions(tbs, certificate);
        tbs.requireEnd();
    }

    function _parseExtensions(Cursor memory tbs, Certificate memory certificate) private pure {
        Cursor memory wrapper = tbs.enter(EXTENSIONS_TAG);
        Cursor memory extensions = wrapper.enter(Der.SEQUENCE);
        wrapper.requireEnd();
        bool hasConstraints = false;
        bool hasUsage = false;
        while (extensions.remaining() > 0) {
            uint256 offset = extensions.offsetOf();
            Cursor memory extension = extensions.enter(Der.SEQUENCE);
            Slice id = extension.read(Der.OBJECT_IDENTIFIER);
            bool isCritical = _readOptionalTrue(extension);
            Cursor memory value = extension.enter(Der.OCTET_STRING);
            extension.requireEnd();

            bytes32 name = id.length() == EXTENSION_ID_LENGTH ? id.word(0, EXTENSION_ID_LENGTH) : bytes32(0);
            if (name == BASIC_CONSTRAINTS) {
                if (hasConstraints) revert IAttestationErrors.X509_ExtensionRefused(offset);
                hasConstraints = true;
                _parseConstraints(value, certificate);
            } else if (name == KEY_USAGE) {
                if (hasUsage) revert IAttestationErrors.X509_ExtensionRefused(offset);
                hasUsage = true;
                certificate.keyUsage = _parseKeyUsage(value);
            } else if (isCritical) {
                revert IAttestationErrors.X509_ExtensionRefused(offset);
            }
        }
        if (!hasConstraints || !hasUsage) revert IAttestationErrors.X509_ExtensionMissing();
    }

    /// @dev SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }.
    function _parseConstraints(Cursor memory value, Certificate memory certificate) private pure {
        Cursor memory constraints = value.enter(Der.SEQUENCE);
        value.requireEnd();
        certificate.isAuthority = _readOptionalTrue(constraints);
        certificate.pathLength = NO_PATH_LENGTH;
        if (certificate.isAuthority && constraints.remaining() > 0) {
            certificate.pathLength = constraints.readUnsigned(1);
        }
        constraints.requireEnd();
    }

    /// @dev First byte of the bits. A second one, for decipherOnly, is not in the subset.
    function _parseKeyUsage(Cursor memory value) private pure returns (uint256 usage) {
        uint256 offset = value.offsetOf();
        Slice bits = value.read(Der.BIT_STRING);
        value.requireEnd();
        if (bits.length() != 2) revert IAttestationErrors.X509_FieldInvalid(offset);
        uint256 unused = uint256(bits.word(0, 1)) >> 248;
        usage = uint256(bits.word(1, 1)) >> 248;
        // DER: unused bits are zero and the last used one is set.
        if (unused > 7 || usage & ((2 << unused) - 1) != 1 << unused) {
            revert IAttestationErrors.X509_FieldInvalid(offset);
        }
    }

    /// @dev A BOOLEAN with default false: either absent or true.
    function _readOptionalTrue(Cursor memory cursor) private pure returns (bool) {
        if (!cursor.isNext(Der.BOOLEAN)) return false;
        uint256 offset = cursor.offsetOf();
        Slice content = cursor.read(Der.BOOLEAN);
        if (content.length() != 1 || uint256(content.word(0, 1)) >> 248 != DER_TRUE) {
            revert IAttestationErrors.X509_FieldInvalid(offset);
        }
        return true;
    }

    /// @dev YYMMDDHHMMSSZ until 2049, YYYYMMDDHHMMSSZ from 2050 (RFC 5280, section 4.1.2.5).
    function _readTime(Cursor memory validity) private pure returns (uint256) {
        uint256 offset = validity.offsetOf();
        bool isUtc = validity.isNext(Der.UTC_TIME);
        Slice text = validity.read(isUtc ? Der.UTC_TIME : Der.GENERALIZED_TIME);
        uint256 length = isUtc ? UTC_TIME_LENGTH : GENERALIZED_TIME_LENGTH;
        if (text.length() != length || text.word(length - 1, 1) != "Z") {
            revert IAttestationErrors.X509_TimeInvalid(offset);
        }
        uint256 yearDigits = isUtc ? 2 : 4;
        uint256 year = _readDigits(text, 0, yearDigits, offset);
        if (isUtc) {
            year += year < 50 ? 2000 : 1900;
        } else if (year < 2050) {
            revert IAttestationErrors.X509_TimeInvalid(offset);
        }
        uint256 month = _readDigits(text, yearDigits, 2, offset);
        uint256 day = _readDigits(text, yearDigits + 2, 2, offset);
        uint256 hour = _readDigits(text, yearDigits + 4, 2, offset);
        uint256 minute = _readDigits(text, yearDigits + 6, 2, offset);
        uint256 second = _readDigits(text, yearDigits + 8, 2, offset);
        if (year < 1970 || !Calendar.isValid(year, month, day, hour, minute, second)) {
            revert IAttestationErrors.X509_TimeInvalid(offset);
        }
        return Calendar.toTimestamp(year, month, day, hour, minute, second);
    }

    function _readDigits(
        Slice text,
        uint256 from,
        uint256 count,
        uint256 offset
    ) private pure returns (uint256 value) {
        uint256 digits = uint256(text.word(from, count)) >> (256 - 8 * count);
        for (uint256 i = count; i > 0; --i) {
            uint256 character = (digits >> (8 * (i - 1))) & 0xff;
            if (character < 0x30 || character > 0x39) revert IAttestationErrors.X509_TimeInvalid(offset);
            value = value * 10 + character - 0x30;
        }
    }

    /// @dev A BIT STRING of whole bytes.
    function _readBitString(Cursor memory cursor) private pure returns (Slice) {
        uint256 offset = cursor.offsetOf();
        Cursor memory content = cursor.enter(Der.BIT_STRING);
        if (content.remaining() == 0 || content.peek() != 0) {
            revert IAttestationErrors.X509_FieldInvalid(offset);
        }
        content.take(1);
        return content.take(content.remaining());
    }

    /// @dev Exactly these bytes come next.
    function _expect(Cursor memory cursor, bytes32 expected, uint256 length) private pure {
        uint256 offset = cursor.offsetOf();
        if (cursor.remaining() < length) revert IAttestationErrors.Der_Truncated(offset);
        if (cursor.take(length).word(0, length) != expected)
            revert IAttestationErrors.X509_FieldInvalid(offset);
    }

    /// @dev Copies a number so that its last byte comes just before `end`.
    function _copyRight(Slice number, bytes memory target, uint256 end) private pure {
        uint256 size = number.length();
        uint256 source = number.position();
        assembly ("memory-safe") {
            mcopy(add(add(target, 0x20), sub(end, size)), source, size)
        }
    }
}
