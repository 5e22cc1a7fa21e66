// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IAttestationVerifier} from "./IAttestationVerifier.sol";
import {ISigningKeys} from "./ISigningKeys.sol";

/// @title ITEERegistry
/// @notice Which enclaves are trusted: approved images, admitted nodes, their keys, and whether they are alive.
///
/// A node is named by `teeId = keccak256(signing key)`, the key as SubjectPublicKeyInfo in DER.
/// An image is named by `pcrHash = keccak256(PCR0 | PCR1 | PCR2)`, and approved per node type.
///
/// Names with TEE and PCR in them are those of the public network's registry, whose tools work here unchanged; node
/// types are 0 LLMProxy, 1 Validator, 2 DataNode, 3 ZkmlProver.
///
/// Duties of integrators:
/// - Judge a result by `isActiveAt` with the result's own time, never by `isTEEEnabled`, and bound how old a result
///   may be: what an enclave signs bears the time that the enclave says.
/// - A signature is not an identity: whatever must happen once is keyed by something else.
interface ITEERegistry {
    /// @notice `Enabled <-> Disabled` and `-> Retired` are the operator's; `-> Banned` the guardian's, `Banned ->
    /// Disabled` governance's. Retired is final for the operator.
    enum NodeStatus {
        Unknown,
        Enabled,
        Disabled,
        Retired,
        Banned
    }

    /// @notice Fields whose length is limited; none may be empty.
    enum Field {
        TypeName,
        Endpoint,
        TlsCertificate,
        OhttpPublicKey,
        OhttpKeyConfig
    }

    struct OhttpConfig {
        uint8 keyId;
        uint16 kemId;
        uint16 kdfId;
        uint16 aeadId;
        bytes publicKey;
        bytes keyConfig;
        uint256 registeredAt;
    }

    /// @notice A node as the public network's tools read it.
    struct TEEInfo {
        address owner;
        address paymentAddress;
        string endpoint;
        bytes publicKey;
        bytes tlsCertificate;
        bytes32 pcrHash;
        uint8 teeType;
        bool enabled;
        uint256 registeredAt;
        uint256 lastHeartbeatAt;
        OhttpConfig ohttpConfig;
    }

    /// @notice The rest of what is known about a node.
    struct NodeView {
        NodeStatus status;
        ISigningKeys.KeyKind keyKind;
        uint8 verifierId;
        uint32 imageGeneration;
        uint64 attestedAt;
        uint64 counter;
        bytes32 endorsement;
        bool isActive;
    }

    struct PCRMeasurements {
        bytes pcr0;
        bytes pcr1;
        bytes pcr2;
    }

    struct PCRKey {
        bytes32 pcrHash;
        uint8 teeType;
    }

    struct TEETypeInfo {
        string name;
        bool active;
        uint256 addedAt;
    }

    /// @notice Latest generation of an image for one node type.
    /// @param commit hash of the source's commit, as its repository names it
    /// @param repository URL of the source
    struct ImageView {
        uint32 generation;
        uint64 approvedAt;
        uint64 revokedAt;
        string version;
        bytes32 commit;
        string repository;
    }

    /// @notice What an operator brings to admit an enclave, or to renew its attestation.
    /// @param verifierId which verifier reads the evidence; 0 is AWS Nitro
    /// @param evidence for Nitro the raw attestation document. Its nonce is `computeBindingNonce(...)`, its user data
    /// `1220 | SHA256(tlsCertificate) | 1220 | SHA256(signingKey)`, 68 bytes
    /// @param hints for the verifier; empty if it has verified the evidence before
    /// @param signingKey the enclave's key, SubjectPublicKeyInfo in DER
    /// @param tlsCertificate the enclave's TLS certificate, DER
    struct Registration {
        uint8 verifierId;
        bytes evidence;
        bytes[] hints;
        bytes signingKey;
        bytes tlsCertificate;
        address paymentAddress;
        string endpoint;
        uint8 teeType;
    }

    /// @notice `[from, until)` in unix seconds.
    struct Interval {
        uint48 from;
        uint48 until;
    }

    event TEETypeAdded(uint8 indexed teeType, string name);
    event PCRApproved(
        bytes32 indexed pcrHash,
        uint8 indexed teeType,
        uint32 generation,
        string version,
        bytes32 commit,
        string repository
    );
    event PCRRevoked(bytes32 indexed pcrHash, uint8 indexed teeType, uint32 generation);

    event TEERegistered(
        bytes32 indexed teeId,
        address indexed owner,
        uint8 indexed teeType,
        ISigningKeys.KeyKind keyKind
    );
    /// @dev Comes with every accepted evidence, the first included.
    event TEEAttested(
        bytes32 indexed teeId,
        bytes32 indexed pcrHash,
        uint32 generation,
        bytes32 endorsement,
        uint64 attestedAt,
        address paymentAddress,
        string endpoint,
        bytes32 tlsCertificateHash
    );
    event TEEStatusChanged(bytes32 indexed teeId, NodeStatus previous, NodeStatus current);
    event Heartbeat(bytes32 indexed teeId, uint256 timestamp);
    event SessionKeyCertified(bytes32 indexed teeId, address indexed key, uint64 from, uint64 until);
    event SessionKeyEnded(bytes32 indexed teeId, address indexed key, uint64 until);
    event OhttpConfigChanged(bytes32 indexed teeId, uint8 keyId, bytes publicKey);

    event OperatorDenied(address indexed operator);
    event OperatorAllowed(address indexed operator);
    event AdmissionPaused(uint64 until);
    event VerifierChanged(
        uint8 indexed verifierId,
        IAttestationVerifier previous,
        IAttestationVerifier current
    );
    event HeartbeatMaxAgeChanged(uint64 previous, uint64 current);
    event AttestationMaxAgeChanged(uint64 previous, uint64 current);

    error TEERegistry_NotAContract(address account);
    error TEERegistry_TypeUnknown(uint8 teeType);
    error TEERegistry_TypeExists(uint8 teeType);
    error TEERegistry_MeasurementInvalid(uint256 index, uint256 expectedLength, uint256 actualLength);
    error TEERegistry_ImageNotApproved(bytes32 pcrHash, uint8 teeType);
    error TEERegistry_ImageApproved(bytes32 pcrHash, uint8 teeType);
    error TEERegistry_VerifierUnknown(uint8 verifierId);
    error TEERegistry_NodeUnknown(bytes32 teeId);
    error TEERegistry_NodeExists(bytes32 teeId);
    error TEERegistry_NotOperator(address expected, address actual);
    error TEERegistry_OperatorDenied(address operator);
    error TEERegistry_StatusInvalid(bytes32 teeId, NodeStatus actual);
    error TEERegistry_AdmissionPaused(uint256 until);
    error TEERegistry_PauseInvalid(uint256 earliest, uint256 latest, uint256 actual);
    error TEERegistry_BindingMismatch(bytes20 expected, bytes20 actual, uint256 actualLength);
    /// @dev keccak256 of the 68 bytes that belong to certificate and key, and of the evidence's.
    error TEERegistry_UserDataMismatch(bytes32 expected, bytes32 actual);
    error TEERegistry_PaymentAddressZero();
    error TEERegistry_LengthInvalid(Field field, uint256 maximum, uint256 actual);
    error TEERegistry_KeyMismatch(bytes32 expected, bytes32 actual);
    error TEERegistry_ImageMismatch(bytes32 expected, bytes32 actual);
    error TEERegistry_TypeMismatch(uint8 expected, uint8 actual);
    error TEERegistry_EvidenceNotNewer(uint256 last, uint256 actual);
    error TEERegistry_SignatureInvalid(bytes32 teeId);
    error TEERegistry_HeartbeatNotNewer(uint256 last, uint256 actual);
    error TEERegistry_HeartbeatStale(uint256 earliest, uint256 actual);
    error TEERegistry_HeartbeatFromFuture(uint256 latest, uint256 actual);
    error TEERegistry_CounterNotNewer(uint256 last, uint256 actual);
    error TEERegistry_StatementExpired(uint256 deadline, uint256 blockTimestamp);
    error TEERegistry_SessionKeyInvalid(bytes32 teeId, address key);
    error TEERegistry_SessionTooLong(uint256 latest, uint256 actual);
    error TEERegistry_AgeInvalid(uint64 minimum, uint64 maximum, uint64 actual);

    // Types and images

    /// @notice Restricted to governance.
    function addTEEType(uint8 teeType, string calldata name) external;

    function getTEETypes() external view returns (uint8[] memory typeIds, TEETypeInfo[] memory infos);

    /// @notice Approves an image for one node type. An image that was revoked gets a new generation: nodes of the old
    /// one stay inactive until they attest again. Restricted to image approvers, with a delay.
    function approveImage(
        PCRMeasurements calldata pcrs,
        string calldata version,
        uint8 teeType,
        bytes32 commit,
        string calldata repository
    ) external;

    /// @notice `approveImage` without a source.
    function approvePCR(PCRMeasurements calldata pcrs, string calldata version, uint8 teeType) external;

    /// @notice Ends the approval at once, for all nodes on the image. Restricted to the guardian, without a delay.
    function revokePCR(bytes32 pcrHash, uint8 teeType) external;

    function isPCRApproved(uint8 teeType, bytes32 pcrHash) external view returns (bool);

    function getImage(bytes32 pcrHash, uint8 teeType) external view returns (ImageView memory);

    /// @notice All images that are approved now. Grows with history: for long lists use `listImages`.
    function getApprovedPCRs() external view returns (PCRKey[] memory);

    /// @notice Images that ever were approved, oldest first, at most `limit` from number `offset`.
    function listImages(uint256 offset, uint256 limit) external view returns (PCRKey[] memory);

    function imageCount() external view returns (uint256);

    function computePCRHash(PCRMeasurements calldata pcrs) external pure returns (bytes32);

    // Admission

    /// @notice Admits an enclave; the caller becomes its operator. Open to everybody: the attestation is the
    /// permission, and its nonce binds it to this caller, payment address, endpoint and type.
    function register(Registration calldata registration) external returns (bytes32 teeId);

    /// @notice The public network's door, for its tools: evidence that was verified before in a transaction of its
    /// own, and no binding nonce. Restricted to registrars, for that reason.
    function registerTEEWithAttestation(
        bytes calldata attestationDocument,
        bytes calldata signingPublicKey,
        bytes calldata tlsCertificate,
        address paymentAddress,
        string calldata endpoint,
        uint8 teeType
    ) external returns (bytes32 teeId);

    /// @notice Fresh evidence for a node: renews its attestation, and replaces endpoint, TLS certificate and payment
    /// address, which are attested too. Same key, image and type. Only its operator.
    function attestAgain(bytes32 teeId, Registration calldata registration) external;

    /// @notice The nonce that evidence must carry:
    /// `bytes20(keccak256(abi.encode(chainId, this, operator, paymentAddress, keccak256(endpoint), teeType)))`.
    function computeBindingNonce(
        address operator,
        address paymentAddress,
        string calldata endpoint,
        uint8 teeType
    ) external view returns (bytes20);

    // Life of a node

    function disableTEE(bytes32 teeId) external;

    function enableTEE(bytes32 teeId) external;

    /// @notice Takes a node out of service for good.
    function retireTEE(bytes32 teeId) external;

    /// @notice Excludes a node, past results included. Restricted to the guardian, without a delay.
    function banTEE(bytes32 teeId) external;

    /// @notice Lifts a ban; the node is disabled then. Restricted to governance.
    function liftBan(bytes32 teeId) external;

    /// @notice Excludes all nodes of an operator, and further ones. Restricted to the guardian, without a delay.
    function denyOperator(address operator) external;

    /// @notice Restricted to governance.
    function allowOperator(address operator) external;

    /// @notice Stops admissions for at most 7 days, and not again for as long after it ended. Nodes
    /// that are admitted are not touched. Restricted to the guardian, without a delay.
    function pauseAdmission(uint64 until) external;

    // Liveness and keys

    /// @notice A sign of life, signed with the node's key over `keccak256(teeId | timestamp)`. Anyone may send it.
    /// @param timestamp unix seconds, newer than the last one; this signed time is what is stored
    function heartbeat(bytes32 teeId, uint256 timestamp, bytes calldata signature) external;

    /// @notice The same, with a session key: EIP-712 `Heartbeat(bytes32 teeId,uint256 timestamp)`.
    function heartbeatBySession(bytes32 teeId, uint256 timestamp, bytes calldata signature) external;

    /// @notice Certifies a session key with the node's key, over the EIP-712 digest of
    /// `SessionKey(bytes32 teeId,address key,uint64 until,uint64 counter)`. Anyone may send it.
    /// @param key not used by this node before
    /// @param until end of its validity, at most 30 days ahead
    /// @param counter above the last one that this node has signed for
    function certifySessionKey(
        bytes32 teeId,
        address key,
        uint64 until,
        uint64 counter,
        bytes calldata signature
    ) external;

    /// @notice Ends a session key's validity now; what it signed before stays valid. Only the operator.
    function endSessionKey(bytes32 teeId, address key) external;

    /// @notice Sets the OHTTP key, signed with the node's key over the EIP-712 digest of `OhttpKey(bytes32 teeId,
    /// uint8 keyId,uint16 kemId,uint16 kdfId,uint16 aeadId,bytes publicKey,bytes keyConfig,uint64 deadline,
    /// uint64 counter)`. `registeredAt` is ignored.
    function setOhttpConfig(
        bytes32 teeId,
        OhttpConfig calldata config,
        uint64 deadline,
        uint64 counter,
        bytes calldata signature
    ) external;

    /// @notice Whether the node's key signed `message`. Says nothing about whether the node is trusted.
    function isSignedBy(
        bytes32 teeId,
        bytes32 message,
        bytes calldata signature
    ) external view returns (bool);

    // Reads

    /// @notice Whether the node is to be trusted now: enabled, image approved, attestation not too old and its
    /// certificates not revoked, heartbeat fresh, not banned, operator not denied. False for an unknown node.
    function isTEEActive(bytes32 teeId) external view returns (bool);

    /// @notice Whether a result that the node signed at `timestamp` is to be trusted: as above at that time, and
    /// neither banned, denied nor without valid certificates now. False for the future.
    /// @dev Heartbeats and attestations before the latest are not kept: a gap between two of them does not show.
    function isActiveAt(bytes32 teeId, uint256 timestamp) external view returns (bool);

    /// @notice `isActiveAt`, and the session key was valid then.
    function isSessionActiveAt(bytes32 teeId, address key, uint256 timestamp) external view returns (bool);

    function sessionKey(bytes32 teeId, address key) external view returns (Interval memory);

    function isTEEEnabled(bytes32 teeId) external view returns (bool);

    function getTEE(bytes32 teeId) external view returns (TEEInfo memory);

    function getNode(bytes32 teeId) external view returns (NodeView memory);

    /// @notice Every node of a type. These three grow with the number of nodes: for long lists use the paged ones.
    function getTEEsByType(uint8 teeType) external view returns (bytes32[] memory);

    function getEnabledTEEs(uint8 teeType) external view returns (bytes32[] memory);

    function getActiveTEEs(uint8 teeType) external view returns (TEEInfo[] memory);

    /// @notice Node ids of a type in order of admission, at most `limit` from number `offset`.
    function listNodes(uint8 teeType, uint256 offset, uint256 limit) external view returns (bytes32[] memory);

    /// @notice Those of the same page that are active now.
    function listActiveNodes(
        uint8 teeType,
        uint256 offset,
        uint256 limit
    ) external view returns (bytes32[] memory);

    function nodeCount(uint8 teeType) external view returns (uint256);

    function getTEEPublicKey(bytes32 teeId) external view returns (bytes memory);

    function computeTEEId(bytes calldata signingKey) external pure returns (bytes32);

    function isOperatorDenied(address operator) external view returns (bool);

    function signingKeys() external view returns (ISigningKeys);

    function verifier(uint8 verifierId) external view returns (IAttestationVerifier);

    function admissionPausedUntil() external view returns (uint64);

    // Parameters, restricted to governance

    /// @notice Most seconds since the last heartbeat of an active node.
    function heartbeatMaxAge() external view returns (uint64);

    /// @notice Most seconds since the last attestation of an active node.
    function attestationMaxAge() external view returns (uint64);

    function setHeartbeatMaxAge(uint64 age) external;

    function setAttestationMaxAge(uint64 age) external;

    /// @notice Sets or replaces a verifier; zero removes it. Nodes that another one attested are inactive until they
    /// attest again.
    function setVerifier(uint8 verifierId, IAttestationVerifier verifier_) external;
}
