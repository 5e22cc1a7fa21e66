import { placesOf } from "@haca/protocol/pageSettlement";
import { expect } from "chai";
import { parseEther, ZeroAddress } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime } from "../utils/attestationFixture.ts";
import {
  type Answered,
  answeredPage,
  deployOptimistic,
  type OptimisticFixture,
  optimisticPage,
  proofOf,
} from "../utils/optimisticFixture.ts";
import {
  challenge,
  DAY,
  DEPOSIT,
  goodResults,
  idOf,
  leafOf,
  makePage,
  type Page,
  propose,
  unsigned,
} from "../utils/pageFixture.ts";
import { type Random, seededRandom } from "../utils/seededRandom.ts";

const SEEDS = process.env.HACA_DEEP === "1" ? Array.from({ length: 40 }, (_, i) => i) : [1, 2, 3];
const STEPS = 60;
const LEAF_DEPOSIT = parseEther("10");
const PENDING = 1n;
const FINAL = 2n;
const REJECTED = 3n;

const connection = await network.create();
const deploy = () => deployOptimistic(connection);

/** A page that was proposed, and where it has a bad leaf. */
type Proposed = Page & {
  id: string;
  places: readonly number[];
  bad?: number;
  /** what was answered there; of an optimistic page */
  answers?: ReadonlyMap<number, Answered>;
};

describe("PageSettlement: its books", () => {
  for (const seed of SEEDS) {
    it(`test_KeepsItsBooks_AfterEverySequence_${seed}`, async () => {
      const f = await loadAtItsTime(connection, deploy);
      const walk = new Walk(f, seed);
      for (let step = 0; step < STEPS; step++) {
        await walk.step();
        await walk.check();
      }
      expect(walk.done.size).to.be.greaterThan(6);
    });
  }
});

/** Random operations of an operator and a node who propose good and bad pages, and of a watcher. */
class Walk {
  /** what happened at least once */
  readonly done = new Set<string>();
  readonly #f: OptimisticFixture;
  readonly #random: Random;
  readonly #pages: Proposed[] = [];
  #fees = 0n;

  constructor(f: OptimisticFixture, seed: number) {
    this.#f = f;
    this.#random = seededRandom(`pages ${seed}`);
  }

  async step(): Promise<void> {
    const { pages, token, operator, watcher, node, networkHelpers } = this.#f;
    const page = this.#pages.length === 0 ? undefined : this.#random.pick(this.#pages);
    const state = page === undefined ? 0n : (await pages.stateOfPage(page.id)).state;
    const place = page === undefined ? 0 : this.#random.pick(page.places);
    const asked = page === undefined ? undefined : await pages.leafRequestOf(page.id, place);
    const operations: Record<string, () => Promise<unknown>> = {
      propose: () => this.#propose(),
      proposeOptimistic: () => this.#proposeOptimistic(),
      wait: async () => networkHelpers.time.increase(this.#random.below(2) === 0 ? 3_600 : DAY),
      topUp: async () => {
        await token.approve(pages, DEPOSIT);
        await pages.deposit(this.#random.pick([operator, node, watcher]).address, DEPOSIT);
      },
      withdraw: async () => {
        const { amount } = await pages.accountOf(watcher.address);
        if (amount > LEAF_DEPOSIT) await pages.connect(watcher).withdraw(watcher, amount / 3n);
      },
      burn: async () => ((await pages.forfeits()) > 0n ? pages.burnForfeits() : undefined),
    };
    if (page !== undefined && state === PENDING) {
      if (page.bad !== undefined) operations.challenge = () => this.#challenge(page);
      if (asked?.requester === ZeroAddress) {
        operations.request = () => this.#ask(page, place);
      } else {
        operations.answer = () =>
          this.#maybe("TooLate|NotIncluded", () =>
            pages.answerLeaves([{ header: page.header, leaf: leafOf(page, place) }]),
          );
        operations.withheld = () =>
          this.#maybe("TooEarly", async () => {
            await pages.rejectWithheld(page.header, place);
            this.#fees -= page.header.fee;
          });
      }
    }
    const demanded = page === undefined ? undefined : await pages.demandOf(page.id, place);
    if (page?.answers !== undefined && state === PENDING) {
      if (demanded?.requester === ZeroAddress) {
        operations.demand = () =>
          this.#maybe("TooManyDemands|DepositTooSmall|LeafIsProved", () =>
            pages.connect(watcher).demandProof(page.header, place),
          );
      } else {
        operations.prove = () => this.#maybe("TooLate|LeafIsBad", () => this.#prove(page, place));
        operations.unproved = () =>
          this.#maybe("TooEarly", async () => {
            await pages.rejectUnproved(page.header, place);
            this.#fees -= page.header.fee;
          });
      }
    }
    if (page?.answers !== undefined && state === REJECTED) {
      operations.giveDemandBack = () =>
        this.#maybe("DemandInvalid", () => pages.returnDemand(page.header, place));
      operations.proveAgain = () =>
        this.#maybe("TooLate|LeafIsBad", () => this.#prove(page, place));
    }
    if (page !== undefined && state === FINAL) {
      operations.release = () =>
        this.#maybe("TooEarly|StateInvalid", async () => {
          await pages.releaseBonds([page.header]);
          this.#fees -= page.header.fee;
        });
      if (page.bad !== undefined) operations.disprove = () => this.#challenge(page);
    }
    if (page !== undefined && state === REJECTED && asked !== undefined) {
      operations.giveBack = () =>
        this.#maybe("RequestInvalid", () => pages.returnRequest(page.header, place));
    }
    const name = this.#random.pick(Object.keys(operations));
    await operations[name]?.();
    this.done.add(name);
  }

  /** Every unit of OPG is somebody's, and every bit in the ledger is a page's. */
  async check(): Promise<void> {
    const { pages, token, operator, watcher, node, administrator, settlement } = this.#f;
    let owed = (await pages.forfeits()) + this.#fees;
    // Whoever answers is the administrator, the fixture's first account.
    for (const { address } of [operator, watcher, node, administrator])
      owed += (await pages.accountOf(address)).amount;
    const held = new Map<bigint, bigint>();
    const open = new Map<string, bigint>();
    for (const { id, header, places, results, tree } of this.#pages) {
      let requests = 0n;
      let demands = 0n;
      for (const index of places) {
        const { deposit } = await pages.leafRequestOf(id, index);
        const demand = await pages.demandOf(id, index);
        owed += (deposit + demand.deposit) * LEAF_DEPOSIT;
        if (deposit > 0n) requests += 1n;
        if (demand.deposit > 0n) demands += 1n;
      }
      const { state } = await pages.stateOfPage(id);
      const { openRequests, outcome } = await pages.pageOf(id);
      const clock = await pages.clockOf(id);
      if (state === PENDING) expect([openRequests, clock.open]).to.deep.equal([requests, demands]);
      if (state === FINAL) expect(requests + demands).to.equal(0n);
      if (outcome === 0n) open.set(header.proposer, (open.get(header.proposer) ?? 0n) + 1n);
      const proved = await pages.provedIn(id);
      expect(proved & ~header.bitmap).to.equal(0n);
      for (const index of places) {
        if ((proved >> BigInt(index)) % 2n === 0n) continue;
        // What was proved is settled for good, whatever became of the page.
        expect(
          await settlement.isSettled(leafOf({ results, tree }, index).result.requestId),
        ).to.equal(true);
      }
      const bits = state === REJECTED ? 0n : header.bitmap & ~proved;
      expect((held.get(header.ledgerPage) ?? 0n) & bits, "held twice").to.equal(0n);
      held.set(header.ledgerPage, (held.get(header.ledgerPage) ?? 0n) | bits);
    }
    expect(await token.balanceOf(pages)).to.equal(owed);
    for (const { address } of [operator, node]) {
      expect((await pages.accountOf(address)).openPages).to.equal(open.get(address) ?? 0n);
    }
    for (const [ledgerPage, bits] of held) {
      expect(await settlement.heldBy(pages, ledgerPage)).to.equal(bits);
    }
  }

  async #propose(): Promise<void> {
    const f = this.#f;
    const wanted = Array.from({ length: 1 + this.#random.below(4) }, () => this.#random.below(24));
    const bad = this.#random.below(2) === 0 ? wanted[0] : undefined;
    const content = {
      ...(await goodResults(f, wanted)),
      ...(bad === undefined ? {} : await unsigned(f, bad)),
    };
    const fee = BigInt(this.#random.below(3)) * parseEther("1");
    await this.#take(makePage(f, content, { fee, blobId: `0x${this.#hex(32)}` }), bad);
  }

  /** Answers of the node, of which one may have no signature; some are demanded later, and proved or not. */
  async #proposeOptimistic(): Promise<void> {
    const f = this.#f;
    const wanted = Array.from({ length: 1 + this.#random.below(4) }, () => this.#random.below(24));
    const bad = this.#random.below(3) === 0 ? wanted[0] : undefined;
    const { answers } = await answeredPage(f, wanted);
    const content = Object.fromEntries(
      [...answers].map(([index, { result, signature }]) => [
        index,
        { result, signature: index === bad ? "0x" : signature },
      ]),
    );
    const fee = BigInt(this.#random.below(2)) * parseEther("1");
    const page = optimisticPage(f, content, { fee, blobId: `0x${this.#hex(32)}` });
    await this.#take(page, bad, answers);
  }

  async #take(page: Page, bad?: number, answers?: Proposed["answers"]): Promise<void> {
    const f = this.#f;
    const occupied = await f.settlement.occupied(page.header.ledgerPage);
    const bitmap = page.header.bitmap & ~occupied;
    const proposed = { ...page, header: { ...page.header, bitmap } };
    const proposer = answers === undefined ? f.operator : f.node;
    await this.#maybe("NothingToTake|DepositTooSmall", async () => {
      await propose(f, page, proposer);
      const places = placesOf({ bitmap });
      this.#fees += page.header.fee;
      this.#pages.push({
        ...{ ...proposed, places, id: await idOf(f, proposed) },
        ...(bad === undefined || !places.includes(bad) ? {} : { bad }),
        ...(answers === undefined ? {} : { answers }),
      });
    });
  }

  /** Nothing more of a result that was settled already, in a later page or alone. */
  async #prove(page: Proposed, place: number): Promise<void> {
    const { pages, settlement } = this.#f;
    const { requestId } = leafOf(page, place).result;
    const { state } = await pages.stateOfPage(page.id);
    const occupied = await settlement.occupied(page.header.ledgerPage);
    if (state === REJECTED && (occupied >> BigInt(place)) % 2n === 1n) return;
    await pages.proveLeaf(...proofOf(this.#f, page, place, page.answers?.get(place)?.words ?? []));
    expect(await settlement.isSettled(requestId)).to.equal(true);
  }

  async #challenge(page: Proposed): Promise<void> {
    await this.#maybe("TooLate|CommitmentInvalid|StateInvalid", async () => {
      await challenge(this.#f, page, page.bad ?? 0);
      this.#fees -= page.header.fee;
    });
  }

  async #ask(page: Proposed, place: number): Promise<void> {
    const { pages, watcher } = this.#f;
    await this.#maybe("TooLate|TooManyRequests|DepositTooSmall", () =>
      pages.connect(watcher).requestLeaf(page.header, place),
    );
  }

  /** Does something that may be refused for reasons of time or money, and for no other. */
  async #maybe(refusals: string, act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!new RegExp(`PageSettlement_(${refusals})`).test(String(error))) throw error;
    }
  }

  #hex(bytes: number): string {
    return Array.from({ length: bytes }, () =>
      this.#random.below(256).toString(16).padStart(2, "0"),
    ).join("");
  }
}
