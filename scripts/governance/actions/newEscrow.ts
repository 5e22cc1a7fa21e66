import { UPTO_PROXY_ADDRESS } from "@haca/protocol/signedPayments";
import { getAddress, getCreateAddress, isAddress } from "ethers";
import { addressOf } from "../../lib/chainSession.ts";
import { contractAt } from "../../lib/contracts.ts";
import { requireCreation } from "../deployBeforehand.ts";
import type { ActionContext, Deployment } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

type Chain = Pick<ActionContext, "book" | "provider">;

export const ESCROW = "InferenceEscrow";

/** An escrow over the deployment's pages and a proxy of x402. */
export const describeEscrow = (
  { book }: Pick<Chain, "book">,
  parameters: { proxy: string; address: string },
): Deployment => ({
  contract: ESCROW,
  constructorArguments: [
    ...[addressOf(book, "AccessManager"), addressOf(book, "PageSettlement")],
    parameters.proxy,
  ],
  address: parameters.address,
  words: `holds payments until a result is settled, over x402's proxy ${parameters.proxy}`,
});

/**
 * The escrow that the next values name, or the one that the account's next transaction would create; `isThere` says
 * which. Error: `governance.badArgument`.
 */
export async function readEscrow(
  context: ActionContext,
): Promise<{ escrow: Deployment; isThere: boolean }> {
  const { account: from, provider, values } = context;
  const given = values.optional() ?? UPTO_PROXY_ADDRESS;
  if (!isAddress(given)) throw refuse(`x402's proxy ${given} is no address`);
  const proxy = getAddress(given);
  if ((await provider.getCode(proxy)) === "0x") {
    throw refuse(`there is no x402 proxy at ${proxy} on this chain`);
  }
  const existing = values.optional();
  if (existing === undefined) {
    const nonce = await provider.getTransactionCount(from);
    const address = getCreateAddress({ from, nonce });
    return { escrow: describeEscrow(context, { proxy, address }), isThere: false };
  }
  if (!isAddress(existing)) throw refuse(`escrow ${existing} is no address`);
  const escrow = describeEscrow(context, { proxy, address: getAddress(existing) });
  await requireEscrow({ provider, escrow, transaction: values.text("its transaction") });
  return { escrow, isThere: true };
}

/** The block of the transaction that created it, by this repository's code. Error: `governance.badArgument`. */
export const requireEscrow = (parameters: {
  provider: ActionContext["provider"];
  escrow: Deployment;
  transaction: string;
}): Promise<number> =>
  requireCreation({
    ...{ provider: parameters.provider, transaction: parameters.transaction },
    deployment: parameters.escrow,
    described: "InferenceEscrow over that proxy and this deployment's pages",
  });

/** x402's proxy of an escrow. Error: `governance.badArgument`. */
export async function proxyOf(provider: ActionContext["provider"], address: string) {
  const escrow = contractAt({ name: ESCROW, address, runner: provider });
  return await escrow.PROXY().catch(() => {
    throw refuse(`${address} is no escrow`);
  });
}
