import { parseArgs } from "node:util";
import { BaseError } from "@haca/protocol/baseError";
import { getAddress, isAddress } from "ethers";

/** Every option of the command; which of them a subcommand takes is in its help. */
const OPTIONS = {
  network: { type: "string" },
  account: { type: "string", default: "0" },
  yes: { type: "boolean", default: false },
  enclave: { type: "string" },
  payment: { type: "string" },
  endpoint: { type: "string" },
  type: { type: "string" },
  tls: { type: "string" },
  all: { type: "boolean", default: false },
  page: { type: "string", default: "1" },
  port: { type: "string", default: "7070" },
  "public-port": { type: "string", default: "7443" },
  image: { type: "string", default: "development" },
  pcrs: { type: "string" },
  key: { type: "string", default: "p256" },
  at: { type: "string" },
  root: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

const parse = (commandLine: readonly string[]) =>
  parseArgs({ args: [...commandLine], options: OPTIONS, allowPositionals: true });

export type TeeOptions = ReturnType<typeof parse>["values"];

export function badOption(message: string, cause?: unknown): BaseError {
  return new BaseError({ code: "tee.badOption", message, cause });
}

/** Reads the command line. Error: `tee.badOption`. */
export function parseOptions(commandLine: readonly string[]): ReturnType<typeof parse> {
  try {
    return parse(commandLine);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw badOption(`${reason} (see npm run tee -- --help)`, cause);
  }
}

/** A whole number in a range. Error: `tee.badOption`. */
export function integerOption(parameters: {
  name: string;
  text: string;
  minimum: number;
  maximum: number;
}): number {
  const { name, text, minimum, maximum } = parameters;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
  throw badOption(`--${name} must be a whole number from ${minimum} to ${maximum}, got ${text}`);
}

export function addressOption(name: string, text: string | undefined): string {
  if (text !== undefined && isAddress(text)) return getAddress(text);
  throw badOption(`--${name} must be an address, got ${text}`);
}

/** An http or https URL. Error: `tee.badOption`. */
export function urlOption(name: string, text: string | undefined): string {
  if (text !== undefined && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) {
    return text;
  }
  throw badOption(`--${name} must be an http or https URL, got ${text}`);
}

/** The https URL under which clients reach a node: 256 bytes at most, as the registry wants it. */
export function endpointOption(text: string | undefined): string {
  const url = urlOption("endpoint", text);
  if (!url.startsWith("https://")) throw badOption(`--endpoint must be an https URL, got ${url}`);
  const length = Buffer.byteLength(url);
  if (length > 256) throw badOption(`--endpoint must be 256 bytes at most, got ${length}`);
  return url;
}

export function teeIdArgument(text: string | undefined): string {
  if (text !== undefined && /^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
  throw badOption(`expected a teeId, 0x and 64 hex digits, got ${text}`);
}
