/** Seconds between an image approver's decision and its effect: two days. */
export const IMAGE_APPROVAL_DELAY = 2 * 24 * 60 * 60;

/** Initial parameters of the TEE registry, in seconds. */
export const DEFAULT_HEARTBEAT_MAX_AGE = 30 * 60;
export const DEFAULT_ATTESTATION_MAX_AGE = 7 * 24 * 60 * 60;

/** Node types of the public network, in the order of their numbers. */
export const TEE_TYPES = ["LLMProxy", "Validator", "DataNode", "ZkmlProver"] as const;

/** States of a node as the registry numbers them: `NodeStatus` of its interface. */
export const NODE_STATUSES = [
  "unknown",
  "enabled",
  "disabled",
  "retired",
  "banned",
  "expelled",
] as const;
export type NodeStatus = (typeof NODE_STATUSES)[number];

/** States in which a node is excluded, its past results included. */
export const EXCLUDED_STATUSES: readonly NodeStatus[] = ["banned", "expelled"];
