import type { PageHeader } from "@haca/protocol/pageSettlement";
import {
  decodeSnapshot,
  EPOCH_SECONDS,
  signAttestation,
  signSigningKey,
} from "@haca/protocol/validatorStaking";
import { ContractFactory, concat, type Interface, parseEther, Wallet, ZeroAddress } from "ethers";
import { type ContractOf, contractAt } from "../../../scripts/lib/contracts.ts";
import { readArtifact } from "../../../testing/artifacts.ts";
import { pageInterface, stakingInterface } from "../../src/chain/chain.ts";
import { type Happened, happenedAt } from "./happened.ts";
import { developmentKey } from "./localChain.ts";
import type { PageContract } from "./pageContract.ts";
import type { TeeChain } from "./teeChain.ts";

/** The account that has every role, as in `TeeChain`. */
const ADMINISTRATOR = 8;
const PARAMETERS = {
  minimumSelfStake: parseEther("10000"),
  minimumTotalStake: parseEther("20000"),
  slashWithQuorum: 500n,
  slashWithout: 100n,
  dailySlash: 1_000n,
  bounty: parseEther("10"),
};

/** What a call takes depends on whether it is the first one of its epoch, which an estimate cannot foresee. */
const GAS = { gasLimit: 2_000_000n };

/** `ValidatorStaking` as the attester of pages, in the chain's address book. */
export class StakingContract {
  readonly contract: ContractOf<"ValidatorStaking">;
  readonly #tee: TeeChain;
  readonly #pages: PageContract;

  private constructor(tee: TeeChain, pages: PageContract, address: string) {
    const runner = new Wallet(developmentKey(ADMINISTRATOR), tee.chain.provider);
    this.#tee = tee;
    this.#pages = pages;
    this.contract = contractAt({ name: "ValidatorStaking", address, runner });
  }

  static async deploy(tee: TeeChain, pages: PageContract): Promise<StakingContract> {
    const { book, provider } = tee.chain;
    const runner = new Wallet(developmentKey(ADMINISTRATOR), provider);
    const { AccessManager } = book.contracts;
    const { abi, bytecode } = readArtifact("ValidatorStaking");
    const factory = new ContractFactory(abi as [], bytecode, runner);
    const values = [AccessManager.address, pages.token.target, pages.contract.target, PARAMETERS];
    const made = await (await factory.deploy(...values)).waitForDeployment();
    await (await pages.contract.setAttester(String(made.target))).wait();
    await tee.chain.list("ValidatorStaking", made);
    return new StakingContract(tee, pages, String(made.target));
  }

  /** Has an account enter the set with a key and so much stake, in whole OPG. It counts from the next epoch on. */
  async enter(parameters: { owner: number; key: Wallet; stake: number }): Promise<void> {
    const { key, owner, stake } = parameters;
    const amount = parseEther(String(stake));
    const own = await this.#allowed(owner, amount);
    const validator = new Wallet(developmentKey(owner)).address;
    const staking = String(this.contract.target);
    const consent = await signSigningKey({ chainId: 31337n, staking, validator, key });
    await (await own.register.send(key.address, consent, 0n, amount, GAS)).wait();
    await (await own.enter.send(ZeroAddress, GAS)).wait();
  }

  /** Has an account delegate so much to a validator, in smallest units. */
  async delegate(parameters: { account: number; owner: number; amount: bigint }): Promise<void> {
    const { account, amount, owner } = parameters;
    const own = await this.#allowed(account, amount);
    await (await own.delegate.send(addressOf(owner), amount, GAS)).wait();
  }

  /** Has an account take half of what it has in a validator's pool out of it. */
  async undelegateHalf(parameters: { account: number; owner: number }): Promise<void> {
    const { account, owner } = parameters;
    const [{ shares }] = await this.contract.delegationOf(addressOf(owner), addressOf(account));
    const own = this.#as(account);
    await (await own.undelegate.send(addressOf(owner), shares / 2n, GAS)).wait();
  }

  /** Has an account claim what it has earned in a validator's pool. */
  async claim(parameters: { account: number; owner: number }): Promise<void> {
    const own = this.#as(parameters.account);
    await (await own.claimRewards.send(addressOf(parameters.owner), GAS)).wait();
  }

  /** Rewards for all pools, in whole OPG. */
  async addRewards(amount: number): Promise<void> {
    const own = await this.#allowed(ADMINISTRATOR, parseEther(String(amount)));
    await (await own.addRewards.send(parseEther(String(amount)), GAS)).wait();
  }

  /** Has validators with these keys vouch for a page; an account of theirs brings the quorum, and freezes the epoch before. */
  async attest(parameters: {
    page: { header: PageHeader; pageId: string };
    keys: readonly Wallet[];
    account: number;
  }): Promise<void> {
    const { account, keys, page } = parameters;
    const epoch = (await this.#pages.now()) / EPOCH_SECONDS;
    if ((await this.snapshotOf(epoch)) === undefined) await (await this.contract.freeze()).wait();
    const words = await this.snapshotOf(epoch);
    if (words === undefined) throw new Error(`epoch ${epoch} is not frozen`);
    const domain = { chainId: 31337n, staking: String(this.contract.target), pageId: page.pageId };
    let signers = 0n;
    const signatures: string[] = [];
    for (const [place, member] of decodeSnapshot(words).members.entries()) {
      const key = keys.find(({ address }) => address === member.key);
      if (key === undefined) continue;
      signers |= 1n << BigInt(place);
      signatures.push(await signAttestation({ ...domain, key }));
    }
    const own = this.#as(account);
    await (await own.attest(page.header, words, signers, concat(signatures))).wait();
  }

  /** Divides what attested pages have brought and nobody has divided yet. */
  async payPages(): Promise<void> {
    const sets = new Map<bigint, Set<bigint>>();
    for (const { args, name, time } of await this.#happened(this.#pages, pageInterface)) {
      if (name !== "PageAttested") continue;
      const epoch = time / EPOCH_SECONDS;
      sets.set(epoch, (sets.get(epoch) ?? new Set()).add(args.signers));
    }
    for (const [epoch, all] of sets) {
      const due: bigint[] = [];
      for (const signers of all) {
        if ((await this.contract.tallyOf(epoch, signers)).pages > 0n) due.push(signers);
      }
      if (due.length === 0) continue;
      const words = await this.snapshotOf(epoch);
      await (await this.contract.payPages.send(epoch, words ?? [], due)).wait();
    }
  }

  /** The set of an epoch; undefined if nobody has frozen it. */
  async snapshotOf(epoch: bigint): Promise<bigint[] | undefined> {
    const isIt = ({ args, name }: Happened) => name === "SnapshotFrozen" && args.epoch === epoch;
    const found = (await this.#happened(this, stakingInterface)).find(isIt);
    return found && [...found.args.snapshot];
  }

  /** Stake of a validator's pool. */
  async stakeOf(owner: number): Promise<bigint> {
    return (await this.contract.validatorOf(addressOf(owner))).stake;
  }

  #happened({ contract }: { contract: { target: unknown } }, abi: Interface): Promise<Happened[]> {
    return happenedAt({ provider: this.#tee.chain.provider, contract, abi });
  }

  #as(account: number): ContractOf<"ValidatorStaking"> {
    const runner = new Wallet(developmentKey(account), this.#tee.chain.provider);
    const address = String(this.contract.target);
    return contractAt({ name: "ValidatorStaking", address, runner });
  }

  /** The contract as an account that has so much and lets it be taken. */
  async #allowed(account: number, amount: bigint): Promise<ContractOf<"ValidatorStaking">> {
    const own = this.#as(account);
    const { token } = this.#pages;
    const runner = new Wallet(developmentKey(account), this.#tee.chain.provider);
    await (await token.transfer(addressOf(account), amount)).wait();
    const ownToken = contractAt({ name: "OPG", address: String(token.target), runner });
    await (await ownToken.approve(this.contract.target, amount)).wait();
    return own;
  }
}

const addressOf = (account: number): string => new Wallet(developmentKey(account)).address;
