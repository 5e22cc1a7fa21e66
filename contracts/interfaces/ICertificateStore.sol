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

    /// @notice A certificate was verified for the first time by this path.
    /// @param id its id
    /// @param parentId the certificate that signed it
    /// @param revocationKey its revocation key, see above
    /// @param keyRevocationKey its public key's
    /// @param notBefore unix seconds, latest of its path
    /// @param notAfter unix seconds, earliest of its path
    event CertificateStored(
        bytes32 indexed id,
        bytes32 indexed parentId,
        bytes32 indexed revocationKey,
        bytes32 keyRevocationKey,
        uint64 notBefore,
        uint64 notAfter
    );
    /// @notice A certificate was revoked, and everything below it.
    /// @param revocationKey under which it is revoked
    /// @param id of a certificate that bears the revoked issuer and serial
    event CertificateRevoked(bytes32 indexed revocationKey, bytes32 indexed id);
    /// @notice A public key was revoked, all its certificates and everything below them.
    /// @param revocationKey under which it is revoked
    /// @param id of a certificate of the revoked public key
    event KeyRevoked(bytes32 indexed revocationKey, bytes32 indexed id);
    /// @notice An issuer and serial were revoked. Nothing vouches that there is such a certificate.
    /// @param revocationKey under which they are revoked
    /// @param issuer DER of the issuer's name
    /// @param serial the serial number
    event UnseenCertificateRevoked(bytes32 indexed revocationKey, bytes issuer, uint256 serial);

    /// @notice The chain's first certificate is not the pinned root.
    /// @param expected keccak256 of the pinned root
    /// @param actual keccak256 of the chain's first certificate
    error CertificateStore_RootMismatch(bytes32 expected, bytes32 actual);
    /// @notice The store was to be created over a root that is no authority.
    error CertificateStore_RootInvalid();
    /// @notice A chain has no certificate besides its root.
    error CertificateStore_ChainTooShort();
    /// @notice A chain came with too few hints.
    /// @param expected how many it needs
    /// @param actual how many there are
    error CertificateStore_HintCountInvalid(uint256 expected, uint256 actual);
    /// @notice A certificate names another issuer than the one before it in the chain.
    /// @param expectedNameHash keccak256 of the parent's name
    /// @param actualNameHash keccak256 of the issuer that it names
    error CertificateStore_IssuerMismatch(bytes32 expectedNameHash, bytes32 actualNameHash);
    /// @notice The parent may not sign this certificate: it is no authority, or its path length is used up.
    /// @param parentId the parent
    error CertificateStore_PathRefused(bytes32 parentId);
    /// @notice cA and keyUsage contradict each other.
    /// @param isAuthority what cA says
    /// @param keyUsage bits of keyUsage, the first one highest
    error CertificateStore_KeyUsageInvalid(bool isAuthority, uint256 keyUsage);
    /// @notice No certificate of that id is stored.
    /// @param id the id
    error CertificateStore_CertificateUnknown(bytes32 id);
    /// @notice A certificate of the path, or its public key, is revoked.
    /// @param id the certificate whose path it is
    /// @param revocationKey what is revoked
    error CertificateStore_Revoked(bytes32 id, bytes32 revocationKey);
    /// @notice What was to be revoked is revoked already.
    /// @param revocationKey under which it is
    error CertificateStore_AlreadyRevoked(bytes32 revocationKey);
    /// @notice Nothing was revoked since the path was looked at.
    /// @param id of the certificate
    error CertificateStore_CheckedAlready(bytes32 id);
    /// @notice The pinned root cannot be revoked, whatever names it.
    error CertificateStore_RootIsPinned();
    /// @notice A certificate of the path is not valid yet.
    /// @param id the certificate whose path it is
    /// @param notBefore from when on all of it is, in unix seconds
    /// @param blockTimestamp the block's time
    error CertificateStore_NotYetValid(bytes32 id, uint256 notBefore, uint256 blockTimestamp);
    /// @notice A certificate of the path is not valid any more.
    /// @param id the certificate whose path it is
    /// @param notAfter until when all of it was, in unix seconds
    /// @param blockTimestamp the block's time
    error CertificateStore_Expired(bytes32 id, uint256 notAfter, uint256 blockTimestamp);
    /// @notice The store was to be created over an address without code.
    /// @param account that address
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
    /// @param id of a stored certificate
    function revokeCertificate(bytes32 id) external;

    /// @notice Revokes the public key of a stored certificate for good: all certificates of that key, and everything
    /// below them. Reverts for an id that is not stored. Restricted, without a delay.
    /// @param id of a stored certificate
    function revokeKey(bytes32 id) external;

    /// @notice Revokes a certificate that was not seen yet, for good. Restricted, without a delay.
    /// @dev Nothing can be compared with: a serial or a name that no certificate bears is revoked without effect. For a
    /// certificate that is stored use `revokeCertificate`. It does not revert for one that is stored, though:
    /// otherwise anybody could stop a revocation by storing the certificate first.
    /// @param issuer DER of the issuer's name, header included, as it stands in the certificate
    /// @param serial the serial number
    function revokeUnseen(bytes calldata issuer, uint256 serial) external;

    /// @notice Notes that nothing of a certificate's path is revoked, so that `isTrusted` is cheap again: after every
    /// revocation it looks at each path anew. Open to everybody, and changes no answer.
    /// @param id of a stored certificate; reverts if its path is revoked, or if nothing was since
    function recheck(bytes32 id) external;

    /// @notice How many revocations there ever were.
    function revocationCount() external view returns (uint64);

    /// @notice A stored certificate; reverts if it may not be used now.
    /// @param id of the certificate
    function requireUsable(bytes32 id) external view returns (CertificateView memory);

    /// @notice Whether the certificate is stored and nothing of its path is revoked. Says nothing about time.
    /// @param id of the certificate
    function isTrusted(bytes32 id) external view returns (bool);

    /// @notice Whether the certificate is stored: its hints are not needed any more.
    /// @param id of the certificate
    function isStored(bytes32 id) external view returns (bool);

    /// @notice Whether a certificate's or a public key's revocation key is revoked.
    /// @param revocationKey the key
    function isRevoked(bytes32 revocationKey) external view returns (bool);

    /// @notice Revocation keys of a stored certificate's path, its own first.
    /// @param id of the certificate; reverts for one that is not stored
    function revocationKeysOf(bytes32 id) external view returns (bytes32[] memory);

    /// @notice A certificate's revocation key.
    /// @param issuer DER of the issuer's name, header included
    /// @param serial the serial number
    function computeRevocationKey(bytes calldata issuer, uint256 serial) external pure returns (bytes32);

    /// @notice Id of the pinned root.
    function rootId() external view returns (bytes32);

    /// @notice SHA-256 of the pinned root's DER.
    function rootFingerprint() external view returns (bytes32);
}
