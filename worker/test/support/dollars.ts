import { ContractFactory, Interface, parseEther, Wallet } from "ethers";
import { type ContractOf, contractAt } from "../../../scripts/lib/contracts.ts";
import { readArtifact } from "../../../testing/artifacts.ts";
import type { TeeChain } from "./teeChain.ts";

const ETHER = "0x56bc75e2d63100000";
/** What an answer costs in them: two cents, by a price in dollars. */
export const CENTS = 20_000n;

/** A token of six decimals beside OPG, as stock clients pay it by EIP-3009. */
export class Dollars {
  readonly address: string;
  readonly #tee: TeeChain;
  readonly #abi: Interface;
  /** what it has in common with OPG */
  readonly #token: ContractOf<"OPG">;

  private constructor(tee: TeeChain, address: string, abi: Interface) {
    this.#tee = tee;
    this.address = address;
    this.#abi = abi;
    this.#token = contractAt({ name: "OPG", address, runner: tee.chain.owner });
  }

  static async deploy(tee: TeeChain): Promise<Dollars> {
    const { abi, bytecode } = readArtifact("DollarToken");
    const { owner } = tee.chain;
    const made = await new ContractFactory(abi as [], bytecode, owner).deploy(
      await owner.getAddress(),
    );
    const { target } = await made.waitForDeployment();
    return new Dollars(tee, String(target), new Interface(abi as []));
  }

  /** The token as a gateway's price table has it. */
  inTable(operator: string): object {
    return {
      ...{ address: this.address, name: "Test Dollar", version: "2", decimals: 6, operator },
      rate: { fixed: "1" },
    };
  }

  balanceOf(account: string): Promise<bigint> {
    return this.#token.balanceOf(account);
  }

  /** Has the issuer block an account, or no more. */
  async setBlocked(account: string, isBlocked: boolean): Promise<void> {
    const data = this.#abi.encodeFunctionData("setBlocked", [account, isBlocked]);
    await (await this.#tee.chain.owner.sendTransaction({ to: this.address, data })).wait();
  }

  /** An account with so many of them, and ether. */
  async payer(amount: bigint): Promise<Wallet> {
    const payer = new Wallet(Wallet.createRandom().privateKey, this.#tee.chain.provider);
    await this.#tee.chain.send("anvil_setBalance", payer.address, ETHER);
    await (await this.#token.transfer(payer.address, amount)).wait();
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
