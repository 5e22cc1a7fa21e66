import hre from "hardhat";

/** Whether the contracts are instrumented, and cost many times what they cost otherwise. */
export const isInstrumented = hre.globalOptions.coverage;

/** EIP-7825: what one transaction may use at most. */
const TRANSACTION_GAS_LIMIT = 16_777_216n;
const INSTRUMENTED_GAS_LIMIT = 1_000_000_000n;

/** Overrides for transactions that estimates are too slow for: as much gas as there can be. */
export const GAS = { gasLimit: isInstrumented ? INSTRUMENTED_GAS_LIMIT : TRANSACTION_GAS_LIMIT };
