import { Contract, type Provider } from "ethers";
import { addressOf } from "../call.ts";
import type { ActionContext } from "./action.ts";

/** Reads one view of the contract at an address; `view` is a human-readable fragment. */
export const readViewAt = (
  provider: Provider,
  address: string,
  view: string,
  ...values: unknown[]
) =>
  new Contract(address, [view], provider).getFunction(/(?<=^function )\w+/.exec(view)?.[0] ?? "")(
    ...values,
  );

/** The same of a contract in the address book. */
export const readView = (
  { book, provider }: Pick<ActionContext, "book" | "provider">,
  contract: string,
  view: string,
  ...values: unknown[]
) => readViewAt(provider, addressOf(book, contract), view, ...values);
