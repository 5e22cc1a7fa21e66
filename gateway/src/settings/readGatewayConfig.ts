import { readFileSync } from "node:fs";
import { join } from "node:path";
import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { PROJECT_ROOT, userPath } from "@haca/protocol/userPath";
import type { TypedDataDomain } from "ethers";
import type { z } from "zod";
import { ConfigurationError } from "../gatewayError.ts";
import { openResultSigner, type ResultSigner } from "../profile/resultSigner.ts";
import type { ResultQueueSettings } from "../queue/resultQueue.ts";
import type { UpstreamSettings } from "../upstream/openUpstream.ts";
import { LOCAL, VARIABLES, type VariableName } from "./variables.ts";

type Value<Name extends VariableName> = z.output<(typeof VARIABLES)[Name]["schema"]>;

export type GatewayConfig = {
  signer: ResultSigner;
  /** the enclave's public side; absent: no documents */
  enclave: string | undefined;
  /** of the settlement contract */
  domain: TypedDataDomain;
  models: ReadonlyMap<string, string>;
  upstream: UpstreamSettings;
  queue: ResultQueueSettings;
  /** kept for clients that ask again */
  answers: { folder: string; maximumBytes: number };
  http: { host: string; port: number };
  admission: { running: number; waiting: number; waitMs: number };
  limits: { body: number; answerMs: number; clientMs: number };
  stopMs: number;
  logLevel: Value<"HACA_LOG_LEVEL">;
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings. An empty variable counts as absent.
 * @throws ConfigurationError naming the variable; BaseError of the address book
 */
export function readGatewayConfig(environment: Environment): GatewayConfig {
  const read = <Name extends VariableName>(name: Name) =>
    required(name, optional(name, environment));
  const chainId = read("HACA_CHAIN_ID");
  const { contracts } = readAddressBook(addressBookPath(chainId));
  const settlement = contracts.InferenceSettlement.address;
  return {
    signer: readSigner(environment),
    enclave: optional("HACA_GATEWAY_ENCLAVE", environment),
    domain: settlementDomain({ chainId: BigInt(chainId), settlement }),
    models: read("HACA_GATEWAY_MODELS"),
    upstream:
      read("HACA_GATEWAY_UPSTREAM") === LOCAL
        ? { folder: localModelFolder(environment) }
        : {
            url: read("HACA_GATEWAY_UPSTREAM"),
            key: optional("HACA_GATEWAY_UPSTREAM_KEY", environment),
            silenceMs: read("HACA_GATEWAY_SILENCE_MS"),
            maximumAnswer: read("HACA_GATEWAY_ANSWER_LIMIT"),
          },
    queue: {
      url: read("HACA_GATEWAY_QUEUE"),
      secret: optional("HACA_COLLECT_SECRET", environment),
      withinMs: read("HACA_GATEWAY_QUEUE_MS"),
    },
    answers: {
      folder: folderOf("gateway", optional("HACA_GATEWAY_ANSWERS", environment)),
      maximumBytes: read("HACA_GATEWAY_ANSWERS_LIMIT"),
    },
    http: { host: read("HACA_GATEWAY_HOST"), port: read("HACA_GATEWAY_PORT") },
    admission: {
      running: read("HACA_GATEWAY_CONCURRENCY"),
      waiting: read("HACA_GATEWAY_WAITING"),
      waitMs: read("HACA_GATEWAY_WAIT_MS"),
    },
    limits: {
      body: read("HACA_GATEWAY_BODY_LIMIT"),
      answerMs: read("HACA_GATEWAY_ANSWER_MS"),
      clientMs: read("HACA_GATEWAY_CLIENT_MS"),
    },
    stopMs: read("HACA_GATEWAY_STOP_MS"),
    logLevel: read("HACA_LOG_LEVEL"),
  };
}

/** Where the local model is, or is fetched to; needs no other setting. */
export const localModelFolder = (environment: Environment): string =>
  folderOf("local-model", optional("HACA_GATEWAY_LOCAL_MODEL", environment));

/** The person's folder; by default one in the project, wherever the command is given. */
const folderOf = (name: string, given: string | undefined): string =>
  given === undefined ? join(PROJECT_ROOT, "data", name) : userPath(given);

function readSigner(environment: Environment): ResultSigner {
  const name = "HACA_GATEWAY_ATTESTED_KEY";
  const path = userPath(required(name, optional(name, environment)));
  const sessionKey = optional("HACA_GATEWAY_SESSION_KEY", environment);
  try {
    return openResultSigner({ attestedKey: readFileSync(path, "utf8"), sessionKey });
  } catch (cause) {
    const reason = cause instanceof BaseError ? cause.message : "cannot be read";
    throw wrong(name, `${path}: ${reason}`);
  }
}

/** @throws ConfigurationError */
function optional<Name extends VariableName>(
  name: Name,
  environment: Environment,
): Value<Name> | undefined {
  const definition: { schema: z.ZodType; default?: string } = VARIABLES[name];
  const text = environment[name] || definition.default;
  if (text === undefined) return undefined;
  const parsed = definition.schema.safeParse(text);
  // What is wrong may be a key: it is not shown.
  if (!parsed.success) throw wrong(name, parsed.error.issues[0]?.message ?? "is malformed");
  return parsed.data as Value<Name>;
}

function required<Name extends VariableName>(
  name: Name,
  value: Value<Name> | undefined,
): Value<Name> {
  if (value === undefined) throw wrong(name, "is not set");
  return value;
}

const wrong = (name: string, reason: string): ConfigurationError =>
  new ConfigurationError({
    code: "configuration.wrong",
    message: `${name}: ${reason}`,
    details: { name },
  });
