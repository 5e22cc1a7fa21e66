import { withDeployment } from "../deployment.ts";
import { whatIsMissing } from "../isVerified.ts";
import { isLegacy, legacyReceiptId, parseLegacyReceipt } from "../legacy/legacyReceipt.ts";
import { CHECKS, type Check } from "../line.ts";
import { parseReceipt } from "../receipt/parseReceipt.ts";
import { LIMITS } from "../receipt/receipt.ts";
import { receiptId } from "../typedData.ts";
import { deploymentIn, pinsIn, requireUrl } from "./arguments.ts";
import { printLines, printReceipt } from "./print.ts";
import { readInput, UsageError } from "./readInput.ts";

export type VerifyArguments = {
  pins?: string;
  model?: string;
  rpc?: readonly string[];
  now?: string;
  registry?: boolean;
  legacy?: boolean;
  deployment?: string;
  blockHash?: readonly string[];
  demand?: readonly string[];
  json?: boolean;
};

/** `haca receipt verify`: whether the receipt is verified, and what is printed of it. */
export async function verifyFile(
  path: string,
  options: VerifyArguments & { isColoured: boolean },
): Promise<{ isVerified: boolean; text: string }> {
  const { blockHash: blockHashes = [], rpc: rpcs = [], demand = [] } = options;
  const demands = demand.map(readCheck);
  const now = options.now === undefined ? undefined : readTime(options.now);
  rpcs.forEach(requireUrl);
  blockHashes.forEach(requireBlockHash);
  const given = options.pins === undefined ? {} : await pinsIn(options.pins);
  const deployment =
    options.deployment === undefined ? undefined : await deploymentIn(options.deployment);
  const pins = withDeployment(given, deployment);
  const bytes = await readInput({ path, limit: LIMITS.receipt });
  // What it needs takes longer to load than arguments to be looked at.
  const { verify } = await import("../verify.ts");
  const lines = await verify(bytes, {
    ...{ pins, rpcs, blockHashes },
    ...(now === undefined ? {} : { now }),
    ...(options.model === undefined ? {} : { model: options.model }),
  });
  const attestation = options.registry ? "registry" : "direct";
  const missing = whatIsMissing(lines, { attestation, demands, legacy: options.legacy ?? false });
  const isVerified = missing.length === 0;
  const id = idOf(bytes);
  if (options.json) {
    const whole = { id, isVerified, missing, lines };
    return { isVerified, text: `${JSON.stringify(whole, null, 2)}\n` };
  }
  const verdict = isVerified ? "verified" : `not verified, for: ${missing.join(", ")}`;
  const text = [`receipt ${id ?? "none"}`, ...printLines(lines, options), verdict];
  return { isVerified, text: `${text.join("\n")}\n` };
}

/** `haca receipt show`: what the receipt says. @throws BaseError where it is none */
export async function showFile(path: string, options: { json?: boolean }): Promise<string> {
  const bytes = await readInput({ path, limit: LIMITS.receipt });
  const receipt = isLegacy(bytes) ? parseLegacyReceipt(bytes) : parseReceipt(bytes);
  if (options.json) return `${JSON.stringify(receipt, null, 2)}\n`;
  const text = [...printReceipt(receipt), "nothing of this was checked: haca receipt verify"];
  return `${text.join("\n")}\n`;
}

function idOf(bytes: Uint8Array): string | null {
  try {
    return isLegacy(bytes)
      ? legacyReceiptId(parseLegacyReceipt(bytes).core)
      : receiptId(parseReceipt(bytes).core);
  } catch {
    return null;
  }
}

function readCheck(name: string): Check {
  const found = CHECKS.find((check) => check === name);
  if (found !== undefined) return found;
  throw new UsageError(`--demand: ${name} is no line; there are ${CHECKS.join(", ")}`);
}

function requireBlockHash(text: string): void {
  if (/^0x[0-9a-f]{64}$/i.test(text)) return;
  throw new UsageError(`--block-hash: must be 0x and 64 digits of hex, got ${text}`);
}

function readTime(text: string): bigint {
  if (/^\d{1,12}$/.test(text)) return BigInt(text);
  throw new UsageError(`--now: must be unix seconds, got ${text}`);
}
