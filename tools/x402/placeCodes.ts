import { BaseError } from "@haca/protocol/baseError";
import { JsonRpcProvider } from "ethers";
import { firstLine } from "../../scripts/lib/words.ts";
import { genuineCodes, uptoCodes } from "../../testing/uptoContracts.ts";

/** The only chain whose codes are anybody's to set. */
const CHAIN_ID = 31_337;

/** Puts what payments need besides the project's contracts on a local chain. @throws BaseError `x402.badOption`, `x402.badCodes`, `x402.notSet` */
export async function placeCodes(rpcUrl: string): Promise<void> {
  if (!/^https?:\/\/./.test(rpcUrl) || !URL.canParse(rpcUrl)) {
    const message = `--rpc-url must be an http URL, got ${JSON.stringify(rpcUrl)}`;
    throw new BaseError({ code: "x402.badOption", message });
  }
  const codes = Object.entries(uptoCodes());
  const genuine = genuineCodes();
  const provider = new JsonRpcProvider(rpcUrl, CHAIN_ID, { staticNetwork: true });
  try {
    const chainId = Number(await provider.send("eth_chainId", []));
    if (chainId !== CHAIN_ID) {
      throw new RangeError(`it is chain ${chainId}, not a local one (${CHAIN_ID})`);
    }
    for (const [address, code] of codes) {
      await provider.send("hardhat_setCode", [address, code]);
      console.log(`${address in genuine ? "genuine " : "stand-in"}  ${address}`);
    }
  } catch (cause) {
    const message = `--rpc-url ${rpcUrl}: ${firstLine(cause)}`;
    throw new BaseError({ code: "x402.notSet", message, cause });
  } finally {
    provider.destroy();
  }
}
