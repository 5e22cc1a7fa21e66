import { hashSnapshot } from "@haca/protocol/validatorStaking";
import { expect } from "chai";
import { dataSlice, type Wallet, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import { DAY, HOUR, idOf, type Page } from "../utils/pageFixture.ts";
import { type Random, seededRandom } from "../utils/seededRandom.ts";
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
  proposeBad,
  proposeGood,
  refute,
  snapshotOf,
  type Validator,
} from "../utils/stakeFixture.ts";

/** A deep run makes ten thousand operations. */
const STEPS = process.env.HACA_DEEP === "1" ? 10_000 : 600;
const CHECK_EVERY = 40;
const STAKES = [40_000n * OPG, 35_000n * OPG, 30_000n * OPG, 25_000n * OPG];
/** No page of the fixture's enclave has its place twice. */
const PLACES = 256;

const connection = await network.create();
const deploy = async () => {
  const f = await deployStaking(connection);
  const validators = await enterAll(f, STAKES);
  const delegators = [];
  for (const name of ["x", "y", "z"]) delegators.push(await makeHolder(f, name));
  await nextEpoch(f);
  return { ...f, validators, delegators };
};
type Fixture = BareStakeFixture & { validators: Validator[]; delegators: Wallet[] };

describe("ValidatorStaking: its books", () => {
  it(`test_NothingIsLostOrMade_AndEverybodyGetsOut_Over${STEPS}Operations`, async () => {
    const f = await loadAtItsTime(connection, deploy);
    const walk = new Walk(f);
    for (let step = 1; step <= STEPS; step++) {
      await walk.step();
      if (step % CHECK_EVERY === 0) await walk.check();
    }
    expect([...walk.done].sort()).to.deep.equal([...walk.names].sort());
    await walk.leave();
  }).timeout(1_800_000);
});

type Leaving = { holder: Wallet; validator: Validator; epoch: bigint };

/** Random operations of validators and delegators. */
class Walk {
  /** what went through at least once */
  readonly done = new Set<string>();
  names: readonly string[] = [];
  readonly #f: Fixture;
  readonly #random: Random = seededRandom("staking");
  readonly #holders: Wallet[];
  readonly #leaving: Leaving[] = [];
  readonly #snapshots = new Map<bigint, string>();
  readonly #wrong: { page: Page; epoch: bigint; signers: Validator[] }[] = [];
  readonly #unpaid = new Map<bigint, Set<bigint>>();
  /** what everybody's stake was worth at seconds in which nothing happened, and all of it together */
  readonly #past: { at: bigint; stakes: ReadonlyMap<Wallet, bigint>; staked: bigint }[] = [];
  #steps = 0n;
  #place = 0;
  #isDone = true;

  constructor(f: Fixture) {
    this.#f = f;
    this.#holders = [...f.delegators, ...f.validators.map(({ owner }) => owner)];
  }

  async step(): Promise<void> {
    const { staking, validators } = this.#f;
    const validator = this.#random.pick(validators);
    const holder = this.#random.pick(this.#holders);
    const own = staking.connect(holder);
    const owner = staking.connect(validator.owner);
    const operations: Record<string, () => unknown> = {
      delegate: () => own.delegate(validator.address, OPG + this.#amount()),
      undelegate: async () => {
        const { content } = await staking.delegationOf(validator.address, holder.address);
        const shares = (content.shares * BigInt(1 + this.#random.below(9))) / 10n;
        if (shares === 0n) return this.#skip();
        await this.#maybe("AmountInvalid", () => own.undelegate(validator.address, shares));
        const epoch = (await epochNow(this.#f)) + 1n;
        this.#leaving.push({ holder, validator, epoch });
      },
      withdraw: async () => {
        const at = this.#random.below(Math.max(1, this.#leaving.length));
        const leaving = this.#leaving[at];
        if (leaving === undefined) return this.#skip();
        await this.#maybe("TooEarly|AmountInvalid", async () => {
          await this.#withdraw(leaving);
          this.#leaving.splice(at, 1);
        });
      },
      claim: () => this.#maybe("AmountInvalid", () => own.claimRewards(validator.address)),
      addRewards: () => staking.addRewards(1n + this.#amount()),
      enter: () =>
        this.#maybe("PlaceInvalid|SelfStake|NotTheWeakest", () => owner.enter(ZeroAddress)),
      exit: () =>
        this.#random.below(3) === 0
          ? this.#maybe("PlaceInvalid", () => owner.exit())
          : this.#skip(),
      commission: () => owner.setCommission(this.#random.below(2_001)),
      announced: () =>
        this.#maybe("NothingAnnounced", () => staking.applyAnnouncements(validator.address)),
      attest: () => this.#attest(),
      pay: () => this.#pay(),
      slash: () => this.#slash(),
      wait: () => this.#wait(HOUR * BigInt(1 + this.#random.below(40))),
      waitLonger: () => this.#wait(DAY * BigInt(1 + this.#random.below(4))),
    };
    this.names = Object.keys(operations);
    const name = this.#random.pick(this.names);
    this.#isDone = true;
    this.#steps += 1n;
    await operations[name]?.();
    if (this.#isDone) this.done.add(name);
  }

  /** What is here is what everybody has here, and no snapshot changed. */
  async check(): Promise<void> {
    const { staking, token, validators } = this.#f;
    const books = await staking.booksNow();
    expect(await token.balanceOf(staking)).to.equal(books.staked + books.unbonding + books.rewards);
    let staked = 0n;
    let unbonding = 0n;
    let owed = 0n;
    for (const validator of validators) {
      const { stake, shares, pot } = await staking.validatorOf(validator.address);
      staked += stake;
      owed += pot;
      let [given, worth] = [0n, 0n];
      for (const holder of this.#holders) {
        const delegation = await staking.delegationOf(validator.address, holder.address);
        given += delegation.content.shares;
        worth += delegation.stake;
        owed += delegation.content.owed;
      }
      expect(given, "shares").to.equal(shares);
      expect(stake - worth, "rounding").to.be.within(0n, BigInt(this.#holders.length));
      for (const epoch of new Set(this.#leaving.map((leaving) => leaving.epoch))) {
        let parts = 0n;
        let amount = 0n;
        for (const holder of this.#holders) {
          const there = await staking.unbondingOf(validator.address, epoch, holder.address);
          amount = there.content.amount;
          parts += there.amount;
        }
        expect(amount - parts, "rounding").to.be.within(0n, BigInt(this.#holders.length));
        unbonding += amount;
      }
    }
    expect(books.staked).to.equal(staked);
    expect(books.unbonding).to.equal(unbonding);
    expect(books.rewards >= owed, "more owed than there is").to.equal(true);
    for (const [epoch, hash] of this.#snapshots) {
      expect(await staking.snapshotHashOf(epoch)).to.equal(hash);
    }
    await this.#checkPast(staked);
  }

  /** Everybody takes everything out. */
  async leave(): Promise<void> {
    const { staking, token, validators, networkHelpers } = this.#f;
    for (const validator of validators) {
      for (const holder of this.#holders) {
        const { content } = await staking.delegationOf(validator.address, holder.address);
        if (content.shares === 0n) continue;
        await staking.connect(holder).undelegate(validator.address, content.shares);
        this.#leaving.push({ holder, validator, epoch: (await epochNow(this.#f)) + 1n });
      }
    }
    await networkHelpers.time.increase(23n * DAY);
    for (const leaving of this.#leaving) {
      await this.#maybe("AmountInvalid", () => this.#withdraw(leaving));
    }
    for (const validator of validators) {
      for (const holder of this.#holders) {
        await this.#maybe("AmountInvalid", () =>
          staking.connect(holder).claimRewards(validator.address),
        );
      }
    }
    const { staked, unbonding, rewards } = await staking.booksNow();
    expect([staked, unbonding]).to.deep.equal([0n, 0n]);
    expect(await token.balanceOf(staking)).to.equal(rewards);
  }

  /** What stood at earlier checks is what is answered for those seconds now, but for units of rounding, and never more. */
  async #checkPast(staked: bigint): Promise<void> {
    const { staking, validators, networkHelpers } = this.#f;
    await networkHelpers.time.increase(1);
    const stakes = new Map<Wallet, bigint>();
    for (const holder of this.#holders) {
      let stake = 0n;
      for (const { address } of validators) {
        stake += (await staking.delegationOf(address, holder.address)).stake;
      }
      stakes.set(holder, stake);
    }
    this.#past.push({ at: await now(this.#f), stakes, staked });
    const looked = new Set([...Array(4)].map(() => this.#random.pick(this.#past)));
    for (const past of looked) {
      let sum = 0n;
      for (const [holder, stake] of past.stakes) {
        const answer = await staking.stakeAt(holder.address, past.at);
        expect(stake - answer, "votes").to.be.within(0n, this.#steps);
        sum += answer;
      }
      expect(sum <= past.staked, "more votes than stake").to.equal(true);
    }
  }

  async #attest(): Promise<void> {
    const f = this.#f;
    if (this.#place === PLACES) return this.#skip();
    const epoch = await epochNow(f);
    await f.staking.freeze();
    const snapshot = await snapshotOf(f, epoch);
    const signers = f.validators.filter((v) => placesIn(snapshot, [v])[0] !== -1);
    const isBad = this.#random.below(3) !== 0;
    const fee = BigInt(this.#random.below(3)) * OPG;
    const page = await (isBad ? proposeBad : proposeGood)(f, this.#place, fee);
    this.#place += 1;
    await this.#maybe("NoQuorum|TotalStakeTooSmall", async () => {
      await attest(f, page, signers);
      const { signers: bits } = await f.pages.pageOf(await idOf(f, page));
      const sets = this.#unpaid.get(epoch) ?? new Set();
      this.#unpaid.set(epoch, sets.add(bits));
      this.#snapshots.set(epoch, dataSlice(hashSnapshot(snapshot), 0, 31));
      if (isBad) this.#wrong.push({ page, epoch, signers });
    });
    if (isBad) await refute(f, page);
  }

  async #pay(): Promise<void> {
    const epoch = [...this.#unpaid.keys()][0];
    if (epoch === undefined) return this.#skip();
    const sets = [...(this.#unpaid.get(epoch) ?? [])];
    this.#unpaid.delete(epoch);
    await this.#f.staking.payPages(epoch, await snapshotOf(this.#f, epoch), sets);
  }

  async #slash(): Promise<void> {
    const f = this.#f;
    const wrong = this.#wrong.at(-1);
    const validator = wrong?.signers.pop();
    if (wrong === undefined || validator === undefined) {
      this.#wrong.pop();
      return this.#skip();
    }
    const snapshot = await snapshotOf(f, wrong.epoch);
    const [place = -1] = placesIn(snapshot, [validator]);
    const { staked, unbonding } = await f.staking.booksNow();
    const supply = await f.token.totalSupply();
    await this.#maybe("DailySlashReached|AmountInvalid", async () => {
      await f.staking.slash(await idOf(f, wrong.page), snapshot, place);
      const after = await f.staking.booksNow();
      const taken = staked + unbonding - after.staked - after.unbonding;
      const burned = supply - (await f.token.totalSupply());
      expect(taken - burned, "bounty").to.be.within(0n, 10n * OPG);
      expect(taken).to.be.greaterThan(0n);
    });
  }

  async #wait(seconds: bigint): Promise<void> {
    await this.#f.networkHelpers.time.increaseTo((await now(this.#f)) + seconds);
  }

  async #withdraw({ holder, validator, epoch }: Leaving): Promise<void> {
    const { staking } = this.#f;
    await staking.connect(holder).withdraw(validator.address, epoch);
  }

  #skip(): void {
    this.#isDone = false;
  }

  #amount(): bigint {
    return (BigInt(this.#random.below(1_000_000_000)) * OPG) / 1_000_003n;
  }

  /** Does something that may be refused for these reasons, and for no other. */
  async #maybe(refusals: string, act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!new RegExp(`ValidatorStaking_(${refusals})`).test(String(error))) throw error;
      this.#isDone = false;
    }
  }
}
