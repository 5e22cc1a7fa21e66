// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Cbor} from "../../../contracts/attestation/cbor/Cbor.sol";
import {Cursor, Slices} from "../../../contracts/attestation/cbor/Cursor.sol";
import {Der} from "../../../contracts/attestation/x509/Der.sol";
import {NitroDocument} from "../../../contracts/attestation/nitro/NitroDocument.sol";
import {X509} from "../../../contracts/attestation/x509/X509.sol";
import {IAttestationErrors} from "../../../contracts/interfaces/IAttestationErrors.sol";

/// @notice The internal functions of the document's and the certificates' parsers, for tests.
contract DocumentHarness is IAttestationErrors {
    using Cbor for Cursor;
    using Der for Cursor;

    struct CertificateView {
        bytes tbs;
        bytes issuer;
        bytes subject;
        uint256 serial;
        uint256 notBefore;
        uint256 notAfter;
        bytes publicKey;
        bool isAuthority;
        uint256 pathLength;
        uint256 keyUsage;
        bytes signature;
    }

    struct DocumentView {
        bytes signedMessage;
        bytes signature;
        uint256 timestamp;
        bytes pcrs;
        bytes[] certificates;
        bytes publicKey;
        bytes userData;
        bytes nonce;
    }

    function readUnsigned(bytes memory data) external pure returns (uint256 value, uint256 consumed) {
        Cursor memory cursor = Slices.fromBytes(data).cursor();
        value = cursor.readUnsigned();
        consumed = cursor.offsetOf();
    }

    function readBytes(bytes memory data) external pure returns (bytes memory value, uint256 consumed) {
        Cursor memory cursor = Slices.fromBytes(data).cursor();
        value = cursor.readBytes().toBytes();
        consumed = cursor.offsetOf();
    }

    function readText(bytes memory data) external pure returns (bytes memory value, uint256 consumed) {
        Cursor memory cursor = Slices.fromBytes(data).cursor();
        value = cursor.readText().toBytes();
        consumed = cursor.offsetOf();
    }

    function readBytesOrNull(bytes memory data) external pure returns (bytes memory value, uint256 consumed) {
        Cursor memory cursor = Slices.fromBytes(data).cursor();
        value = cursor.readBytesOrNull().toBytes();
        consumed = cursor.offsetOf();
    }

    /// @dev Number of a map's entries; their keys and values are skipped.
    function countEntries(bytes memory data) external pure returns (uint256 count, uint256 consumed) {
        Cursor memory cursor = Slices.fromBytes(data).cursor();
        uint256 size = cursor.readMap();
        for (; cursor.hasEntry(size, count); ++count) {
            cursor.skip();
            cursor.skip();
        }
        consumed = cursor.offsetOf();
    }

    function readArray(bytes memory data) external pure returns (uint256) {
        return Slices.fromBytes(data).cursor().readArray();
    }

    function skip(bytes memory data) external pure returns (uint256 consumed) {
        Cursor memory cursor = Slices.fromBytes(data).cursor();
        cursor.skip();
        consumed = cursor.offsetOf();
    }

    function readDer(
        bytes memory data,
        uint256 tag
    ) external pure returns (bytes memory content, uint256 consumed) {
        Cursor memory cursor = Slices.fromBytes(data).cursor();
        content = cursor.read(tag).toBytes();
        consumed = cursor.offsetOf();
    }

    function readDerUnsigned(bytes memory data, uint256 maximumBytes) external pure returns (uint256) {
        return Slices.fromBytes(data).cursor().readUnsigned(maximumBytes);
    }

    function toRawSignature(bytes memory der) external pure returns (bytes memory) {
        return X509.toRawSignature(Slices.fromBytes(der));
    }

    function parseCertificate(bytes memory der) external pure returns (CertificateView memory) {
        X509.Certificate memory certificate = X509.parse(Slices.fromBytes(der));
        return
            CertificateView({
                tbs: certificate.tbs.toBytes(),
                issuer: certificate.issuer.toBytes(),
                subject: certificate.subject.toBytes(),
                serial: certificate.serial,
                notBefore: certificate.notBefore,
                notAfter: certificate.notAfter,
                publicKey: certificate.publicKey.toBytes(),
                isAuthority: certificate.isAuthority,
                pathLength: certificate.pathLength,
                keyUsage: certificate.keyUsage,
                signature: certificate.signature.toBytes()
            });
    }

    function parseDocument(bytes memory data) external pure returns (DocumentView memory view_) {
        NitroDocument.Document memory document = NitroDocument.parse(data);
        view_.signedMessage = document.signedMessage;
        view_.signature = document.signature.toBytes();
        view_.timestamp = document.timestamp;
        view_.pcrs = document.pcrs;
        view_.certificates = new bytes[](document.certificates.length);
        for (uint256 i = 0; i < view_.certificates.length; ++i) {
            view_.certificates[i] = document.certificates[i].toBytes();
        }
        view_.publicKey = document.publicKey.toBytes();
        view_.userData = document.userData.toBytes();
        view_.nonce = document.nonce.toBytes();
    }
}
