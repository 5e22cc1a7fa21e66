import type { Interface } from "ethers";
import type { Hex, PublicClient } from "viem";
import { isTransportFailure, unavailable } from "./paymentFailures.ts";

/** Asks contracts in the latest block, as the account that pays the gas. */
export class ViewCaller {
  readonly #client: PublicClient;
  readonly #account: string;

  constructor(parameters: { client: PublicClient; account: string }) {
    this.#client = parameters.client;
    this.#account = parameters.account;
  }

  /** What a call answers; undefined where it reverts. @throws RetryableError */
  async call(to: string, data: string): Promise<string | undefined> {
    try {
      const call = { account: this.#account as Hex, to: to as Hex, data: data as Hex };
      return (await this.#client.call(call)).data ?? "0x";
    } catch (error) {
      if (isTransportFailure(error)) throw unavailable(error);
      return undefined;
    }
  }

  /** What a view of a contract that is there answers. @throws RetryableError */
  async view(
    of: Interface,
    to: string,
    name: string,
    ...values: unknown[]
  ): Promise<readonly unknown[]> {
    const answer = await this.call(to, of.encodeFunctionData(name, values));
    // An endpoint that lacks the contract's state answers nothing.
    if (answer === undefined || answer === "0x") throw unavailable(new Error(`${name} of ${to}`));
    return of.decodeFunctionResult(name, answer).toArray();
  }
}
