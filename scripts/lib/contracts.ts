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

type View<Fragment extends { inputs: Parameters; outputs: Parameters }> = (
  ...values: Inputs<Fragment["inputs"]>
) => Promise<Outputs<Fragment["outputs"]>>;
type Change<Fragment extends { inputs: Parameters }> = {
  (...values: Inputs<Fragment["inputs"]>): Promise<ContractTransactionResponse>;
  estimateGas(...values: [...Inputs<Fragment["inputs"]>, overrides?: Overrides]): Promise<bigint>;
  send(
    ...values: [...Inputs<Fragment["inputs"]>, overrides?: Overrides]
  ): Promise<ContractTransactionResponse>;
};

/** ethers' contract, with its functions as properties typed by the generated ABI. */
export type ContractOf<Name extends AbiName> = {
  readonly [F in FunctionOf<Name> as F["name"]]: F["name"] extends ViewName<Name>
    ? View<F>
    : Change<F>;
} & Pick<BaseContract, "getAddress" | "interface" | "getFunction" | "connect"> & {
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
