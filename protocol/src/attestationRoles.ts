/**
 * Roles of the AccessManager that the TEE registry and the certificate store know, and which function needs which.
 * Additions are slow: governance acts through the timelock, image approvers under a delay of the AccessManager.
 * Removals are instant: the guardian has no delay, and only functions that take something away.
 */
export const ATTESTATION_ROLES = {
  governance: 1n,
  imageApprover: 2n,
  guardian: 3n,
  registrar: 4n,
} as const;
export type AttestationRole = keyof typeof ATTESTATION_ROLES;

/** Restricted functions of the TEE registry, by role. */
export const TEE_REGISTRY_FUNCTIONS: Readonly<Record<AttestationRole, readonly string[]>> = {
  governance: [
    "addTEEType",
    "liftBan",
    "allowOperator",
    "setHeartbeatMaxAge",
    "setAttestationMaxAge",
    "setVerifier",
    "setBonds",
  ],
  imageApprover: ["approveImage", "approvePCR"],
  guardian: ["revokePCR", "banTEE", "denyOperator", "pauseAdmission"],
  registrar: ["registerTEEWithAttestation"],
};

/** Restricted functions of the certificate store, by role. */
export const CERTIFICATE_STORE_FUNCTIONS: Readonly<
  Partial<Record<AttestationRole, readonly string[]>>
> = { guardian: ["revoke"] };

/** Restricted functions of the node bonds, by role. */
export const NODE_BONDS_FUNCTIONS: Readonly<Partial<Record<AttestationRole, readonly string[]>>> = {
  governance: ["setAmount", "forfeit"],
};

/** Seconds between an image approver's decision and its effect: two days. */
export const IMAGE_APPROVAL_DELAY = 2 * 24 * 60 * 60;

/** Initial parameters of the registry, in seconds. */
export const DEFAULT_HEARTBEAT_MAX_AGE = 30 * 60;
export const DEFAULT_ATTESTATION_MAX_AGE = 7 * 24 * 60 * 60;

/** Node types of the public network, in the order of their ids. */
export const TEE_TYPES = ["LLMProxy", "Validator", "DataNode", "ZkmlProver"] as const;
