/** What a validator's owner does: register, enter the set, leave it, keys and commissions. */
import { BaseError } from "@haca/protocol/baseError";
import { SIGNING_KEY_TYPES, signSigningKey, stakingDomain } from "@haca/protocol/validatorStaking";
import { isHexString, verifyTypedData, Wallet, ZeroAddress } from "ethers";
import { sendChange } from "../lib/sendChange.ts";
import { type Sender, senderOf } from "../lib/sender.ts";
import { duration, isoTime, opg } from "../lib/words.ts";
import {
  addressArgument,
  amountArgument,
  knownValidator,
  percent,
  percentArgument,
  refuse,
  type SendOptions,
  type StakeContext,
  withStaking,
} from "./context.ts";

type KeyOptions = { key?: string; consent?: string };

const badArgument = (message: string): BaseError =>
  new BaseError({ code: "stake.badArgument", message });

/** Registers with a first stake; of who is a validator already, adds to their own pool. Errors: `stake.refused`, `.badArgument`. */
export function stake(
  options: SendOptions & KeyOptions & { amount: string; commission?: string },
): Promise<void> {
  const amount = amountArgument(options.amount);
  return withStaking(options.network, async (context) => {
    const { session, staking } = context;
    const sender = await senderOf(session, options);
    const validator = await staking.validatorOf(sender.address);
    await requireDelegable(context, amount);
    if (BigInt(validator.key) !== 0n) {
      for (const name of ["key", "consent", "commission"] as const) {
        if (options[name] === undefined) continue;
        throw badArgument(`--${name} is for who is no validator yet, and ${sender.address} is one`);
      }
      if (validator.isClosed) throw refuse(`the pool of ${sender.address} is closed for good`);
      await sendChange(context, {
        ...{ options, sender, contract: staking, name: "delegate", takes: amount },
        values: [sender.address, amount],
        changes: [
          `own stake of validator ${sender.address} grows by ${opg(amount)}; its pool has ${opg(validator.stake)} now`,
        ],
        question: `Stake ${opg(amount)}?`,
      });
      return;
    }
    if (options.commission === undefined) {
      throw badArgument("--commission <percent> is needed: the owner's part of the pool's rewards");
    }
    const commission = await commissionArgument(context, options.commission);
    const { key, consent } = await keyWithConsent(context, sender, options);
    await sendChange(context, {
      ...{ options, sender, contract: staking, name: "register", takes: amount },
      values: [key, consent, commission, amount],
      changes: [
        `${sender.address} becomes a validator, outside the set yet, with ${opg(amount)}, a commission of ${percent(commission)}`,
        `its signatures are those of key ${key}, which is nobody else's from then on`,
        await unbondingWords(context),
      ],
      question: `Register with ${opg(amount)}?`,
    });
  });
}

/** Takes the sender into the set, in place of its weakest member where it is full. Error: `stake.refused`. */
export function enter(options: SendOptions): Promise<void> {
  return withStaking(options.network, async (context) => {
    const { session, staking } = context;
    const sender = await senderOf(session, options);
    const validator = await knownValidator(context, sender.address);
    if (validator.isClosed) throw refuse(`the pool of ${sender.address} is closed for good`);
    if (validator.place !== 0n) throw refuse(`${sender.address} is in the set already`);
    const { minimumSelfStake } = await staking.parametersNow();
    const { stake: own } = await staking.delegationOf(sender.address, sender.address);
    if (own < minimumSelfStake) {
      throw refuse(
        `${sender.address} has ${opg(own)} in its own pool, and ${opg(minimumSelfStake)} are needed: npm run stake -- stake`,
      );
    }
    const weakest = await weakestMember(context);
    if (weakest !== undefined && validator.stake <= weakest.stake) {
      throw refuse(
        `the set is full, and its weakest member ${weakest.address} has ${opg(weakest.stake)}; the pool of ${sender.address} has ${opg(validator.stake)}`,
      );
    }
    await sendChange(context, {
      ...{ options, sender, contract: staking, name: "enter" },
      values: [weakest?.address ?? ZeroAddress],
      changes: [
        `${sender.address} is in the set with ${opg(validator.stake)}, and counts from the next epoch on`,
        ...(weakest === undefined
          ? []
          : [`${weakest.address}, who has ${opg(weakest.stake)}, leaves it`]),
      ],
      question: "Enter the set?",
    });
  });
}

/** Takes the sender out of the set. Error: `stake.refused`. */
export function exit(options: SendOptions): Promise<void> {
  return withStaking(options.network, async (context) => {
    const { session, staking } = context;
    const sender = await senderOf(session, options);
    const { place } = await staking.validatorOf(sender.address);
    if (place === 0n) throw refuse(`${sender.address} is not in the set`);
    await sendChange(context, {
      ...{ options, sender, contract: staking, name: "exit", values: [] },
      changes: [
        `${sender.address} leaves the set from the next epoch on, and earns nothing by stake from now on; its stake stays where it is`,
      ],
      question: "Leave the set?",
    });
  });
}

/** Lowers the commission at once, or announces a higher one. Error: `stake.refused`. */
export function setCommission(options: SendOptions & { percent: string }): Promise<void> {
  return withStaking(options.network, async (context) => {
    const { session, staking, now } = context;
    const sender = await senderOf(session, options);
    const next = await commissionArgument(context, options.percent);
    const { commission } = await knownValidator(context, sender.address);
    const announced = await staking.announcementOf(sender.address);
    const isAnnounced = announced.commissionFrom !== 0n;
    if (next === commission && !isAnnounced) throw refuse(`it is ${percent(next)} already`);
    if (isAnnounced && next === announced.commission) {
      throw refuse(
        `${percent(next)} is announced already, to be put in force from ${isoTime(announced.commissionFrom)} on`,
      );
    }
    const from = now + (await staking.COMMISSION_DELAY());
    const change =
      next > commission
        ? `the commission of ${sender.address} can be ${percent(next)} from about ${isoTime(from)} on, by npm run stake -- apply; it is ${percent(commission)}`
        : `the commission of ${sender.address}: ${percent(commission)} -> ${percent(next)}, at once`;
    await sendChange(context, {
      ...{ options, sender, contract: staking, name: "setCommission", values: [next] },
      changes: [
        change,
        ...(isAnnounced
          ? [`the announced ${percent(announced.commission)} is announced no more`]
          : []),
      ],
      question: "Set it?",
    });
  });
}

/** Announces another key. Errors: `stake.refused`, `.badArgument`. */
export function announceKey(options: SendOptions & KeyOptions): Promise<void> {
  return withStaking(options.network, async (context) => {
    const { session, staking, now } = context;
    const sender = await senderOf(session, options);
    const validator = await knownValidator(context, sender.address);
    const { key, consent } = await keyWithConsent(context, sender, options);
    const announced = await staking.announcementOf(sender.address);
    if (announced.key === key) {
      throw refuse(
        `${key} is announced already, to be put in force from ${isoTime(announced.keyFrom)} on`,
      );
    }
    const from = now + (await staking.KEY_DELAY());
    await sendChange(context, {
      ...{ options, sender, contract: staking, name: "announceKey", values: [key, consent] },
      changes: [
        `${key} can take the place of key ${validator.key} from about ${isoTime(from)} on, by npm run stake -- apply`,
        ...(announced.key === ZeroAddress
          ? []
          : [`the announced ${announced.key} is announced no more`]),
      ],
      question: "Announce it?",
    });
  });
}

/** Takes an announced key back. Error: `stake.refused`. */
export function takeKeyBack(options: SendOptions): Promise<void> {
  return withStaking(options.network, async (context) => {
    const { session, staking } = context;
    const sender = await senderOf(session, options);
    await knownValidator(context, sender.address);
    const { key } = await staking.announcementOf(sender.address);
    if (key === ZeroAddress) throw refuse(`${sender.address} has announced no key`);
    await sendChange(context, {
      ...{ options, sender, contract: staking, name: "announceKey" },
      values: [ZeroAddress, "0x"],
      changes: [`key ${key} is announced no more`],
      question: "Take it back?",
    });
  });
}

/** Prints what a key signs for its owner. Error: `stake.badArgument`. */
export function printConsent(options: { network: string; owner: string }): Promise<void> {
  const owner = addressArgument("owner", options.owner);
  return withStaking(options.network, async (context) => {
    const { key, consent } = await signConsent(context, owner);
    console.log(`key          ${key}\nconsent      ${consent}`);
  });
}

/** Puts in force what is due. Error: `stake.refused`. */
export function applyAnnouncements(
  options: SendOptions & { validator: string | undefined },
): Promise<void> {
  return withStaking(options.network, async (context) => {
    const { session, staking, now } = context;
    const sender = await senderOf(session, options);
    const address =
      options.validator === undefined
        ? sender.address
        : addressArgument("validator", options.validator);
    const { commission, key } = await knownValidator(context, address);
    const announced = await staking.announcementOf(address);
    const changes: string[] = [];
    const waiting: string[] = [];
    if (announced.key !== ZeroAddress) {
      if (now < announced.keyFrom) waiting.push(`a key from ${isoTime(announced.keyFrom)} on`);
      else if ((await staking.validatorOfKey(announced.key)) !== ZeroAddress) {
        throw refuse(`the announced key ${announced.key} is another validator's by now`);
      } else {
        changes.push(
          `key of ${address}: ${key} -> ${announced.key}; its signatures count from the next epoch on`,
        );
      }
    }
    if (announced.commissionFrom !== 0n) {
      if (now < announced.commissionFrom) {
        waiting.push(`a commission from ${isoTime(announced.commissionFrom)} on`);
      } else {
        changes.push(
          `commission of ${address}: ${percent(commission)} -> ${percent(announced.commission)}`,
        );
      }
    }
    if (changes.length === 0) {
      const what = waiting.length === 0 ? "nothing" : `only ${waiting.join(" and ")}`;
      throw refuse(`${address} has announced ${what}`);
    }
    await sendChange(context, {
      ...{ options, sender, contract: staking, name: "applyAnnouncements", values: [address] },
      ...{ changes, question: "Put it in force?" },
    });
  });
}

/** Error: `stake.refused`, below what a pool takes at a time. */
export async function requireDelegable(context: StakeContext, amount: bigint): Promise<void> {
  const minimum = await context.staking.MINIMUM_DELEGATION();
  if (amount < minimum) throw refuse(`a pool takes ${opg(minimum)} or more at a time`);
}

/** How long stake needs to come back, in words. */
export async function unbondingWords({ staking }: StakeContext): Promise<string> {
  return `stake comes back ${duration(await staking.UNBONDING())} after the end of the day on which it is undelegated, and answers for the validator's signatures until then`;
}

async function commissionArgument({ staking }: StakeContext, text: string): Promise<bigint> {
  const commission = percentArgument("commission", text);
  const maximum = await staking.MAXIMUM_COMMISSION();
  if (commission <= maximum) return commission;
  throw badArgument(`commission must be ${percent(maximum)} at most, got ${percent(commission)}`);
}

/** A key nobody has used, with its word that it is for the sender. Errors: `stake.badArgument`, `stake.refused`. */
async function keyWithConsent(
  context: StakeContext,
  sender: Sender,
  options: KeyOptions,
): Promise<{ key: string; consent: string }> {
  const { key, consent } = options;
  if ((key === undefined) !== (consent === undefined)) {
    throw badArgument(
      "--key <address> and --consent <signature> go together: npm run stake -- key consent",
    );
  }
  if (consent !== undefined && !isHexString(consent, 65)) {
    throw badArgument("--consent must be 0x and 130 hex digits");
  }
  const given =
    key === undefined || consent === undefined
      ? await signConsent(context, sender.address)
      : { key: addressArgument("--key", key), consent };
  const owner = await context.staking.validatorOfKey(given.key);
  if (owner !== ZeroAddress) throw refuse(`key ${given.key} is or was validator ${owner}'s`);
  // Looked at here, because an approval goes before the call that would be refused.
  if (!(await isConsent(context, { ...given, validator: sender.address }))) {
    throw refuse(`the consent is not by key ${given.key} for ${sender.address} on this chain`);
  }
  return given;
}

async function isConsent(
  { session, staking }: StakeContext,
  parameters: { key: string; consent: string; validator: string },
): Promise<boolean> {
  const { consent, key, validator } = parameters;
  const domain = stakingDomain({
    ...{ chainId: BigInt(session.chainId), staking: await staking.getAddress() },
  });
  try {
    return verifyTypedData(domain, SIGNING_KEY_TYPES, { validator }, consent) === key;
  } catch {
    return false;
  }
}

/** Error: `stake.badArgument` without a key that could sign. */
async function signConsent(
  { session, staking }: StakeContext,
  owner: string,
): Promise<{ key: string; consent: string }> {
  const secret = process.env.HACA_VALIDATOR_KEY ?? "";
  if (!isHexString(secret, 32) || !isUsable(secret)) {
    throw badArgument(
      secret === ""
        ? "a key is needed: HACA_VALIDATOR_KEY, or --key and --consent"
        : "HACA_VALIDATOR_KEY must be a private key, 0x and 64 hex digits",
    );
  }
  const key = new Wallet(secret);
  const domain = { chainId: BigInt(session.chainId), staking: await staking.getAddress() };
  return { key: key.address, consent: await signSigningKey({ ...domain, validator: owner, key }) };
}

/** Zero and what is beyond the curve's order are no keys. */
function isUsable(secret: string): boolean {
  try {
    return new Wallet(secret).address !== ZeroAddress;
  } catch {
    return false;
  }
}

/** The member that would have to go; undefined while there is room. */
async function weakestMember({ staking }: StakeContext) {
  const members = await staking.membersNow();
  if (BigInt(members.length) < (await staking.MAXIMUM_MEMBERS())) return undefined;
  let weakest: { address: string; stake: bigint } | undefined;
  for (const address of members) {
    const { stake: amount } = await staking.validatorOf(address);
    if (weakest === undefined || amount < weakest.stake) weakest = { address, stake: amount };
  }
  return weakest;
}
