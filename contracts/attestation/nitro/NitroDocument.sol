// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationErrors} from "../../interfaces/IAttestationErrors.sol";
import {Cbor} from "../cbor/Cbor.sol";
import {Cursor, Slice, Slices} from "../cbor/Cursor.sol";

/// @title NitroDocument
/// @notice Reads the attestation document of an AWS Nitro enclave: a COSE_Sign1 (RFC 9052) whose payload is a CBOR
/// map. Format: AWS, "Nitro Enclaves attestation process", section "Attestation document specification".
///
/// Reading checks the form and refuses debug mode. Signature, certificates and time are for
/// {NitroAttestationVerifier} to judge.
library NitroDocument {
    using Cbor for Cursor;

    /// @param signedMessage what the signature covers: RFC 9052's Sig_structure
    /// @param signature r and s, 48 bytes each
    /// @param timestamp unix milliseconds at which the document was made
    /// @param pcrs PCR0, PCR1 and PCR2, 48 bytes each
    /// @param certificates from the root to the key that signed the document, DER
    /// @param publicKey empty if the document has none; so are the next two
    struct Document {
        bytes signedMessage;
        Slice signature;
        uint256 timestamp;
        bytes pcrs;
        Slice[] certificates;
        Slice publicKey;
        Slice userData;
        Slice nonce;
    }

    /// @dev Tag 18, COSE_Sign1, in its one-byte form.
    uint256 private constant COSE_SIGN1_TAG = 0xd2;
    /// @dev Array of four; protected header, a byte string with { 1 (alg): -35 (ES384) }; unprotected header, an
    /// empty map.
    uint256 private constant HEADER = 0x84_44_a1013822_a0;
    uint256 private constant HEADER_LENGTH = 7;
    /// @dev Sig_structure up to the payload: array of four, the text "Signature1", the protected header, no
    /// external data.
    bytes private constant SIGNATURE_CONTEXT = hex"84_6a_5369676e617475726531_44_a1013822_40";

    uint256 private constant SIGNATURE_LENGTH = 96;
    uint256 private constant PCR_LENGTH = 48;
    uint256 private constant PCR_LIMIT = 32;
    /// @dev PCR0 to PCR2 measure the image; the others depend on how it is run.
    uint256 private constant MEASURED_PCRS = 3;
    uint256 private constant MAXIMUM_FIELD_LENGTH = 1024;
    uint256 private constant MAXIMUM_CABUNDLE = 6;
    uint256 private constant MAXIMUM_UNKNOWN_KEYS = 8;

    bytes32 private constant KEY_MODULE_ID = keccak256("module_id");
    bytes32 private constant KEY_DIGEST = keccak256("digest");
    bytes32 private constant KEY_TIMESTAMP = keccak256("timestamp");
    bytes32 private constant KEY_PCRS = keccak256("pcrs");
    bytes32 private constant KEY_CERTIFICATE = keccak256("certificate");
    bytes32 private constant KEY_CABUNDLE = keccak256("cabundle");
    bytes32 private constant KEY_PUBLIC_KEY = keccak256("public_key");
    bytes32 private constant KEY_USER_DATA = keccak256("user_data");
    bytes32 private constant KEY_NONCE = keccak256("nonce");
    bytes32 private constant DIGEST_SHA384 = keccak256("SHA384");

    /// @dev The first six keys, in the order above, have to be there.
    uint256 private constant REQUIRED_KEYS = 0x3f;

    /// @dev What a payload's keys were seen: the known ones as bits, the others by hash.
    struct SeenKeys {
        uint256 known;
        uint256 unknownCount;
        bytes32[MAXIMUM_UNKNOWN_KEYS] unknown;
    }

    /// @notice Reads a document; it is not changed.
    function parse(bytes memory data) internal pure returns (Document memory document) {
        Cursor memory cursor = Slices.fromBytes(data).cursor();
        if (cursor.remaining() > 0 && cursor.peek() == COSE_SIGN1_TAG) cursor.take(1);
        if (cursor.remaining() < HEADER_LENGTH || cursor.peekNumber(HEADER_LENGTH) != HEADER) {
            revert IAttestationErrors.NitroDocument_HeaderInvalid(cursor.offsetOf());
        }
        cursor.take(HEADER_LENGTH);

        // The signature covers the payload with its CBOR header, as it stands in the document.
        uint256 payloadStart = cursor.position;
        Slice payload = cursor.readBytes();
        document.signedMessage = bytes.concat(
            SIGNATURE_CONTEXT,
            Slices.between(payloadStart, cursor.position).toBytes()
        );
        document.signature = _readField(cursor, SIGNATURE_LENGTH, SIGNATURE_LENGTH);
        cursor.requireEnd();
        _parsePayload(payload, document);
    }

    function _parsePayload(Slice payload, Document memory document) private pure {
        Cursor memory cursor = payload.cursor();
        SeenKeys memory seen;
        Slice certificate;
        Slice[] memory cabundle;
        uint256 size = cursor.readMap();
        for (uint256 i = 0; cursor.hasEntry(size, i); ++i) {
            uint256 offset = cursor.offsetOf();
            bytes32 key = cursor.readText().hash();
            uint256 bit = _bitOf(key);
            if (bit == 0) {
                _rememberUnknown(seen, key, offset);
                cursor.skip();
                continue;
            }
            if (seen.known & bit != 0) revert IAttestationErrors.NitroDocument_KeyRepeated(offset);
            seen.known |= bit;
            if (key == KEY_MODULE_ID) {
                cursor.readText();
            } else if (key == KEY_DIGEST) {
                if (cursor.readText().hash() != DIGEST_SHA384) {
                    revert IAttestationErrors.NitroDocument_DigestUnsupported();
                }
            } else if (key == KEY_TIMESTAMP) {
                document.timestamp = cursor.readUnsigned();
            } else if (key == KEY_PCRS) {
                document.pcrs = _readPcrs(cursor);
            } else if (key == KEY_CERTIFICATE) {
                certificate = _readField(cursor, 1, MAXIMUM_FIELD_LENGTH);
            } else if (key == KEY_CABUNDLE) {
                cabundle = _readCabundle(cursor);
            } else if (key == KEY_PUBLIC_KEY) {
                document.publicKey = _readOptionalField(cursor);
            } else if (key == KEY_USER_DATA) {
                document.userData = _readOptionalField(cursor);
            } else {
                document.nonce = _readOptionalField(cursor);
            }
        }
        cursor.requireEnd();
        if (seen.known & REQUIRED_KEYS != REQUIRED_KEYS) {
            revert IAttestationErrors.NitroDocument_KeyMissing(seen.known);
        }
        // `_readCabundle` has left room for the certificate that signed the document.
        cabundle[cabundle.length - 1] = certificate;
        document.certificates = cabundle;
    }

    /// @dev A map from index to measurement, which may leave indexes out; PCR0 to PCR2 have to be there.
    function _readPcrs(Cursor memory cursor) private pure returns (bytes memory pcrs) {
        uint256 seen = 0;
        pcrs = new bytes(MEASURED_PCRS * PCR_LENGTH);
        uint256 size = cursor.readMap();
        for (uint256 i = 0; cursor.hasEntry(size, i); ++i) {
            uint256 offset = cursor.offsetOf();
            uint256 index = cursor.readUnsigned();
            if (index >= PCR_LIMIT) revert IAttestationErrors.NitroDocument_PcrIndexInvalid(offset, index);
            if (seen & (1 << index) != 0) revert IAttestationErrors.NitroDocument_PcrRepeated(index);
            seen |= 1 << index;
            Slice value = _readField(cursor, PCR_LENGTH, PCR_LENGTH);
            if (index < MEASURED_PCRS) _copyPcr(value, pcrs, index);
        }
        for (uint256 index = 0; index < MEASURED_PCRS; ++index) {
            if (seen & (1 << index) == 0) revert IAttestationErrors.NitroDocument_PcrMissing(index);
        }
    }

    /// @dev Copies a measurement that is not zero. AWS writes zeros into PCR0 to PCR2 of an enclave in debug mode,
    /// whose memory the host can read.
    function _copyPcr(Slice value, bytes memory pcrs, uint256 index) private pure {
        bytes32 high = value.word(0, 32);
        bytes32 low = value.word(32, PCR_LENGTH - 32);
        if (high | low == 0) revert IAttestationErrors.NitroDocument_DebugMode(index);
        uint256 offset = 0x20 + index * PCR_LENGTH;
        uint256 source = value.position();
        assembly ("memory-safe") {
            mcopy(add(pcrs, offset), source, PCR_LENGTH)
        }
    }

    /// @dev The authorities' certificates, root first, and one empty place behind them.
    function _readCabundle(Cursor memory cursor) private pure returns (Slice[] memory certificates) {
        uint256 offset = cursor.offsetOf();
        uint256 count = cursor.readArray();
        if (count == 0 || count > MAXIMUM_CABUNDLE) {
            revert IAttestationErrors.NitroDocument_LengthInvalid(offset, 1, MAXIMUM_CABUNDLE, count);
        }
        certificates = new Slice[](count + 1);
        for (uint256 i = 0; i < count; ++i) {
            certificates[i] = _readField(cursor, 1, MAXIMUM_FIELD_LENGTH);
        }
    }

    function _readField(Cursor memory cursor, uint256 minimum, uint256 maximum) private pure returns (Slice) {
        uint256 offset = cursor.offsetOf();
        return _requireLength(cursor.readBytes(), offset, minimum, maximum);
    }

    function _readOptionalField(Cursor memory cursor) private pure returns (Slice) {
        uint256 offset = cursor.offsetOf();
        return _requireLength(cursor.readBytesOrNull(), offset, 0, MAXIMUM_FIELD_LENGTH);
    }

    function _requireLength(
        Slice field,
        uint256 offset,
        uint256 minimum,
        uint256 maximum
    ) private pure returns (Slice) {
        uint256 length = field.length();
        if (length < minimum || length > maximum) {
            revert IAttestationErrors.NitroDocument_LengthInvalid(offset, minimum, maximum, length);
        }
        return field;
    }

    /// @dev A known key's bit; zero for an unknown one.
    function _bitOf(bytes32 key) private pure returns (uint256) {
        if (key == KEY_MODULE_ID) return 0x01;
        if (key == KEY_DIGEST) return 0x02;
        if (key == KEY_TIMESTAMP) return 0x04;
        if (key == KEY_PCRS) return 0x08;
        if (key == KEY_CERTIFICATE) return 0x10;
        if (key == KEY_CABUNDLE) return 0x20;
        if (key == KEY_PUBLIC_KEY) return 0x40;
        if (key == KEY_USER_DATA) return 0x80;
        if (key == KEY_NONCE) return 0x100;
        return 0;
    }

    /// @dev AWS may add keys, so unknown ones are passed over; but none may come twice.
    function _rememberUnknown(SeenKeys memory seen, bytes32 key, uint256 offset) private pure {
        uint256 count = seen.unknownCount;
        for (uint256 i = 0; i < count; ++i) {
            if (seen.unknown[i] == key) revert IAttestationErrors.NitroDocument_KeyRepeated(offset);
        }
        if (count == MAXIMUM_UNKNOWN_KEYS) {
            revert IAttestationErrors.NitroDocument_TooManyUnknownKeys(MAXIMUM_UNKNOWN_KEYS);
        }
        seen.unknown[count] = key;
        seen.unknownCount = count + 1;
    }
}
