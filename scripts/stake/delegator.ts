/** What whoever has stake in a pool does. */
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import { duration, isoTime, opg } from "../lib/words.ts";
import {
  addressArgument,
  amountArgument,
  knownValidator,
  percent,
  refuse,
  type SendOptions,
  withdrawableFrom,
  withStaking,
} from "./context.ts";
import { leavingOf, owedTo, poolsOf } from "./delegations.ts";
import { openSignatures } from "./signatures.ts";
import { requireDelegable, unbondingWords } from "./validator.ts";

/** Puts OPG into a validator's pool. Error: `stake.refused`. */
export function delegate(
  options: SendOptions & { validator: string; amount: string },
): Promise<void> {
  const address = addressArgument("validator", options.validator);
  const amount = amountArgument(options.amount);
  return withStaking(options.network, async (context) => {
    const { session, staking } = context;
    const sender = await senderOf(session, options);
    await requireDelegable(context, amount);
    const validator = await knownValidator(context, address);
    if (validator.isClosed) throw refuse(`the pool of ${address} is closed for good`);
    const { stake } = await staking.delegationOf(address, sender.address);
    const { slashWithQuorum, slashWithout } = await staking.parametersNow();
    const open = await openSignatures(context, address);
    await sendChange(context, {
      ...{ options, sender, contract: staking, name: "delegate", takes: amount },
      values: [address, amount],
      changes: [
        `stake of ${sender.address} with validator ${address}: ${opg(stake)} -> about ${opg(stake + amount)}; commission ${percent(validator.commission)}${validator.place === 0n ? "; the validator is not in the set and earns nothing by stake" : ""}`,
        `it answers at once for all that the validator has signed, before today too: ${open} page(s) of its quorums can still be shown wrong, ${percent(slashWithQuorum)} each, ${percent(slashWithout)} for one without a quorum`,
        await unbondingWords(context),
      ],
      question: `Delegate ${opg(amount)}?`,
    });
  });
}

/** Takes stake out of a pool. Error: `stake.refused`. */
export function undelegate(
  options: SendOptions & { validator: string; amount: string },
): Promise<void> {
  const address = addressArgument("validator", options.validator);
  const wanted = options.amount === "all" ? undefined : amountArgument(options.amount);
  return withStaking(options.network, async (context) => {
    const { session, staking, epoch } = context;
    const sender = await senderOf(session, options);
    const pool = await knownValidator(context, address);
    const { content, stake } = await staking.delegationOf(address, sender.address);
    if (content.shares === 0n) throw refuse(`${sender.address} has no stake with ${address}`);
    if (wanted !== undefined && wanted > stake) {
      throw refuse(`${sender.address} has ${opg(stake)} with ${address}`);
    }
    // As many shares as are worth that much, or the next one: what a share is worth is rounded against who leaves.
    const shares =
      wanted === undefined || wanted === stake ? content.shares : sharesFor(wanted, pool);
    const amount = (shares * pool.stake) / pool.shares;
    const from = await withdrawableFrom(context, epoch + 1n);
    const { minimumSelfStake } = await staking.parametersNow();
    const leavesSet =
      sender.address === address && pool.place !== 0n && stake - amount < minimumSelfStake;
    await sendChange(context, {
      ...{ options, sender, contract: staking, name: "undelegate", values: [address, shares] },
      changes: [
        `${opg(amount)} of ${sender.address} leave the pool of ${address}, and can be withdrawn from ${isoTime(from)} on`,
        `until then they earn nothing and answer for what it signed up to the end of this epoch, ${epoch}`,
        ...(leavesSet
          ? [`${address} leaves the set: an owner needs ${opg(minimumSelfStake)} in their own pool`]
          : []),
      ],
      question: `Take ${opg(amount)} out?`,
    });
  });
}

/** Pays out what left pools and is due, one transaction for each epoch in which it left. Error: `stake.refused`. */
export function withdraw(options: SendOptions & { validator: string | undefined }): Promise<void> {
  return withStaking(options.network, async (context) => {
    const { session, staking, now } = context;
    const sender = await senderOf(session, options);
    const only =
      options.validator === undefined ? undefined : addressArgument("validator", options.validator);
    const all = (await leavingOf(context, sender.address)).filter(
      ({ validator }) => only === undefined || validator === only,
    );
    if (all.length === 0) {
      const where = only === undefined ? "" : ` of ${only}'s pool`;
      throw refuse(`nothing of ${sender.address} is on its way out${where}`);
    }
    const due = all.filter(({ from }) => from <= now);
    const [first] = all;
    if (due.length === 0 && first !== undefined) {
      throw refuse(
        `the first can be withdrawn from ${isoTime(first.from)} on, in ${duration(first.from - now)}`,
      );
    }
    requireOneForSafe(options, due.length, "withdrawal");
    for (const { amount, epoch, validator } of due) {
      const isSent = await sendChange(context, {
        ...{ options, sender, contract: staking, name: "withdraw", values: [validator, epoch] },
        changes: [`${opg(amount)} that left the pool of ${validator} go to ${sender.address}`],
        question: `Withdraw ${opg(amount)}?`,
      });
      if (!isSent) return;
    }
  });
}

/** Pays out rewards, one transaction for each pool. Error: `stake.refused`. */
export function claim(options: SendOptions & { validator: string | undefined }): Promise<void> {
  return withStaking(options.network, async (context) => {
    const { session, staking } = context;
    const sender = await senderOf(session, options);
    const pools =
      options.validator === undefined
        ? await poolsOf(context, sender.address)
        : [addressArgument("validator", options.validator)];
    const owed: { validator: string; amount: bigint }[] = [];
    for (const validator of pools) {
      await knownValidator(context, validator);
      const amount = await owedTo(context, { validator, account: sender.address });
      if (amount > 0n) owed.push({ validator, amount });
    }
    if (owed.length === 0) {
      const where = options.validator === undefined ? "any pool" : `the pool of ${pools[0]}`;
      throw refuse(`${sender.address} has no rewards of ${where} to claim`);
    }
    requireOneForSafe(options, owed.length, "pool");
    for (const { amount, validator } of owed) {
      const isSent = await sendChange(context, {
        ...{ options, sender, contract: staking, name: "claimRewards", values: [validator] },
        changes: [
          `about ${opg(amount)} of rewards of the pool of ${validator} go to ${sender.address}`,
        ],
        question: "Claim them?",
      });
      if (!isSent) return;
    }
  });
}

const sharesFor = (amount: bigint, pool: { shares: bigint; stake: bigint }): bigint =>
  (amount * pool.shares + pool.stake - 1n) / pool.stake;

/** A Safe's file has one thing in it. */
function requireOneForSafe({ safe }: Pick<SendOptions, "safe">, count: number, what: string): void {
  if (safe === undefined || count === 1) return;
  throw refuse(
    `a Safe's file takes one ${what} at a time, and there are ${count}: name a validator`,
  );
}
