import { join } from "node:path";
import { HDNodeWallet, Mnemonic } from "ethers";
import { freePort } from "../lib/freePort.ts";

/** Hardhat's public development mnemonic: its accounts are funded on the local chain and nowhere else. */
const DEVELOPMENT_MNEMONIC = "test test test test test test test test test test test junk";

/** Private key of a funded account of the local chain. */
export function developmentKey(index: number): string {
  const mnemonic = Mnemonic.fromPhrase(DEVELOPMENT_MNEMONIC);
  return HDNodeWallet.fromMnemonic(mnemonic, `m/44'/60'/0'/0/${index}`).privateKey;
}

/** Where everything of one demo run is reached. */
export type DemoEndpoints = { rpcUrl: string; workerUrl: string; indexerUrl: string };

export type DemoPorts = { chain: number; worker: number; indexer: number };

/** The usual ports, or free ones where something else listens. */
export async function choosePorts(): Promise<DemoPorts> {
  return {
    chain: await freePort(8545),
    worker: await freePort(8787),
    indexer: await freePort(42069),
  };
}

export const ROOT: string = join(import.meta.dirname, "..", "..");
