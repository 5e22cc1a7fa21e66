import { UPTO_PROXY_ADDRESS } from "@haca/protocol/signedPayments";
import { refuse } from "../parameters/readParameters.ts";
import type { Deployment } from "../plan/openDeployment.ts";

/** The step that creates the escrow, and the last one that needs the deployer to administer. */
const [CREATION, HANDOVER] = ["InferenceEscrow", "renounce_accessManager"];

/**
 * Whether a deployment creates the escrow, which needs x402's proxy: with which proxy, or why not, in a line that begins
 * with "on this chain". What was begun goes on as it was; once everything is handed over, governance alone can add it.
 * Error `deploy.badParameters` if the parameters name a proxy that the chain does not have.
 */
export async function proxyForEscrow(parameters: {
  deployment: Pick<Deployment, "provider" | "journal" | "chainId">;
  /** of the parameters */
  given: string | undefined;
  /** where the parameters come from */
  source: string;
  /** by the address book of an earlier run */
  earlier: { isHandedOver: boolean; hasEscrow: boolean };
}): Promise<{ proxy: string } | { reason: string } | undefined> {
  const { deployment, earlier, given, source } = parameters;
  const { chainId, journal, provider } = deployment;
  const proxy = given ?? UPTO_PROXY_ADDRESS;
  const { intent, mined } = journal.progressOf(CREATION);
  if (intent !== undefined || mined !== undefined) return { proxy };
  if (earlier.hasEscrow) return undefined;
  const isHandedOver = journal.progressOf(HANDOVER).mined !== undefined || earlier.isHandedOver;
  if (isHandedOver) {
    return {
      reason: "everything is handed over without InferenceEscrow: governance adds it (add-escrow)",
    };
  }
  if ((await provider.getCode(proxy)) !== "0x") return { proxy };
  if (given !== undefined) {
    const message = `there is no contract at ${given} on chain ${chainId}`;
    refuse(source, [{ field: "uptoProxy", message }]);
  }
  return { reason: `there is no x402 proxy at ${proxy}: no InferenceEscrow` };
}
