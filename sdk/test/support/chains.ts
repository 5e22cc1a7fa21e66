import { afterEach } from "vitest";
import { type Contracts, type Endpoint, type FakeChain, serveChain } from "./fakeChain.ts";
import { NOW } from "./vectors.ts";

export const REGISTRY = `0x${"ee".repeat(20)}`;
export const MODELS = `0x${"dd".repeat(20)}`;
export const SESSION_FROM = 1_899_000_000n;

/** A chain on which everything is as it should be, and nothing is settled. */
export const HONEST: Contracts = {
  teeRegistry: () => [REGISTRY],
  modelRegistry: () => [MODELS],
  settlementData: () => [1, REGISTRY, 2, 1, 0],
  wasInService: () => [true],
  isTEEActive: () => [true],
  sessionKey: () => [{ from: SESSION_FROM, until: NOW, signsResults: true }],
  isSettled: () => [false],
  digestOf: () => [`0x${"00".repeat(32)}`],
  isLedgerWriter: () => [true],
  verifyInclusion: () => [2, 0, 0],
  occupied: () => [0],
  settlementWindow: () => [86_400],
};

export const endpoints: Endpoint[] = [];

/** Serves chains for a test, and ends them after it. */
export function servedChains(): (chain?: Partial<FakeChain>) => Promise<string> {
  afterEach(() => {
    for (const { close } of endpoints.splice(0)) close();
  });
  return async (chain = {}) => {
    const endpoint = await serveChain({ time: NOW, contracts: HONEST, ...chain });
    endpoints.push(endpoint);
    return endpoint.url;
  };
}
