import { type Chain, callView } from "./chain.ts";

/** Whether the chain shows a request as settled, by whatever transaction. */
export async function isSettled(parameters: { chain: Chain; requestId: string }): Promise<boolean> {
  const [settled] = await callView({
    chain: parameters.chain,
    contract: "settlement",
    name: "isSettled",
    values: [parameters.requestId],
  });
  return settled === true;
}
