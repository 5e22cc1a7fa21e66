// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title ILegacyAnswers
/// @notice Calls of the public network's tools that a TEE registry answers and its own code has nothing of: lists that are
/// not paged, and what those tools think of roles and of the root. The registry passes every call that it does not know to
/// this contract, as a static call: they are called at the registry's address, and nothing that they do changes anything.
///
/// What is refused is refused with an `Error(string)` that names the right way. It is the only kind of error that those
/// tools show.
interface ILegacyAnswers {
    /// @notice An approved image.
    /// @param pcrHash its measurement
    /// @param teeType node type that may run it
    struct PCRKey {
        bytes32 pcrHash;
        uint8 teeType;
    }

    /// @notice All images that are approved now. Grows with history: for long lists use the lens.
    /// @return approved in the order of their first approval
    function getApprovedPCRs() external view returns (PCRKey[] memory approved);

    /// @notice Every node of a type, in order of admission. Grows with the number of nodes: for long lists use the lens.
    /// @param teeType node type
    /// @return teeIds the nodes
    function getTEEsByType(uint8 teeType) external view returns (bytes32[] memory teeIds);

    /// @notice Those whose status is `Enabled`, trusted or not.
    /// @param teeType node type
    /// @return teeIds the nodes
    function getEnabledTEEs(uint8 teeType) external view returns (bytes32[] memory teeIds);

    /// @notice Whether an account is what those tools call by a role's hash: `0x00…00` the administrator of the
    /// AccessManager, `keccak256("TEE_OPERATOR")` a member of the role that may call `registerTEEWithAttestation`. A member
    /// may have to wait for a delay before every call.
    /// @param role the hash
    /// @param account who is asked for
    /// @return isMember false for every other hash
    function hasRole(bytes32 role, address account) external view returns (bool isMember);

    /// @notice Refuses: roles are granted in the AccessManager, under its delays.
    /// @param role the hash
    /// @param account who was to have it
    function grantRole(bytes32 role, address account) external view;

    /// @notice Refuses: roles are revoked in the AccessManager.
    /// @param role the hash
    /// @param account who was to lose it
    function revokeRole(bytes32 role, address account) external view;

    /// @notice Refuses: the root is pinned behind the verifier, and another one comes with another verifier.
    /// @param certificate the root that was to count
    function setAWSRootCertificate(bytes calldata certificate) external view;

    /// @notice Refuses: the chain keeps the fingerprint of the root, in the verifier's certificate store, and not the root.
    /// @return certificate never
    function awsRootCertificate() external view returns (bytes memory certificate);
}
