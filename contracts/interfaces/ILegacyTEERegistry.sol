// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

import {ITEERegistryTypes} from "./ITEERegistryTypes.sol";

/// @title ILegacyTEERegistry
/// @notice Legacy entry points: what the public network's tools call on a TEE registry and nothing new should. Names,
/// selectors and structs are theirs. They speak of one vendor, AWS Nitro, whose verifier has the id 0, and name an image
/// by `pcrHash = keccak256(PCR0 | PCR1 | PCR2)`, which is that verifier's measurement. Calls that change nothing and need no
/// room in the registry are in {ILegacyAnswers}, at the same address.
interface ILegacyTEERegistry is ITEERegistryTypes {
    /// @notice Measurements of a Nitro enclave.
    /// @param pcr0 of the whole image, 48 bytes
    /// @param pcr1 of the kernel and its start
    /// @param pcr2 of the application
    struct PCRMeasurements {
        bytes pcr0;
        bytes pcr1;
        bytes pcr2;
    }

    /// @notice A node.
    /// @param owner its operator
    /// @param paymentAddress where it is paid
    /// @param endpoint where it answers
    /// @param publicKey its signing key, SubjectPublicKeyInfo in DER
    /// @param tlsCertificate its TLS certificate, DER
    /// @param pcrHash measurement of its code, whoever measured it
    /// @param teeType its node type
    /// @param enabled whether its status is `Enabled`
    /// @param registeredAt when it was admitted, in unix seconds
    /// @param lastHeartbeatAt signed time of its latest heartbeat, or of evidence that is newer
    /// @param ohttpConfig its OHTTP key; all zero if it has none
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

    /// @notice Admits an enclave by a document that was verified before, in a transaction of its own, whatever it is
    /// bound to. Restricted to registrars, for that reason.
    /// @param attestationDocument the verified document, or its encoded claims
    /// @param signingPublicKey the enclave's key, SubjectPublicKeyInfo in DER
    /// @param tlsCertificate the enclave's TLS certificate, DER
    /// @param paymentAddress where the node is paid
    /// @param endpoint where the node answers
    /// @param teeType node type
    /// @return teeId the node
    function registerTEEWithAttestation(
        bytes calldata attestationDocument,
        bytes calldata signingPublicKey,
        bytes calldata tlsCertificate,
        address paymentAddress,
        string calldata endpoint,
        uint8 teeType
    ) external returns (bytes32 teeId);

    /// @notice `approveImage` without a source, of an image that was never revoked. Restricted to image approvers, with a
    /// delay.
    /// @param pcrs the image's measurements
    /// @param version what people call it
    /// @param teeType node type that may run it
    function approvePCR(PCRMeasurements calldata pcrs, string calldata version, uint8 teeType) external;

    /// @notice `revokeImage`. Restricted to the guardian, without a delay.
    /// @param pcrHash the image's measurement
    /// @param teeType node type
    function revokePCR(bytes32 pcrHash, uint8 teeType) external;

    /// @notice `isImageApproved`.
    /// @param teeType node type
    /// @param pcrHash the image's measurement
    /// @return approved whether nodes of the type may run it now
    function isPCRApproved(uint8 teeType, bytes32 pcrHash) external view returns (bool approved);

    /// @notice The measurement that documents with these PCRs have; reverts unless each has 48 bytes.
    /// @param pcrs the image's measurements
    /// @return pcrHash keccak256 of the three, one behind the other
    function computePCRHash(PCRMeasurements calldata pcrs) external pure returns (bytes32 pcrHash);

    /// @notice Nodes of a type that are to be trusted now, in order of admission, with what `getTEE` says of each. Grows with
    /// the number of nodes: for long lists use the lens.
    /// @param teeType node type
    /// @return nodes the nodes
    function getActiveTEEs(uint8 teeType) external view returns (TEEInfo[] memory nodes);

    /// @notice What is known about a node; reverts for an unknown one.
    /// @param teeId the node
    /// @return info the node
    function getTEE(bytes32 teeId) external view returns (TEEInfo memory info);

    /// @notice A node's signing key; reverts for an unknown node.
    /// @param teeId the node
    /// @return publicKey SubjectPublicKeyInfo in DER
    function getTEEPublicKey(bytes32 teeId) external view returns (bytes memory publicKey);

    /// @notice The id of the node with a signing key, admitted or not.
    /// @param signingKey SubjectPublicKeyInfo in DER
    /// @return teeId keccak256 of it
    function computeTEEId(bytes calldata signingKey) external pure returns (bytes32 teeId);
}
