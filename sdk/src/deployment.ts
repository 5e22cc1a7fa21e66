import { isSameSettlement, modelOf, type PinnedModel, type Pins } from "./pins.ts";
import type { StorageLayout } from "./witness/storageLayout.ts";

/** What a deployment file says, of a chain's contracts by whoever deployed them. It is believed as pins are. */
export type Deployment = {
  chainId: string;
  settlement: string;
  /** where the settlement and its TEE registry keep what a witness shows; undefined where the file does not say it */
  storage?: StorageLayout | undefined;
  /** versions by `slug@major.minor`, and by `slug` where one owner has that name: the highest */
  models: Readonly<Record<string, PinnedModel>>;
  nodes: readonly ListedNode[];
};

/** A node that the file names; its operator and price, where it says them. */
export type ListedNode = {
  url: URL;
  answers: "infer" | "chat";
  operator: string | undefined;
  /** of an answer, in wei-scale OPG */
  price: bigint | undefined;
};

/** Pins with what they lack: the deployment's settlement, where none is pinned on its chain, and its names of models. */
export function withDeployment(pins: Pins, deployment: Deployment | undefined): Pins {
  if (deployment === undefined) return pins;
  const { chainId, models, settlement, storage } = deployment;
  const { settlements = [] } = pins;
  const own = { chainId, settlement, ...(storage === undefined ? {} : { storage }) };
  const isPinned = settlements.some((known) => known.chainId === chainId);
  // A version that is pinned stays what it is pinned as, whatever it is called.
  const named = Object.entries(models).map(([name, model]) => [
    name,
    modelOf(pins, model.version)?.[1] ?? model,
  ]);
  return {
    ...pins,
    settlements: isPinned
      ? settlements.map((known) => (isSameSettlement(known, own) ? { ...own, ...known } : known))
      : [...settlements, own],
    models: { ...Object.fromEntries(named), ...pins.models },
  };
}
