/**
 * x402's contract of the scheme `batch-settlement`, as it is published, on every chain that has it. Stock clients hash this
 * address into their channels, and know no other.
 */
export const BATCH_SETTLEMENT_ADDRESS = "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003";

/** What collects deposits by EIP-3009 for that contract, as it is published. */
export const ERC3009_COLLECTOR_ADDRESS = "0x4020806089470a89826cB9fB1f4059150b550004";
