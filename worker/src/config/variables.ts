import { readWebOrigins, WEB_ORIGINS_REASON } from "@haca/protocol/webOrigins";
import { getAddress, isAddress } from "ethers";
import { z } from "zod";

const integer = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d+$/, "must be an integer")
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, {
      error: `must be between ${minimum} and ${maximum}`,
    });

const privateKey = z.string().regex(/^0x[0-9a-fA-F]{64}$/, "must be 0x and 64 hex digits");

/** OPG with so many digits at most. */
const amount = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^\\d{1,${digits}}$`), "must be an integer in wei-scale OPG")
    .transform(BigInt);

const feePerGas = z
  .string()
  .regex(/^[1-9]\d{0,30}$/, "must be an integer in wei per gas, above zero")
  .transform(BigInt);

const list = z.string().transform((value) =>
  value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ""),
);

const addresses = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}(,0x[0-9a-fA-F]{40})*$/, "must be addresses with commas between")
  .transform((text) => text.split(","));

const origins = z
  .string()
  .transform(readWebOrigins)
  .refine((entries) => entries !== undefined, WEB_ORIGINS_REASON);

/** What a path can be put behind. */
const isPlainUrl = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.search + url.hash === "";
};
const FEED = /^(0x[0-9a-fA-F]{64})=(https?:\/\/[^#\s]+)#(\/\S*)$/;
const feedOf = (entry: string) => {
  const [, feedId = "", url = "", pointer = ""] = FEED.exec(entry) ?? [];
  return { feedId: feedId.toLowerCase(), source: { url, pointer } };
};
const isHttp = (text: string): boolean =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

export type Variable<Value> = {
  /** parses the text of the variable */
  schema: z.ZodType<Value, string>;
  /** text that is parsed where the variable is not set; absent: no value */
  default?: string;
  help: string;
  /** never accepted as a flag: command lines are visible to every user of the machine */
  secret?: true;
};

const variable = <Value>(definition: Variable<Value>): Variable<Value> => definition;

/** Every setting of the worker. Each can be given as a flag too: `HACA_RPC_URL` is `--rpc-url`. */
export const VARIABLES = {
  HACA_RPC_URL: variable({
    schema: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }),
    help: "JSON-RPC endpoint of the chain",
  }),
  HACA_RPC_TIMEOUT_MS: variable({
    schema: integer(10, 600_000),
    default: "20000",
    help: "silence after which a request to the endpoint counts as failed",
  }),
  HACA_CHAIN_ID: variable({
    schema: integer(1, Number.MAX_SAFE_INTEGER),
    help: "chain id; the endpoint must serve this chain",
  }),
  HACA_NODE_KEY: variable({
    schema: privateKey,
    help: "private key of the node (roles infer, collect and settle); signs receipts and transactions",
    secret: true,
  }),
  HACA_ADDRESS_BOOK: variable({
    schema: z.string(),
    help: "address book of the deployment (default: deployments/<HACA_CHAIN_ID>.json)",
  }),
  HACA_MODELS: variable({
    schema: list.refine((folders) => folders.length > 0, { error: "must name a folder" }),
    help: "folders of compiled models, separated by commas (roles infer and prove; watch: those to run again)",
  }),
  HACA_DATA_DIR: variable({
    schema: z.string(),
    default: "data/worker",
    help: "folder of the embedded database (facilitate: data/facilitator; watch: data/watcher; validate: data/validator; data-node: data/data-node)",
  }),
  HACA_WORKER_DATABASE_URL: variable({
    schema: z.url({
      protocol: /^postgres(ql)?$/,
      error: "must be a postgres:// URL, or empty for the embedded database",
    }),
    help: "PostgreSQL instead of the embedded database",
    secret: true,
  }),
  HACA_DATABASE_POOL: variable({
    schema: integer(2, 1_000),
    default: "10",
    help: "connections of this process to PostgreSQL at most",
  }),
  HACA_HTTP_HOST: variable({
    schema: z.string(),
    default: "127.0.0.1",
    help: "address on which the HTTP server listens",
  }),
  HACA_HTTP_PORT: variable({
    schema: integer(0, 65_535),
    default: "8080",
    help: "port of the HTTP server; 0 takes a free one (facilitate: 4022)",
  }),
  HACA_HTTP_BODY_LIMIT: variable({
    schema: integer(1024, 64 * 1024 * 1024),
    default: "65536",
    help: "largest accepted request body, in bytes",
  }),
  HACA_HTTP_ORIGINS: variable({
    schema: origins,
    help: "sites whose pages may ask: https://app.example, several with commas, or * (default: none)",
  }),
  HACA_PROVER: variable({
    schema: z.string(),
    help: "native prover; `none` for snarkjs (default: the installed or built one, if any)",
  }),
  HACA_PROVE_THREADS: variable({
    schema: integer(1, 1_024),
    help: "snarkjs threads of the role prove (default: by cores and memory)",
  }),
  HACA_PRICE: variable({
    schema: amount(77),
    default: "0",
    help: "price of an inference, in wei-scale OPG; part of every receipt",
  }),
  HACA_CONFIRMATIONS: variable({
    // The account's nonce is read that deep, and a full node has the state of about 128 blocks.
    schema: integer(1, 100),
    default: "1",
    help: "blocks, the transaction's own included, after which a settlement counts",
  }),
  HACA_REORG_BLOCKS: variable({
    schema: integer(1, 100_000),
    default: "64",
    help: "depth to which a settled transaction is watched for a reorganisation",
  }),
  HACA_POLL_MS: variable({
    schema: integer(10, 600_000),
    default: "1000",
    help: "pause between two looks at the queue and at the chain",
  }),
  HACA_REBROADCAST_MS: variable({
    schema: integer(10, 3_600_000),
    default: "30000",
    help: "time without a receipt after which a transaction is sent again",
  }),
  HACA_REPLACE_MS: variable({
    schema: integer(10, 86_400_000),
    default: "60000",
    help: "age at which a transaction that is not mined is replaced by one with higher fees",
  }),
  HACA_MAX_FEE_PER_GAS: variable({
    schema: feePerGas,
    default: "100000000000",
    help: "ceiling in wei per gas: above it nothing is signed or raised, proofs wait",
  }),
  HACA_BATCH_SIZE: variable({
    schema: integer(1, 256),
    default: "1",
    help: "proofs of one version that are settled by one transaction; 1: each by its own",
  }),
  HACA_BATCH_MAX_AGE: variable({
    schema: integer(10, 86_400_000),
    default: "60000",
    help: "milliseconds that a proof waits for others at most, where HACA_BATCH_SIZE is above 1",
  }),
  HACA_PAGE_SIZE: variable({
    schema: integer(1, 256),
    default: "1",
    help: "results of an enclave that are proposed as one page; 1: each is settled by its own transaction",
  }),
  HACA_PAGE_MAX_AGE: variable({
    schema: integer(10, 86_400_000),
    default: "60000",
    help: "milliseconds that a result waits for others at most, where HACA_PAGE_SIZE is above 1",
  }),
  HACA_OPTIMISTIC_MODELS: variable({
    schema: list,
    help: "models, by name with commas between, whose answers are proposed in optimistic pages and proved on demand",
  }),
  HACA_OPERATORS: variable({
    schema: list
      .refine((accounts) => accounts.every((account) => isAddress(account)), {
        error: "must be addresses, separated by commas",
      })
      .transform((accounts) => accounts.map(getAddress)),
    help: "operators whose enclaves' results are taken in, separated by commas (role collect; default: the node's account)",
  }),
  HACA_COLLECT_SECRET: variable({
    schema: z.string().regex(/^[\x21-\x7e]{32,256}$/, "must have 32 to 256 printable characters"),
    help: "secret that a gateway shows with its results (role collect); needed unless HTTP listens on this machine alone",
    secret: true,
  }),
  HACA_MODEL_REFRESH_MS: variable({
    schema: integer(10, 3_600_000),
    default: "15000",
    help: "pause between two looks at whether the models' versions are deprecated",
  }),
  HACA_ENCLAVE_URL: variable({
    schema: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }),
    help: "operator's side of the enclave (roles heartbeat and data-node)",
  }),
  HACA_HEARTBEAT_KEY: variable({
    schema: privateKey,
    help: "private key that pays for heartbeats (role heartbeat); of no other use, any account may send them",
    secret: true,
  }),
  HACA_HEARTBEAT_SECONDS: variable({
    schema: integer(1, 86_400),
    help: "seconds between two heartbeats (default: a third of the registry's heartbeatMaxAge)",
  }),
  HACA_SESSION_SECONDS: variable({
    schema: integer(60, 29 * 86_400),
    default: "604800",
    help: "seconds for which a session key is certified (role heartbeat)",
  }),
  HACA_FACILITATOR_KEY: variable({
    schema: privateKey,
    help: "private key that pays for what is settled for others (role facilitate); not the node's",
    secret: true,
  }),
  HACA_PAYMENT_RECEIVERS: variable({
    schema: addresses,
    help: "for whom payments are settled, addresses with commas between (default: nobody)",
  }),
  HACA_PAYMENT_TOKENS: variable({
    schema: addresses,
    help: "tokens besides OPG that payments into the public escrow may be in, addresses with commas between (default: none)",
  }),
  HACA_MIN_DEPOSIT: variable({
    schema: amount(38),
    default: "0",
    help: "least deposit into a payment channel that is brought, in wei-scale OPG (role facilitate)",
  }),
  HACA_PAYMENT_WAIT_MS: variable({
    // Stock clients give up after 90 seconds.
    schema: integer(10, 3_600_000),
    default: "60000",
    help: "time that an answer waits for its payment before it names the payment's job",
  }),
  HACA_ESCROW: variable({
    schema: z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address"),
    help: "InferenceEscrow, whose jobs are opened and captured (default: the address book's, if it has one)",
  }),
  HACA_CLAIM_SECONDS: variable({
    // Less than the day that a withdrawal's delay leaves for it.
    schema: integer(0, 43_200),
    default: "3600",
    help: "seconds that prices counted for payment channels wait for others, before they are claimed",
  }),
  HACA_RELAY: variable({
    schema: z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be an address"),
    help: "contract that batches are sent to (default: LegacySettlement of the address book)",
  }),
  HACA_RELAY_SIZE: variable({
    schema: integer(1, 4_096),
    default: "20",
    help: "submissions that a batch of the facilitator is closed at",
  }),
  HACA_RELAY_SECONDS: variable({
    schema: integer(0, 86_400),
    default: "900",
    help: "seconds that a submission waits for others at most",
  }),
  HACA_RELAY_IDLE_SECONDS: variable({
    schema: integer(0, 86_400),
    default: "300",
    help: "seconds without another submission after which a batch is closed",
  }),
  HACA_SUBMISSION_SECONDS: variable({
    schema: integer(60, 10 * 365 * 86_400),
    default: "86400",
    help: "age of an answer, in seconds, above which the facilitator does not settle it",
  }),
  HACA_BLOB_PUBLISHER: variable({
    schema: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }),
    help: "where contents are PUT, path included, such as http://127.0.0.1:8090/v1/blobs",
  }),
  HACA_BLOB_AGGREGATOR: variable({
    schema: z.url({ protocol: /^https?$/, error: "must be an http or https URL" }),
    help: "URL above /v1/blobs/<id>, from which contents are read back",
  }),
  HACA_BLOB_EPOCHS: variable({
    schema: integer(1, 1_000),
    default: "10",
    help: "storage epochs that the publisher is asked for",
  }),
  HACA_BLOB_RENEW_SECONDS: variable({
    schema: integer(1, 365 * 86_400),
    default: "432000",
    help: "seconds after which a content is stored again; less than its epochs last",
  }),
  HACA_BLOB_KEEP_SECONDS: variable({
    schema: integer(0, 100 * 365 * 86_400),
    default: "7776000",
    help: "seconds for which a content is stored again and again",
  }),
  HACA_BLOB_TIMEOUT_MS: variable({
    schema: integer(10, 600_000),
    default: "30000",
    help: "time for one exchange with publisher or aggregator",
  }),
  HACA_WATCHER_KEY: variable({
    schema: privateKey,
    help: "private key that pays for what is sent about pages (roles watch and validate); not the node's",
    secret: true,
  }),
  HACA_VALIDATOR_KEY: variable({
    schema: privateKey,
    help: "private key whose signatures vouch for pages (role validate); it pays for nothing",
    secret: true,
  }),
  HACA_VALIDATOR_PEERS: variable({
    schema: list.refine((urls) => urls.length <= 64 && urls.every(isPlainUrl), {
      error: "must be at most 64 http or https URLs without query, separated by commas",
    }),
    help: "other validators, for their signatures: URLs of their HTTP servers, with commas between",
  }),
  HACA_URGENT_MAX_FEE_PER_GAS: variable({
    schema: feePerGas,
    default: "1000000000000",
    help: "ceiling in wei per gas in place of HACA_MAX_FEE_PER_GAS while something is due soon (settle: while a proof is demanded)",
  }),
  HACA_URGENT_SECONDS: variable({
    schema: integer(0, 30 * 86_400),
    default: "43200",
    help: "seconds before the end of a page from which on what has to be sent about it is due soon",
  }),
  HACA_RECHECK_SECONDS: variable({
    schema: integer(1, 7 * 86_400),
    default: "600",
    help: "seconds between two judgements of a page: its enclave may be banned later",
  }),
  HACA_RECEIPTS: variable({
    schema: z.string(),
    help: "folder of receipts, *.json: a page that has another result for one's request is challenged",
  }),
  HACA_REQUEST_LEAVES: variable({
    schema: integer(0, 256),
    default: "256",
    help: "leaves of a page whose blob cannot be read that are asked for at most; 0: none",
  }),
  HACA_REQUEST_BUDGET: variable({
    schema: amount(30),
    default: "500000000000000000000",
    help: "deposits, in wei-scale OPG, that asking for leaves of one page costs at most",
  }),
  HACA_DEMAND_PROOFS: variable({
    schema: integer(0, 255),
    default: "4",
    help: "proofs of a page that are demanded at most where its blob lacks the words; of wrong ones: any number",
  }),
  HACA_REQUEST_AFTER_SECONDS: variable({
    schema: integer(0, 7 * 86_400),
    default: "21600",
    help: "seconds for which a blob cannot be read before that, unless the time for it ends",
  }),
  HACA_ANSWER_REQUESTS: variable({
    schema: z
      .enum(["yes", "no"], { error: "must be yes or no" })
      .transform((text) => text === "yes"),
    default: "no",
    help: "yes: leaves that others ask for are shown, for their deposits",
  }),
  HACA_PAY_MINIMUM: variable({
    schema: amount(30),
    default: "1000000000000000000",
    help: "own part of the fees of attested pages, in wei-scale OPG, from which on they are paid out",
  }),
  HACA_DATA_NODE_KEY: variable({
    schema: privateKey,
    help: "private key that pays for rounds of feeds (role data-node); any account may post them",
    secret: true,
  }),
  HACA_FEEDS: variable({
    schema: z
      .string()
      .transform((text) => text.split(/\s+/).filter((entry) => entry !== ""))
      .refine((entries) => entries.length > 0 && entries.every((entry) => FEED.test(entry)), {
        error: "must be <feed id>=<URL>#<JSON pointer>, several with spaces between",
      })
      .transform((entries) => entries.map(feedOf)),
    help: "feeds of a data node, <feed id>=<URL>#<JSON pointer>, several with spaces between",
  }),
  HACA_DATA_PEERS: variable({
    schema: list.refine((urls) => urls.every(isHttp), { error: "must be http or https URLs" }),
    help: "URLs of other data nodes' workers, separated by commas, whose observations are gathered",
  }),
  HACA_FEED_DEVIATION: variable({
    schema: integer(1, 10_000),
    default: "50",
    help: "hundredths of a percent by which a value differs from the latest answer for a new round before its time",
  }),
  HACA_TURN_SECONDS: variable({
    schema: integer(0, 3_600),
    default: "15",
    help: "seconds that the node whose turn a round is has for it before the next node posts",
  }),
  HACA_OBSERVE_SECONDS: variable({
    schema: integer(1, 86_400),
    default: "10",
    help: "seconds between two observations of a source",
  }),
  HACA_LOG_LEVEL: variable({
    schema: z.enum(["trace", "debug", "info", "warn", "error"]),
    default: "info",
    help: "trace, debug, info, warn or error",
  }),
};
export type VariableName = keyof typeof VARIABLES;

/** `HACA_RPC_URL` -> `--rpc-url`. */
export function flagOf(name: VariableName): string {
  return `--${name.slice("HACA_".length).toLowerCase().replaceAll("_", "-")}`;
}
