import type { JsonRpcProvider } from "ethers";
import { answerOf } from "./rpcErrors.ts";

/** What the chain asks at the moment, in wei per gas. */
export type Market = { baseFee: bigint; tip: bigint };

/**
 * What the chain asks, in wei per gas. Where the endpoint has no `eth_maxPriorityFeePerGas`, or answers nothing to it, the
 * tip is what `eth_gasPrice` leaves above the base fee: every endpoint has that one.
 */
export async function readMarket(parameters: {
  provider: JsonRpcProvider;
  baseFee: bigint;
}): Promise<Market> {
  const { provider, baseFee } = parameters;
  const tip = await provider
    .send("eth_maxPriorityFeePerGas", [])
    .then(quantityOf)
    .catch(() => undefined);
  if (tip !== undefined) return { baseFee, tip };
  const price = quantityOf(await answerOf(provider.send("eth_gasPrice", []))) ?? 0n;
  return { baseFee, tip: price > baseFee ? price - baseFee : 0n };
}

/** A number in hex; undefined for whatever else an endpoint says, such as `0x`. */
function quantityOf(answer: unknown): bigint | undefined {
  return typeof answer === "string" && /^0x[0-9a-f]+$/i.test(answer) ? BigInt(answer) : undefined;
}
