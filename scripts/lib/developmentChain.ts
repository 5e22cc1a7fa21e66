/** Chains that are thrown away and started anew under the same id. */
const DEVELOPMENT_CHAINS: ReadonlySet<number> = new Set([31337]);

export const isDevelopmentChain = (chainId: number): boolean => DEVELOPMENT_CHAINS.has(chainId);
