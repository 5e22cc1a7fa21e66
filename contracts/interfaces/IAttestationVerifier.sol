// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title IAttestationVerifier
/// @notice What an enclave's evidence says, once it is verified. One implementation per TEE vendor.
///
/// Duties of whoever integrates a verifier:
/// - Decide whether `measurement` is code you trust, at every use.
/// - Bind the evidence to your purpose: compare `nonce` with a value that only fits your contract, chain and caller.
///   Evidence is public once it is in a transaction, and anybody can present it.
/// - Keep `endorsement` and ask `isEndorsed` at every use: a certificate may be revoked later.
/// - Refuse evidence that is not newer than what you have accepted of the same enclave.
interface IAttestationVerifier {
    /// @param measurement keccak256 of the code's measurements; for Nitro of PCR0 | PCR1 | PCR2, 144 bytes
    /// @param endorsement id of the certificate that signed the evidence, as this verifier names it
    /// @param issuedAt unix seconds at which the evidence was made
    /// @param publicKey, userData, nonce what the enclave and who asked it put into the evidence; may be empty
    struct Claims {
        bytes32 measurement;
        bytes32 endorsement;
        uint64 issuedAt;
        bytes publicKey;
        bytes userData;
        bytes nonce;
    }

    event EvidenceVerified(
        bytes32 indexed evidenceHash,
        bytes32 indexed measurement,
        bytes32 indexed endorsement
    );

    error AttestationVerifier_EvidenceTooOld(uint256 earliest, uint256 issuedAt);
    error AttestationVerifier_EvidenceFromFuture(uint256 latest, uint256 issuedAt);
    /// @dev The evidence is signed by a key that may not sign it.
    error AttestationVerifier_SignerRefused(bytes32 endorsement);
    error AttestationVerifier_HintsInvalid(uint256 expectedCount, uint256 actualCount);
    error AttestationVerifier_NotAContract(address account);

    /// @notice Verifies evidence and returns its claims; reverts if it is not valid at the block's time.
    ///
    /// Evidence that was verified once is remembered by its hash, and its signatures are not checked again; all that
    /// depends on time is. So the work can be done beforehand, in a transaction of its own; `abi.encode(claims)` with
    /// the claims that this returned then stands for the evidence, and is shorter.
    ///
    /// @param evidence the vendor's format, for Nitro the raw attestation document; or the encoded claims of evidence
    /// that was verified before
    /// @param hints values that make the check cheaper and are never trusted, in the vendor's order; may be empty if
    /// the evidence was verified before
    function verify(bytes calldata evidence, bytes[] calldata hints) external returns (Claims memory);

    /// @notice Whether the certificate behind an endorsement is known to this verifier, and nothing of its path is
    /// revoked now. Expiry does not matter: it judges evidence when it comes, not afterwards.
    function isEndorsed(bytes32 endorsement) external view returns (bool);

    /// @notice The names under which the certificates behind an endorsement can be revoked, its whole path; the same
    /// certificates have the same names at every verifier of the vendor. Reverts for an endorsement that is not known.
    function revocationKeys(bytes32 endorsement) external view returns (bytes32[] memory);

    /// @notice Whether one of these names is revoked where this verifier looks. It need not know the certificates: so an
    /// earlier verifier can be asked about the evidence of a later one.
    function isAnyRevoked(bytes32[] calldata keys) external view returns (bool);

    /// @notice Whether this very evidence, or evidence with these encoded claims, was verified before.
    function isVerified(bytes calldata evidence) external view returns (bool);
}
