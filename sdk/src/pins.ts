import type { StorageLayout } from "./witness/storageLayout.ts";

/** What the verifier knows beforehand, from the deployment file or from whom they trust. A receipt brings none of it. */
export type Pins = {
  /** those that count; of another one's receipt nothing that a chain says does */
  settlements?: readonly PinnedSettlement[];
  /** measurements of images, 32 bytes: keccak256 of PCR0, PCR1 and PCR2 */
  images?: readonly string[];
  /** SHA-256 of the root certificate of attestation documents; AWS's if left out */
  attestationRoot?: string;
  /** model versions by any name */
  models?: Readonly<Record<string, PinnedModel>>;
};

/** A settlement contract; registries and contracts of pages are those that it names itself. */
export type PinnedSettlement = {
  chainId: string;
  settlement: string;
  /** where it and its TEE registry keep what a witness shows, as the deployment file has it */
  storage?: StorageLayout;
};

export type PinnedModel = {
  /** version id in the model registry */
  version: string;
  /** keccak256 of the verifying key, and how many packed words are the input's; of a model whose answers are proved */
  verifyingKeyHash?: string;
  inputWords?: number;
  /** of its layouts, as `layoutsHash` of `haca models`: without it endpoints that all lie can move the point of an output */
  layoutsHash?: string;
  /** who says so, where it is not the caller; never of a file */
  source?: string;
};

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

type Which = Pick<PinnedSettlement, "chainId" | "settlement">;

export const isSameSettlement = (a: Which, b: Which): boolean =>
  a.chainId === b.chainId && isSame(a.settlement, b.settlement);

/** The pin of a settlement, where there is one. */
export const settlementIn = (pins: Pins, which: Which): PinnedSettlement | undefined =>
  pins.settlements?.find((known) => isSameSettlement(known, which));

export const isPinnedSettlement = (pins: Pins, which: Which): boolean =>
  settlementIn(pins, which) !== undefined;

/** The name and the pin of a model version, of one name alone where one is given. */
export const modelOf = (
  pins: Pins,
  version: string,
  wanted?: string,
): [string, PinnedModel] | undefined =>
  Object.entries(pins.models ?? {}).find(
    ([name, model]) => isSame(model.version, version) && (wanted === undefined || name === wanted),
  );

export const isPinnedImage = (pins: Pins, measurement: string): boolean =>
  pins.images?.some((image) => isSame(image, measurement)) ?? false;
