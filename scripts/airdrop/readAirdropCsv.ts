import { existsSync, readFileSync } from "node:fs";
import type { AirdropEntry } from "@haca/protocol/airdropTree";
import { BaseError } from "@haca/protocol/baseError";
import { getAddress, isAddress, parseUnits, ZeroAddress } from "ethers";

const HEADER = "address,amount";
const UINT96_LIMIT = 1n << 96n;

/**
 * Reads `address,amount` rows, amounts in OPG with up to 18 decimals. The first line may be that header; empty
 * lines do not count. An index of the airdrop is a row's place among the rows.
 *
 * Errors (`airdrop.badRow`) name file, line and reason: malformed, bad checksum, zero address, zero amount, more than
 * 18 decimals, overflow, duplicate address.
 */
export function readAirdropCsv(path: string): AirdropEntry[] {
  if (!existsSync(path)) {
    throw new BaseError({ code: "airdrop.noFile", message: `no file ${path}` });
  }
  const lineOf = new Map<string, number>();
  const entries: AirdropEntry[] = [];
  readFileSync(path, "utf8")
    .split(/\r?\n/)
    .forEach((text, position) => {
      const line = position + 1;
      const row = text.trim();
      if (row === "" || (line === 1 && row.toLowerCase() === HEADER)) return;
      const fail = (reason: string): never => {
        throw new BaseError({
          code: "airdrop.badRow",
          message: `${path}:${line}: ${reason}`,
          details: { line, row },
        });
      };
      const entry = parseRow(row, fail);
      const earlier = lineOf.get(entry.account);
      if (earlier !== undefined) fail(`${entry.account} is already on line ${earlier}`);
      lineOf.set(entry.account, line);
      entries.push(entry);
    });
  if (entries.length === 0) {
    throw new BaseError({ code: "airdrop.empty", message: `${path} has no rows` });
  }
  return entries;
}

function parseRow(row: string, fail: (reason: string) => never): AirdropEntry {
  const cells = row.split(",").map((cell) => cell.trim());
  const [account, amount] = cells;
  if (cells.length !== 2 || account === undefined || amount === undefined) {
    return fail(`expected "${HEADER}", got "${row}"`);
  }
  if (!/^0x[0-9a-fA-F]{40}$/.test(account)) return fail(`${account} is not an address`);
  if (!isAddress(account)) return fail(`${account} has a wrong checksum`);
  if (BigInt(account) === BigInt(ZeroAddress)) return fail("the zero address cannot claim");
  if (!/^[0-9]+(\.[0-9]{1,18})?$/.test(amount)) {
    return fail(`amount ${amount} is not a number with at most 18 decimals`);
  }
  const units = parseUnits(amount, 18);
  if (units === 0n) return fail("amount is zero");
  if (units >= UINT96_LIMIT) return fail(`amount ${amount} overflows 96 bits`);
  return { account: getAddress(account), amount: units };
}
