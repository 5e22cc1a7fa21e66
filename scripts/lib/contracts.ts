import { createRequire } from "node:module";
import type { abis } from "@haca/protocol/abi";
import { TextInterface } from "@haca/protocol/chainText";
import type { AbiName } from "@haca/protocol/contracts";
import {
  type BaseContract,
  type BigNumberish,
  type BytesLike,
  Contract,
  type ContractRunner,
  type ContractTransactionResponse,
  type Interface,
  type InterfaceAbi,
  type Overrides,
} from "ethers";

type Abis = typeof abis;

/** Parameters as an ABI writes them. */
type Parameter = {
  readonly type: string;
  readonly name?: string;
  readonly components?: readonly Parameter[];
};
type Parameters = readonly Parameter[];
type FunctionOf<Name extends AbiName> = Extract<Abis[Name][number], { type: "function" }>;

/** A contract's functions by name, those that only read and those that change something. */
export type ViewName<Name extends AbiName> = Extract<
  FunctionOf<Name>,
  { stateMutability: "view" | "pure" }
>["name"];
export type ChangeName<Name extends AbiName> = Exclude<FunctionOf<Name>["name"], ViewName<Name>>;

/** What ethers gives for a value. */
type Output<
  P extends Parameter,
  Type extends string = P["type"],
> = Type extends `${infer Item}[${string}]`
  ? readonly Output<P, Item>[]
  : Type extends "tuple"
    ? Named<NonNullable<P["components"]>>
    : Type extends "bool"
      ? boolean
      : Type extends `uint${string}` | `int${string}`
        ? bigint
        : string;
type Named<Ps extends Parameters> = {
  readonly [P in Ps[number] as NonNullable<P["name"]>]: Output<P>;
};
type Outputs<Ps extends Parameters> = Ps extends readonly [infer P extends Parameter]
  ? Output<P>
  : { readonly [Index in keyof Ps]: Output<Ps[Index]> } & Named<Ps>;

/** What ethers takes for a value. */
type Input<
  P extends Parameter,
  Type extends string = P["type"],
> = Type extends `${infer Item}[${string}]`
  ? readonly Input<P, Item>[]
  : Type extends "tuple"
    ? Inputs<NonNullable<P["components"]>> | NamedInput<NonNullable<P["components"]>>
    : Type extends "bool"
      ? boolean
      : Type extends `uint${string}` | `int${string}`
        ? BigNumberish
        : Type extends `bytes${string}`
          ? BytesLike
          : string;
type NamedInput<Ps extends Parameters> = {
  readonly [P in Ps[number] as NonNullable<P["name"]>]: Input<P>;
};
type Inputs<Ps extends Parameters> = { readonly [Index in keyof Ps]: Input<Ps[Index]> };

/** Arguments of a function. */
export type ArgumentsOf<Name extends AbiName, Function extends FunctionOf<Name>["name"]> = Inputs<
  Extract<FunctionOf<Name>, { name: Function }>["inputs"]
>;

type Shape = { readonly inputs: Parameters; readonly outputs: Parameters };
type Try<Fragment extends Shape> = (
  ...values: [...Inputs<Fragment["inputs"]>, overrides?: Overrides]
) => Promise<Outputs<Fragment["outputs"]>>;
type View<Fragment extends Shape> = {
  (...values: Inputs<Fragment["inputs"]>): Promise<Outputs<Fragment["outputs"]>>;
  staticCall: Try<Fragment>;
};
type Change<Fragment extends Shape> = {
  staticCall: Try<Fragment>;
  (...values: Inputs<Fragment["inputs"]>): Promise<ContractTransactionResponse>;
  estimateGas(...values: [...Inputs<Fragment["inputs"]>, overrides?: Overrides]): Promise<bigint>;
  send(
    ...values: [...Inputs<Fragment["inputs"]>, overrides?: Overrides]
  ): Promise<ContractTransactionResponse>;
};

/** An ABI's functions, as ethers has them: properties of the contract. */
export type Functions<Abi extends readonly { readonly type: string }[]> = {
  readonly [F in Extract<Abi[number], { type: "function" }> as F extends {
    name: infer Name extends string;
  }
    ? Name
    : never]: F extends Shape & { stateMutability: string }
    ? F["stateMutability"] extends "view" | "pure"
      ? View<F>
      : Change<F>
    : never;
};

/** ethers' contract, with its functions typed by the generated ABI. */
export type ContractOf<Name extends AbiName> = Functions<Abis[Name]> &
  Pick<BaseContract, "getAddress" | "interface" | "getFunction" | "connect" | "queryFilter"> & {
    readonly target: string;
    /** never there; a contract is known by it among types */
    readonly contractName?: Name;
  };

const load = createRequire(import.meta.url);

/** The generated ABIs, loaded when they are used: commands show their help without a build. */
const generated = (): Abis => load("@haca/protocol/abi").abis;

/** A contract's interface; its strings are anybody's. */
export const interfaceOf = (name: AbiName): Interface =>
  new TextInterface(generated()[name] as InterfaceAbi);

/** The contract at an address. */
export const contractAt = <Name extends AbiName>(parameters: {
  name: Name;
  address: string;
  runner: ContractRunner;
}): ContractOf<Name> =>
  new Contract(
    parameters.address,
    interfaceOf(parameters.name),
    parameters.runner,
  ) as unknown as ContractOf<Name>;

/** The same contract for another runner. */
export const connected = <Name extends AbiName>(
  contract: ContractOf<Name>,
  runner: ContractRunner,
): ContractOf<Name> =>
  (contract as unknown as Contract).connect(runner) as unknown as ContractOf<Name>;
