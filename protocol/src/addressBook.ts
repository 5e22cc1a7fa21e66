import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { BaseError } from "./baseError.ts";
import { CONTRACT_ROWS, type CoreName, type ListedName } from "./contracts.ts";
import { replaceFile } from "./replaceFile.ts";
import { PROJECT_ROOT, userPath } from "./userPath.ts";

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address");
const bytes32 = z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be 32 bytes of hex");
const bytes64 = z.string().regex(/^0x[0-9a-fA-F]{128}$/, "must be 64 bytes of hex");

const digits = z.string().regex(/^(0|[1-9][0-9]{0,77})$/, "must be decimal digits");
/** Where a variable is, or a member of a struct from the struct's first slot on, as solc says it. */
const placeSchema = z.strictObject({
  name: z.string(),
  type: z.string(),
  slot: digits,
  /** in bytes, from the slot's right */
  offset: digits,
  bytes: digits,
});
export type StoragePlace = z.infer<typeof placeSchema>;

const contractSchema = z.strictObject({
  address,
  /** block that holds the creation */
  block: z.int().min(0),
  transaction: bytes32,
  /** constructor arguments as decimal or hex strings */
  constructorArguments: z.array(z.string()),
  /** keccak256 of the run-time code */
  codeHash: bytes32,
  /** of contracts whose storage witnesses of receipts show */
  storage: z.array(placeSchema).optional(),
});

type ContractEntry = z.infer<typeof contractSchema>;
type ContractEntries = { [Name in CoreName]: ContractEntry } & {
  [Name in Exclude<ListedName, CoreName>]?: ContractEntry | undefined;
};

/** Zod cannot tell the names of a table. */
const contractsSchema = z.strictObject(
  Object.fromEntries(
    CONTRACT_ROWS.filter(({ isUnlisted }) => isUnlisted !== true).map(({ name, part }) => [
      name,
      part === "core" ? contractSchema : contractSchema.optional(),
    ]),
  ),
) as unknown as z.ZodType<ContractEntries>;

const modelSchema = z.strictObject({
  slug: z.string(),
  owner: address,
  modelId: bytes32,
  versionId: bytes32,
  major: z.int().min(0),
  minor: z.int().min(0),
  modelHash: bytes32,
  circuitHash: bytes32,
  verifyingKeyHash: bytes32,
  /** SHA-256 of `manifest.json`, where the version names it as its blob */
  manifestHash: bytes32.optional(),
  /** what the version tells of its key's making: BLAKE2b-512 of circuit and powers of tau, SHA-256 of the transcript */
  csHash: bytes64.optional(),
  transcriptHash: bytes32.optional(),
  /** folder of the compiled model, relative to the project's root; set on development chains */
  artifacts: z.string().optional(),
});

/** A node that whoever deployed vouches for; nodes without an enclave are in no registry. */
const nodeSchema = z.strictObject({
  /** https, or http to this machine */
  url: z.string(),
  /** `infer`: answers are proved; `chat`: an enclave's */
  answers: z.enum(["infer", "chat"]),
  /** one of an operator is asked at most */
  operator: address.optional(),
  /** of an answer, in wei-scale OPG; unknown if left out */
  price: z
    .string()
    .regex(/^[0-9]+$/, "must be a decimal number")
    .optional(),
});

const grantSchema = z.strictObject({
  allocation: z.string(),
  vault: address,
  beneficiary: address,
  /** smallest units */
  total: z.string().regex(/^[0-9]+$/, "must be a decimal number"),
});
export type GenesisGrant = z.infer<typeof grantSchema>;

/** What the token and governance part was deployed with; times are unix seconds, durations seconds. */
const governanceSchema = z.strictObject({
  tge: z.int(),
  airdropRoot: bytes32,
  airdropDeadline: z.int(),
  deployer: address,
  guardian: address,
  imageApprover: address,
  foundation: address,
  liquidity: address,
  timelockDelay: z.int(),
  votingDelay: z.int(),
  votingPeriod: z.int(),
  /** smallest units */
  proposalThreshold: z.string().regex(/^[0-9]+$/, "must be a decimal number"),
  quorumPercent: z.int(),
  lateQuorumExtension: z.int(),
});

/** What the TEE registry was deployed with; ages in seconds. */
const attestationSchema = z.strictObject({
  /** SHA-256 of the pinned root certificate's DER */
  rootFingerprint: bytes32,
  /** whether the root is a development root, whose key somebody has, and not AWS's */
  isDevelopmentRoot: z.boolean(),
  heartbeatMaxAge: z.int(),
  attestationMaxAge: z.int(),
});

/** `deployments/<chainId>.json`: written by the deployment, read by everything else. */
export const addressBookSchema = z.strictObject({
  format: z.literal(1),
  chainId: z.int().min(1),
  network: z.string(),
  gitCommit: z.string(),
  compiler: z.strictObject({ version: z.string(), evmVersion: z.string(), optimizerRuns: z.int() }),
  contracts: contractsSchema,
  parameters: z.strictObject({
    /** seconds after a result's timestamp during which it can be settled */
    settlementWindow: z.int(),
    attestation: attestationSchema.optional(),
    governance: governanceSchema.optional(),
  }),
  /** the grants of the genesis distribution, in the order of their creation */
  grants: z.array(grantSchema).optional(),
  models: z.array(modelSchema),
  /** written by hand; clients find nodes in it */
  nodes: z.array(nodeSchema).optional(),
});
export type AddressBook = z.infer<typeof addressBookSchema>;

/**
 * Where the address book of a chain lies: the file of `HACA_ADDRESS_BOOK`, by the person's folder, or else
 * `deployments/<chainId>.json` in the project. An empty variable counts as absent.
 */
export function addressBookPath(chainId: number): string {
  const { HACA_ADDRESS_BOOK: given = "" } = process.env;
  return given === "" ? join(PROJECT_ROOT, "deployments", `${chainId}.json`) : userPath(given);
}

/**
 * Reads and checks an address book. Errors name the file and the field.
 * @param chainId chain that the book must be of; absent: any
 */
export function readAddressBook(path: string, chainId?: number): AddressBook {
  if (!existsSync(path)) {
    throw new BaseError({
      code: "addressBook.missing",
      message: `no address book at ${path}: deploy first (npm run deploy -- --network <name>)`,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new BaseError({
      code: "addressBook.malformed",
      message: `${path} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
  const parsed = addressBookSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new BaseError({
      code: "addressBook.invalid",
      message: `${path}: ${issue?.path.join(".")}: ${issue?.message}`,
    });
  }
  const book = parsed.data;
  if (chainId !== undefined && book.chainId !== chainId) {
    throw new BaseError({
      code: "addressBook.otherChain",
      message: `${path} is of chain ${book.chainId}, the network is chain ${chainId}`,
    });
  }
  return book;
}

/** Writes an address book in one step: a reader never sees half a file. */
export function writeAddressBook(parameters: { path: string; book: AddressBook }): void {
  const { path, book } = parameters;
  mkdirSync(dirname(path), { recursive: true });
  replaceFile({ path, text: `${JSON.stringify(addressBookSchema.parse(book), null, 2)}\n` });
}
