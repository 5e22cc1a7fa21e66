import { AbiCoder, getCreate2Address, keccak256, TypedDataEncoder } from "ethers";

/** The registry's number of data nodes' type. */
export const DATA_NODE_TYPE = 2;
/** Most observations of a round. */
export const MAXIMUM_OBSERVATIONS = 15;
/** An observation counts for as many heartbeats of its feed. */
export const OBSERVATION_HEARTBEATS = 2n;
/** What a value fits: 192 bits with a sign. */
export const VALUE_BITS = 192n;

/** Why an observation does not count, as `IDataFeeds` numbers them. */
export const SKIP_REASONS = [
  "None",
  "FromFuture",
  "Stale",
  "NotNewer",
  "NotInService",
  "NotADataNode",
  "OperatorCounted",
  "InvalidSignature",
  "Deviates",
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

export const OBSERVATION_TYPES = {
  Observation: [
    { name: "feedId", type: "bytes32" },
    { name: "sourceHash", type: "bytes32" },
    { name: "value", type: "int192" },
    { name: "decimals", type: "uint8" },
    { name: "observedAt", type: "uint64" },
    { name: "teeId", type: "bytes32" },
  ],
};

/** What a data node signs. */
export type Observation = {
  feedId: string;
  sourceHash: string;
  value: bigint;
  decimals: number;
  /** unix seconds */
  observedAt: bigint;
  teeId: string;
};

/** What `post` takes of it. */
export type SignedObservation = Pick<Observation, "teeId" | "value" | "observedAt"> & {
  signature: string;
};

/** The EIP-712 domain of observations. */
export const feedsDomain = (parameters: { chainId: bigint; feeds: string }) => ({
  name: "HACA DataFeeds",
  version: "1",
  chainId: parameters.chainId,
  verifyingContract: parameters.feeds,
});

/** EIP-712 digest of an observation; second implementation of `hashObservation`. */
export const hashObservation = (parameters: {
  chainId: bigint;
  feeds: string;
  observation: Observation;
}): string =>
  TypedDataEncoder.hash(feedsDomain(parameters), OBSERVATION_TYPES, parameters.observation);

/** Where a value comes from: what an enclave fetches, and which number of it. */
export type FeedSource = {
  /** https, answering with JSON */
  url: string;
  /** JSON pointer (RFC 6901) to the value */
  pointer: string;
};

const encode = (types: string[], values: unknown[]) =>
  keccak256(AbiCoder.defaultAbiCoder().encode(types, values));

/** Name of a source. An enclave makes it of what it fetched, so that nobody can have it sign another source's value. */
export const sourceHashOf = ({ url, pointer }: FeedSource): string =>
  encode(["string", "string"], [url, pointer]);

/** Id of a feed; second implementation of `feedIdOf`. */
export const feedIdOf = (parameters: {
  description: string;
  decimals: number;
  sourceHash: string;
}): string =>
  encode(
    ["string", "uint8", "bytes32"],
    [parameters.description, parameters.decimals, parameters.sourceHash],
  );

/** Address of a feed's reader, of what creates it; second implementation of `readerOf`. */
export const readerAddress = (parameters: {
  feeds: string;
  feedId: string;
  decimals: number;
  /** of `FeedReader` */
  creationCode: string;
}): string => {
  const { feeds, feedId, decimals, creationCode } = parameters;
  const values = AbiCoder.defaultAbiCoder().encode(["bytes32", "uint8"], [feedId, decimals]);
  return getCreate2Address(feeds, feedId, keccak256(`${creationCode}${values.slice(2)}`));
};

const DECIMAL = /^(-?)(\d{1,60})(?:\.(\d{1,60}))?(?:[eE]([+-]?\d{1,2}))?$/;

/**
 * A number in decimal, as JSON writes it, as an integer of so many decimals. What is behind them is cut off, towards zero:
 * all nodes have to do the same. Undefined for what is no number, or does not fit a value.
 */
export function parseValue(text: string, decimals: number): bigint | undefined {
  const [, sign, whole = "", fraction = "", exponent = "0"] = DECIMAL.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const digits = BigInt(`${whole}${fraction}`);
  const shift = decimals + Number(exponent) - fraction.length;
  const magnitude = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
  const value = sign === "-" ? -magnitude : magnitude;
  return BigInt.asIntN(Number(VALUE_BITS), value) === value ? value : undefined;
}
