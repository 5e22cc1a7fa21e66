import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { ESCROW_KINDS } from "@haca/protocol/inferenceEscrow";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { nodeOfEnclave } from "@haca/protocol/requestId";
import { PROJECT_ROOT, userPath } from "@haca/protocol/userPath";
import type { TypedDataDomain } from "ethers";
import type { z } from "zod";
import type { ChannelSettings } from "../channels/channelSettings.ts";
import { ConfigurationError } from "../gatewayError.ts";
import type { LegacyFacilitatorSettings } from "../legacy/legacyFacilitator.ts";
import type { PaymentSettings } from "../payments/paymentSettings.ts";
import { OPG, readPrices } from "../payments/prices.ts";
import { openResultSigner, type ResultSigner } from "../profile/resultSigner.ts";
import type { ResultQueueSettings } from "../queue/resultQueue.ts";
import type { UpstreamSettings } from "../upstream/openUpstream.ts";
import { readTls, type TlsSettings } from "./readTls.ts";
import { readTokens } from "./readTokens.ts";
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
  /** absent: every answer is free */
  payments?: PaymentSettings | undefined;
  /** kept for clients that ask again */
  answers: { folder: string; maximumBytes: number };
  /** `origins`: of the pages that may ask; `tls`: absent, by http */
  http: {
    host: string;
    port: number;
    origins?: readonly string[] | undefined;
    tls?: TlsSettings | undefined;
  };
  /** where the operator asks; absent: nobody can */
  operator: { host: string; port: number } | undefined;
  /** for how long a key for oblivious requests is good after the next has been made, in milliseconds */
  ohttpOverlapMs: number;
  /** who settles answers of the profile `legacy`; absent: there are none */
  facilitator: LegacyFacilitatorSettings | undefined;
  admission: { running: number; waiting: number; waitMs: number };
  limits: { body: number; answerMs: number; clientMs: number };
  stopMs: number;
  logLevel: Value<"HACA_LOG_LEVEL">;
};

const OPG_TOKEN = { symbol: OPG, name: "OPG", version: "1", decimals: 18 } as const;
/** Results of enclaves, settled alone or in a page that is final. */
const CAPTURED_KINDS = Number(ESCROW_KINDS.tee | ESCROW_KINDS.teePage);

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
  const signer = readSigner(environment);
  const operatorPort = optional("HACA_GATEWAY_OPERATOR_PORT", environment);
  const certificates = readCertificates(environment);
  const payments = readPayments({ environment, chainId, contracts, signer });
  return {
    ...{ signer, payments },
    enclave: optional("HACA_GATEWAY_ENCLAVE", environment),
    domain: settlementDomain({ chainId: BigInt(chainId), settlement }),
    models: read("HACA_GATEWAY_MODELS"),
    upstream:
      read("HACA_GATEWAY_UPSTREAM") === LOCAL
        ? { folder: localModelFolder(environment) }
        : {
            url: read("HACA_GATEWAY_UPSTREAM"),
            certificates,
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
    http: {
      ...{ host: read("HACA_GATEWAY_HOST"), port: read("HACA_GATEWAY_PORT") },
      origins: optional("HACA_GATEWAY_ORIGINS", environment),
      tls: readTlsFiles(environment),
    },
    operator:
      operatorPort === undefined
        ? undefined
        : { host: read("HACA_GATEWAY_OPERATOR_HOST"), port: operatorPort },
    ohttpOverlapMs: read("HACA_GATEWAY_OHTTP_OVERLAP_MS"),
    facilitator: readFacilitator(environment, signer),
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

/** How requests are paid; undefined without prices. */
function readPayments(parameters: {
  environment: Environment;
  chainId: number;
  contracts: Readonly<Record<string, { address: string } | undefined>>;
  signer: ResultSigner;
}): PaymentSettings | undefined {
  const { chainId, contracts, environment, signer } = parameters;
  const read = <Name extends VariableName>(name: Name) =>
    required(name, optional(name, environment));
  const given = optional("HACA_GATEWAY_PRICES", environment);
  if (given === undefined) return undefined;
  const addressOf = (name: string, variable: string): string => {
    const address = contracts[name]?.address;
    if (address === undefined) throw wrong(variable, `the address book has no ${name}`);
    return address;
  };
  const table = readPrices(given, new Set(read("HACA_GATEWAY_MODELS").keys()));
  const { others: tokens, ...prices } = table;
  const limits = {
    spend: optional("HACA_GATEWAY_SPEND_LIMIT", environment),
    failures: read("HACA_GATEWAY_FAILURE_LIMIT"),
  };
  const token = { address: addressOf("OPG", "HACA_GATEWAY_PRICES"), ...OPG_TOKEN };
  const { others, routes } = readTokens({
    ...{ tokens, opg: token.address, spend: limits.spend, routes: read("HACA_GATEWAY_ROUTES") },
    operator: optional("HACA_GATEWAY_COMMERCE_OPERATOR", environment),
  });
  const isByTokens = [...prices.models.values()].some((price) => price && "perToken" in price);
  if (isByTokens && routes.includes("exact")) {
    const reason =
      "exact pays before there is an answer: with a perToken in HACA_GATEWAY_PRICES only escrow and commerce";
    throw wrong("HACA_GATEWAY_ROUTES", reason);
  }
  if (prices.oblivious !== undefined && signer.session !== null) {
    const reason =
      "oblivious: sealed requests are opened where the attested key is, and not with HACA_GATEWAY_SESSION_KEY";
    throw wrong("HACA_GATEWAY_PRICES", reason);
  }
  return {
    ...{ chainId: BigInt(chainId), network: `eip155:${chainId}`, routes, prices },
    payee: read("HACA_GATEWAY_PAYEE"),
    node: nodeOfEnclave(signer.teeId),
    ...{ token, others, limits },
    escrow: routes.includes("escrow")
      ? (optional("HACA_ESCROW", environment) ?? addressOf("InferenceEscrow", "HACA_ESCROW"))
      : undefined,
    operator: routes.includes("commerce") ? read("HACA_GATEWAY_COMMERCE_OPERATOR") : undefined,
    facilitator: read("HACA_GATEWAY_FACILITATOR"),
    channel: readChannel(environment),
    kinds: CAPTURED_KINDS,
    captureWindow: read("HACA_GATEWAY_CAPTURE_WINDOW"),
    settleMs: read("HACA_GATEWAY_SETTLE_MS"),
    retryMs: read("HACA_GATEWAY_RETRY_MS"),
  };
}

/** How requests are paid by channel; undefined: they are not. */
function readChannel(environment: Environment): ChannelSettings | undefined {
  const gate = optional("HACA_GATEWAY_GATE", environment);
  if (gate === undefined) return undefined;
  const delay = "HACA_GATEWAY_WITHDRAW_DELAY";
  return {
    ...{ gate, withdrawDelay: required(delay, optional(delay, environment)) },
    minDeposit: optional("HACA_GATEWAY_MIN_DEPOSIT", environment),
    minRefund: optional("HACA_GATEWAY_MIN_REFUND", environment),
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

/** The attested certificate and its key: both, or neither. */
function readTlsFiles(environment: Environment): TlsSettings | undefined {
  const names = ["HACA_GATEWAY_TLS_CERTIFICATE", "HACA_GATEWAY_TLS_KEY"] as const;
  const [certificate, key] = names.map((name) => {
    const path = optional(name, environment);
    if (path === undefined) return undefined;
    try {
      return { name, text: readFileSync(userPath(path), "utf8") };
    } catch {
      throw wrong(name, `${userPath(path)}: cannot be read`);
    }
  });
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined) throw wrong(names[0], "is not set, and its key is");
  if (key === undefined) throw wrong(names[1], "is not set, and its certificate is");
  try {
    return readTls({ certificate: certificate.text, key: key.text });
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    throw wrong(cause.code === "tls.key" ? names[1] : names[0], cause.message);
  }
}

function readCertificates(environment: Environment): readonly string[] | undefined {
  const name = "HACA_GATEWAY_UPSTREAM_CERTIFICATE";
  const pins = optional(name, environment);
  const url = optional("HACA_GATEWAY_UPSTREAM", environment);
  if (pins !== undefined && url === LOCAL) throw wrong(name, "the local model shows none");
  if (pins !== undefined && url?.startsWith("http:")) {
    throw wrong(name, "the upstream is spoken to by http, and shows no certificate");
  }
  return pins;
}

/** The public network's clients verify RSA signatures of the attested key, and no others. */
function readFacilitator(
  environment: Environment,
  signer: ResultSigner,
): LegacyFacilitatorSettings | undefined {
  const name = "HACA_GATEWAY_LEGACY_FACILITATOR";
  const url = optional(name, environment);
  if (url === undefined) return undefined;
  if (signer.session !== null || createPublicKey(signer.publicKey).asymmetricKeyType !== "rsa") {
    throw wrong(
      name,
      "the profile legacy is signed by an attested RSA key that the gateway has itself",
    );
  }
  const wait = "HACA_GATEWAY_QUEUE_MS";
  return { url, withinMs: required(wait, optional(wait, environment)) };
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
