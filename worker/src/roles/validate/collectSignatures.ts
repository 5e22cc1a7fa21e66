import { ATTESTATION_TYPES, stakingDomain } from "@haca/protocol/validatorStaking";
import { Signature, verifyTypedData } from "ethers";
import { describeError } from "../../errors.ts";
import { latestBlock } from "../../verifier/pageViews.ts";
import { epochOf, frozenSet } from "../../verifier/stakingViews.ts";
import { type Attestation, claimPages, keepAttestation } from "./attestations.ts";
import type { ValidateContext } from "./validateContext.ts";

/** Pages that a pass asks about, and until each is asked about again. */
const LIMIT = 32;
const REST_SECONDS = 2;

/** Who made a signature for a page; undefined for whatever is none. */
function signerOf(parameters: {
  chainId: bigint;
  staking: string;
  pageId: string;
  signature: string;
}): string | undefined {
  const { pageId, signature } = parameters;
  try {
    const whole = Signature.from(signature);
    return verifyTypedData(stakingDomain(parameters), ATTESTATION_TYPES, { pageId }, whole);
  } catch {
    return undefined;
  }
}

/**
 * Asks peers for their signatures of pages that this validator has signed, and keeps those of members of the set. Peers are
 * asked side by side, so that one that hangs holds up nobody for longer than its time.
 */
export function createCollectPass(
  context: ValidateContext,
  signal: AbortSignal,
): () => Promise<boolean> {
  const { database, key, logger, peers } = context;
  return async () => {
    const claimed = { database, key: key.address, restSeconds: REST_SECONDS, limit: LIMIT };
    const pages = peers.length === 0 ? [] : await claimPages({ ...claimed, purpose: "collect" });
    if (pages.length === 0) return false;
    const head = await latestBlock(context);
    const set = await frozenSet({ context, epoch: epochOf(BigInt(head.timestamp)), head });
    if (set === undefined) return false;
    const keys = new Set(set.members.map((member) => member.key));
    // This validator's own is here before anybody else has it.
    keys.delete(key.address);
    await Promise.all(
      peers.map(async (peer) => {
        for (const { pageId } of pages) {
          if (peer.isResting || signal.aborted) return;
          const found = await peer.ask(pageId, signal).catch((error: unknown) => {
            const words = describeError(error);
            logger.warn({ peer: new URL(peer.url).host, error: words }, "peer of no use: later");
            return [];
          });
          await keepGenuine({ context, pageId, found, keys });
        }
      }),
    );
    return false;
  };
}

async function keepGenuine(parameters: {
  context: ValidateContext;
  pageId: string;
  found: readonly Attestation[];
  /** of the set's members */
  keys: ReadonlySet<string>;
}): Promise<void> {
  const { context, found, keys, pageId } = parameters;
  const { chain, database, logger, staking } = context;
  for (const { signature } of found) {
    const key = signerOf({ chainId: chain.chainId, staking, pageId, signature });
    if (key === undefined || !keys.has(key)) continue;
    const kept = { database, pageId, attestation: { key, signature } };
    if (await keepAttestation(kept)) logger.info({ page: pageId, key }, "signature of a peer");
  }
}
