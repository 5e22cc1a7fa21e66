import { type BytesLike, Interface } from "ethers";
import type { ViewCaller } from "./viewCaller.ts";

const tokenInterface = new Interface([
  "function decimals() view returns (uint8)",
  "function DOMAIN_SEPARATOR() view returns (bytes32)",
]);

/** What a token says of itself; null where it does not. */
export type TokenState = {
  decimals: number | null;
  /** of its EIP-712 domain, which the name and version that payers sign under have to make */
  domainSeparator: string | null;
};

/** Asks a token in the latest block. @throws RetryableError where the endpoint fails */
export async function readToken(caller: ViewCaller, token: string): Promise<TokenState> {
  const ask = async (name: "decimals" | "DOMAIN_SEPARATOR"): Promise<unknown> =>
    firstIn(name, await caller.call(token, tokenInterface.encodeFunctionData(name)));
  const decimals = await ask("decimals");
  const domainSeparator = await ask("DOMAIN_SEPARATOR");
  return {
    decimals: decimals === undefined ? null : Number(decimals),
    domainSeparator: domainSeparator === undefined ? null : String(domainSeparator),
  };
}

function firstIn(name: string, answer: BytesLike | undefined): unknown {
  if (answer === undefined) return undefined;
  try {
    return tokenInterface.decodeFunctionResult(name, answer)[0];
  } catch {
    return undefined;
  }
}
