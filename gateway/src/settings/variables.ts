import { readWebOrigins, WEB_ORIGINS_REASON } from "@haca/protocol/webOrigins";
import { z } from "zod";
import { ROUTES, type Route } from "../payments/payment.ts";

/** How a setting is read: the text it has where it is not given, and what it means. */
export type Variable<Value> = {
  schema: z.ZodType<Value, string>;
  default?: string;
  help: string;
};

const variable = <Value>(definition: Variable<Value>): Variable<Value> => definition;

const integer = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "must be an integer")
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, {
      error: `must be between ${minimum} and ${maximum}`,
    });

const milliseconds = integer(10, 86_400_000);

/** Prompts and keys go over it: in clear only within this machine. */
const url = z
  .string()
  .refine((text) => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    if (parsed === undefined || parsed.search + parsed.hash + parsed.username !== "") return false;
    const isHere = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed.hostname);
    return parsed.protocol === "https:" || (parsed.protocol === "http:" && isHere);
  }, "must be an https URL, or an http one of this machine, without user, query and fragment")
  .transform((text) => text.replace(/\/+$/, ""));

/** In place of a URL: the model in this process. */
export const LOCAL = "local";

const origins = z
  .string()
  .transform(readWebOrigins)
  .refine((list) => list !== undefined, WEB_ORIGINS_REASON);

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "must be an address")
  .refine((text) => !/^0x0*$/.test(text), "must not be the zero address");

const isRoute = (text: string): text is Route => ROUTES.some((route) => route === text);
const routes = z
  .string()
  .transform((text) => text.split(",").map((entry) => entry.trim()))
  .refine((list) => list.every(isRoute) && new Set(list).size === list.length, {
    error: `must be one of ${ROUTES.join(", ")}, or several with commas`,
  })
  .transform((list) => list.filter(isRoute));

const MODEL = /^([^=,\s]+)=(0x[0-9a-fA-F]{64})$/;
const models = z
  .string()
  .transform((text) => text.split(",").map((entry) => MODEL.exec(entry.trim())))
  .refine((entries) => entries.every((entry) => entry !== null), {
    error: "must be a list of <name>=<version id>, separated by commas",
  })
  .transform(
    (entries) =>
      new Map(entries.map((entry) => [entry?.[1] ?? "", entry?.[2]?.toLowerCase() ?? ""])),
  );

const certificates = z
  .string()
  .transform((text) =>
    text.split(",").map((pin) => pin.trim().replaceAll(":", "").replace(/^0x/, "").toLowerCase()),
  )
  .refine((pins) => pins.every((pin) => /^[0-9a-f]{64}$/.test(pin)), {
    error: "must be a list of SHA-256 hashes, 64 hex digits each, separated by commas",
  });

/** Every setting of the gateway; from the environment alone. */
export const VARIABLES = {
  HACA_CHAIN_ID: variable({
    schema: integer(1, Number.MAX_SAFE_INTEGER),
    help: "chain on which results are settled",
  }),
  HACA_ADDRESS_BOOK: variable({
    schema: z.string(),
    default: "",
    help: "address book of the deployment; empty: deployments/<chain id>.json",
  }),
  HACA_GATEWAY_ATTESTED_KEY: variable({
    schema: z.string(),
    help: "file with the key that the enclave attests, in PEM: private, or public with a session key",
  }),
  HACA_GATEWAY_SESSION_KEY: variable({
    schema: z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits"),
    help: "private key that the enclave has certified for results; secret",
  }),
  HACA_GATEWAY_ENCLAVE: variable({
    schema: url,
    help: "public side of the enclave, which answers GET /enclave/attestation (default: nobody does)",
  }),
  HACA_GATEWAY_UPSTREAM: variable({
    schema: z.union([z.literal(LOCAL), url], {
      error: `must be ${LOCAL}, or an https URL, or an http one of this machine, without user, query and fragment`,
    }),
    help: "OpenAI-compatible interface that answers, up to /v1; or local: the model that local-model fetches",
  }),
  HACA_GATEWAY_LOCAL_MODEL: variable({
    schema: z.string(),
    help: "folder of the local model (default: data/local-model in the project)",
  }),
  HACA_GATEWAY_UPSTREAM_KEY: variable({
    schema: z.string().regex(/^[\x21-\x7e]+$/, "must be printable, without spaces"),
    help: "key for it, sent as a bearer token; secret",
  }),
  HACA_GATEWAY_UPSTREAM_CERTIFICATE: variable({
    schema: certificates,
    help: "SHA-256 of its certificate's DER, hex; several separated by commas (default: any that an authority vouches for)",
  }),
  HACA_GATEWAY_MODELS: variable({
    schema: models,
    help: "what is served: <name>=<version id>, separated by commas",
  }),
  HACA_GATEWAY_QUEUE: variable({
    schema: url,
    help: "worker with the role collect, which takes the results",
  }),
  HACA_COLLECT_SECRET: variable({
    schema: z.string().regex(/^[\x21-\x7e]{32,256}$/, "must have 32 to 256 printable characters"),
    help: "secret that this worker asks for, where it asks for one; secret",
  }),
  HACA_GATEWAY_ANSWERS: variable({
    schema: z.string(),
    help: "folder of answers for idempotency-key, of this gateway alone (default: data/gateway)",
  }),
  HACA_GATEWAY_ANSWERS_LIMIT: variable({
    schema: integer(0, Number.MAX_SAFE_INTEGER),
    default: "268435456",
    help: "bytes of them that are kept at most",
  }),
  HACA_GATEWAY_PRICES: variable({
    schema: z.string(),
    help: "price table, a file or its JSON (default: every answer is free)",
  }),
  HACA_GATEWAY_PAYEE: variable({
    schema: address,
    help: "account that is paid; with prices",
  }),
  HACA_GATEWAY_FACILITATOR: variable({
    schema: url,
    help: "worker with the role facilitate, which brings payments to the chain; with prices",
  }),
  HACA_GATEWAY_ROUTES: variable({
    schema: routes,
    default: "escrow",
    help: "how a request is paid, in the order of the offers: escrow, exact, commerce, several with commas",
  }),
  HACA_GATEWAY_COMMERCE_OPERATOR: variable({
    schema: address,
    help: "operator of the node in the public escrow of commerce payments, in OPG; with the route commerce",
  }),
  HACA_GATEWAY_GATE: variable({
    schema: address,
    help: "gate of the node, by which requests are paid by channel, too (default: they are not)",
  }),
  HACA_GATEWAY_WITHDRAW_DELAY: variable({
    schema: integer(900, 2_592_000),
    default: "518400",
    help: "seconds from a payer's wish to withdraw from a channel to the withdrawal",
  }),
  HACA_GATEWAY_MIN_DEPOSIT: variable({
    schema: z
      .string()
      .regex(/^\d{1,38}$/, "must be smallest units of OPG")
      .transform(BigInt),
    help: "smallest units of OPG that a deposit into a channel has at least (default: what the request costs)",
  }),
  HACA_GATEWAY_MIN_REFUND: variable({
    schema: z
      .string()
      .regex(/^[1-9]\d{0,37}$/, "must be smallest units of OPG, 1 at least")
      .transform(BigInt),
    help: "smallest units of OPG that are given back of a channel at least when its payer asks (default: nothing is)",
  }),
  HACA_ESCROW: variable({
    schema: address,
    help: "InferenceEscrow (default: the address book's)",
  }),
  HACA_GATEWAY_CAPTURE_WINDOW: variable({
    schema: integer(3_600, 2_592_000),
    default: "518400",
    help: "seconds that an escrow holds a payment at most, from when it can be opened at the latest in the public one",
  }),
  HACA_GATEWAY_SPEND_LIMIT: variable({
    schema: z
      .string()
      .regex(/^\d{1,39}$/, "must be smallest units of OPG")
      .transform(BigInt),
    help: "smallest units of OPG that one payer pays in a day at most (default: any)",
  }),
  HACA_GATEWAY_FAILURE_LIMIT: variable({
    schema: integer(1, 100_000),
    default: "20",
    help: "paid requests of one payer that fail in a day, after which no more are taken",
  }),
  HACA_GATEWAY_SETTLE_MS: variable({
    schema: milliseconds,
    default: "90000",
    help: "how long a payment may take until it is decided",
  }),
  HACA_GATEWAY_RETRY_MS: variable({
    schema: milliseconds,
    default: "600000",
    help: "how long a payment without an answer waits for its client before it is given back",
  }),
  HACA_GATEWAY_HOST: variable({
    schema: z.string(),
    default: "127.0.0.1",
    help: "where HTTP listens",
  }),
  HACA_GATEWAY_PORT: variable({
    schema: integer(0, 65_535),
    default: "8090",
    help: "its port; 0 takes a free one",
  }),
  HACA_GATEWAY_TLS_CERTIFICATE: variable({
    schema: z.string(),
    help: "file with the certificate that the enclave attests, PEM, and those that sign it behind it; then it listens by https (default: http)",
  }),
  HACA_GATEWAY_TLS_KEY: variable({
    schema: z.string(),
    help: "file with its private key, PEM",
  }),
  HACA_GATEWAY_ORIGINS: variable({
    schema: origins,
    help: "sites whose pages may ask: https://app.example, several with commas, or * (default: none)",
  }),
  HACA_GATEWAY_OPERATOR_HOST: variable({
    schema: z.string(),
    default: "127.0.0.1",
    help: "where the operator's side listens",
  }),
  HACA_GATEWAY_OPERATOR_PORT: variable({
    schema: integer(0, 65_535),
    help: "its port, which nobody else may reach; 0 takes a free one (default: there is none)",
  }),
  HACA_GATEWAY_OHTTP_OVERLAP_MS: variable({
    schema: milliseconds,
    default: "3600000",
    help: "how long a key for oblivious requests is good after the next has been made",
  }),
  HACA_GATEWAY_LEGACY_FACILITATOR: variable({
    schema: url,
    help: "who settles answers for the public network's clients (default: they get none)",
  }),
  HACA_GATEWAY_BODY_LIMIT: variable({
    schema: integer(1_024, 64 << 20),
    default: "1048576",
    help: "largest request, in bytes",
  }),
  HACA_GATEWAY_ANSWER_LIMIT: variable({
    schema: integer(1_024, 256 << 20),
    default: "8388608",
    help: "largest answer of the upstream, in bytes",
  }),
  HACA_GATEWAY_CONCURRENCY: variable({
    schema: integer(1, 100_000),
    default: "64",
    help: "requests that are answered at once",
  }),
  HACA_GATEWAY_WAITING: variable({
    schema: integer(0, 100_000),
    default: "256",
    help: "requests that wait for that; more are refused",
  }),
  HACA_GATEWAY_WAIT_MS: variable({
    schema: milliseconds,
    default: "10000",
    help: "how long they wait at most",
  }),
  HACA_GATEWAY_SILENCE_MS: variable({
    schema: milliseconds,
    default: "60000",
    help: "silence after which the upstream counts as dead",
  }),
  HACA_GATEWAY_ANSWER_MS: variable({
    schema: milliseconds,
    default: "600000",
    help: "how long an answer takes at most",
  }),
  HACA_GATEWAY_CLIENT_MS: variable({
    schema: milliseconds,
    default: "30000",
    help: "how long a client takes to send a request, or to take part of an answer",
  }),
  HACA_GATEWAY_QUEUE_MS: variable({
    schema: milliseconds,
    default: "10000",
    help: "how long a result is offered to the worker before its answer is given up",
  }),
  HACA_GATEWAY_STOP_MS: variable({
    schema: milliseconds,
    default: "60000",
    help: "how long answers are finished after SIGTERM",
  }),
  HACA_LOG_LEVEL: variable({
    schema: z.enum(["trace", "debug", "info", "warn", "error"], {
      error: "must be trace, debug, info, warn or error",
    }),
    default: "info",
    help: "what is logged",
  }),
} as const;

export type VariableName = keyof typeof VARIABLES;
