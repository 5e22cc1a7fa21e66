import { ACCESS_TABLE, selectorOf } from "@haca/protocol/accessTable";
import { ROLES } from "@haca/protocol/roles";
import { type BaseContract, Contract, ContractFactory, parseEther, Wallet } from "ethers";
import { type ContractOf, contractAt } from "../../../scripts/lib/contracts.ts";
import { readArtifact } from "../../../testing/artifacts.ts";
import { developmentKey, type LocalChain } from "./localChain.ts";
import type { TeeChain } from "./teeChain.ts";

const HOUR = 3_600n;
const DAY = 24n * HOUR;
/** The account that has every role, as in `TeeChain`. */
const ADMINISTRATOR = 8;
export const PAGE_PARAMETERS = {
  longRoad: 2n * DAY,
  shortRoad: 6n * HOUR,
  resultWindow: 7n * DAY,
  minimumDeposit: parseEther("100"),
};
export const EVIDENCE_SECONDS = 7n * DAY;

/** `PageSettlement` with its token on a chain with a TEE registry, in its address book, and a writer of the ledger. */
export class PageContract {
  readonly contract: ContractOf<"PageSettlement">;
  readonly #chain: LocalChain;
  readonly #token: ContractOf<"OPG">;

  private constructor(chain: LocalChain, token: string, contract: string) {
    const runner = new Wallet(developmentKey(ADMINISTRATOR), chain.provider);
    this.#chain = chain;
    this.#token = contractAt({ name: "OPG", address: token, runner });
    this.contract = contractAt({ name: "PageSettlement", address: contract, runner });
  }

  static async deploy({ chain }: TeeChain): Promise<PageContract> {
    const runner = new Wallet(developmentKey(ADMINISTRATOR), chain.provider);
    const { AccessManager, InferenceSettlement } = chain.book.contracts;
    const make = async (name: string, values: readonly unknown[]): Promise<BaseContract> => {
      const { abi, bytecode } = readArtifact(name);
      const factory = new ContractFactory(abi as [], bytecode, runner);
      return await (await factory.deploy(...values)).waitForDeployment();
    };
    const token = await make("OPG", [runner.address, runner.address]);
    const pages = await make("PageSettlement", [
      ...[AccessManager.address, InferenceSettlement.address, token.target],
      ...[DAY, PAGE_PARAMETERS],
    ]);
    const made = new PageContract(chain, String(token.target), String(pages.target));
    const { abi } = readArtifact("AccessManager");
    const manager = new Contract(AccessManager.address, abi as [], chain.owner);
    for (const { contract, role, functions } of ACCESS_TABLE) {
      if (contract !== "PageSettlement") continue;
      const values = [pages.target, functions.map(selectorOf), ROLES[role]];
      await chain.execute(manager, "setTargetFunctionRole", ...values);
    }
    await made.allow(true);
    const place = { ...InferenceSettlement, address: String(pages.target) };
    Object.assign(chain.book.contracts, { PageSettlement: place });
    return made;
  }

  /** Whether the ledger lets it hold requests: without that, every proposal reverts. */
  async allow(isWriter: boolean): Promise<void> {
    const runner = new Wallet(developmentKey(ADMINISTRATOR), this.#chain.provider);
    const settlement = this.#chain.settlement.connect(runner) as Contract;
    const sent = await settlement.getFunction("setLedgerWriter")(this.contract.target, isWriter);
    await sent.wait();
  }

  /** A deposit for an account, in whole OPG. */
  async deposit(account: string, amount: number): Promise<void> {
    const units = parseEther(String(amount));
    await (await this.#token.approve(this.contract.target, units)).wait();
    await (await this.contract.deposit(account, units)).wait();
  }

  /** Lets so much time go by, and as many blocks as any worker of these tests watches. */
  async pass(seconds: bigint): Promise<void> {
    await this.#chain.send("evm_increaseTime", Number(seconds));
    await this.#chain.send("anvil_mine", "0x4");
  }

  /** Lets every page that is pending become final. */
  async end(): Promise<void> {
    await this.pass(PAGE_PARAMETERS.longRoad + 1n);
  }

  /** Now, as the chain has it, in unix seconds. */
  async now(): Promise<bigint> {
    return BigInt((await this.#chain.provider.getBlock("pending"))?.timestamp ?? 0);
  }
}
