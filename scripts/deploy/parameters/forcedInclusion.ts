const HOUR = 60 * 60;
const DAY = 24 * HOUR;

/**
 * For how long a chain's sequencer can keep a transaction out until it can be forced in: twice what the chain says of
 * itself, since whoever just missed one window waits for the next. docs/deploying.md has the sources.
 */
const KNOWN_CHAINS: ReadonlyMap<number, { name: string; delay: number }> = new Map([
  [10, { name: "OP Mainnet", delay: DAY }],
  [11155420, { name: "OP Sepolia", delay: DAY }],
  [8453, { name: "Base", delay: DAY }],
  [84532, { name: "Base Sepolia", delay: DAY }],
  [42161, { name: "Arbitrum One", delay: 2 * DAY }],
  [421614, { name: "Arbitrum Sepolia", delay: 2 * DAY }],
]);

/** Fewest seconds that are given to a chain, where one is known. */
export const knownInclusionDelay = (chainId: number): { name: string; delay: number } | undefined =>
  KNOWN_CHAINS.get(chainId);

/**
 * The delay that a deployment takes, in seconds: what its parameters say, else what is known of the chain. A chain that
 * is not known has to be given one, and a known one may not be given less: pages would become final before a challenge
 * that is kept out can be forced in.
 */
export function inclusionDelayOf(parameters: {
  given: number | undefined;
  chain: { isDevelopmentChain: true } | { isDevelopmentChain: boolean; chainId: number };
}): { delay: number; problem?: string } {
  const { given, chain } = parameters;
  if (chain.isDevelopmentChain || !("chainId" in chain)) return { delay: given ?? 0 };
  const { chainId } = chain;
  const known = knownInclusionDelay(chainId);
  const delay = given ?? known?.delay;
  if (delay === undefined) {
    const problem = `is missing, and nothing is known of chain ${chainId}: name the seconds for which its sequencer can keep a transaction out, 0 where it has none (docs/deploying.md)`;
    return { delay: 0, problem };
  }
  if (known !== undefined && delay < known.delay) {
    const problem = `must be at least ${known.delay} s on ${known.name}, is ${delay}`;
    return { delay, problem };
  }
  return { delay };
}
