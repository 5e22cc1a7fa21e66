import { concat, Interface, type InterfaceAbi, keccak256 } from "ethers";
import { CreatedContract, FoundContract, type PlannedContract, type Step, View } from "./plan.ts";

export type Payload = { to?: string; data: string };

/** What a transaction does, in 32 bytes: its target and its data. */
export const fingerprintOf = ({ to, data }: Payload): string =>
  keccak256(concat([to ?? "0x", data]));

type Artifact = { abi: readonly unknown[]; bytecode: string };

/** Turns the steps of a plan into transactions, once the contracts that they mention are there. */
export class PlanEncoder {
  readonly #readArtifact: (name: string) => Promise<Artifact>;
  readonly #call: (payload: Required<Payload>) => Promise<string>;
  /** by the creating step */
  readonly #created = new Map<string, string>();
  readonly #found = new Map<FoundContract, string>();

  constructor(parameters: {
    readArtifact: (name: string) => Promise<Artifact>;
    call: (payload: Required<Payload>) => Promise<string>;
  }) {
    this.#readArtifact = parameters.readArtifact;
    this.#call = parameters.call;
  }

  setAddress(step: string, address: string): void {
    this.#created.set(step, address);
  }

  async interfaceOf(contract: PlannedContract): Promise<Interface> {
    return new Interface((await this.#readArtifact(contract.name)).abi as InterfaceAbi);
  }

  async addressOf(contract: PlannedContract): Promise<string> {
    if (contract instanceof CreatedContract) {
      const address = this.#created.get(contract.id);
      if (address === undefined) throw new Error(`${contract.id} is used before it is created`);
      return address;
    }
    const known = this.#found.get(contract);
    if (known !== undefined) return known;
    const address = String(await this.#ask(contract.address));
    this.#found.set(contract, address);
    return address;
  }

  async encode(step: Step): Promise<Payload> {
    const contractInterface = await this.interfaceOf(step.contract);
    if (step.kind === "creation") {
      const { bytecode } = await this.#readArtifact(step.contract.name);
      const values = (await this.#resolve(step.contract.arguments)) as unknown[];
      return { data: concat([bytecode, contractInterface.encodeDeploy(values)]) };
    }
    const args = (await this.#resolve(step.arguments)) as unknown[];
    return {
      to: await this.addressOf(step.contract),
      data: contractInterface.encodeFunctionData(step.function, args),
    };
  }

  /**
   * What a contract's constructor got, as an address book has it: each as a decimal or as hex, or, where one of them is
   * a struct, all of them encoded.
   */
  async constructorArguments(contract: PlannedContract): Promise<string[]> {
    const values = (await this.#resolve(contract.arguments)) as unknown[];
    if (!values.some(isStruct)) return values.map(textOf);
    return [(await this.interfaceOf(contract)).encodeDeploy(values)];
  }

  async #ask(view: View): Promise<unknown> {
    const contractInterface = await this.interfaceOf(view.contract);
    const data = contractInterface.encodeFunctionData(view.name);
    const answer = await this.#call({ to: await this.addressOf(view.contract), data });
    return contractInterface.decodeFunctionResult(view.name, answer)[0];
  }

  async #resolve(value: unknown): Promise<unknown> {
    if (value instanceof CreatedContract || value instanceof FoundContract) {
      return this.addressOf(value);
    }
    if (value instanceof View) return this.#ask(value);
    if (Array.isArray(value)) return Promise.all(value.map((item) => this.#resolve(item)));
    if (typeof value === "object" && value !== null) {
      const entries = Object.entries(value).map(async ([key, item]) => [
        key,
        await this.#resolve(item),
      ]);
      return Object.fromEntries(await Promise.all(entries));
    }
    return value;
  }
}

const isStruct = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(textOf).join(",")}]` : String(value);
