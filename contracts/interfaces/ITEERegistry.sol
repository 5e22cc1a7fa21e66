// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IAttestationVerifier} from "./IAttestationVerifier.sol";
import {ILegacyTEERegistry} from "./ILegacyTEERegistry.sol";
import {INodeBonds} from "./INodeBonds.sol";
import {ISigningKeys} from "./ISigningKeys.sol";

/// @title ITEERegistry
/// @notice Which enclaves are trusted: approved images, admitted nodes, their keys, and whether they are alive.
///
/// A node is named by `teeId = keccak256(signing key)`, the key as SubjectPublicKeyInfo in DER. An image is named by a
/// measurement, and approved per node type and verifier. What evidence looks like, which keys it vouches for and how it
/// is bound is the verifier's to know ({IAttestationVerifier}); all verifiers under one id read the same kind.
///
/// Functions whose names have TEE and PCR in them are those of the public network's registry, with its signatures; those
/// that only its tools need are in {ILegacyTEERegistry} and {ILegacyAnswers}. Its clients' reads work here unchanged. Its tool
/// for registering does not by itself: its entry point wants evidence that was verified before, and a caller who is a
/// registrar. Nodes of type 0 need RSA keys there: those clients verify no others. Node types are 0 LLMProxy, 1 Validator,
/// 2 DataNode, 3 ZkmlProver.
///
/// Duties of an enclave's gateway: evidence binds only if nobody but the operator chooses what it is bound to. What
/// clients ask for is answered under a hash with a prefix, which can never be a binding. Whoever may ask a gateway that
/// answers anything can have its enclave registered with a payment address of their own, here until it is registered, and
/// in any other registry.
///
/// Duties of integrators:
/// - Judge whether a result is true by `wasInService` with the result's own time, and whether the node was alive as well
///   by `isActiveAt`; never by `isTEEEnabled`. Bound how old a result may be: what an enclave signs bears the time that
///   the enclave says.
/// - A session key speaks in results only where `sessionKey(...).signsResults`; most are for heartbeats alone.
/// - A signature is not an identity: whatever must happen once is keyed by something else.
interface ITEERegistry is ILegacyTEERegistry {
    // Types and images

    /// @notice Adds a node type, for good. Restricted to governance.
    /// @param teeType its number, not used before
    /// @param name what people call it, 1 to 64 bytes
    function addTEEType(uint8 teeType, string calldata name) external;

    /// @notice All node types, in the order in which they were added.
    /// @return typeIds their numbers
    /// @return infos what is known of each, in the same order
    function getTEETypes() external view returns (uint8[] memory typeIds, TEETypeInfo[] memory infos);

    /// @notice Whether a node type was added.
    /// @param teeType its number
    /// @return valid whether it was
    function isValidTEEType(uint8 teeType) external view returns (bool valid);

    /// @notice Approves an image for one node type and the evidence of one verifier. An image that was revoked gets a new
    /// generation: nodes of the old one stay inactive until they are renewed. Restricted to image approvers, with a
    /// delay.
    /// @param measurement of the code, as that verifier's claims have it
    /// @param version what people call the image
    /// @param teeType node type that may run it
    /// @param verifierId verifier whose evidence counts; none need be set yet
    /// @param lastRevocation `imageState(...).lastRevocation` as it is when the approval is executed. A revocation changes
    /// it to what nobody can know beforehand, so that no approval which was waiting then is good for anything
    /// @param commit hash of the source's commit
    /// @param repository URL of the source
    function approveImage(
        bytes32 measurement,
        string calldata version,
        uint8 teeType,
        uint8 verifierId,
        bytes16 lastRevocation,
        bytes32 commit,
        string calldata repository
    ) external;

    /// @notice Ends the approval at once, for all nodes on the image, and every approval of it that waits for its delay;
    /// an image need not be approved for that. Restricted to the guardian, without a delay.
    /// @param measurement of the code
    /// @param teeType node type
    /// @param verifierId id of the verifier
    function revokeImage(bytes32 measurement, uint8 teeType, uint8 verifierId) external;

    /// @notice Whether nodes of a type may run an image now.
    /// @param measurement of the code
    /// @param teeType node type
    /// @param verifierId id of the verifier
    /// @return approved whether they may
    function isImageApproved(
        bytes32 measurement,
        uint8 teeType,
        uint8 verifierId
    ) external view returns (bool approved);

    /// @notice An image's latest approval, and its latest revocation; zero for what never was.
    /// @param measurement of the code
    /// @param teeType node type
    /// @param verifierId id of the verifier
    /// @return state as it is stored; the lens reads its details
    function imageState(
        bytes32 measurement,
        uint8 teeType,
        uint8 verifierId
    ) external view returns (ImageState memory state);

    /// @notice One of the images that ever were approved, oldest first; reverts behind the last.
    /// @param index its number, from 0
    /// @return image the image
    function imageAt(uint256 index) external view returns (ImageKey memory image);

    /// @notice How many images ever were approved.
    /// @return count their number
    function imageCount() external view returns (uint256 count);

    // Admission

    /// @notice Admits an enclave; the caller becomes its operator. Open to everybody: the attestation is the
    /// permission, and it is bound to this caller, payment address, endpoint and type.
    /// @param registration the enclave, and its evidence
    /// @return teeId the node
    function register(Registration calldata registration) external returns (bytes32 teeId);

    /// @notice Fresh evidence for a node: renews its attestation, and replaces endpoint, TLS certificate and payment
    /// address, which are attested too. Same key, image, type and verifier id. Only its operator; a pause of admissions
    /// does not stop it.
    /// @param teeId the node
    /// @param registration the enclave, and its evidence
    function renew(bytes32 teeId, Registration calldata registration) external;

    /// @notice What evidence has to be bound to, in the form that `carriedBinding` of the verifier gives it:
    /// `keccak256(abi.encode(chainId, this, operator, paymentAddress, keccak256(endpoint), teeType))`.
    /// @param operator who is to register or renew
    /// @param paymentAddress where the node is to be paid
    /// @param endpoint where the node is to answer
    /// @param teeType node type
    /// @return binding that hash
    function computeBinding(
        address operator,
        address paymentAddress,
        string calldata endpoint,
        uint8 teeType
    ) external view returns (bytes32 binding);

    // Life of a node

    /// @notice Takes a node out of service until it is enabled. Only its operator.
    /// @param teeId the node
    function disableTEE(bytes32 teeId) external;

    /// @notice Takes a disabled node into service again. Only its operator.
    /// @param teeId the node
    function enableTEE(bytes32 teeId) external;

    /// @notice Takes a node out of service for good, a banned one too: it is expelled then, and lifting the ban does not
    /// bring it back. Only its operator.
    /// @param teeId the node
    function retireTEE(bytes32 teeId) external;

    /// @notice Excludes a node, past results included. Restricted to the guardian, without a delay.
    /// @param teeId the node
    function banTEE(bytes32 teeId) external;

    /// @notice Lifts a ban; the node is disabled then, or retired if it had retired or its bond is gone. Restricted to
    /// governance.
    /// @param teeId the node
    function liftBan(bytes32 teeId) external;

    /// @notice Excludes all nodes of an operator, past results included, and further ones, and holds their bonds.
    /// Restricted to the guardian, without a delay.
    /// @param operator who is denied
    function denyOperator(address operator) external;

    /// @notice Takes a denial back. Restricted to governance.
    /// @param operator who may operate nodes again
    function allowOperator(address operator) external;

    /// @notice Stops admissions of new nodes for at most 7 days, and not again for as long after it ended. Nodes that
    /// are admitted are not touched, and are renewed as ever. Restricted to the guardian, without a delay.
    /// @param until when they go on, in unix seconds
    function pauseAdmission(uint64 until) external;

    // Liveness and keys

    /// @notice Says that a node lives, signed with its key over `keccak256(teeId | timestamp)`. Anyone may send it. One that
    /// is genuine and young enough, but not newer than the last, is accepted without effect and without an event: the
    /// public network's gateways sign a time some minutes back, before that of their own evidence when they begin.
    /// @param teeId the node
    /// @param timestamp unix seconds, at most `heartbeatMaxAge` back; this signed time is what is stored
    /// @param signature by the node's key, as {ISigningKeys} wants it
    function heartbeat(bytes32 teeId, uint256 timestamp, bytes calldata signature) external;

    /// @notice The same, with a session key: EIP-712 `Heartbeat(bytes32 teeId,uint256 timestamp)`.
    /// @param teeId the node
    /// @param timestamp as for `heartbeat`
    /// @param signature by a session key of the node that is valid now, r | s | v
    function heartbeatBySession(bytes32 teeId, uint256 timestamp, bytes calldata signature) external;

    /// @notice Certifies a session key with the node's key, over the EIP-712 digest of
    /// `SessionKey(bytes32 teeId,address key,bool signsResults,uint64 until,uint64 counter)`. Anyone may send it. What a key
    /// is for never changes: for another purpose the node certifies another key.
    /// @param teeId the node
    /// @param key not used by this node before
    /// @param signsResults false for heartbeats alone
    /// @param until end of its validity, at most 30 days ahead
    /// @param counter above the last one that this node has signed for a session key
    /// @param signature by the node's key
    function certifySessionKey(
        bytes32 teeId,
        address key,
        bool signsResults,
        uint64 until,
        uint64 counter,
        bytes calldata signature
    ) external;

    /// @notice Ends a session key's validity now; what it signed before stays valid. Only the operator.
    /// @param teeId the node
    /// @param key the session key
    function endSessionKey(bytes32 teeId, address key) external;

    /// @notice Sets the OHTTP key, signed with the node's key over the EIP-712 digest of `OhttpKey(bytes32 teeId,
    /// uint8 keyId,uint16 kemId,uint16 kdfId,uint16 aeadId,bytes publicKey,bytes keyConfig,uint64 deadline,
    /// uint64 counter)`, with a counter of its own kind. Anyone may send it.
    /// @param teeId the node
    /// @param config the key; its `registeredAt` is ignored
    /// @param deadline until when this counts, in unix seconds
    /// @param counter above the last one that this node has signed for an OHTTP key
    /// @param signature by the node's key
    function setOhttpConfig(
        bytes32 teeId,
        OhttpConfig calldata config,
        uint64 deadline,
        uint64 counter,
        bytes calldata signature
    ) external;

    /// @notice Whether the node's key signed `message`. Says nothing about whether the node is trusted; reverts for an
    /// unknown node.
    /// @param teeId the node
    /// @param message 32 bytes, hashed once more where {ISigningKeys} says so
    /// @param signature whatever it is
    /// @return signed false for a bad signature of any form
    function isSignedBy(
        bytes32 teeId,
        bytes32 message,
        bytes calldata signature
    ) external view returns (bool signed);

    // Reads

    /// @notice Whether the node is to be trusted now: enabled, image approved, attested by the verifier that is set now,
    /// attestation not too old and its certificates not revoked, heartbeat fresh, not banned, operator not denied.
    /// @param teeId the node
    /// @return active false for an unknown node too
    function isTEEActive(bytes32 teeId) external view returns (bool active);

    /// @notice Whether a result that the node signed at `timestamp` is to be trusted: as above at that time, by the
    /// verifier and the ages of that time, and neither banned, denied nor with a revoked certificate now.
    ///
    /// A later change of an age, of a verifier or of its root changes no such answer. Three things do, by design: bans,
    /// denials and revoked certificates take the past out (and lifting gives it back); a heartbeat or an attestation
    /// closes the gap before it, because earlier ones are not kept; and of the certificates only those behind the latest
    /// attestation are asked for.
    /// @param teeId the node
    /// @param timestamp unix seconds
    /// @return active false for the future and for an unknown node too
    function isActiveAt(bytes32 teeId, uint256 timestamp) external view returns (bool active);

    /// @notice Whether what the node signed at `timestamp` is the word of an enclave in service: `isActiveAt` without the
    /// ages of heartbeat and attestation. Liveness is not truth: a late heartbeat, or one that waits in the mempool,
    /// neither breaks such an answer nor cures it. What else changes an answer about the past is the same as there, but
    /// for the gap that heartbeats and attestations close.
    /// @param teeId the node
    /// @param timestamp unix seconds
    /// @return inService false for the future and for an unknown node too
    function wasInService(bytes32 teeId, uint256 timestamp) external view returns (bool inService);

    /// @notice When a session key of a node is valid, and what for. The lens has `isSessionActiveAt`.
    /// @param teeId the node
    /// @param key the session key
    /// @return session all zero for a key that was never certified
    function sessionKey(bytes32 teeId, address key) external view returns (SessionKey memory session);

    /// @notice Whether a node's status is `Enabled`, which does not say that it is to be trusted.
    /// @param teeId the node
    /// @return enabled false for an unknown node too
    function isTEEEnabled(bytes32 teeId) external view returns (bool enabled);

    /// @notice A node as it is stored; reverts for an unknown one. The lens reads its record.
    /// @param teeId the node
    /// @return node the node
    function nodeOf(bytes32 teeId) external view returns (Node memory node);

    /// @notice Who operates a node; reverts for an unknown one.
    /// @param teeId the node
    /// @return operator the account that registered it
    function operatorOf(bytes32 teeId) external view returns (address operator);

    /// @notice One of a type's nodes, in order of admission; reverts behind the last.
    /// @param teeType node type
    /// @param index its number, from 0
    /// @return teeId the node
    function nodeAt(uint8 teeType, uint256 index) external view returns (bytes32 teeId);

    /// @notice How many nodes of a type were ever admitted.
    /// @param teeType node type
    /// @return count their number
    function nodeCount(uint8 teeType) external view returns (uint256 count);

    /// @notice Since when a node's status and generations are what they are; reverts for an unknown node.
    /// @param teeId the node
    /// @return timestamp unix seconds
    function standingSince(bytes32 teeId) external view returns (uint256 timestamp);

    /// @notice Last counter of a node's session keys.
    /// @param teeId the node
    /// @return counter zero if there was none
    function sessionCounter(bytes32 teeId) external view returns (uint64 counter);

    /// @notice Last counter of a node's OHTTP keys.
    /// @param teeId the node
    /// @return counter zero if there was none
    function ohttpCounter(bytes32 teeId) external view returns (uint64 counter);

    /// @notice Whether the guardian has denied an operator.
    /// @param operator the operator
    /// @return isDenied whether none of their nodes counts
    function isOperatorDenied(address operator) external view returns (bool isDenied);

    /// @notice What checks nodes' signatures.
    /// @return keys fixed for good
    function signingKeys() external view returns (ISigningKeys keys);

    /// @notice The verifier that is set now.
    /// @param verifierId its id
    /// @return current zero if none is
    function verifier(uint8 verifierId) external view returns (IAttestationVerifier current);

    /// @notice How many verifiers were set under the id so far; a node of an earlier one is inactive.
    /// @param verifierId the id
    /// @return generation their number
    function verifierGeneration(uint8 verifierId) external view returns (uint32 generation);

    /// @notice What kind of evidence the verifiers under an id read, as they name it.
    /// @param verifierId the id
    /// @return evidenceType zero before the first one was set
    function evidenceTypeOf(uint8 verifierId) external view returns (bytes32 evidenceType);

    /// @notice When admissions go on.
    /// @return timestamp unix seconds; past if they are not paused, zero if they never were
    function admissionPausedUntil() external view returns (uint64 timestamp);

    /// @notice Who holds a new node's bond.
    /// @return holder zero for no bond
    function bonds() external view returns (INodeBonds holder);

    // Parameters, restricted to governance

    /// @notice Most seconds since the last heartbeat of an active node.
    /// @return age seconds
    function heartbeatMaxAge() external view returns (uint64 age);

    /// @notice Most seconds since the last attestation of an active node.
    /// @return age seconds
    function attestationMaxAge() external view returns (uint64 age);

    /// @notice Sets `heartbeatMaxAge`. Restricted to governance.
    /// @param age 60 seconds to a day
    function setHeartbeatMaxAge(uint256 age) external;

    /// @notice Sets `attestationMaxAge`. Restricted to governance.
    /// @param age an hour to 90 days, in seconds
    function setAttestationMaxAge(uint64 age) external;

    /// @notice Sets or replaces a verifier; zero removes it. From then on every node that was attested under this id is
    /// inactive until it is renewed, also if the verifier is one that was set before. Results from before keep their
    /// answers; where the old verifier had let in what it should not, ban those nodes. A certificate that is revoked
    /// where any verifier of this id looks, earlier or present, stays revoked for all of them. Restricted to governance.
    /// @param verifierId its id
    /// @param verifier_ reads the same kind of evidence as every other one under this id
    function setVerifier(uint8 verifierId, IAttestationVerifier verifier_) external;

    /// @notice Sets who takes and holds the bonds of new nodes; zero ends them. Bonds that another one holds stay there.
    /// Restricted to governance.
    /// @param bonds_ the holder
    function setBonds(INodeBonds bonds_) external;
}
