import { createTestClient, type Hex, http, publicActions, walletActions } from "viem";
import { foundry } from "viem/chains";
import { startProcess } from "./startProcess.ts";
import { waitFor } from "./waitFor.ts";

const GENESIS_SECONDS = 1_750_000_000;
/** What a transaction may use at most: an exact limit would hide that gas used is something else. */
const GAS_LIMIT = 16_777_216n;

/** A fresh anvil with chain id 31337 that mines one block per transaction, one second apart. */
export async function startChain() {
  const anvil = startProcess({
    command: "anvil",
    arguments: ["--port", "0", "--hardfork", "osaka", "--timestamp", String(GENESIS_SECONDS)],
  });
  const checkAlive = () => {
    if (anvil.child.exitCode !== null) {
      throw new Error(`anvil ended with ${anvil.child.exitCode}:\n${anvil.output()}`);
    }
  };
  const rpcUrl = await waitFor({
    checkAlive,
    probe: async () => {
      const match = /Listening on (127\.0\.0\.1:\d+)/.exec(anvil.output());
      return match === null ? undefined : `http://${match[1]}`;
    },
  });
  const client = createTestClient({
    mode: "anvil",
    chain: foundry,
    transport: http(rpcUrl),
    pollingInterval: 20,
    // A block number from the cache may be from before the last transaction.
    cacheTime: 0,
  })
    .extend(publicActions)
    .extend(walletActions);
  await client.setBlockTimestampInterval({ interval: 1 });
  const accounts = (await client.getAddresses()) as [Hex, Hex, ...Hex[]];

  /** Sends a transaction, from the first account by default, and returns its receipt; throws if it reverts. */
  const send = async (transaction: { from?: Hex; to?: Hex; data: Hex }) => {
    const { from = accounts[0], ...rest } = transaction;
    const hash = await client.sendTransaction({ account: from, gas: GAS_LIMIT, ...rest });
    // Asked again and again: viem's own waiting looks once per block, and here no further block may come.
    const receipt = await waitFor({
      checkAlive,
      probe: () => client.getTransactionReceipt({ hash }),
    });
    if (receipt.status !== "success") {
      throw new Error(`transaction ${hash} reverted`);
    }
    return receipt;
  };

  return { rpcUrl, client, accounts, send, stop: () => anvil.stop() };
}

export type Chain = Awaited<ReturnType<typeof startChain>>;
