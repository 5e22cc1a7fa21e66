import { HDNodeWallet, JsonRpcProvider, Mnemonic } from "ethers";
import { chainCommand } from "../lib/chainAlone.ts";
import { freePort } from "../lib/freePort.ts";
import type { ProcessGroup } from "../lib/processGroup.ts";
import { pollReceipts } from "../lib/receiptPolling.ts";

export const CHAIN_ID = 31337;
const POLLING_MS = 100;

/** Hardhat's public development mnemonic: its accounts have funds on a local chain and nowhere else. */
const DEVELOPMENT_MNEMONIC = "test test test test test test test test test test test junk";

/** Private key of a funded account of the local chain. */
export function developmentKey(index: number): string {
  const mnemonic = Mnemonic.fromPhrase(DEVELOPMENT_MNEMONIC);
  return HDNodeWallet.fromMnemonic(mnemonic, `m/44'/60'/0'/0/${index}`).privateKey;
}

/**
 * Starts Hardhat's chain and returns its URL once it answers.
 * @param parameters.port the one that is taken if it is free, else another; zero: any, for whoever starts several at once
 */
export async function startChain(parameters: {
  group: ProcessGroup;
  timeoutMs: number;
  port?: number;
}): Promise<string> {
  const { group, timeoutMs } = parameters;
  const port = await freePort(parameters.port ?? 8545);
  const url = `http://127.0.0.1:${port}`;
  group.start({
    name: "chain",
    command: process.execPath,
    arguments: chainCommand({ port, chainId: CHAIN_ID }),
  });
  await group.waitFor({
    name: "chain",
    timeoutMs,
    probe: async () => {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
      });
      const { result }: { result?: string } = (await response.json()) as { result?: string };
      return Number(result) === CHAIN_ID ? true : undefined;
    },
  });
  return url;
}

/** The local chain, for as long as `use` takes. */
export async function withChain<T>(
  rpcUrl: string,
  use: (provider: JsonRpcProvider) => Promise<T>,
): Promise<T> {
  const provider = new JsonRpcProvider(rpcUrl, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
  provider.pollingInterval = POLLING_MS;
  pollReceipts(provider, POLLING_MS);
  try {
    return await use(provider);
  } finally {
    provider.destroy();
  }
}
