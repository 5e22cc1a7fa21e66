// SPDX-License-Identifier: MIT
pragma solidity >=0.8.24;

/// @title IAttestationVerifier
/// @notice What an enclave's evidence says, once it is verified. One implementation per vendor; whatever the vendor's
/// format is, ends behind this interface.
///
/// Duties of whoever integrates a verifier:
/// - Decide whether `measurement` is code you trust, at every use, and only among measurements of the same
///   `evidenceType`.
/// - Bind the evidence to your purpose: compare `binding` with `carriedBinding` of a value that only fits your contract,
///   chain and caller. Evidence is public once it is in a transaction, and anybody can present it.
/// - Keep `signerCertificate` and ask `isTrusted` at every use: a certificate may be revoked later.
/// - Refuse evidence that is not newer than what you have accepted of the same enclave.
interface IAttestationVerifier {
    /// @notice What verified evidence says. Of one size, whatever the vendor puts in.
    /// @param measurement keccak256 of the code's measurements, as the vendor takes them
    /// @param keysHash which keys the enclave holds: keccak256(SHA256(TLS certificate, DER) | SHA256(signing key,
    /// SubjectPublicKeyInfo in DER)); zero if it does not say
    /// @param binding what the evidence was asked for, as it carries it; zero if it carries none
    /// @param issuedAt unix seconds at which the evidence was made
    /// @param signerCertificate id of the certificate that signed the evidence, as this verifier names it
    struct Claims {
        bytes32 measurement;
        bytes32 keysHash;
        bytes32 binding;
        uint64 issuedAt;
        bytes32 signerCertificate;
    }

    /// @notice Evidence was verified for the first time.
    /// @param evidenceHash keccak256 of the evidence
    /// @param measurement as in its claims
    /// @param signerCertificate as in its claims
    event EvidenceVerified(
        bytes32 indexed evidenceHash,
        bytes32 indexed measurement,
        bytes32 indexed signerCertificate
    );

    /// @notice The evidence is older than this verifier takes.
    /// @param earliest the earliest time that it would take in this block, in unix seconds
    /// @param issuedAt when the evidence was made
    error AttestationVerifier_EvidenceTooOld(uint256 earliest, uint256 issuedAt);
    /// @notice The evidence is further ahead of the chain than clocks may differ.
    /// @param latest the latest time that it would take in this block, in unix seconds
    /// @param issuedAt when the evidence says that it was made
    error AttestationVerifier_EvidenceFromFuture(uint256 latest, uint256 issuedAt);
    /// @notice The evidence is signed by a key that may not sign it, such as an authority's.
    /// @param signerCertificate id of that key's certificate
    error AttestationVerifier_SignerRefused(bytes32 signerCertificate);
    /// @notice Evidence that is new to this verifier came with a wrong number of hints.
    /// @param expectedCount how many signatures it has
    /// @param actualCount how many hints there are
    error AttestationVerifier_HintsInvalid(uint256 expectedCount, uint256 actualCount);
    /// @notice The verifier was to be created over an address without code.
    /// @param account that address
    error AttestationVerifier_NotAContract(address account);

    /// @notice Verifies evidence and returns its claims; reverts if it is not valid at the block's time.
    ///
    /// Evidence that was verified once is remembered by its hash, and its signatures are not checked again; all that
    /// depends on time is. So the work can be done beforehand, in a transaction of its own; `abi.encode(claims)` with
    /// the claims that this returned then stands for the evidence, and is shorter.
    ///
    /// @param evidence in the vendor's format; or the encoded claims of evidence that was verified before
    /// @param hints values that make the check cheaper and are never trusted, in the vendor's order; may be empty if
    /// the evidence was verified before
    /// @return claims what the evidence says
    function verify(bytes calldata evidence, bytes[] calldata hints) external returns (Claims memory claims);

    /// @notice What kind of evidence this verifier reads. Measurements of different kinds are never compared.
    /// @return kind keccak256 of the kind's name; the same for every verifier of the kind, and never zero
    function evidenceType() external view returns (bytes32 kind);

    /// @notice What evidence of this kind carries in `binding` if it was asked for with this value: the value itself, or
    /// as much of it as the vendor's format has room for.
    /// @param binding a hash over everything that the evidence is to be bound to
    /// @return carried what to compare `Claims.binding` with; never zero for a hash
    function carriedBinding(bytes32 binding) external view returns (bytes32 carried);

    /// @notice Whether a certificate that signed evidence is known to this verifier, and nothing of its path is revoked
    /// now. Expiry does not matter: it judges evidence when it comes, not afterwards.
    /// @param signerCertificate id of the certificate, from claims
    /// @return trusted false for one that is not known
    function isTrusted(bytes32 signerCertificate) external view returns (bool trusted);

    /// @notice The names under which a certificate that signed evidence can be revoked, its whole path; the same
    /// certificates have the same names at every verifier of the vendor. Reverts for a certificate that is not known.
    /// @param signerCertificate id of the certificate, from claims
    /// @return keys the names
    function revocationKeys(bytes32 signerCertificate) external view returns (bytes32[] memory keys);

    /// @notice Whether one of these names is revoked where this verifier looks. It need not know the certificates: so an
    /// earlier verifier can be asked about the evidence of a later one.
    /// @param keys names, from `revocationKeys`
    /// @return revoked whether one of them is
    function isAnyRevoked(bytes32[] calldata keys) external view returns (bool revoked);

    /// @notice Whether this very evidence, or evidence with these encoded claims, was verified before.
    /// @param evidence the evidence, or its encoded claims
    /// @return verified whether `verify` needs no hints for it
    function isVerified(bytes calldata evidence) external view returns (bool verified);
}
