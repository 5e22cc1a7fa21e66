/** What anybody does about pages that validators signed: fix an epoch, pay signers, slash them. */
import { BaseError } from "@haca/protocol/baseError";
import { PAGE_REASONS } from "@haca/protocol/pageSettlement";
import {
  ATTESTATION_TYPES,
  decodeSnapshot,
  EPOCH_SECONDS,
  stakingDomain,
} from "@haca/protocol/validatorStaking";
import { isHexString, Signature, verifyTypedData } from "ethers";
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import { isoTime, opg } from "../lib/words.ts";
import {
  addressArgument,
  epochArgument,
  knownValidator,
  percent,
  refuse,
  type SendOptions,
  type StakeContext,
  withStaking,
} from "./context.ts";
import { requireSnapshot, snapshotOf } from "./events.ts";
import { attestedPages, ownersIn } from "./signatures.ts";

/** The last reason that signers answer for: those up to it follow from the page alone. */
const LAST_SLASHABLE = PAGE_REASONS.indexOf("InvalidSignature");
const SIGNATURE_BYTES = 64;

/** Fixes the snapshot of this epoch. Error: `stake.refused`. */
export function freeze(options: SendOptions): Promise<void> {
  return withStaking(options.network, async (context) => {
    const { epoch, session, staking } = context;
    const sender = await senderOf(session, options);
    if (BigInt(await staking.snapshotHashOf(epoch)) !== 0n) {
      throw refuse(`the snapshot of epoch ${epoch} is fixed already`);
    }
    const { members, total } = decodeSnapshot(await staking.snapshotNow());
    await sendChange(context, {
      ...{ options, sender, contract: staking, name: "freeze", values: [] },
      changes: [
        `set and weights of epoch ${epoch} are fixed: ${members.length} member(s), ${opg(total)}`,
      ],
      question: "Fix them?",
    });
  });
}

/** Divides what attested pages brought among their signers, epoch by epoch. Error: `stake.refused`. */
export function payPages(options: SendOptions & { epoch?: string }): Promise<void> {
  const only = options.epoch === undefined ? undefined : epochArgument(options.epoch);
  return withStaking(options.network, async (context) => {
    const { session, staking } = context;
    const sender = await senderOf(session, options);
    const sets = new Map<bigint, Set<bigint>>();
    for (const { epoch, signers } of await attestedPages(context)) {
      if (only !== undefined && epoch !== only) continue;
      sets.set(epoch, (sets.get(epoch) ?? new Set()).add(signers));
    }
    const due: { epoch: bigint; signerSets: bigint[]; pages: bigint; fees: bigint }[] = [];
    for (const [epoch, signerSets] of sets) {
      const entry = { epoch, signerSets: [] as bigint[], pages: 0n, fees: 0n };
      for (const signers of signerSets) {
        const tally = await staking.tallyOf(epoch, signers);
        if (tally.pages === 0n) continue;
        entry.signerSets.push(signers);
        entry.pages += tally.pages;
        entry.fees += tally.fees;
      }
      if (entry.pages > 0n) due.push(entry);
    }
    if (due.length === 0) {
      throw refuse(
        `no page ${only === undefined ? "" : `of epoch ${only} `}waits for its signers to be paid`,
      );
    }
    if (options.safe !== undefined && due.length > 1) {
      throw refuse(
        `a Safe's file takes one epoch at a time: --epoch, ${due.map(({ epoch }) => epoch).join(" or ")}`,
      );
    }
    for (const { epoch, fees, pages, signerSets } of due) {
      const isSent = await sendChange(context, {
        ...{ options, sender, contract: staking, name: "payPages" },
        values: [epoch, await requireSnapshot(context, epoch), signerSets],
        changes: [
          `the signers of ${pages} page(s) of epoch ${epoch} earn ${opg(fees)} of fees, and their part of the pot for pages; a seventh of it reaches their pools each day`,
        ],
        question: "Pay them?",
      });
      if (!isSent) return;
    }
  });
}

/** Slashes a signer of a wrong page, with `--signature` one who was not in a quorum. Errors: `stake.refused`, `.badArgument`. */
export function slash(
  options: SendOptions & { page: string; validator: string; signature?: string },
): Promise<void> {
  const { page: pageId, signature } = options;
  const address = addressArgument("validator", options.validator);
  requireHex("page", pageId, 32);
  if (signature !== undefined) requireHex("--signature", signature, SIGNATURE_BYTES);
  return withStaking(options.network, async (context) => {
    const { session, staking } = context;
    const sender = await senderOf(session, options);
    await knownValidator(context, address);
    const record = await slashableRecord(context, pageId);
    const { bounty } = await staking.parametersNow();
    if (signature === undefined) {
      const { epoch, index } = await placeInQuorum(context, { pageId, record, address });
      const snapshot = await requireSnapshot(context, epoch);
      await sendChange(context, {
        ...{ options, sender, contract: staking, name: "slash" },
        values: [pageId, snapshot, index],
        changes: slashWords(
          { ...{ address, pageId, bounty }, sender: sender.address },
          snapshot,
          true,
        ),
        question: `Slash ${address}?`,
      });
      return;
    }
    const latest = record.endedAt + (await staking.EVIDENCE_TIME());
    if (context.now > latest) {
      throw refuse(`signatures of the page could be shown until ${isoTime(latest)}`);
    }
    const { epoch, index, snapshot } = await placeOfSignature(context, {
      ...{ pageId, record, address, signature },
    });
    await sendChange(context, {
      ...{ options, sender, contract: staking, name: "slashShown" },
      values: [pageId, epoch, snapshot, index, signature],
      changes: slashWords(
        { ...{ address, pageId, bounty }, sender: sender.address },
        snapshot,
        false,
      ),
      question: `Slash ${address}?`,
    });
  });
}

type Record = Awaited<ReturnType<typeof slashableRecord>>;

/** Error: `stake.refused` for a page that signers do not answer for. */
async function slashableRecord({ session }: StakeContext, pageId: string) {
  const pages = await session.contract("PageSettlement");
  const record = await pages.pageOf(pageId);
  if (record.proposedAt === 0n) throw refuse(`no page ${pageId} was proposed on this chain`);
  const reason = Number(record.reason);
  if (reason === 0) throw refuse("nothing was shown to be wrong with the page");
  if (reason > LAST_SLASHABLE) {
    throw refuse(
      `the page is wrong for ${PAGE_REASONS[reason]}, which signers could not see and do not answer for`,
    );
  }
  return record;
}

/** Where a validator stands among the signers of a quorum. Error: `stake.refused`. */
async function placeInQuorum(
  context: StakeContext,
  parameters: { pageId: string; record: Record; address: string },
): Promise<{ epoch: bigint; index: number }> {
  const { address, pageId, record } = parameters;
  const attested = (await attestedPages(context)).find((page) => page.pageId === pageId);
  if (attested === undefined) {
    throw refuse(
      "no quorum of this contract vouched for the page: --signature shows who signed it",
    );
  }
  const epoch = record.attestedAt / EPOCH_SECONDS;
  const index = (await ownersIn(context, epoch)).indexOf(address);
  if (index < 0 || ((record.signers >> BigInt(index)) & 1n) === 0n) {
    throw refuse(`${address} is not among the signers of the page`);
  }
  return { epoch, index };
}

/** The member whose signature it is: in the epoch of the quorum, or any between proposal and end. Error: `stake.refused`. */
async function placeOfSignature(
  context: StakeContext,
  parameters: { pageId: string; record: Record; address: string; signature: string },
): Promise<{ epoch: bigint; index: number; snapshot: bigint[] }> {
  const { address, pageId, record, signature } = parameters;
  const { session, staking } = context;
  const key = signerOf({
    ...{ pageId, signature, chainId: BigInt(session.chainId) },
    staking: await staking.getAddress(),
  });
  if (key === undefined || (await staking.validatorOfKey(key)) !== address) {
    throw refuse(`the signature is not by a key of ${address} for this page, contract and chain`);
  }
  const attested = (await attestedPages(context)).find((page) => page.pageId === pageId);
  const first = attested?.epoch ?? record.proposedAt / EPOCH_SECONDS;
  const last = attested?.epoch ?? record.endedAt / EPOCH_SECONDS;
  for (let epoch = first; epoch <= last; epoch++) {
    const snapshot = await snapshotOf(context, epoch);
    const index =
      snapshot === undefined
        ? -1
        : decodeSnapshot(snapshot).members.findIndex((member) => member.key === key);
    if (snapshot === undefined || index < 0) continue;
    if (attested !== undefined && ((attested.signers >> BigInt(index)) & 1n) === 1n) {
      throw refuse(`${address} was part of the page's quorum: it is slashed without --signature`);
    }
    return { epoch, index, snapshot };
  }
  throw refuse(`${address} was not in the set with key ${key} while the page was pending`);
}

function signerOf(parameters: {
  pageId: string;
  signature: string;
  chainId: bigint;
  staking: string;
}): string | undefined {
  const { pageId, signature, ...domain } = parameters;
  try {
    return verifyTypedData(
      ...([stakingDomain(domain), ATTESTATION_TYPES, { pageId }] as const),
      Signature.from(signature),
    );
  } catch {
    return undefined;
  }
}

function slashWords(
  who: { address: string; pageId: string; bounty: bigint; sender: string },
  snapshot: readonly bigint[],
  hasQuorum: boolean,
): string[] {
  const { address, bounty, pageId, sender } = who;
  const { slashWithout, slashWithQuorum } = decodeSnapshot(snapshot);
  const part = hasQuorum ? slashWithQuorum : slashWithout;
  return [
    `${percent(part)} of what answers for validator ${address} are burned, of everybody in its pool and of what left it since, for page ${pageId}`,
    `up to ${opg(bounty)} more go to ${sender}`,
  ];
}

function requireHex(name: string, text: string, bytes: number): void {
  if (isHexString(text, bytes)) return;
  throw new BaseError({
    code: "stake.badArgument",
    message: `${name} must be 0x and ${2 * bytes} hex digits, got ${JSON.stringify(text)}`,
  });
}
