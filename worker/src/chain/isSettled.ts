import { type Chain, callView } from "./chain.ts";

/** Whether the chain shows a request as settled, by whatever transaction. */
export async function isSettled(parameters: {
  chain: Chain;
  requestId: string;
  /** number of the block whose state is asked; the latest where absent */
  block?: number;
}): Promise<boolean> {
  const { requestId, ...rest } = parameters;
  const [settled] = await callView({
    ...rest,
    contract: "settlement",
    name: "isSettled",
    values: [requestId],
  });
  return settled === true;
}
