import { LONGEST_INCLUSION_DELAY } from "@haca/protocol/pageSettlement";
import { getAddress, isAddress, parseUnits, ZeroAddress } from "ethers";
import { z } from "zod";
import { attestationSchema } from "./readAttestationParameters.ts";

/** What is wrong with a field of the parameters. */
export type Problem = { field: string; message: string };

const account = z
  .string("must be an address")
  .refine(
    (text) => /^0x/.test(text) && isAddress(text) && BigInt(text) !== BigInt(ZeroAddress),
    "must be an address (0x, 40 hex digits, right checksum, not zero)",
  )
  .transform((text) => getAddress(text));
const tokens = z
  .string('must be an amount of OPG in quotes, such as "1000"')
  .regex(/^[0-9]+(\.[0-9]{1,18})?$/, "must be an amount of OPG, such as 1000 or 0.5")
  .transform((text) => parseUnits(text, 18));
const seconds = z.int("must be an integer, in seconds").min(1, "must be at least 1 second");
const moment = z.iso
  .datetime({ error: "must be a time such as 2026-04-08T00:00:00Z" })
  .transform((text) => Date.parse(text) / 1000);
const shares = z.array(z.strictObject({ beneficiary: account, amount: tokens })).min(1);

const governorFields = {
  votingDelay: seconds,
  votingPeriod: seconds,
  proposalThreshold: tokens,
  quorumPercent: z.int().min(1).max(100),
  lateQuorumExtension: seconds,
};

const fields = {
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
  /** for how long the chain's sequencer can keep a transaction out; known of some chains */
  forcedInclusionDelay: z
    .int("must be an integer, in seconds")
    .min(0, "must not be negative")
    .max(
      LONGEST_INCLUSION_DELAY,
      `must be at most ${LONGEST_INCLUSION_DELAY} s (3.5 days): a page of results has to become final`,
    )
    .optional(),
  /** x402's proxy of the scheme `upto`, where it is another than the published one */
  uptoProxy: account.optional(),
};

type GovernorParameters = z.output<z.ZodObject<typeof governorFields>>;
export type CompleteParameters = z.output<z.ZodObject<typeof fields>> & {
  governor: GovernorParameters;
};
/** What could be read of a file; the rest is among the problems. */
export type FileParameters = Omit<CompleteParameters, "governor"> & {
  governor: Partial<GovernorParameters>;
};

/** Reads each field by itself, so that one that is wrong does not hide what is wrong with the others. */
export function parseParameters(json: unknown): {
  values: Partial<FileParameters>;
  problems: Problem[];
} {
  if (!isObject(json))
    return { values: {}, problems: [{ field: "file", message: "must be an object" }] };
  const { governor, ...rest } = json;
  const top = parseFields({ shape: fields, json: rest, prefix: "" });
  const inner = isObject(governor)
    ? parseFields({ shape: governorFields, json: governor, prefix: "governor." })
    : { values: {}, problems: [{ field: "governor", message: "must be an object" }] };
  return {
    values: { ...top.values, governor: inner.values } as Partial<FileParameters>,
    problems: [...top.problems, ...inner.problems],
  };
}

function parseFields(parameters: {
  shape: Readonly<Record<string, z.ZodType>>;
  json: Readonly<Record<string, unknown>>;
  prefix: string;
}): { values: Record<string, unknown>; problems: Problem[] } {
  const { shape, json, prefix } = parameters;
  const values: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const name of Object.keys(json)) {
    if (!Object.hasOwn(shape, name)) {
      problems.push({ field: `${prefix}${name}`, message: "is no field of the parameters" });
    }
  }
  for (const [name, schema] of Object.entries(shape)) {
    const parsed = schema.safeParse(json[name]);
    if (parsed.success) {
      if (parsed.data !== undefined) values[name] = parsed.data;
      continue;
    }
    for (const { path, message } of parsed.error.issues) {
      const reason = json[name] === undefined ? "is missing" : message;
      problems.push({ field: `${prefix}${[name, ...path].join(".")}`, message: reason });
    }
  }
  return { values, problems };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
