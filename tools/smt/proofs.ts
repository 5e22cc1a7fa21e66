/** What `npm run verify:<name>` proves, by name. */
export const PROOFS = {
  vesting: {
    source: "test/contracts/proofs/VestingScheduleProof.sol",
    contract: "VestingScheduleProof",
    counterproof: "VestingScheduleCounterproof",
    asserts: 7,
    domain: "all schedules and times",
  },
  stake: {
    source: "test/contracts/proofs/PoolSharesProof.sol",
    contract: "PoolSharesProof",
    counterproof: "PoolSharesCounterproof",
    asserts: 17,
    domain: "all amounts and shares",
  },
} as const;

export type Proof = (typeof PROOFS)[keyof typeof PROOFS];
