import { existsSync, readFileSync } from "node:fs";
import type { AirdropEntry } from "@haca/protocol/airdropTree";
import { BaseError } from "@haca/protocol/baseError";
import { getAddress, isAddress, parseUnits, ZeroAddress } from "ethers";

const HEADER = "address,amount";
const UINT96_LIMIT = 1n << 96n;

/** How many bad rows an error names; it counts the others. */
const NAMED_ROWS = 20;

/**
 * Reads `address,amount` rows, amounts in OPG with up to 18 decimals. The first line may be that header; empty
 * lines do not count. An index of the airdrop is a row's place among the rows.
 *
 * Errors: `airdrop.noFile`, `airdrop.empty`, and `airdrop.badRow` with every bad line and its reason: malformed, bad
 * checksum, zero address, zero amount, more than 18 decimals, overflow, duplicate address.
 */
export function readAirdropCsv(path: string): AirdropEntry[] {
  const lineOf = new Map<string, number>();
  const entries: AirdropEntry[] = [];
  const problems: string[] = [];
  readText(path)
    .split(/\r?\n/)
    .forEach((text, position) => {
      const line = position + 1;
      const row = text.trim();
      if (row === "" || (line === 1 && row.toLowerCase() === HEADER)) return;
      const entry = parseRow(row);
      if (typeof entry === "string") {
        problems.push(`${path}:${line}: ${entry}`);
        return;
      }
      const earlier = lineOf.get(entry.account);
      if (earlier === undefined) {
        lineOf.set(entry.account, line);
        entries.push(entry);
      } else problems.push(`${path}:${line}: ${entry.account} is already on line ${earlier}`);
    });
  if (problems.length > 0) {
    const more = problems.length - NAMED_ROWS;
    throw new BaseError({
      code: "airdrop.badRow",
      message: [
        ...problems.slice(0, NAMED_ROWS),
        ...(more > 0 ? [`and ${more} more bad rows`] : []),
      ].join("\n       "),
      details: { problems },
    });
  }
  if (entries.length === 0) {
    throw new BaseError({ code: "airdrop.empty", message: `${path} has no rows` });
  }
  return entries;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const reason = existsSync(path) ? `${path} cannot be read` : `no file ${path}`;
    throw new BaseError({ code: "airdrop.noFile", message: reason, cause });
  }
}

/** The row's entry, or why it is none. */
function parseRow(row: string): AirdropEntry | string {
  const cells = row.split(",").map((cell) => cell.trim());
  const [account, amount] = cells;
  if (cells.length !== 2 || account === undefined || amount === undefined) {
    return `expected "${HEADER}", got "${row}"`;
  }
  if (!/^0x[0-9a-fA-F]{40}$/.test(account)) return `${account} is not an address`;
  if (!isAddress(account)) return `${account} has a wrong checksum`;
  if (BigInt(account) === BigInt(ZeroAddress)) return "the zero address cannot claim";
  if (!/^[0-9]+(\.[0-9]{1,18})?$/.test(amount)) {
    return `amount ${amount} is not a number with at most 18 decimals`;
  }
  const units = parseUnits(amount, 18);
  if (units === 0n) return "amount is zero";
  if (units >= UINT96_LIMIT) return `amount ${amount} overflows 96 bits`;
  return { account: getAddress(account), amount: units };
}
