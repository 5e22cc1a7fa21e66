import { COMMERCE_DEPLOYMENTS, type CommerceDeployment } from "@haca/protocol/commerceEscrows";
import type { Deployment } from "../plan/openDeployment.ts";

/** The step that creates what makes operators of commerce payments. */
const CREATION = "CommerceOperators";

/**
 * Over which version of the public escrow of commerce payments a deployment with the escrow creates what makes operators: that
 * of an earlier run, otherwise the newest that the chain has with its collectors. Or why none, in a line that begins with "on
 * this chain". What was begun goes on. Nobody rules it, so that a later run can still create it.
 */
export async function commerceFor(parameters: {
  deployment: Pick<Deployment, "provider" | "journal">;
  /** constructor arguments by the address book of an earlier run */
  earlier: readonly string[] | undefined;
}): Promise<{ commerce: CommerceDeployment } | { reason: string }> {
  const { deployment, earlier = [] } = parameters;
  const { journal, provider } = deployment;
  const isHere = async (address: string) => (await provider.getCode(address)) !== "0x";
  const found: CommerceDeployment[] = [];
  for (const commerce of COMMERCE_DEPLOYMENTS) {
    const { escrow, erc3009Collector, permit2Collector } = commerce;
    if (earlier.some((value) => value.toLowerCase().includes(escrow.slice(2).toLowerCase()))) {
      return { commerce };
    }
    const here = await Promise.all([escrow, erc3009Collector, permit2Collector].map(isHere));
    if (here.every(Boolean)) found.push(commerce);
  }
  const [newest] = COMMERCE_DEPLOYMENTS;
  const { intent, mined } = journal.progressOf(CREATION);
  const isBegun = intent !== undefined || mined !== undefined;
  const commerce = found[0] ?? (isBegun ? newest : undefined);
  if (commerce !== undefined) return { commerce };
  return {
    reason: `there is no public escrow of commerce payments at ${newest?.escrow}: no ${CREATION}`,
  };
}
