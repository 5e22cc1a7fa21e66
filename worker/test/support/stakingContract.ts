import { signSigningKey } from "@haca/protocol/validatorStaking";
import { ContractFactory, parseEther, Wallet, ZeroAddress } from "ethers";
import { type ContractOf, contractAt } from "../../../scripts/lib/contracts.ts";
import { readArtifact } from "../../../testing/artifacts.ts";
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
    const place = { ...AccessManager, address: String(made.target) };
    Object.assign(book.contracts, { ValidatorStaking: place });
    return new StakingContract(tee, pages, String(made.target));
  }

  /** Has an account enter the set with a key and so much stake, in whole OPG. It counts from the next epoch on. */
  async enter(parameters: { owner: number; key: Wallet; stake: number }): Promise<void> {
    const { key, owner, stake } = parameters;
    const runner = new Wallet(developmentKey(owner), this.#tee.chain.provider);
    const address = String(this.contract.target);
    const amount = parseEther(String(stake));
    await (await this.#pages.token.transfer(runner.address, amount)).wait();
    const token = contractAt({ name: "OPG", address: String(this.#pages.token.target), runner });
    await (await token.approve(address, amount)).wait();
    const validator = runner.address;
    const consent = await signSigningKey({ chainId: 31337n, staking: address, validator, key });
    const own = contractAt({ name: "ValidatorStaking", address, runner });
    await (await own.register.send(key.address, consent, 0n, amount, GAS)).wait();
    await (await own.enter.send(ZeroAddress, GAS)).wait();
  }

  /** Stake of a validator's pool. */
  async stakeOf(owner: number): Promise<bigint> {
    const { address } = new Wallet(developmentKey(owner));
    return (await this.contract.validatorOf(address)).stake;
  }
}
