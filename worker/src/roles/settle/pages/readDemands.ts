import { placesOf } from "@haca/protocol/pageSettlement";
import { requestIdAt } from "@haca/protocol/requestId";
import { ZeroAddress } from "ethers";
import { callMany } from "../../../chain/callMany.ts";
import { pageInterface } from "../../../chain/chain.ts";
import { RetryableError } from "../../../errors.ts";
import { claimDemandLooks, type Demand, noteDemands } from "../../../jobs/demands.ts";
import type { ProposedPage } from "../../../jobs/pages.ts";
import type { SettleContext } from "../settleContext.ts";
import type { PagePorts } from "./pagePorts.ts";

/** Pages that a pass asks for. */
const LIMIT = 64;

type Parameters = { context: SettleContext; pages: PagePorts };

/**
 * Reads from the chain which proofs of own pages are demanded, and notes them for whoever proves. It is read as it stands in the
 * latest block, and again at each look: what a process has missed, or a reorganisation has brought back, is seen by the next.
 */
export async function readDemands({ context, pages }: Parameters): Promise<void> {
  const { database, logger } = context;
  const looked = { database, restSeconds: pages.lookSeconds, limit: LIMIT };
  const own = await claimDemandLooks(looked);
  const clocks = await ask(
    { context, pages },
    "clockOf",
    own.map(({ pageId }) => [pageId]),
  );
  for (const [place, page] of own.entries()) {
    const { pageId } = page;
    const { open } = clocks[place] as { open: bigint };
    const demands = open === 0n ? [] : await demandsOf({ context, pages, page });
    for (const requestId of await noteDemands({ database, pageId, demands })) {
      const deadline = demands.find((demand) => demand.requestId === requestId)?.deadline;
      const fields = { requestId, page: pageId, until: Number(deadline) };
      logger.warn(fields, "a proof is demanded: it goes before all other work");
    }
  }
}

async function demandsOf(parameters: Parameters & { page: ProposedPage }): Promise<Demand[]> {
  const { header, pageId } = parameters.page;
  const { ledgerPage } = header;
  const places = placesOf(header);
  const answers = await ask(
    parameters,
    "demandOf",
    places.map((index) => [pageId, index]),
  );
  return places.flatMap((index, i) => {
    const { deadline, requester } = answers[i] as { requester: string; deadline: bigint };
    return requester === ZeroAddress
      ? []
      : [{ requestId: requestIdAt({ ledgerPage, index }), deadline }];
  });
}

/** What a view answers to each of these, as of the latest block. */
async function ask(
  { context, pages }: Parameters,
  name: "clockOf" | "demandOf",
  values: readonly (readonly unknown[])[],
): Promise<unknown[]> {
  const calls = values.map((one) => ({
    to: pages.contract,
    data: pageInterface.encodeFunctionData(name, one),
  }));
  const answers = await callMany({ provider: context.chain.provider, calls, block: "latest" });
  return answers.map((answer) => {
    if (typeof answer === "string" && answer !== "0x") {
      return pageInterface.decodeFunctionResult(name, answer)[0] as unknown;
    }
    const words = typeof answer === "string" ? "nothing" : answer.message;
    throw new RetryableError({
      code: "page.demandsUnread",
      message: `HACA_RPC_URL: asked for demands of a page, the endpoint answers ${words}`,
    });
  });
}
