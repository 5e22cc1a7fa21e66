// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ICertificateStore} from "../../interfaces/ICertificateStore.sol";
import {IEcdsaP384} from "../../interfaces/IEcdsaP384.sol";
import {CodeStore} from "../../utils/CodeStore.sol";
import {Slice, Slices} from "../cbor/Cursor.sol";
import {X509} from "./X509.sol";

/// @title CertificateStore
/// @notice See {ICertificateStore}.
///
/// Access: what revokes is restricted through the AccessManager. Everything else is open; nothing removes a
/// certificate, takes a revocation back, or ends the root.
///
/// Storage: a certificate is the code of a contract, which nothing can change, found by its id. A record carries what
/// a use has to look at for its whole path, so that a use reads one record and two slots per certificate of the path.
/// Beside the record's address stands how many revocations there were when the path was last found without one: as long
/// as there are no more, `isTrusted` need not look again.
contract CertificateStore is ICertificateStore, AccessManaged {
    /// @dev What a certificate's contract holds, ABI-encoded.
    /// @param subjectHash keccak256 of the subject's name
    /// @param isAuthority whether it may sign certificates
    /// @param pathLength how many authorities may follow below it; `X509.NO_PATH_LENGTH` if unlimited
    /// @param notBefore latest of its path
    /// @param notAfter earliest of its path
    /// @param publicKey x and y
    /// @param revocationKeys of its path below the root: its own two, the certificate's and its public key's, then
    /// its parent's. None for the root, so that nothing that is ever written into `isRevoked` can end it
    struct Record {
        bytes32 subjectHash;
        bool isAuthority;
        uint8 pathLength;
        uint64 notBefore;
        uint64 notAfter;
        bytes publicKey;
        bytes32[] revocationKeys;
    }

    /// @dev One storage slot.
    /// @param record contract that holds the record
    /// @param cleanAt `revocationCount` when nothing of the path was revoked
    struct Entry {
        address record;
        uint64 cleanAt;
    }

    IEcdsaP384 public immutable ECDSA_P384;

    /// @inheritdoc ICertificateStore
    bytes32 public immutable override rootId;
    /// @inheritdoc ICertificateStore
    bytes32 public immutable override rootFingerprint;
    /// @dev keccak256 of the root's DER: cheaper to compare with.
    bytes32 private immutable ROOT_HASH;
    /// @dev What would revoke the root if it could be revoked.
    bytes32 private immutable ROOT_REVOCATION_KEY;
    bytes32 private immutable ROOT_KEY_REVOCATION_KEY;

    mapping(bytes32 id => Entry entry) private _entries;
    /// @inheritdoc ICertificateStore
    uint64 public override revocationCount;
    /// @inheritdoc ICertificateStore
    mapping(bytes32 revocationKey => bool isRevoked) public override isRevoked;

    /// @param authority the AccessManager
    /// @param ecdsa checks signatures
    /// @param root DER of the pinned root. Its own signature is not checked: the root is trusted because it is pinned
    constructor(address authority, IEcdsaP384 ecdsa, bytes memory root) AccessManaged(authority) {
        if (authority.code.length == 0) revert CertificateStore_NotAContract(authority);
        if (address(ecdsa).code.length == 0) revert CertificateStore_NotAContract(address(ecdsa));
        ECDSA_P384 = ecdsa;
        X509.Certificate memory certificate = X509.parse(Slices.fromBytes(root));
        if (!certificate.isAuthority) revert CertificateStore_RootInvalid();
        _requireKeyUsage(certificate);

        bytes32 id = _idOf(0, certificate.tbs);
        rootId = id;
        rootFingerprint = sha256(root);
        ROOT_HASH = keccak256(root);
        ROOT_REVOCATION_KEY = _revocationKey(certificate.issuer.hash(), certificate.serial);
        ROOT_KEY_REVOCATION_KEY = certificate.publicKey.hash();
        Record memory record;
        record.pathLength = uint8(certificate.pathLength);
        record.notAfter = type(uint64).max;
        _store(id, 0, certificate, record);
    }

    /// @inheritdoc ICertificateStore
    function verifyChain(
        bytes[] calldata certificates,
        bytes[] calldata hints
    ) external override returns (CertificateView memory) {
        uint256 count = certificates.length;
        if (count < 2) revert CertificateStore_ChainTooShort();
        if (hints.length < count - 1) revert CertificateStore_HintCountInvalid(count - 1, hints.length);
        bytes32 rootHash = keccak256(certificates[0]);
        if (rootHash != ROOT_HASH) revert CertificateStore_RootMismatch(ROOT_HASH, rootHash);

        // Ids first: they only take hashing, and the last certificate that is stored already vouches for its path.
        bytes32[] memory ids = new bytes32[](count);
        Slice[] memory slices = new Slice[](count);
        ids[0] = rootId;
        uint256 known = 0;
        for (uint256 i = 1; i < count; ++i) {
            slices[i] = Slices.fromBytes(certificates[i]);
            ids[i] = _idOf(ids[i - 1], X509.readTbs(slices[i]));
            if (isStored(ids[i])) known = i;
        }
        Record memory record = _read(ids[known]);
        for (uint256 i = known + 1; i < count; ++i) {
            record = _verify(ids[i], ids[i - 1], record, slices[i], hints[i - 1]);
        }
        return _usable(ids[count - 1], record);
    }

    /// @inheritdoc ICertificateStore
    function revokeCertificate(bytes32 id) external override restricted {
        bytes32 key = _ownKeys(id)[0];
        _revoke(key);
        emit CertificateRevoked(key, id);
    }

    /// @inheritdoc ICertificateStore
    function revokeKey(bytes32 id) external override restricted {
        bytes32 key = _ownKeys(id)[1];
        _revoke(key);
        emit KeyRevoked(key, id);
    }

    /// @inheritdoc ICertificateStore
    function revokeUnseen(bytes calldata issuer, uint256 serial) external override restricted {
        bytes32 key = computeRevocationKey(issuer, serial);
        _revoke(key);
        emit UnseenCertificateRevoked(key, issuer, serial);
    }

    /// @inheritdoc ICertificateStore
    function recheck(bytes32 id) external override {
        bytes32[] memory keys = _read(id).revocationKeys;
        (bool isClean, bytes32 revoked) = _isClean(keys);
        if (!isClean) revert CertificateStore_Revoked(id, revoked);
        Entry storage entry = _entries[id];
        if (entry.cleanAt == revocationCount) revert CertificateStore_CheckedAlready(id);
        entry.cleanAt = revocationCount;
    }

    /// @inheritdoc ICertificateStore
    function requireUsable(bytes32 id) external view override returns (CertificateView memory) {
        return _usable(id, _read(id));
    }

    /// @inheritdoc ICertificateStore
    function isTrusted(bytes32 id) external view override returns (bool) {
        Entry memory entry = _entries[id];
        if (entry.record == address(0)) return false;
        if (entry.cleanAt == revocationCount) return true;
        (bool isClean, ) = _isClean(_read(id).revocationKeys);
        return isClean;
    }

    /// @inheritdoc ICertificateStore
    function revocationKeysOf(bytes32 id) external view override returns (bytes32[] memory) {
        return _read(id).revocationKeys;
    }

    /// @inheritdoc ICertificateStore
    function isStored(bytes32 id) public view override returns (bool) {
        return _entries[id].record != address(0);
    }

    /// @inheritdoc ICertificateStore
    function computeRevocationKey(
        bytes calldata issuer,
        uint256 serial
    ) public pure override returns (bytes32) {
        return _revocationKey(keccak256(issuer), serial);
    }

    /// @dev Verifies one certificate under its parent and stores it.
    function _verify(
        bytes32 id,
        bytes32 parentId,
        Record memory parent,
        Slice der,
        bytes calldata hints
    ) private returns (Record memory) {
        X509.Certificate memory certificate = X509.parse(der);
        bytes32 issuerHash = certificate.issuer.hash();
        if (issuerHash != parent.subjectHash) {
            revert CertificateStore_IssuerMismatch(parent.subjectHash, issuerHash);
        }
        if (!parent.isAuthority || (certificate.isAuthority && parent.pathLength == 0)) {
            revert CertificateStore_PathRefused(parentId);
        }
        _requireKeyUsage(certificate);
        ECDSA_P384.verify(
            certificate.tbs.toBytes(),
            parent.publicKey,
            X509.toRawSignature(certificate.signature),
            hints
        );
        return _store(id, parentId, certificate, parent);
    }

    /// @dev The root is refused by whatever names it: its id, its issuer and serial, or its public key in another
    /// certificate. A certificate below the root that bears the root's issuer and serial is revoked by its key.
    function _revoke(bytes32 key) private {
        if (key == ROOT_REVOCATION_KEY || key == ROOT_KEY_REVOCATION_KEY)
            revert CertificateStore_RootIsPinned();
        if (isRevoked[key]) revert CertificateStore_AlreadyRevoked(key);
        isRevoked[key] = true;
        ++revocationCount;
    }

    /// @dev Whether none of the keys is revoked, and the first that is.
    function _isClean(bytes32[] memory keys) private view returns (bool isClean, bytes32 revoked) {
        for (uint256 i = 0; i < keys.length; ++i) {
            if (isRevoked[keys[i]]) return (false, keys[i]);
        }
        return (true, 0);
    }

    /// @dev Revocation keys of a stored certificate below the root, its own two first.
    function _ownKeys(bytes32 id) private view returns (bytes32[] memory) {
        if (id == rootId) revert CertificateStore_RootIsPinned();
        return _read(id).revocationKeys;
    }

    /// @dev Stores a certificate below `parent`; for the root, `parent` has only the bounds.
    function _store(
        bytes32 id,
        bytes32 parentId,
        X509.Certificate memory certificate,
        Record memory parent
    ) private returns (Record memory record) {
        bytes32 revocationKey = _revocationKey(certificate.issuer.hash(), certificate.serial);
        bytes32 keyRevocationKey = certificate.publicKey.hash();
        record.subjectHash = certificate.subject.hash();
        record.isAuthority = certificate.isAuthority;
        record.pathLength = uint8(_pathLength(parentId, parent.pathLength, certificate.pathLength));
        record.notBefore = uint64(_max(parent.notBefore, certificate.notBefore));
        record.notAfter = uint64(_min(parent.notAfter, certificate.notAfter));
        record.publicKey = certificate.publicKey.toBytes();
        if (parentId != 0) {
            record.revocationKeys = _prepend(revocationKey, keyRevocationKey, parent.revocationKeys);
        }
        // Clean: whoever stores it looks at the whole path before the transaction ends, or it ends without a trace.
        _entries[id] = Entry(CodeStore.write(abi.encode(record)), revocationCount);
        emit CertificateStored(
            id,
            parentId,
            revocationKey,
            keyRevocationKey,
            record.notBefore,
            record.notAfter
        );
    }

    function _read(bytes32 id) private view returns (Record memory) {
        address record = _entries[id].record;
        if (record == address(0)) revert CertificateStore_CertificateUnknown(id);
        return abi.decode(CodeStore.readFrom(record, 0), (Record));
    }

    /// @dev Everything that has to hold at each use.
    function _usable(bytes32 id, Record memory record) private view returns (CertificateView memory) {
        (bool isClean, bytes32 revoked) = _isClean(record.revocationKeys);
        if (!isClean) revert CertificateStore_Revoked(id, revoked);
        if (block.timestamp < record.notBefore) {
            revert CertificateStore_NotYetValid(id, record.notBefore, block.timestamp);
        }
        if (block.timestamp > record.notAfter) {
            revert CertificateStore_Expired(id, record.notAfter, block.timestamp);
        }
        return
            CertificateView({
                id: id,
                isAuthority: record.isAuthority,
                notBefore: record.notBefore,
                notAfter: record.notAfter,
                publicKey: record.publicKey
            });
    }

    /// @dev An authority signs certificates; any other key signs documents.
    function _requireKeyUsage(X509.Certificate memory certificate) private pure {
        uint256 needed = certificate.isAuthority ? X509.CERTIFICATE_SIGN : X509.DIGITAL_SIGNATURE;
        uint256 forbidden = certificate.isAuthority ? 0 : X509.CERTIFICATE_SIGN;
        if (certificate.keyUsage & needed == 0 || certificate.keyUsage & forbidden != 0) {
            revert CertificateStore_KeyUsageInvalid(certificate.isAuthority, certificate.keyUsage);
        }
    }

    /// @dev One less than the parent's, and never more than the certificate itself allows.
    function _pathLength(bytes32 parentId, uint256 parentLength, uint256 own) private pure returns (uint256) {
        if (parentId == 0 || parentLength == X509.NO_PATH_LENGTH) return own;
        return _min(parentLength == 0 ? 0 : parentLength - 1, own);
    }

    function _idOf(bytes32 parentId, Slice tbs) private pure returns (bytes32) {
        return keccak256(abi.encode(parentId, tbs.hash()));
    }

    function _revocationKey(bytes32 issuerHash, uint256 serial) private pure returns (bytes32) {
        return keccak256(abi.encode(issuerHash, serial));
    }

    function _prepend(
        bytes32 first,
        bytes32 second,
        bytes32[] memory rest
    ) private pure returns (bytes32[] memory all) {
        all = new bytes32[](rest.length + 2);
        all[0] = first;
        all[1] = second;
        for (uint256 i = 0; i < rest.length; ++i) {
            all[i + 2] = rest[i];
        }
    }

    function _max(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
