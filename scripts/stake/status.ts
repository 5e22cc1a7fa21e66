import { decodeSnapshot, EPOCH_SECONDS } from "@haca/protocol/validatorStaking";
import { ZeroAddress } from "ethers";
import { formatTable } from "../lib/table.ts";
import { duration, isoTime, opg } from "../lib/words.ts";
import {
  addressArgument,
  percent,
  type ReadOptions,
  type StakeContext,
  withStaking,
} from "./context.ts";
import { describeAccount } from "./delegations.ts";
import { requireSnapshot } from "./events.ts";
import { readStream } from "./readStream.ts";
import { RATE_SCALE } from "./stream.ts";

/** Says how the set stands; of an account, what it has in pools. */
export function showStatus(
  options: ReadOptions & { address: string | undefined; mine?: true },
): Promise<void> {
  return withStaking(options.network, async (context) => {
    const { session } = context;
    if (options.address !== undefined || options.mine) {
      const account =
        options.address === undefined
          ? (await session.signer(options.account)).address
          : addressArgument("account", options.address);
      console.log((await describeAccount(context, account)).join("\n"));
      return;
    }
    console.log((await describeSet(context)).join("\n"));
  });
}

async function describeSet(context: StakeContext): Promise<string[]> {
  const { epoch, session, staking } = context;
  const pages = await session.contract("PageSettlement");
  const isFrozen = BigInt(await staking.snapshotHashOf(epoch)) !== 0n;
  // What was there when the epoch began, as the first call in it fixed it; before that call, as it is now.
  const words = isFrozen ? await requireSnapshot(context, epoch) : await staking.snapshotNow();
  const { members, minimumTotalStake, total } = decodeSnapshot(words);
  const owners = await Promise.all(members.map(({ key }) => staking.validatorOfKey(key)));
  const next = await staking.membersNow();
  const attester = await pages.attester();
  const isAttester = attester === (await staking.getAddress());
  const isPossible = total >= minimumTotalStake && isAttester;
  const why = !isAttester
    ? `${attester === ZeroAddress ? "governance has named nobody" : `${attester} is`} to vouch for pages`
    : `the set needs ${opg(minimumTotalStake)}`;
  const lines = [
    `epoch        ${epoch}, until ${isoTime((epoch + 1n) * EPOCH_SECONDS)}; its snapshot is ${isFrozen ? "fixed" : "not fixed yet: npm run stake -- freeze"}`,
    `set          ${members.length} of ${await staking.MAXIMUM_MEMBERS()} members, ${opg(total)}; ${next.length} for the next epoch`,
    `quorum       more than ${opg((2n * total) / 3n)}; ${isPossible ? "possible" : `not possible: ${why}`}`,
    ...(await describeStream(context)),
    ...(await describeTerms(context)),
  ];
  if (members.length === 0 && next.length === 0) return lines;
  const rows: string[][] = [];
  for (const [index, { stake }] of members.entries()) {
    const owner = owners[index] ?? ZeroAddress;
    const { commission, place, stake: pool } = await staking.validatorOf(owner);
    rows.push([
      ...[owner, opg(stake), weightIn(stake, total), opg(pool), percent(commission)],
      place === 0n ? "leaves" : "stays",
    ]);
  }
  for (const owner of next) {
    if (owners.includes(owner)) continue;
    const { commission, stake: pool } = await staking.validatorOf(owner);
    rows.push([owner, "0.0 OPG", "0 %", opg(pool), percent(commission), "comes"]);
  }
  const columns = ["validator", "stake", "weight", "pool now", "commission", "next epoch"];
  return [...lines, "", formatTable({ columns, rows })];
}

async function describeStream(context: StakeContext): Promise<string[]> {
  const { left, rate, seconds } = await readStream(context);
  const { rewards } = await context.staking.booksNow();
  if (rate === 0n) return [`stream       nothing; ${opg(rewards)} of rewards are not claimed`];
  return [
    `stream       ${opg((rate * EPOCH_SECONDS) / RATE_SCALE)} a day; ${opg(left)} are to come, the last in ${duration(seconds)}`,
    `rewards      ${opg(rewards)} not claimed, with what is to come`,
  ];
}

async function describeTerms({ staking }: StakeContext): Promise<string[]> {
  const terms = await staking.parametersNow();
  const { dailySlash, minimumSelfStake, slashWithQuorum, slashWithout } = terms;
  return [
    `entering     takes ${opg(minimumSelfStake)} of an owner's own`,
    `a wrong page costs its signers ${percent(slashWithQuorum)} with a quorum, ${percent(slashWithout)} without; ${percent(dailySlash)} a day at most`,
  ];
}

const weightIn = (stake: bigint, total: bigint): string =>
  total === 0n ? "0 %" : percent((stake * 10_000n) / total);
