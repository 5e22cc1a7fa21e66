import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { addMonths } from "@haca/protocol/addMonths";
import { type AirdropEntry, airdropRoot, buildAirdropTree } from "@haca/protocol/airdropTree";
import { allocationOf, DEFAULT_TGE } from "@haca/protocol/allocations";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../../lib/projectRoot.ts";
import { readAirdropCsv } from "../../lib/readAirdropCsv.ts";
import { checkConsistency, checkPublic, wrongSum } from "./checkParameters.ts";
import { inclusionDelayOf } from "./forcedInclusion.ts";
import { type CompleteParameters, type Problem, parseParameters } from "./parametersSchema.ts";
import { type AttestationParameters, readRoot } from "./readAttestationParameters.ts";

export type GovernanceParameters = Omit<CompleteParameters, "tge" | "airdrop" | "attestation"> & {
  attestation: AttestationParameters;
  tge: number;
  airdropRoot: string;
  /** unix seconds */
  airdropDeadline: number;
  /** seconds */
  forcedInclusionDelay: number;
};

export const parametersPath = (network: string): string =>
  join(PROJECT_ROOT, "deployments", "parameters", `${network}.json`);

const AIRDROP_MONTHS = 12;

/**
 * The parameters of a deployment on a network. Error `deploy.badParameters` names the file and every field that is
 * wrong: shares that do not sum to their allocation, an airdrop that does not, a root certificate that is not AWS's,
 * and on a public chain what no such chain must have (`checkPublic`).
 * @param parameters.deployer needed on a public chain alone, as is its id
 * @param parameters.problems found elsewhere, to be told with those of the file
 */
export function readParameters(
  parameters: { path: string; problems?: readonly Problem[] } & (
    | { isDevelopmentChain: true }
    | { isDevelopmentChain: boolean; deployer: string; chainId: number }
  ),
): GovernanceParameters {
  const { path, isDevelopmentChain } = parameters;
  if (!existsSync(path)) {
    throw new BaseError({
      code: "deploy.noParameters",
      message: `no deployment parameters at ${path}: copy deployments/parameters/localhost.json and edit it`,
    });
  }
  const { values: read, problems } = parseParameters(parseJson(path));
  const values = { tge: DEFAULT_TGE, ...read };
  const inclusion = inclusionDelayOf({ given: values.forcedInclusionDelay, chain: parameters });
  const field = "forcedInclusionDelay";
  // What is wrong by itself is told already.
  if (inclusion.problem !== undefined && !problems.some((told) => told.field === field)) {
    problems.push({ field, message: inclusion.problem });
  }
  problems.push(...checkConsistency(values), ...(parameters.problems ?? []));

  const beside = (file: string): string => resolve(dirname(path), file);
  const entries =
    values.airdrop === undefined ? [] : readAirdrop(beside(values.airdrop.csv), problems);
  if ("deployer" in parameters && !isDevelopmentChain) {
    const claimants = entries.map(({ account }) => account);
    const now = Math.floor(Date.now() / 1000);
    problems.push(...checkPublic({ values, deployer: parameters.deployer, claimants, now }));
  }
  const { root, ...ages } = values.attestation ?? {};
  const rootFile = root === undefined ? undefined : beside(root);
  // The development root is made when it is first asked for: not for parameters that are refused.
  const isRootLooked =
    values.attestation !== undefined &&
    (rootFile !== undefined || !isDevelopmentChain || problems.length === 0);
  const pinned = isRootLooked
    ? collect(problems, () => readRoot({ rootFile, isDevelopmentChain }))
    : undefined;
  refuse(path, problems);

  const { airdrop, attestation: _, ...rest } = values as CompleteParameters & { tge: number };
  return {
    ...rest,
    forcedInclusionDelay: inclusion.delay,
    attestation: { ...pinned, ...ages } as AttestationParameters,
    airdropRoot: airdropRoot(buildAirdropTree(entries)),
    airdropDeadline: airdrop.deadline ?? addMonths({ time: rest.tge, months: AIRDROP_MONTHS }),
  };
}

/** Error `deploy.badParameters` with all problems, if there are any. */
export function refuse(source: string, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const lines = problems.map(({ field, message }) => `${field}: ${message}`);
  throw new BaseError({
    code: "deploy.badParameters",
    message:
      lines.length === 1
        ? `${source}: ${lines[0]}`
        : `${source}: ${lines.length} problems, nothing deployed\n  ${lines.join("\n  ")}\n `,
    details: { problems },
  });
}

function readAirdrop(path: string, problems: Problem[]): AirdropEntry[] {
  const field = "airdrop.csv";
  const entries = collect(problems, () => readAirdropCsv(path), field);
  if (entries === undefined) return [];
  const sum = entries.reduce((total, { amount }) => total + amount, 0n);
  const expected = allocationOf("Airdrop");
  if (sum !== expected) problems.push(wrongSum({ field, sum, expected }));
  return entries;
}

/** What `read` returns; where it refuses, that is a problem among the others. */
function collect<T>(problems: Problem[], read: () => T, field?: string): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    const [name, ...text] = error.message.split(": ");
    problems.push(
      field === undefined
        ? { field: name ?? "", message: text.join(": ") }
        : { field, message: error.message },
    );
    return undefined;
  }
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
