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
  /** may register nodes without the binding nonce, for the public network's tools; nobody holds it at first */
  REGISTRAR: 4n,
} as const;
export type RoleName = keyof typeof ROLES;
