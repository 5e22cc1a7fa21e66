import { NODE_STATUSES } from "../attestationParameters.ts";
import { type Explanations, named, time } from "./explain.ts";

const statusOf = (number: unknown): string => named(NODE_STATUSES, number);

/** Of registry, verifiers, certificates and bonds, what a person can do something about. */
export const ENCLAVE_ERRORS: Explanations = {
  TEERegistry_NodeUnknown: ([id]) => `the registry has no node ${id}`,
  TEERegistry_NodeExists: ([id]) =>
    `node ${id} is registered already; its attestation can be renewed`,
  TEERegistry_NotOperator: ([expected, actual]) =>
    `only the node's operator ${expected} may do this, not ${actual}`,
  TEERegistry_OperatorDenied: ([operator]) => `operator ${operator} is denied by the guardian`,
  TEERegistry_StatusInvalid: ([id, status]) =>
    `node ${id} is ${statusOf(status)}: not possible in that state`,
  TEERegistry_ImageNotApproved: ([hash, type]) => `image ${hash} is not approved for type ${type}`,
  TEERegistry_ApprovalOutdated: ([expected]) =>
    `the image was revoked since this approval was made; an approval now has to name ${expected}`,
  TEERegistry_SignerRevoked: ([id]) => `certificate ${id} behind the document is revoked`,
  TEERegistry_EvidenceTypeMismatch: ([expected, actual]) =>
    `the verifier reads evidence of kind ${actual}, those under this id read ${expected}`,
  TEERegistry_VerifierMismatch: ([expected, actual]) =>
    `the node was admitted by verifier ${expected}, and not by ${actual}`,
  TEERegistry_AdmissionPaused: ([until]) =>
    `admissions of new nodes are paused until ${time(until)}`,
  TEERegistry_BindingMismatch: ([expected, actual]) =>
    `the evidence is bound to ${actual}; this sender, payment address, endpoint and type need ${expected}`,
  TEERegistry_KeysMismatch: () => "the evidence vouches for another TLS certificate or signing key",
  TEERegistry_KeyMismatch: ([expected, actual]) =>
    `the enclave's key is node ${actual}, not ${expected}`,
  TEERegistry_ImageMismatch: ([expected, actual]) =>
    `the enclave runs image ${actual}, the node was admitted with ${expected}`,
  TEERegistry_EvidenceNotNewer: ([last, actual]) =>
    `the document of ${time(actual)} is not newer than the last one, of ${time(last)}`,
  TEERegistry_HeartbeatStale: ([earliest, actual]) =>
    `the heartbeat of ${time(actual)} is too old, it must not be before ${time(earliest)}`,
  TEERegistry_HeartbeatFromFuture: ([latest, actual]) =>
    `the heartbeat of ${time(actual)} is ahead of the chain, which takes them until ${time(latest)}`,
  TEERegistry_SignatureInvalid: ([id]) => `the signature is not by the key of node ${id}`,
  AttestationVerifier_EvidenceTooOld: ([earliest, issued]) =>
    `the document of ${time(issued)} is too old, it must not be before ${time(earliest)}`,
  AttestationVerifier_EvidenceFromFuture: ([latest, issued]) =>
    `the document of ${time(issued)} is ahead of the chain, which takes them until ${time(latest)}`,
  CertificateStore_RootMismatch: () =>
    "the document's root certificate is not the one that this deployment pins",
  CertificateStore_Revoked: ([id]) => `certificate ${id} behind the document is revoked`,
  CertificateStore_RootIsPinned: () => "the pinned root cannot be revoked: governance replaces it",
  CertificateStore_CertificateUnknown: ([id]) => `no certificate ${id} is stored`,
  CertificateStore_AlreadyRevoked: () => "that is revoked already",
  CertificateStore_Expired: ([id, notAfter]) =>
    `certificate ${id} behind the document expired at ${time(notAfter)}`,
  NodeBonds_NoBond: ([id]) => `no bond of node ${id} is held`,
  NodeBonds_StatusInvalid: ([id, expected, actual]) =>
    `node ${id} is ${statusOf(actual)}; it has to be ${statusOf(expected)}`,
  NodeBonds_TooEarly: ([earliest]) => `the bond is paid back from ${time(earliest)} on`,
  NitroDocument_DebugMode: () => "the enclave runs in debug mode",
};
