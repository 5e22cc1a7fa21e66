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

    /// @notice A node as it is stored, in two slots. What was attested is in the record, which is code.
    /// @param operator who registered it, and alone may change it
    /// @param teeType its node type
    /// @param status where it is in its life
    /// @param imageGeneration which approval of its image it attested under
    /// @param registeredAt when it was admitted, in unix seconds
    /// @param record a contract whose code has key, TLS certificate, endpoint and claims
    /// @param attestedAt time of its latest evidence, in unix seconds
    /// @param lastHeartbeatAt signed time of its latest heartbeat, or of evidence that is newer, in unix seconds
    struct Node {
        address operator;
        uint8 teeType;
        NodeStatus status;
        uint32 imageGeneration;
        uint48 registeredAt;
        // slot
        address record;
        uint48 attestedAt;
        uint48 lastHeartbeatAt;
    }

    /// @notice An enclave's key for requests that a relay cannot read (RFC 9458).
    /// @param keyId number of the key
    /// @param kemId its KEM, as RFC 9180 numbers it
    /// @param kdfId its key derivation
    /// @param aeadId its cipher
    /// @param publicKey the key
    /// @param keyConfig the key as RFC 9458 encodes it, with what is above
    /// @param registeredAt when it was set, in unix seconds
    struct OhttpConfig {
        uint8 keyId;
        uint16 kemId;
        uint16 kdfId;
        uint16 aeadId;
        bytes publicKey;
        bytes keyConfig;
        uint256 registeredAt;
    }

    /// @notice What an approval belongs to: code, the type of node that may run it, and who measures it.
    /// @param measurement of the code, as the verifier's claims have it
    /// @param teeType node type
    /// @param verifierId id of the verifier
    struct ImageKey {
        bytes32 measurement;
        uint8 teeType;
        uint8 verifierId;
    }

    /// @notice A node type.
    /// @param name what people call it
    /// @param addedAt when it was added, in unix seconds
    struct TEETypeInfo {
        string name;
        uint256 addedAt;
    }

    /// @notice An image's latest approval, and its latest revocation.
    /// @param generation counts its approvals, from 1; zero if it was never approved
    /// @param lastRevocation names its last revocation; zero if there was none. An approval has to name it
    /// @param approvedAt when that generation began, in unix seconds
    /// @param revokedAt when it ended; zero while it lasts
    /// @param details a contract whose code is `abi.encode(version, commit, repository)` of the approval
    struct ImageState {
        uint32 generation;
        bytes16 lastRevocation;
        uint48 approvedAt;
        uint48 revokedAt;
        address details;
    }

    /// @notice What an operator brings to admit an enclave, or to renew its attestation.
    /// @param verifierId which verifier reads the evidence
    /// @param evidence in that verifier's format, bound to `computeBinding(...)`, of an enclave with these two keys
    /// @param hints for the verifier; empty if it has verified the evidence before
    /// @param signingKey the enclave's key, SubjectPublicKeyInfo in DER
    /// @param tlsCertificate the enclave's TLS certificate, DER
    /// @param paymentAddress where the node is paid
    /// @param endpoint where the node answers
    /// @param teeType node type
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

    /// @notice When a session key of a node is valid, and what for. Every one signs heartbeats.
    /// @param from begin of its validity, in unix seconds
    /// @param until end of its validity, itself excluded
    /// @param signsResults whether what it signs counts as the node's results too
    struct SessionKey {
        uint48 from;
        uint48 until;
        bool signsResults;
    }

    /// @notice Governance added a node type.
    /// @param teeType its number
    /// @param name what people call it
    event TEETypeAdded(uint8 indexed teeType, string name);
    /// @notice An image was approved, for the first time or again.
    /// @param measurement of the code
    /// @param teeType node type that may run it
    /// @param verifierId verifier whose evidence counts
    /// @param generation counts the image's approvals, from 1
    /// @param version what people call the image
    /// @param commit hash of the source's commit; zero if none is given
    /// @param repository URL of the source
    event ImageApproved(
        bytes32 indexed measurement,
        uint8 indexed teeType,
        uint8 indexed verifierId,
        uint32 generation,
        string version,
        bytes32 commit,
        string repository
    );
    /// @notice The guardian revoked an image, approved or not.
    /// @param measurement of the code
    /// @param teeType node type
    /// @param verifierId id of the verifier
    /// @param generation the latest, which has ended; zero if there was none, and only pending approvals died
    /// @param revocation what an approval from now on has to name
    event ImageRevoked(
        bytes32 indexed measurement,
        uint8 indexed teeType,
        uint8 indexed verifierId,
        uint32 generation,
        bytes16 revocation
    );

    /// @notice An enclave was admitted. {TEEAttested} of the same transaction has the rest.
    /// @param teeId the node
    /// @param owner its operator
    /// @param teeType its node type
    /// @param keyKind kind of its signing key
    event TEERegistered(
        bytes32 indexed teeId,
        address indexed owner,
        uint8 indexed teeType,
        ISigningKeys.KeyKind keyKind
    );
    /// @notice Evidence of a node was accepted: at its admission, and whenever it is renewed.
    /// @param teeId the node
    /// @param measurement of its code
    /// @param generation which approval of its image it stands under from now on
    /// @param verifierId id of the verifier that read the evidence
    /// @param verifierGeneration which of the verifiers set under that id it was
    /// @param signerCertificate id of the certificate that signed the evidence
    /// @param attestedAt when the evidence was made, in unix seconds
    /// @param paymentAddress where the node is paid from now on
    /// @param endpoint where the node answers from now on
    /// @param tlsCertificateHash SHA-256 of its TLS certificate
    event TEEAttested(
        bytes32 indexed teeId,
        bytes32 indexed measurement,
        uint32 generation,
        uint8 verifierId,
        uint32 verifierGeneration,
        bytes32 signerCertificate,
        uint64 attestedAt,
        address paymentAddress,
        string endpoint,
        bytes32 tlsCertificateHash
    );
    /// @notice A node was disabled, enabled, retired or banned, or its ban lifted.
    /// @param teeId the node
    /// @param previous its status before
    /// @param current its status from now on
    event TEEStatusChanged(bytes32 indexed teeId, NodeStatus previous, NodeStatus current);
    /// @notice A heartbeat was recorded, which was newer than the last.
    /// @param teeId the node
    /// @param timestamp the signed time, in unix seconds
    event Heartbeat(bytes32 indexed teeId, uint256 timestamp);
    /// @notice A node certified a session key.
    /// @param teeId the node
    /// @param key the session key
    /// @param signsResults whether it signs results, and not heartbeats alone
    /// @param from begin of its validity, in unix seconds
    /// @param until end of its validity
    event SessionKeyCertified(
        bytes32 indexed teeId,
        address indexed key,
        bool signsResults,
        uint64 from,
        uint64 until
    );
    /// @notice An operator ended a session key before its time.
    /// @param teeId the node
    /// @param key the session key
    /// @param until the end of its validity, which is now
    event SessionKeyEnded(bytes32 indexed teeId, address indexed key, uint64 until);
    /// @notice A node set its OHTTP key.
    /// @param teeId the node
    /// @param keyId number of the key
    /// @param publicKey the key
    event OhttpConfigChanged(bytes32 indexed teeId, uint8 keyId, bytes publicKey);

    /// @notice The guardian denied an operator: none of their nodes counts.
    /// @param operator who was denied
    event OperatorDenied(address indexed operator);
    /// @notice Governance took a denial back.
    /// @param operator who may operate nodes again
    event OperatorAllowed(address indexed operator);
    /// @notice The guardian stopped admissions.
    /// @param until when they go on, in unix seconds
    event AdmissionPaused(uint64 until);
    /// @notice Governance set, replaced or removed a verifier, or the first was set at deployment.
    /// @param verifierId its id
    /// @param generation counts the verifiers set under this id, from 1
    /// @param previous the verifier before; zero if there was none
    /// @param current the verifier from now on; zero for none
    event VerifierChanged(
        uint8 indexed verifierId,
        uint32 generation,
        IAttestationVerifier previous,
        IAttestationVerifier current
    );
    /// @notice Governance set who takes the bonds of new nodes.
    /// @param previous who took them before; zero for nobody
    /// @param current who takes them from now on; zero for nobody
    event BondsChanged(INodeBonds previous, INodeBonds current);
    /// @notice The longest age of an active node's heartbeat was set.
    /// @param previous seconds before
    /// @param current seconds from now on
    event HeartbeatMaxAgeChanged(uint64 previous, uint64 current);
    /// @notice The longest age of an active node's evidence was set.
    /// @param previous seconds before
    /// @param current seconds from now on
    event AttestationMaxAgeChanged(uint64 previous, uint64 current);

    /// @notice An authority, verifier, holder of bonds or of keys was given that has no code.
    /// @param account its address
    error TEERegistry_NotAContract(address account);
    /// @notice An image was to be approved for a node type that does not exist.
    /// @param teeType the type
    error TEERegistry_TypeUnknown(uint8 teeType);
    /// @notice A node type was to be added that is there already.
    /// @param teeType the type
    error TEERegistry_TypeExists(uint8 teeType);
    /// @notice An enclave runs code that is not approved for its type and verifier now.
    /// @param measurement of the code
    /// @param teeType the type
    error TEERegistry_ImageNotApproved(bytes32 measurement, uint8 teeType);
    /// @notice An image was to be approved that is approved already.
    /// @param measurement of the code
    /// @param teeType the type
    error TEERegistry_ImageApproved(bytes32 measurement, uint8 teeType);
    /// @notice The image was revoked after this approval was made, or is said to have been.
    /// @param expected the image's last revocation
    /// @param actual what the approval names
    error TEERegistry_ApprovalOutdated(bytes16 expected, bytes16 actual);
    /// @notice No verifier is set under the id.
    /// @param verifierId the id
    error TEERegistry_VerifierUnknown(uint8 verifierId);
    /// @notice A verifier was to be set that reads another kind of evidence than those under its id before.
    /// @param expected the kind under this id
    /// @param actual the kind of the new verifier
    error TEERegistry_EvidenceTypeMismatch(bytes32 expected, bytes32 actual);
    /// @notice A certificate behind the evidence is revoked where another verifier of this id looks.
    /// @param signerCertificate id of the certificate that signed the evidence
    error TEERegistry_SignerRevoked(bytes32 signerCertificate);
    /// @notice There is no such node.
    /// @param teeId its id
    error TEERegistry_NodeUnknown(bytes32 teeId);
    /// @notice An enclave was to be admitted whose key is a node's, in service or not.
    /// @param teeId the node
    error TEERegistry_NodeExists(bytes32 teeId);
    /// @notice Somebody else than a node's operator was to change it.
    /// @param expected its operator
    /// @param actual the caller
    error TEERegistry_NotOperator(address expected, address actual);
    /// @notice The guardian has denied the operator.
    /// @param operator the caller
    error TEERegistry_OperatorDenied(address operator);
    /// @notice What was asked for is not possible in the node's status.
    /// @param teeId the node
    /// @param actual its status
    error TEERegistry_StatusInvalid(bytes32 teeId, NodeStatus actual);
    /// @notice An enclave was to be admitted while admissions are paused.
    /// @param until when they go on, in unix seconds
    error TEERegistry_AdmissionPaused(uint256 until);
    /// @notice A pause was to be too long, over already, or too soon after the last one.
    /// @param earliest when the next pause may begin, in unix seconds
    /// @param latest when a pause from now on has to end
    /// @param actual when this one was to end
    error TEERegistry_PauseInvalid(uint256 earliest, uint256 latest, uint256 actual);
    /// @notice The evidence is not bound to this registry, chain, caller, payment address, endpoint and type.
    /// @param expected what evidence for them carries, in the form of its kind
    /// @param actual what it carries; zero if nothing
    error TEERegistry_BindingMismatch(bytes32 expected, bytes32 actual);
    /// @notice The evidence vouches for other keys than the signing key and the TLS certificate that came with it.
    /// @param expected `keysHash` of these two
    /// @param actual `keysHash` of the evidence; zero if it vouches for none
    error TEERegistry_KeysMismatch(bytes32 expected, bytes32 actual);
    /// @notice The payment address is zero.
    error TEERegistry_PaymentAddressZero();
    /// @notice A field is empty or too long.
    /// @param field which one
    /// @param maximum most bytes
    /// @param actual its bytes
    error TEERegistry_LengthInvalid(Field field, uint256 maximum, uint256 actual);
    /// @notice A node was to be renewed by an enclave with another signing key.
    /// @param expected the node's id, hash of its key
    /// @param actual hash of the other key
    error TEERegistry_KeyMismatch(bytes32 expected, bytes32 actual);
    /// @notice A node was to be renewed by an enclave that runs other code.
    /// @param expected measurement of the node's code
    /// @param actual measurement of the other
    error TEERegistry_ImageMismatch(bytes32 expected, bytes32 actual);
    /// @notice A node was to be renewed as another type.
    /// @param expected the node's type
    /// @param actual the other
    error TEERegistry_TypeMismatch(uint8 expected, uint8 actual);
    /// @notice A node was to be renewed by the evidence of another verifier.
    /// @param expected id of the node's verifier
    /// @param actual id of the other
    error TEERegistry_VerifierMismatch(uint8 expected, uint8 actual);
    /// @notice A node was to be renewed by evidence that is not newer than its latest.
    /// @param last when that was made, in unix seconds
    /// @param actual when this was made
    error TEERegistry_EvidenceNotNewer(uint256 last, uint256 actual);
    /// @notice A statement is not signed by the node's key, or a heartbeat by nobody.
    /// @param teeId the node
    error TEERegistry_SignatureInvalid(bytes32 teeId);
    /// @notice A heartbeat is so old that the node would not be active by it.
    /// @param earliest the earliest time that counts in this block, in unix seconds
    /// @param actual its signed time
    error TEERegistry_HeartbeatStale(uint256 earliest, uint256 actual);
    /// @notice A heartbeat is further ahead of the chain than clocks may differ.
    /// @param latest the latest time that counts in this block, in unix seconds
    /// @param actual its signed time
    error TEERegistry_HeartbeatFromFuture(uint256 latest, uint256 actual);
    /// @notice A statement's counter was used before, or a later one was.
    /// @param last the last one used
    /// @param actual the statement's
    error TEERegistry_CounterNotNewer(uint256 last, uint256 actual);
    /// @notice A statement came after its deadline, or a session was to end in the past.
    /// @param deadline the deadline, or the session's end, in unix seconds
    /// @param blockTimestamp the block's time
    error TEERegistry_StatementExpired(uint256 deadline, uint256 blockTimestamp);
    /// @notice A session key is zero, used before, not certified or not valid now.
    /// @param teeId the node
    /// @param key the session key
    error TEERegistry_SessionKeyInvalid(bytes32 teeId, address key);
    /// @notice A session was to last too long.
    /// @param latest the latest end that is possible in this block, in unix seconds
    /// @param actual its end
    error TEERegistry_SessionTooLong(uint256 latest, uint256 actual);
    /// @notice An age was to be set outside its bounds.
    /// @param minimum least seconds
    /// @param maximum most seconds
    /// @param actual the seconds given
    error TEERegistry_AgeInvalid(uint64 minimum, uint64 maximum, uint256 actual);
}
