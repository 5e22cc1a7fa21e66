import { join, resolve } from "node:path";
import { ConfigurationError } from "../errors.ts";
import { ROLES, type Settings } from "./readConfig.ts";
import { flagOf, VARIABLES, type VariableName } from "./variables.ts";

/** What the command line can name: the roles that share a process, those that have one alone, and `status`. */
export const PARTS = [
  ...ROLES,
  "heartbeat",
  "facilitate",
  "data-node",
  "watch",
  "validate",
  "status",
] as const;
export type Part = (typeof PARTS)[number];

const COLUMNS = 80;
const PROJECT = join(import.meta.dirname, "../../..");
const names = Object.keys(VARIABLES) as VariableName[];
const QUEUE: readonly Part[] = ["infer", "prove", "collect", "settle"];
const WATCHING: readonly Part[] = ["watch", "validate"];
const RUNNING: readonly Part[] = [...QUEUE, "heartbeat", "facilitate", "data-node", ...WATCHING];
const DATA_NODE: readonly Part[] = ["data-node"];
const FACILITATE: readonly Part[] = ["facilitate"];
const STORING: readonly Part[] = ["settle", "facilitate"];

/** Embedded databases that are not the node's, as their accounts are not; of roles in one process, the first one's. */
const FOLDERS: readonly (readonly [Part, string])[] = [
  ["facilitate", "data/facilitator"],
  ["data-node", "data/data-node"],
  ["watch", "data/watcher"],
  ["validate", "data/validator"],
];

/** Who uses a setting that not every role uses. */
const USED_BY: Partial<Record<VariableName, readonly Part[]>> = {
  HACA_NODE_KEY: ["infer", "collect", "settle"],
  HACA_MODELS: ["infer", "prove", "watch"],
  HACA_DATA_DIR: [...RUNNING, "status"],
  HACA_WORKER_DATABASE_URL: [...QUEUE, "facilitate", "data-node", ...WATCHING, "status"],
  HACA_DATABASE_POOL: [...QUEUE, "facilitate", "data-node", ...WATCHING],
  HACA_HTTP_HOST: [...RUNNING, "status"],
  HACA_HTTP_PORT: [...RUNNING, "status"],
  HACA_HTTP_BODY_LIMIT: [...QUEUE, "facilitate"],
  HACA_HTTP_ORIGINS: ["infer", "collect"],
  HACA_PROVER: ["prove"],
  HACA_PROVE_THREADS: ["prove"],
  HACA_PRICE: ["infer"],
  HACA_CONFIRMATIONS: ["settle", "facilitate", "data-node", ...WATCHING],
  HACA_REORG_BLOCKS: ["settle", "facilitate", ...WATCHING],
  HACA_POLL_MS: ["prove", "settle", "heartbeat", "facilitate", "data-node", ...WATCHING],
  HACA_REBROADCAST_MS: ["settle", "heartbeat", "facilitate", "data-node", ...WATCHING],
  HACA_REPLACE_MS: ["settle", "facilitate", "data-node", ...WATCHING],
  HACA_MAX_FEE_PER_GAS: ["settle", "heartbeat", "facilitate", "data-node", ...WATCHING],
  HACA_BATCH_SIZE: ["settle"],
  HACA_BATCH_MAX_AGE: ["settle"],
  HACA_PAGE_SIZE: ["settle"],
  HACA_PAGE_MAX_AGE: ["settle"],
  HACA_OPTIMISTIC_MODELS: ["infer", "settle"],
  HACA_OPERATORS: ["collect"],
  HACA_COLLECT_SECRET: ["collect"],
  HACA_MODEL_REFRESH_MS: ["infer", "settle"],
  HACA_ENCLAVE_URL: ["heartbeat", "data-node"],
  HACA_HEARTBEAT_KEY: ["heartbeat"],
  HACA_HEARTBEAT_SECONDS: ["heartbeat"],
  HACA_SESSION_SECONDS: ["heartbeat"],
  HACA_DATA_NODE_KEY: DATA_NODE,
  HACA_FEEDS: DATA_NODE,
  HACA_DATA_PEERS: DATA_NODE,
  HACA_FEED_DEVIATION: DATA_NODE,
  HACA_TURN_SECONDS: DATA_NODE,
  HACA_OBSERVE_SECONDS: DATA_NODE,
  HACA_FACILITATOR_KEY: FACILITATE,
  HACA_PAYMENT_RECEIVERS: FACILITATE,
  HACA_PAYMENT_TOKENS: FACILITATE,
  HACA_MIN_DEPOSIT: FACILITATE,
  HACA_PAYMENT_WAIT_MS: FACILITATE,
  HACA_ESCROW: ["settle", ...FACILITATE],
  HACA_CLAIM_SECONDS: ["settle"],
  HACA_RELAY: FACILITATE,
  HACA_RELAY_SIZE: FACILITATE,
  HACA_RELAY_SECONDS: FACILITATE,
  HACA_RELAY_IDLE_SECONDS: FACILITATE,
  HACA_SUBMISSION_SECONDS: FACILITATE,
  HACA_BLOB_PUBLISHER: STORING,
  HACA_BLOB_AGGREGATOR: [...STORING, ...WATCHING],
  HACA_BLOB_EPOCHS: STORING,
  HACA_BLOB_RENEW_SECONDS: STORING,
  HACA_BLOB_KEEP_SECONDS: FACILITATE,
  HACA_BLOB_TIMEOUT_MS: [...STORING, ...WATCHING],
  HACA_WATCHER_KEY: WATCHING,
  HACA_VALIDATOR_KEY: ["validate"],
  HACA_VALIDATOR_PEERS: ["validate"],
  HACA_URGENT_MAX_FEE_PER_GAS: ["settle", ...WATCHING],
  HACA_URGENT_SECONDS: WATCHING,
  HACA_RECHECK_SECONDS: WATCHING,
  HACA_RECEIPTS: ["watch"],
  HACA_REQUEST_LEAVES: ["watch"],
  HACA_REQUEST_BUDGET: ["watch"],
  HACA_DEMAND_PROOFS: ["watch"],
  HACA_REQUEST_AFTER_SECONDS: ["watch"],
  HACA_ANSWER_REQUESTS: ["watch"],
  HACA_PAY_MINIMUM: ["validate"],
};

const usersOf = (name: VariableName): readonly Part[] => USED_BY[name] ?? RUNNING;
const partsIn = (words: readonly string[]): Part[] => PARTS.filter((part) => words.includes(part));

/** `HACA_RPC_URL` -> `rpcUrl`, as the parser of the command line names it. */
const optionOf = (name: VariableName): string =>
  flagOf(name)
    .slice(2)
    .replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/**
 * The settings of a command line and an environment; flags go before variables. Paths are as the person meant them who
 * gave the command, from wherever: `folder` is where that is.
 * @throws ConfigurationError naming a flag that none of the roles uses
 */
export function readSettings(parameters: {
  roles: readonly string[];
  options: Readonly<Record<string, unknown>>;
  environment: NodeJS.ProcessEnv;
  folder: string;
}): Settings {
  const { roles, options, environment, folder } = parameters;
  const parts = partsIn(roles);
  const settings: { [Name in VariableName]?: string | undefined } = {};
  for (const name of names) {
    const flag = options[optionOf(name)];
    if (typeof flag === "string") requireUse({ name, parts });
    settings[name] = typeof flag === "string" ? flag : environment[name];
  }
  const placed = (path: string | undefined) => (path ? resolve(folder, path) : path);
  settings.HACA_ADDRESS_BOOK = placed(settings.HACA_ADDRESS_BOOK);
  const own = FOLDERS.find(([part]) => parts.includes(part))?.[1];
  const standard = own ?? VARIABLES.HACA_DATA_DIR.default ?? "";
  settings.HACA_DATA_DIR = placed(settings.HACA_DATA_DIR) || join(PROJECT, standard);
  if (settings.HACA_PROVER !== "none") settings.HACA_PROVER = placed(settings.HACA_PROVER);
  settings.HACA_MODELS = settings.HACA_MODELS?.split(",")
    .map((path) => path.trim())
    .filter((path) => path !== "")
    .map((path) => resolve(folder, path))
    .join(",");
  return settings;
}

function requireUse(parameters: { name: VariableName; parts: readonly Part[] }): void {
  const { name, parts } = parameters;
  const users = usersOf(name);
  if (parts.length === 0 || parts.some((part) => users.includes(part))) return;
  throw new ConfigurationError({
    code: "configuration.unusedOption",
    message: `${flagOf(name)}: ${parts.join(", ")} does not take it (${users.join(", ")} does)`,
  });
}

/** The settings of the parts that the words name, or of all, in lines of 80 columns at most. */
export function settingsHelp(words: readonly string[]): string {
  const named = partsIn(words);
  const parts = named.length === 0 ? PARTS : named;
  const used = names.filter((name) => usersOf(name).some((part) => parts.includes(part)));
  const lines = used.flatMap((name) => {
    const { default: standard, help, secret } = VARIABLES[name];
    const flag = secret === true ? "environment only" : flagOf(name);
    const text = standard === undefined ? help : `${help} [${standard}]`;
    return [`  ${name}  ${flag}`, ...wrap(text, COLUMNS - 6).map((line) => `      ${line}`)];
  });
  const whose = wrap(`Settings of ${parts.join(", ")}:`, COLUMNS).join("\n");
  const title = `${whose}\n  variable  flag\n      meaning [default]\n`;
  return `\n${title}\n${lines.join("\n")}\n`;
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
