import { concat, solidityPackedKeccak256 } from "ethers";
import { stakingInterface } from "../../chain/chain.ts";
import { withDuty } from "../../verifier/duties.ts";
import { viewPage } from "../../verifier/pageViews.ts";
import { sendCall } from "../../verifier/sendCall.ts";
import type { FrozenSet } from "../../verifier/snapshots.ts";
import { epochOf, frozenSet } from "../../verifier/stakingViews.ts";
import type { WatchedPage } from "../../verifier/watchedPages.ts";
import type { Step } from "../watch/watchContext.ts";
import {
  type Attestation,
  listAttestations,
  listSigned,
  secondsSinceLast,
} from "./attestations.ts";
import type { ValidateContext } from "./validateContext.ts";

/** Pages that a pass looks at. */
const LIMIT = 64;
/** Signers take turns in an order that differs from page to page: the next one sends if nobody has after so long. */
const TURN_SECONDS = 20;

/** Signatures as the contract takes them. */
export type Quorum = { signers: bigint; signatures: string; keys: string[] };

/** The signatures of members of a set, if they have more than two thirds of its stake. */
export function quorumOf(parameters: {
  set: FrozenSet;
  attestations: readonly Attestation[];
}): Quorum | undefined {
  const { attestations, set } = parameters;
  const { members, minimumTotalStake, total } = set;
  const byKey = new Map(attestations.map(({ key, signature }) => [key, signature]));
  let [signers, weight] = [0n, 0n];
  const signatures: string[] = [];
  const keys: string[] = [];
  for (const [place, { key, stake }] of members.entries()) {
    const signature = byKey.get(key);
    if (signature === undefined) continue;
    signers |= 1n << BigInt(place);
    weight += stake;
    signatures.push(signature);
    keys.push(key);
  }
  if (total < minimumTotalStake || 3n * weight <= 2n * total) return undefined;
  return { signers, signatures: concat(signatures), keys };
}

/** Whose turn it is: the place of a key among signers of a page. */
export function turnOf(parameters: {
  pageId: string;
  keys: readonly string[];
  key: string;
}): number {
  const { key, keys, pageId } = parameters;
  const rankOf = (one: string) => solidityPackedKeccak256(["bytes32", "address"], [pageId, one]);
  return [...keys].sort((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1)).indexOf(key);
}

/** Brings the signatures of a quorum, where nobody else has. */
export const attestPages =
  (context: ValidateContext): Step =>
  async ({ head, sender }) => {
    const { database } = context;
    const pages = await listSigned({ database, key: context.key.address, limit: LIMIT });
    if (pages.length === 0) return;
    const set = await frozenSet({ context, epoch: epochOf(BigInt(head.timestamp)), head });
    if (set === undefined) return;
    for (const page of pages) {
      const { pageId } = page;
      const quorum = quorumOf({ set, attestations: await listAttestations({ database, pageId }) });
      if (quorum === undefined || !(await isOurTurn(context, pageId, quorum))) continue;
      const view = await viewPage({ context, pageId, block: head.number });
      const isOpen = view.state === "pending" && view.attestedAt === 0n && view.openRequests === 0n;
      if (!isOpen) continue;
      await withDuty({
        ...{ database, name: `attestation ${pageId}` },
        work: () => attest({ context, sender, set, page, quorum }),
      });
    }
  };

async function isOurTurn(
  context: ValidateContext,
  pageId: string,
  { keys }: Quorum,
): Promise<boolean> {
  const { database, key } = context;
  const turn = turnOf({ pageId, keys, key: key.address });
  if (turn === -1) return false;
  return turn === 0 || (await secondsSinceLast({ database, pageId })) >= turn * TURN_SECONDS;
}

async function attest(parameters: {
  context: ValidateContext;
  sender: Parameters<Step>[0]["sender"];
  set: FrozenSet;
  page: WatchedPage;
  quorum: Quorum;
}): Promise<void> {
  const { context, page, quorum, sender, set } = parameters;
  const { logger, staking } = context;
  const { header, pageId } = page;
  const values = [header, set.words, quorum.signers, quorum.signatures];
  const data = stakingInterface.encodeFunctionData("attest", values);
  const purpose = `attestation of page ${pageId.slice(0, 18)}`;
  const sent = await sendCall({ context, sender, purpose, to: staking, data });
  if (sent.state !== "refused") return;
  // Somebody was quicker, or a signer was slashed meanwhile: the next look shows.
  logger.info({ page: pageId, error: sent.revert.message }, "attestation refused");
}
