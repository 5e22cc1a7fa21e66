import { ledgerPageOf, nodeOfEnclave } from "@haca/protocol/requestId";
import { now } from "../utils/attestationFixture.ts";
import {
  ALL,
  type Content,
  DAY,
  idOf,
  makePage,
  makeResult,
  propose,
} from "../utils/pageFixture.ts";
import {
  attest,
  type BareStakeFixture,
  deployStaking,
  enterAll,
  epochNow,
  makeHolder,
  nextEpoch,
  OPG,
  placesIn,
  refute,
  register,
  snapshotOf,
  type Validator,
} from "../utils/stakeFixture.ts";
import { gasOf, type Measure } from "./measurement.ts";

const SAMPLES = 3;
const SETS = [7, 21];
/** No round number: its zeros would be cheap in calldata. */
const STAKE = 123_456n * OPG + 123_456_789_012_345_678n;

/** Validators: what a page costs them, and what stake costs to move. */
export const measureStaking: Measure = async (connection) => {
  const samples: Record<string, bigint[]> = {};
  const add = (key: string, gas: bigint) => {
    samples[key] = [...(samples[key] ?? []), gas];
  };
  for (const size of SETS) {
    const f = await deployStaking(connection);
    const validators = await enterAll(
      f,
      Array.from({ length: size }, (_, i) => STAKE + BigInt(i)),
    );
    await nextEpoch(f);
    const pages = pagesOf(f);
    const first = await pages(0);
    add(`page.attest${size}.firstOfEpoch`, await gasOf(attest(f, first, validators)));
    for (let i = 1; i <= SAMPLES; i++) {
      add(`page.attest${size}`, await gasOf(attest(f, await pages(i), validators)));
    }
    const free = await pages(SAMPLES + 2, 0n);
    add(`page.attest${size}.withoutFee`, await gasOf(attest(f, free, validators)));
    if (size === Math.max(...SETS))
      await measureStake(f, validators, await pages(SAMPLES + 1), add);
  }
  return {
    samples,
    notes: {
      "page.attest7":
        "a page of 256 with a fee; seven validators, all of whom sign, as they have that day",
      "page.attest7.firstOfEpoch": "the first page of these signers that day",
      "page.attest7.withoutFee": "the same of a page without a fee",
      "page.attest21": "the same with 21 validators",
      "page.attest21.firstOfEpoch": "the first page of these signers that day",
      "page.attest21.withoutFee": "not the first, of a page without a fee",
      stake: "a validator registers with a key and stake",
      delegate: "to a pool that the delegator is in, of a validator in the set",
      undelegate: "the first of a pool in an epoch",
      withdraw: "after unbonding, of one epoch",
      claimRewards: "of a pool in the set, after seconds without a call",
      slash: "a signer of a page with a quorum of 21, with a bounty",
      freeze: "the first call of an epoch, 21 validators",
    },
  };
};

type Add = (key: string, gas: bigint) => void;

/** Pages of 256 whose results nobody signed, at other ledger pages each. */
function pagesOf(f: BareStakeFixture) {
  const node = nodeOfEnclave(f.enclave.teeId);
  return async (index: number, fee = OPG) => {
    const result = await makeResult(f, 7);
    const content: Content = { 7: { result, signature: "0x" } };
    const ledgerPage = ledgerPageOf({ node, index: 0x100n + BigInt(index) });
    const page = makePage(f, content, { bitmap: ALL, ledgerPage, fee });
    await propose(f, page);
    return page;
  };
}

async function measureStake(
  f: BareStakeFixture,
  validators: readonly Validator[],
  wrong: Awaited<ReturnType<ReturnType<typeof pagesOf>>>,
  add: Add,
): Promise<void> {
  const { staking, networkHelpers } = f;
  const [pool] = validators;
  if (pool === undefined) throw new Error("no validators");
  await attest(f, wrong, validators);
  const attested = await epochNow(f);
  const snapshot = await snapshotOf(f, attested);
  await refute(f, wrong);
  await staking.addRewards(STAKE);
  for (let i = 0; i < SAMPLES; i++) {
    const holder = await makeHolder(f, `holder ${i}`);
    const own = staking.connect(holder);
    await own.delegate(pool.address, STAKE);
    add("delegate", await gasOf(own.delegate(pool.address, STAKE)));
    await own.claimRewards(pool.address);
    add("claimRewards", await gasOf(own.claimRewards(pool.address)));
    const [place = -1] = placesIn(snapshot, validators.slice(i, i + 1));
    add("slash", await gasOf(own.slash(await idOf(f, wrong), snapshot, place)));
  }
  const start = await epochNow(f);
  for (let i = 0; i < SAMPLES; i++) {
    const name = `new ${i}`;
    // The transaction is the last one that registers.
    await register(f, name, STAKE);
    const block = await f.ethers.provider.getBlock("latest", true);
    const hash = block?.transactions[0] ?? "";
    const receipt = await f.ethers.provider.getTransactionReceipt(hash);
    add("stake", receipt?.gasUsed ?? 0n);
    await networkHelpers.time.increaseTo(((await now(f)) / DAY + 1n) * DAY + 10n);
    add("freeze", await gasOf(staking.freeze()));
    const holder = await makeHolder(f, `holder ${i}`);
    const { content } = await staking.delegationOf(pool.address, holder.address);
    const call = staking.connect(holder).undelegate(pool.address, content.shares / 2n);
    add("undelegate", await gasOf(call));
  }
  await networkHelpers.time.increase(30n * DAY);
  for (let i = 0n; i < SAMPLES; i++) {
    const holder = await makeHolder(f, `holder ${i}`);
    const call = staking.connect(holder).withdraw(pool.address, start + 2n + i);
    add("withdraw", await gasOf(call));
  }
}
