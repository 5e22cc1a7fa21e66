// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAttestationVerifier} from "../../interfaces/IAttestationVerifier.sol";
import {ICertificateStore} from "../../interfaces/ICertificateStore.sol";
import {IEcdsaP384} from "../../interfaces/IEcdsaP384.sol";
import {NitroDocument} from "./NitroDocument.sol";
import {NitroFields} from "./NitroFields.sol";

/// @title NitroAttestationVerifier
/// @notice See {IAttestationVerifier}. Evidence is the attestation document of an AWS Nitro enclave. Hints come one per
/// signature: for the certificates from the root's child on, then for the document.
///
/// Access: nobody has special rights. Which root counts is the certificate store's; which code, the caller's.
contract NitroAttestationVerifier is IAttestationVerifier {
    /// @notice How old a document may be, in seconds.
    uint64 public constant MAXIMUM_AGE = 300;
    /// @notice How far an enclave's clock may be ahead of the chain's, in seconds.
    uint64 public constant MAXIMUM_CLOCK_SKEW = 60;

    uint256 private constant MILLISECONDS = 1000;

    /// @dev Bytes of `abi.encode(claims)`. Every document is longer: its signature and measurements alone are.
    uint256 private constant CLAIMS_LENGTH = 5 * 32;

    bytes32 private constant EVIDENCE_TYPE = keccak256("aws.nitro.enclave");

    ICertificateStore public immutable CERTIFICATES;
    IEcdsaP384 public immutable ECDSA_P384;

    /// @dev By the hash of a document, and by that of its encoded claims.
    mapping(bytes32 evidenceHash => bytes32 signerCertificate) private _verified;

    constructor(ICertificateStore certificates, IEcdsaP384 ecdsa) {
        if (address(certificates).code.length == 0) {
            revert AttestationVerifier_NotAContract(address(certificates));
        }
        if (address(ecdsa).code.length == 0) revert AttestationVerifier_NotAContract(address(ecdsa));
        CERTIFICATES = certificates;
        ECDSA_P384 = ecdsa;
    }

    /// @inheritdoc IAttestationVerifier
    function verify(
        bytes calldata evidence,
        bytes[] calldata hints
    ) external override returns (Claims memory claims) {
        bytes32 evidenceHash = keccak256(evidence);
        bytes32 signerCertificate = _verified[evidenceHash];
        if (signerCertificate == 0) return _verifyDocument(evidenceHash, evidence, hints);

        claims =
            evidence.length == CLAIMS_LENGTH
                ? abi.decode(evidence, (Claims))
                : _claimsOf(NitroDocument.parse(evidence));
        claims.signerCertificate = signerCertificate;
        _requireFresh(claims.issuedAt);
        CERTIFICATES.requireUsable(signerCertificate);
    }

    /// @inheritdoc IAttestationVerifier
    function evidenceType() external pure override returns (bytes32) {
        return EVIDENCE_TYPE;
    }

    /// @inheritdoc IAttestationVerifier
    function carriedBinding(bytes32 binding) external pure override returns (bytes32) {
        return NitroFields.carriedBinding(binding);
    }

    /// @inheritdoc IAttestationVerifier
    function isTrusted(bytes32 signerCertificate) external view override returns (bool) {
        return CERTIFICATES.isTrusted(signerCertificate);
    }

    /// @inheritdoc IAttestationVerifier
    function revocationKeys(bytes32 signerCertificate) external view override returns (bytes32[] memory) {
        return CERTIFICATES.revocationKeysOf(signerCertificate);
    }

    /// @inheritdoc IAttestationVerifier
    function isAnyRevoked(bytes32[] calldata keys) external view override returns (bool) {
        for (uint256 i = 0; i < keys.length; ++i) {
            if (CERTIFICATES.isRevoked(keys[i])) return true;
        }
        return false;
    }

    /// @inheritdoc IAttestationVerifier
    function isVerified(bytes calldata evidence) external view override returns (bool) {
        return _verified[keccak256(evidence)] != 0;
    }

    /// @dev A document that is new. Remembers it by its own hash and by that of its claims.
    function _verifyDocument(
        bytes32 evidenceHash,
        bytes calldata evidence,
        bytes[] calldata hints
    ) private returns (Claims memory claims) {
        NitroDocument.Document memory document = NitroDocument.parse(evidence);
        claims = _claimsOf(document);
        _requireFresh(claims.issuedAt);
        claims.signerCertificate = _verifySignatures(document, hints);
        _verified[evidenceHash] = claims.signerCertificate;
        _verified[keccak256(abi.encode(claims))] = claims.signerCertificate;
        emit EvidenceVerified(evidenceHash, claims.measurement, claims.signerCertificate);
    }

    /// @dev What the document says; whose word it is follows from its signatures.
    function _claimsOf(NitroDocument.Document memory document) private pure returns (Claims memory claims) {
        claims.measurement = keccak256(document.pcrs);
        claims.keysHash = NitroFields.keysHashOf(document.userData);
        claims.binding = NitroFields.bindingOf(document.nonce);
        claims.issuedAt = uint64(document.timestamp / MILLISECONDS);
    }

    /// @dev The chain, then the document under the chain's last key; that certificate's id.
    function _verifySignatures(
        NitroDocument.Document memory document,
        bytes[] calldata hints
    ) private returns (bytes32) {
        uint256 count = document.certificates.length;
        if (hints.length != count) revert AttestationVerifier_HintsInvalid(count, hints.length);
        bytes[] memory certificates = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            certificates[i] = document.certificates[i].toBytes();
        }
        // The store takes the hints that it needs and leaves the last one, the document's.
        ICertificateStore.CertificateView memory signer = CERTIFICATES.verifyChain(certificates, hints);
        if (signer.isAuthority) revert AttestationVerifier_SignerRefused(signer.id);
        ECDSA_P384.verify(
            document.signedMessage,
            signer.publicKey,
            document.signature.toBytes(),
            hints[count - 1]
        );
        return signer.id;
    }

    function _requireFresh(uint256 issuedAt) private view {
        if (issuedAt + MAXIMUM_AGE < block.timestamp) {
            revert AttestationVerifier_EvidenceTooOld(block.timestamp - MAXIMUM_AGE, issuedAt);
        }
        uint256 latest = block.timestamp + MAXIMUM_CLOCK_SKEW;
        if (issuedAt > latest) revert AttestationVerifier_EvidenceFromFuture(latest, issuedAt);
    }
}
