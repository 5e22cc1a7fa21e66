import { RetryableError } from "../errors.ts";
import type { Chain } from "./chain.ts";
import { answerOf } from "./rpcErrors.ts";

/**
 * Asks the endpoint again which chain it serves: what another chain says of a request, a nonce or a receipt must
 * decide nothing here. @throws RetryableError
 */
export async function requireSameChain(chain: Chain): Promise<void> {
  const actual = BigInt((await answerOf(chain.provider.send("eth_chainId", []))) as string);
  if (actual === chain.chainId) return;
  throw new RetryableError({
    code: "rpc.otherChain",
    message: `HACA_RPC_URL: the endpoint now serves chain ${actual}, not ${chain.chainId}`,
  });
}
