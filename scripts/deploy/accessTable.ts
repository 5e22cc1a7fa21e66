/** The roles of the AccessManager. The timelock holds the first two, the guardian the third. */
export const ROLES = {
  ADMIN: 0n,
  GOVERNANCE: 1n,
  GUARDIAN: 2n,
} as const;
export type RoleName = keyof typeof ROLES;

export type AccessRule = {
  /** name in the address book */
  contract: string;
  /** signature of a function that is restricted through the AccessManager */
  function: string;
  role: Exclude<RoleName, "ADMIN">;
};

/**
 * Every function that is restricted through the AccessManager. A deployment writes this table into it;
 * docs/access-control.md says the same in words and a test compares all three.
 */
export const ACCESS_TABLE: readonly AccessRule[] = [
  {
    contract: "InferenceSettlement",
    function: "setSettlementWindow(uint64)",
    role: "GOVERNANCE",
  },
];
