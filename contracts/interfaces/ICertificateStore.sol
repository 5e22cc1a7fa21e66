// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title ICertificateStore
/// @notice X.509 certificates under one pinned root, verified once and remembered, and those of them that are revoked.
///
/// A certificate is stored with its whole path. Its id is `keccak256(abi.encode(parentId, keccak256(TBS)))`, the
/// root's is `keccak256(abi.encode(0, keccak256(TBS)))`: whatever else the certificate's bytes say (its signature has
/// two valid forms), the same signed content under the same parent is the same certificate.
///
/// That a certificate is stored means that its signature was valid. Whether it may be *used* is judged at each use,
/// over its whole path: no certificate of it revoked, and, for `verifyChain`, all of them valid at the block's time.
///
/// What is revoked has one of two revocation keys, and neither depends on the path by which a certificate came:
/// - a certificate's: `keccak256(abi.encode(keccak256(issuer), serial))`, with the issuer's name byte for byte as it
///   stands in the certificate. The same name in another string type of ASN.1 is another key
/// - a public key's: `keccak256(x | y)`. It reaches every certificate of that key: those that were issued again under
///   another serial or name too, seen or not
///
/// The root has no revocation key: what is pinned is replaced by another store, and ends by nobody's call.
interface ICertificateStore {
    /// @notice A usable certificate.
    /// @param id see above
    /// @param isAuthority whether it may sign certificates; if not it may sign documents
    /// @param notBefore unix seconds, latest of its path
    /// @param notAfter unix seconds, earliest of its path
    /// @param publicKey x and y of the P-384 key, 48 bytes each
    struct CertificateView {
        bytes32 id;
        bool isAuthority;
        uint64 notBefore;
        uint64 notAfter;
        bytes publicKey;
    }

    /// @param revocationKey the certificate's, see above
    /// @param keyRevocationKey its public key's
    /// @param notBefore latest of its path
    /// @param notAfter earliest of its path
    event CertificateStored(
        bytes32 indexed id,
        bytes32 indexed parentId,
        bytes32 indexed revocationKey,
        bytes32 keyRevocationKey,
        uint64 notBefore,
        uint64 notAfter
    );
    /// @param id of a certificate that bears the revoked issuer and serial
    event CertificateRevoked(bytes32 indexed revocationKey, bytes32 indexed id);
    /// @param id of a certificate of the revoked public key
    event KeyRevoked(bytes32 indexed revocationKey, bytes32 indexed id);
    /// @dev Nothing vouches that a certificate of that issuer and serial exists.
    event UnseenCertificateRevoked(bytes32 indexed revocationKey, bytes issuer, uint256 serial);

    /// @dev The chain's first certificate is not the pinned root.
    error CertificateStore_RootMismatch(bytes32 expected, bytes32 actual);
    error CertificateStore_RootInvalid();
    error CertificateStore_ChainTooShort();
    error CertificateStore_HintCountInvalid(uint256 expected, uint256 actual);
    error CertificateStore_IssuerMismatch(bytes32 expectedNameHash, bytes32 actualNameHash);
    /// @dev The parent may not sign this certificate: it is no authority, or its path length is used up.
    error CertificateStore_PathRefused(bytes32 parentId);
    /// @dev cA and keyUsage contradict each other.
    error CertificateStore_KeyUsageInvalid(bool isAuthority, uint256 keyUsage);
    error CertificateStore_CertificateUnknown(bytes32 id);
    error CertificateStore_Revoked(bytes32 id, bytes32 revocationKey);
    error CertificateStore_AlreadyRevoked(bytes32 revocationKey);
    /// @dev The pinned root cannot be revoked, whatever names it.
    error CertificateStore_RootIsPinned();
    error CertificateStore_NotYetValid(bytes32 id, uint256 notBefore, uint256 blockTimestamp);
    error CertificateStore_Expired(bytes32 id, uint256 notAfter, uint256 blockTimestamp);
    error CertificateStore_NotAContract(address account);

    /// @notice Verifies a chain, stores what of it is new, and returns its last certificate, which may be used now.
    /// Open to everybody: storing needs valid signatures only.
    /// @param certificates DER, root first, at least two
    /// @param hints `hints[i]` helps to check the signature of `certificates[i + 1]`; ignored, and best left empty,
    /// for certificates that are stored already. More hints than that may come and are not looked at
    function verifyChain(
        bytes[] calldata certificates,
        bytes[] calldata hints
    ) external returns (CertificateView memory);

    /// @notice Revokes a stored certificate for good, and with it everything below it: every certificate of its issuer
    /// and serial, by whatever path it comes. Reverts for an id that is not stored. Restricted, without a delay.
    /// @dev A public key that leaked is revoked by `revokeKey`: its owner, or the authority, can have further
    /// certificates for it.
    function revokeCertificate(bytes32 id) external;

    /// @notice Revokes the public key of a stored certificate for good: all certificates of that key, and everything
    /// below them. Reverts for an id that is not stored. Restricted, without a delay.
    function revokeKey(bytes32 id) external;

    /// @notice Revokes a certificate that was not seen yet, for good. Restricted, without a delay.
    /// @dev Nothing can be compared with: a serial or a name that no certificate bears is revoked without effect. For a
    /// certificate that is stored use `revokeCertificate`. It does not revert for one that is stored, though:
    /// otherwise anybody could stop a revocation by storing the certificate first.
    /// @param issuer DER of the issuer's name, header included, as it stands in the certificate
    /// @param serial the serial number
    function revokeUnseen(bytes calldata issuer, uint256 serial) external;

    /// @notice A stored certificate; reverts if it may not be used now.
    function requireUsable(bytes32 id) external view returns (CertificateView memory);

    /// @notice Whether the certificate is stored and nothing of its path is revoked. Says nothing about time.
    function isTrusted(bytes32 id) external view returns (bool);

    /// @notice Whether the certificate is stored: its hints are not needed any more.
    function isStored(bytes32 id) external view returns (bool);

    /// @notice Whether a certificate's or a public key's revocation key is revoked.
    function isRevoked(bytes32 revocationKey) external view returns (bool);

    /// @notice Revocation keys of a stored certificate's path, its own first.
    function revocationKeysOf(bytes32 id) external view returns (bytes32[] memory);

    /// @notice A certificate's revocation key.
    function computeRevocationKey(bytes calldata issuer, uint256 serial) external pure returns (bytes32);

    function rootId() external view returns (bytes32);

    /// @notice SHA-256 of the pinned root's DER.
    function rootFingerprint() external view returns (bytes32);
}
