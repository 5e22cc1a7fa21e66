import type { AddressBook } from "@haca/protocol/addressBook";
import type { ContractName } from "@haca/protocol/contracts";
import type { Provider } from "ethers";
import type { Arguments } from "../arguments.ts";
import type { Call } from "../call.ts";

export type ActionContext = {
  book: AddressBook;
  provider: Provider;
  values: Arguments;
  /** the account that signs */
  account: string;
};

/** A contract that a proposal needs and that `account` deploys before it. */
export type Deployment = {
  /** name of the artifact */
  contract: string;
  constructorArguments: readonly unknown[];
  /** where it will be, by the account and its next transactions */
  address: string;
  /** what it is, in plain words */
  words: string;
};

export type Plan = {
  calls: readonly Call[];
  deployments?: readonly Deployment[];
  /** the last second, unix, at which the calls can be made, and why */
  until?: { time: bigint; reason: string };
};

/** A function as docs/access-control.md names it, behind its contract: `TEERegistry.banTEE(bytes32)`. */
export type ContractFunction = `${ContractName}.${string}(${string})`;

export type Action = {
  name: string;
  /** what follows the name on the command line */
  usage: string;
  summary: string;
  /** who carries it out: token holders by a proposal, the guardian at once, or whoever holds the role, and they alone */
  by: "proposal" | "guardian" | "role";
  /** every function that its calls can be of */
  functions: readonly ContractFunction[];
  /** Errors name the value that is wrong, or say that nothing would change. */
  build: (context: ActionContext) => Promise<Plan>;
};
