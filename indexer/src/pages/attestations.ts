import type { Context } from "ponder:registry";
import { epochMember, pageAttestation, pageAttester, pageSigner } from "ponder:schema";
import { readAddressBook } from "@haca/protocol/addressBook";
import { type Hex, isAddressEqual } from "viem";
import { readSettings } from "../../launch/readSettings.ts";
import { epochAt } from "../staking/stakeArithmetic.ts";

/** Most that fit the number of an attester. */
const MAXIMUM_ATTESTERS = 255;

const { contracts } = readAddressBook(readSettings(process.env).addressBook);
const staking = contracts.ValidatorStaking?.address as Hex | undefined;

/** Who was named last, by number: the contract counts from 1. Undefined where nobody ever was. */
export async function latestAttester(
  context: Context,
): Promise<{ number: number; account: Hex | null } | undefined> {
  let latest: { number: number; account: Hex | null } | undefined;
  for (let number = 1; number <= MAXIMUM_ATTESTERS; number++) {
    const row = await context.db.find(pageAttester, { number });
    if (row === null) break;
    latest = row;
  }
  return latest;
}

/** Places of signers, rising. */
export const placesOfSigners = (signers: number): number[] =>
  [...signers.toString(2)].reverse().flatMap((bit, index) => (bit === "1" ? [index] : []));

/** Notes who vouched for a page; of the staking contract's quorums, with each of the signers. Returns the attester. */
export async function writeAttestation(parameters: {
  context: Context;
  event: { block: { timestamp: bigint }; transaction: { from: Hex; hash: Hex } };
  pageId: Hex;
  signers: number;
}): Promise<Hex> {
  const { context, event, pageId, signers } = parameters;
  const attester = await latestAttester(context);
  if (!attester?.account) throw new RangeError(`page ${pageId} was attested, and by nobody`);
  const { account, number } = attester;
  const places = placesOfSigners(signers);
  const epoch = epochAt(event.block.timestamp);
  await context.db.insert(pageAttestation).values({
    ...{ pageId, attesterNumber: number, attester: account, signers },
    ...{ signerCount: places.length, epoch, attestedAt: event.block.timestamp },
    sender: event.transaction.from,
    transactionHash: event.transaction.hash,
  });
  // Another attester numbers others.
  if (staking === undefined || !isAddressEqual(account, staking)) return account;
  for (const index of places) {
    const member = await context.db.find(epochMember, { epoch, index });
    if (member === null) throw new RangeError(`epoch ${epoch} has no member ${index}`);
    const { key, stake, validator } = member;
    await context.db.insert(pageSigner).values({ pageId, index, validator, key, stake });
  }
  return account;
}
