import { Contract, ContractFactory, parseEther, Wallet } from "ethers";
import { readArtifact } from "../../../testing/artifacts.ts";
import type { TeeChain } from "./teeChain.ts";

const ETHER = "0x56bc75e2d63100000";
/** What an answer costs in them: two cents, by a price in dollars. */
export const CENTS = 20_000n;

/** A token of six decimals beside OPG, as stock clients pay it by EIP-3009. */
export class Dollars {
  readonly contract: Contract;
  readonly #tee: TeeChain;

  private constructor(tee: TeeChain, contract: Contract) {
    this.#tee = tee;
    this.contract = contract;
  }

  static async deploy(tee: TeeChain): Promise<Dollars> {
    const { abi, bytecode } = readArtifact("DollarToken");
    const { owner } = tee.chain;
    const made = await new ContractFactory(abi as [], bytecode, owner).deploy(
      await owner.getAddress(),
    );
    const { target } = await made.waitForDeployment();
    return new Dollars(tee, new Contract(target, abi as [], owner));
  }

  get address(): string {
    return String(this.contract.target);
  }

  /** The token as a gateway's price table has it. */
  inTable(operator: string): object {
    return {
      ...{ address: this.address, name: "Test Dollar", version: "2", decimals: 6, operator },
      rate: { fixed: "1" },
    };
  }

  balanceOf(account: string): Promise<bigint> {
    return this.contract.getFunction("balanceOf")(account);
  }

  /** Has the issuer block an account, or no more. */
  async setBlocked(account: string, isBlocked: boolean): Promise<void> {
    await (await this.contract.getFunction("setBlocked")(account, isBlocked)).wait();
  }

  /** An account with so many of them, and ether. */
  async payer(amount: bigint): Promise<Wallet> {
    const payer = new Wallet(Wallet.createRandom().privateKey, this.#tee.chain.provider);
    await this.#tee.chain.send("anvil_setBalance", payer.address, ETHER);
    await (await this.contract.getFunction("transfer")(payer.address, amount)).wait();
    return payer;
  }
}

/** A gateway's price table in OPG and in another token: two OPG or two cents for an answer of the model `chat`. */
export const pricesWith = (usdx: object): string =>
  JSON.stringify({
    models: {
      chat: [
        { token: "OPG", amount: String(parseEther("2")) },
        { token: "USDX", usd: "0.02" },
      ],
    },
    tokens: { USDX: usdx },
  });
