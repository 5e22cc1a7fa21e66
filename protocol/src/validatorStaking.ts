import { getAddress, Signature, solidityPackedKeccak256, toBeHex, type Wallet } from "ethers";

const OPG = 10n ** 18n;

/** What a deployment sets first; governance may change it within the contract's bounds. */
export const DEFAULT_STAKE_PARAMETERS = {
  /** smallest units of OPG that an owner needs in their own pool */
  minimumSelfStake: 10_000n * OPG,
  /** smallest units of OPG below which the set attests nothing */
  minimumTotalStake: 30_000n * OPG,
  /** hundredths of a percent that signers of a wrong page lose, with a quorum and without */
  slashWithQuorum: 500n,
  slashWithout: 100n,
  /** the same, what a validator loses in a day at most */
  dailySlash: 1_000n,
  /** smallest units of OPG for who slashes */
  bounty: 10n * OPG,
};

/** Seconds of an epoch of `ValidatorStaking`. */
export const EPOCH_SECONDS = 86_400n;

/** What a validator signs for a page. */
export const ATTESTATION_TYPES = { Attestation: [{ name: "pageId", type: "bytes32" }] };
/** What a key signs for the validator whose key it is to be. */
export const SIGNING_KEY_TYPES = { SigningKey: [{ name: "validator", type: "address" }] };

/** The EIP-712 domain of both. */
export const stakingDomain = (parameters: { chainId: bigint; staking: string }) => ({
  name: "HACA ValidatorStaking",
  version: "1",
  chainId: parameters.chainId,
  verifyingContract: parameters.staking,
});

/** A member of the set, as a snapshot has it. */
export type SnapshotMember = { key: string; stake: bigint };
/** Set, weights and terms of an epoch. Amounts are smallest units of OPG, parts hundredths of a percent. */
export type Snapshot = {
  total: bigint;
  minimumTotalStake: bigint;
  slashWithQuorum: bigint;
  slashWithout: bigint;
  members: SnapshotMember[];
};

const low = (word: bigint, bits: bigint) => word & ((1n << bits) - 1n);

/** Reads the words of a snapshot, as `SnapshotFrozen` has them. */
export function decodeSnapshot(words: readonly bigint[]): Snapshot {
  const [terms, ...members] = words;
  if (terms === undefined) throw new RangeError("a snapshot has a word of terms at least");
  return {
    total: terms >> 160n,
    minimumTotalStake: low(terms >> 64n, 96n),
    slashWithQuorum: low(terms >> 48n, 16n),
    slashWithout: low(terms >> 32n, 16n),
    members: members.map((word) => ({
      key: getAddress(toBeHex(word >> 96n, 20)),
      stake: low(word, 96n),
    })),
  };
}

/** Hash of a snapshot, which the contract keeps. */
export const hashSnapshot = (words: readonly bigint[]): string =>
  solidityPackedKeccak256(
    words.map(() => "uint256"),
    [...words],
  );

/** A validator's signature for a page: 64 bytes (EIP-2098). */
export async function signAttestation(parameters: {
  chainId: bigint;
  staking: string;
  pageId: string;
  key: Pick<Wallet, "signTypedData">;
}): Promise<string> {
  const { key, pageId } = parameters;
  const signature = await key.signTypedData(stakingDomain(parameters), ATTESTATION_TYPES, {
    pageId,
  });
  return Signature.from(signature).compactSerialized;
}

/** The key's word that it is this validator's. */
export const signSigningKey = (parameters: {
  chainId: bigint;
  staking: string;
  validator: string;
  key: Pick<Wallet, "signTypedData">;
}): Promise<string> =>
  parameters.key.signTypedData(stakingDomain(parameters), SIGNING_KEY_TYPES, {
    validator: parameters.validator,
  });
