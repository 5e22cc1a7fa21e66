import type { JsonRpcProvider } from "ethers";
import { answerOf } from "./rpcErrors.ts";

/** What the chain asks at the moment, in wei per gas. */
export type Market = { baseFee: bigint; tip: bigint };

/** What an endpoint says of fees, in wei per gas: its own tip, or else a price with the base fee in it. */
export type Asked = { tip: bigint } | { gasPrice: bigint };

/**
 * Asks an endpoint for its tip. Where it has no `eth_maxPriorityFeePerGas`, or answers nothing to it, for its
 * `eth_gasPrice`: every endpoint has that one.
 */
export async function askFees(provider: JsonRpcProvider): Promise<Asked> {
  const tip = await provider
    .send("eth_maxPriorityFeePerGas", [])
    .then(quantityOf)
    .catch(() => undefined);
  if (tip !== undefined) return { tip };
  return { gasPrice: quantityOf(await answerOf(provider.send("eth_gasPrice", []))) ?? 0n };
}

/** What the chain asks, with the latest block's base fee: of a price, the tip is what is left above that. */
export function marketOf({ asked, baseFee }: { asked: Asked; baseFee: bigint }): Market {
  if ("tip" in asked) return { baseFee, tip: asked.tip };
  const { gasPrice } = asked;
  return { baseFee, tip: gasPrice > baseFee ? gasPrice - baseFee : 0n };
}

/** A number in hex; undefined for whatever else an endpoint says, such as `0x`. */
function quantityOf(answer: unknown): bigint | undefined {
  return typeof answer === "string" && /^0x[0-9a-f]+$/i.test(answer) ? BigInt(answer) : undefined;
}
