import { id, ZeroHash } from "ethers";

/**
 * The roles of the AccessManager. Additions are slow: governance acts through the timelock, image approvers under a
 * delay of the AccessManager. Removals are instant: the guardian has no delay, and only functions that take away.
 */
export const ROLES = {
  /** decides who holds a role, and which role a function needs; functions without a rule are its own */
  ADMIN: 0n,
  GOVERNANCE: 1n,
  GUARDIAN: 2n,
  IMAGE_APPROVER: 3n,
  /** may register nodes without the binding nonce, through the legacy entry point; nobody holds it at first */
  REGISTRAR: 4n,
} as const;
export type RoleName = keyof typeof ROLES;

/** Roles of the timelock, as OpenZeppelin's TimelockController names them. */
export const TIMELOCK_ROLES = {
  DEFAULT_ADMIN_ROLE: ZeroHash,
  PROPOSER_ROLE: id("PROPOSER_ROLE"),
  EXECUTOR_ROLE: id("EXECUTOR_ROLE"),
  CANCELLER_ROLE: id("CANCELLER_ROLE"),
} as const;
