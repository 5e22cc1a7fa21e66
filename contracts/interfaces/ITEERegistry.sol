// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {IAttestationVerifier} from "./IAttestationVerifier.sol";
import {INodeBonds} from "./INodeBonds.sol";
import {ISigningKeys} from "./ISigningKeys.sol";
import {ITEERegistryTypes} from "./ITEERegistryTypes.sol";

/// @title ITEERegistry
/// @notice Which enclaves are trusted: approved images, admitted nodes, their keys, and whether they are alive.
///
/// A node is named by `teeId = keccak256(signing key)`, the key as SubjectPublicKeyInfo in DER.
/// An image is named by `pcrHash = keccak256(PCR0 | PCR1 | PCR2)`, and approved per node type and verifier.
///
/// Names with TEE and PCR in them are those of the public network's registry, with its signatures; they speak of
/// verifier 0, AWS Nitro. Its clients' reads work here unchanged. Its tool for registering does not by itself: the second door wants evidence that was verified before, and
/// a caller who is a registrar. Nodes of type 0 need RSA keys there: those clients verify no others. Node types are 0
/// LLMProxy, 1 Validator, 2 DataNode, 3 ZkmlProver.
///
/// Duties of an enclave's gateway: the binding nonce binds only if nobody but the operator chooses it. A document with
/// a nonce of 20 bytes comes from the operator's side alone; clients' nonces are answered under a hash with a prefix,
/// which has 32 bytes and can never be a binding nonce. Whoever may ask a gateway that answers any nonce can have its
/// enclave registered with a payment address of his own, here until it is registered, and in any other registry.
///
/// Duties of integrators:
/// - Judge a result by `isActiveAt` with the result's own time, never by `isTEEEnabled`, and bound how old a result
///   may be: what an enclave signs bears the time that the enclave says.
/// - A signature is not an identity: whatever must happen once is keyed by something else.
interface ITEERegistry is ITEERegistryTypes {
    // Types and images

    /// @notice Restricted to governance.
    function addTEEType(uint8 teeType, string calldata name) external;

    function getTEETypes() external view returns (uint8[] memory typeIds, TEETypeInfo[] memory infos);

    function isValidTEEType(uint8 teeType) external view returns (bool);

    /// @notice Approves an image for one node type and the evidence of one verifier. An image that was revoked gets a new
    /// generation: nodes of the old one stay inactive until they attest again. Restricted to image approvers, with a
    /// delay.
    /// @param lastRevocation `getImage(...).lastRevocation` as it is when the approval is executed. A revocation changes
    /// it to what nobody can know beforehand, so that no approval which was waiting then is good for anything
    function approveImage(
        PCRMeasurements calldata pcrs,
        string calldata version,
        uint8 teeType,
        uint8 verifierId,
        bytes16 lastRevocation,
        bytes32 commit,
        string calldata repository
    ) external;

    /// @notice `approveImage` for verifier 0, without a source, of an image that was never revoked.
    function approvePCR(PCRMeasurements calldata pcrs, string calldata version, uint8 teeType) external;

    /// @notice Ends the approval at once, for all nodes on the image, and every approval of it that waits for its delay;
    /// an image need not be approved for that. Restricted to the guardian, without a delay.
    function revokeImage(bytes32 pcrHash, uint8 teeType, uint8 verifierId) external;

    /// @notice `revokeImage` for verifier 0.
    function revokePCR(bytes32 pcrHash, uint8 teeType) external;

    function isImageApproved(bytes32 pcrHash, uint8 teeType, uint8 verifierId) external view returns (bool);

    /// @notice `isImageApproved` for verifier 0.
    function isPCRApproved(uint8 teeType, bytes32 pcrHash) external view returns (bool);

    function getImage(
        bytes32 pcrHash,
        uint8 teeType,
        uint8 verifierId
    ) external view returns (ImageView memory);

    /// @notice All images that are approved now for verifier 0. Grows with history: for long lists use `listImages`.
    function getApprovedPCRs() external view returns (PCRKey[] memory);

    /// @notice Images that ever were approved, oldest first, at most `limit` from number `offset`.
    function listImages(uint256 offset, uint256 limit) external view returns (ImageKey[] memory);

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
    /// address, which are attested too. Same key, image, type and verifier id. Only its operator; a pause of admissions
    /// does not stop it.
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

    /// @notice Takes a node out of service for good, a banned one too: it is expelled then, and lifting the ban does not
    /// bring it back.
    function retireTEE(bytes32 teeId) external;

    /// @notice Excludes a node, past results included. Restricted to the guardian, without a delay.
    function banTEE(bytes32 teeId) external;

    /// @notice Lifts a ban; the node is disabled then, or retired if it had retired or its bond is gone. Restricted to
    /// governance.
    function liftBan(bytes32 teeId) external;

    /// @notice Excludes all nodes of an operator, past results included, and further ones, and holds his bonds.
    /// Restricted to the guardian, without a delay.
    function denyOperator(address operator) external;

    /// @notice Restricted to governance.
    function allowOperator(address operator) external;

    /// @notice Stops admissions of new nodes for at most 7 days, and not again for as long after it ended. Nodes that
    /// are admitted are not touched, and renew their attestations as ever. Restricted to the guardian, without a delay.
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
    /// @param counter above the last one that this node has signed for a session key
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
    /// uint64 counter)`, with a counter of its own kind. `registeredAt` is ignored.
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

    /// @notice Whether the node is to be trusted now: enabled, image approved, attested by the verifier that is set now,
    /// attestation not too old and its certificates not revoked, heartbeat fresh, not banned, operator not denied. False
    /// for an unknown node.
    function isTEEActive(bytes32 teeId) external view returns (bool);

    /// @notice Whether a result that the node signed at `timestamp` is to be trusted: as above at that time, by the
    /// verifier and the ages of that time, and neither banned, denied nor with a revoked certificate now. False for the
    /// future.
    ///
    /// A later change of an age, of a verifier or of its root changes no such verdict. Three things do, by design: bans,
    /// denials and revoked certificates take the past out (and lifting gives it back); a heartbeat or an attestation
    /// closes the gap before it, because earlier ones are not kept; and of the certificates only those behind the latest
    /// attestation are asked for.
    function isActiveAt(bytes32 teeId, uint256 timestamp) external view returns (bool);

    /// @notice `isActiveAt`, and the session key was valid then.
    function isSessionActiveAt(bytes32 teeId, address key, uint256 timestamp) external view returns (bool);

    function sessionKey(bytes32 teeId, address key) external view returns (Interval memory);

    function isTEEEnabled(bytes32 teeId) external view returns (bool);

    function getTEE(bytes32 teeId) external view returns (TEEInfo memory);

    function getNode(bytes32 teeId) external view returns (NodeView memory);

    /// @notice Since when a node's status and image generation are what they are, in unix seconds.
    function standingSince(bytes32 teeId) external view returns (uint256);

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

    /// @notice The verifier that is set now; zero if none.
    function verifier(uint8 verifierId) external view returns (IAttestationVerifier);

    /// @notice How many verifiers were set under the id so far; a node of an earlier one is inactive.
    function verifierGeneration(uint8 verifierId) external view returns (uint32);

    function admissionPausedUntil() external view returns (uint64);

    /// @notice Who holds a new node's bond; zero for no bond.
    function bonds() external view returns (INodeBonds);

    // Parameters, restricted to governance

    /// @notice Most seconds since the last heartbeat of an active node.
    function heartbeatMaxAge() external view returns (uint64);

    /// @notice Most seconds since the last attestation of an active node.
    function attestationMaxAge() external view returns (uint64);

    function setHeartbeatMaxAge(uint256 age) external;

    function setAttestationMaxAge(uint64 age) external;

    /// @notice Sets or replaces a verifier; zero removes it. From then on every node that was attested under this id is
    /// inactive until it attests again, also if the verifier is one that was set before. Results from before keep their
    /// verdicts; where the old verifier had let in what it should not, ban those nodes. A certificate that is revoked
    /// where any verifier of this id looks, earlier or present, stays revoked for all of them.
    function setVerifier(uint8 verifierId, IAttestationVerifier verifier_) external;

    /// @notice Sets who takes and holds the bonds of new nodes; zero ends them. Bonds that another one holds stay there.
    function setBonds(INodeBonds bonds_) external;
}
