import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { addMonths } from "@haca/protocol/addMonths";
import { airdropRoot, buildAirdropTree } from "@haca/protocol/airdropTree";
import { ALLOCATIONS, DEFAULT_TGE } from "@haca/protocol/allocations";
import { BaseError } from "@haca/protocol/baseError";
import { getAddress, isAddress, parseUnits, ZeroAddress } from "ethers";
import { z } from "zod";
import { readAirdropCsv } from "../airdrop/readAirdropCsv.ts";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";
import {
  type AttestationParameters,
  attestationSchema,
  readRoot,
} from "./readAttestationParameters.ts";

const account = z
  .string()
  .refine(
    (text) => /^0x/.test(text) && isAddress(text) && BigInt(text) !== BigInt(ZeroAddress),
    "must be an address (0x, 40 hex digits, right checksum, not zero)",
  )
  .transform((text) => getAddress(text));
const tokens = z
  .string()
  .regex(/^[0-9]+(\.[0-9]{1,18})?$/, "must be an amount of OPG, such as 1000 or 0.5")
  .transform((text) => parseUnits(text, 18));
const seconds = z.int().min(1);
const moment = z.iso
  .datetime({ error: "must be a time such as 2026-04-08T00:00:00Z" })
  .transform((text) => Date.parse(text) / 1000);
const shares = z.array(z.strictObject({ beneficiary: account, amount: tokens })).min(1);

const fileSchema = z.strictObject({
  /** token generation event; default 2026-04-08T00:00:00Z */
  tge: moment.optional(),
  guardian: account,
  /** who approves enclave images, each after a delay of two days */
  imageApprover: account,
  foundation: account,
  liquidity: account,
  contributors: shares,
  investors: shares,
  airdrop: z.strictObject({
    /** CSV file beside this one */
    csv: z.string(),
    /** default: twelve months after the token generation event */
    deadline: moment.optional(),
  }),
  attestation: attestationSchema,
  timelockDelay: seconds,
  governor: z.strictObject({
    votingDelay: seconds,
    votingPeriod: seconds,
    proposalThreshold: tokens,
    quorumPercent: z.int().min(1).max(100),
    lateQuorumExtension: seconds,
  }),
});

export type GovernanceParameters = Omit<
  z.output<typeof fileSchema>,
  "tge" | "airdrop" | "attestation"
> & {
  attestation: AttestationParameters;
  tge: number;
  airdropRoot: string;
  /** unix seconds */
  airdropDeadline: number;
};

export const parametersPath = (network: string): string =>
  join(PROJECT_ROOT, "deployments", "parameters", `${network}.json`);

const AIRDROP_MONTHS = 12;

/**
 * The parameters of a deployment on a network. Errors name the file and the field; shares that do not sum to their
 * allocation, an airdrop that does not, and a root certificate that is not AWS's are refused here rather than by a
 * failing transaction.
 */
export function readParameters(parameters: {
  path: string;
  isDevelopmentChain: boolean;
}): GovernanceParameters {
  const { path, isDevelopmentChain } = parameters;
  const fail = (field: string, message: string): never => {
    throw new BaseError({ code: "deploy.badParameters", message: `${path}: ${field}: ${message}` });
  };
  if (!existsSync(path)) {
    throw new BaseError({
      code: "deploy.noParameters",
      message: `no deployment parameters at ${path}: copy deployments/parameters/localhost.json and edit it`,
    });
  }
  const parsed = fileSchema.safeParse(parseJson(path));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return fail(issue?.path.join(".") ?? "", issue?.message ?? "invalid");
  }
  const { airdrop, attestation, tge = DEFAULT_TGE, ...rest } = parsed.data;
  const { root, heartbeatMaxAge, attestationMaxAge } = attestation;
  const rootFile = root === undefined ? undefined : resolve(dirname(path), root);

  const amountOf = (name: string): bigint =>
    ALLOCATIONS.find((allocation) => allocation.name === name)?.amount ?? 0n;
  const requireSum = (field: string, name: string, amounts: readonly bigint[]): void => {
    const sum = amounts.reduce((total, amount) => total + amount, 0n);
    if (sum !== amountOf(name)) {
      fail(field, `amounts sum to ${sum}, the allocation has ${amountOf(name)} smallest units`);
    }
  };
  for (const [field, name] of [
    ["contributors", "Contributors"],
    ["investors", "Investors"],
  ] as const) {
    requireSum(
      field,
      name,
      rest[field].map(({ amount }) => amount),
    );
  }
  const entries = readAirdropCsv(resolve(dirname(path), airdrop.csv));
  requireSum(
    "airdrop.csv",
    "Airdrop",
    entries.map(({ amount }) => amount),
  );
  return {
    ...rest,
    attestation: {
      ...readRoot({ rootFile, isDevelopmentChain }),
      ...{ heartbeatMaxAge, attestationMaxAge },
    },
    tge,
    airdropRoot: airdropRoot(buildAirdropTree(entries)),
    airdropDeadline: airdrop.deadline ?? addMonths({ time: tge, months: AIRDROP_MONTHS }),
  };
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new BaseError({
      code: "deploy.badParameters",
      message: `${path} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
}
