// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IAttestationVerifier} from "./IAttestationVerifier.sol";
import {INodeBonds} from "./INodeBonds.sol";
import {ISigningKeys} from "./ISigningKeys.sol";

/// @title ITEERegistryTypes
/// @notice Structs, events and errors of {ITEERegistry}.
interface ITEERegistryTypes {
    /// @notice `Enabled <-> Disabled` and `-> Retired` are the operator's. A ban is the guardian's: `Enabled, Disabled ->
    /// Banned`, `Retired -> Expelled`; its operator may retire a banned node, `Banned -> Expelled`. Lifting a ban is
    /// governance's: `Banned -> Disabled`, `Expelled -> Retired`. So Retired and Expelled are final: no such node is in
    /// service again.
    enum NodeStatus {
        Unknown,
        Enabled,
        Disabled,
        Retired,
        Banned,
        Expelled
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
    /// @param verifierGeneration which of the verifiers that were set under `verifierId` vouched for it
    /// @param imageGeneration which approval of its image it attested under
    /// @param sessionCounter last counter of a session key's certification
    /// @param ohttpCounter last counter of an OHTTP key
    struct NodeView {
        NodeStatus status;
        ISigningKeys.KeyKind keyKind;
        uint8 verifierId;
        uint32 verifierGeneration;
        uint32 imageGeneration;
        uint64 attestedAt;
        uint64 sessionCounter;
        uint64 ohttpCounter;
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

    /// @notice What an approval belongs to: code, the type of node that may run it, and who measures it.
    struct ImageKey {
        bytes32 pcrHash;
        uint8 teeType;
        uint8 verifierId;
    }

    struct TEETypeInfo {
        string name;
        uint256 addedAt;
    }

    /// @notice Latest generation of an image.
    /// @param generation zero if it was never approved
    /// @param lastRevocation names the image's last revocation; zero if there was none. An approval has to name it
    /// @param commit hash of the source's commit, as its repository names it
    /// @param repository URL of the source
    struct ImageView {
        uint32 generation;
        bytes16 lastRevocation;
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
        uint8 indexed verifierId,
        uint32 generation,
        string version,
        bytes32 commit,
        string repository
    );
    /// @param generation the latest, which has ended; zero if there was none, and only pending approvals died
    /// @param revocation what an approval from now on has to name
    event PCRRevoked(
        bytes32 indexed pcrHash,
        uint8 indexed teeType,
        uint8 indexed verifierId,
        uint32 generation,
        bytes16 revocation
    );

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
        uint8 verifierId,
        uint32 verifierGeneration,
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
    /// @param generation counts the verifiers set under this id, from 1
    event VerifierChanged(
        uint8 indexed verifierId,
        uint32 generation,
        IAttestationVerifier previous,
        IAttestationVerifier current
    );
    event BondsChanged(INodeBonds previous, INodeBonds current);
    event HeartbeatMaxAgeChanged(uint64 previous, uint64 current);
    event AttestationMaxAgeChanged(uint64 previous, uint64 current);

    error TEERegistry_NotAContract(address account);
    error TEERegistry_TypeUnknown(uint8 teeType);
    error TEERegistry_TypeExists(uint8 teeType);
    error TEERegistry_MeasurementInvalid(uint256 index, uint256 expectedLength, uint256 actualLength);
    error TEERegistry_ImageNotApproved(bytes32 pcrHash, uint8 teeType);
    error TEERegistry_ImageApproved(bytes32 pcrHash, uint8 teeType);
    /// @dev The image was revoked after this approval was made, or is said to have been.
    error TEERegistry_ApprovalOutdated(bytes16 expected, bytes16 actual);
    error TEERegistry_VerifierUnknown(uint8 verifierId);
    /// @dev A certificate behind the evidence is revoked where an earlier verifier of this id looks.
    error TEERegistry_EndorsementRevoked(bytes32 endorsement);
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
    error TEERegistry_VerifierMismatch(uint8 expected, uint8 actual);
    error TEERegistry_EvidenceNotNewer(uint256 last, uint256 actual);
    error TEERegistry_SignatureInvalid(bytes32 teeId);
    error TEERegistry_HeartbeatNotNewer(uint256 last, uint256 actual);
    error TEERegistry_HeartbeatStale(uint256 earliest, uint256 actual);
    error TEERegistry_HeartbeatFromFuture(uint256 latest, uint256 actual);
    error TEERegistry_CounterNotNewer(uint256 last, uint256 actual);
    error TEERegistry_StatementExpired(uint256 deadline, uint256 blockTimestamp);
    error TEERegistry_SessionKeyInvalid(bytes32 teeId, address key);
    error TEERegistry_SessionTooLong(uint256 latest, uint256 actual);
    error TEERegistry_AgeInvalid(uint64 minimum, uint64 maximum, uint256 actual);
}
