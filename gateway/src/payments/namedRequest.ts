import { createHash, hkdfSync } from "node:crypto";
import type { Grant } from "./grant.ts";
import { requestBytes } from "./paidRequest.ts";
import type { Payable } from "./payable.ts";

const BYTES = 32;
const SALT = /^0x[0-9a-f]{64}$/;

type Named = NonNullable<Grant["named"]>;

/** Under which a payer's name is noted. */
export const noteOf = (name: string): string =>
  createHash("sha256").update(`haca payment identifier\n${name}`).digest("hex");

/**
 * What is noted of a named request. Who reads the disk has neither the name nor the salt, and finds no prompt by trying: all of it
 * is made of name and request together.
 */
export function namedAs(name: string, request: Payable): Named {
  const salt = request.isSalted ? "" : masked(name, request, request.salt);
  return { by: noteOf(name), same: derived(name, request, "same").toString("hex"), salt };
}

/** Whether that is the request. */
export const isNamed = (named: Named | undefined, name: string, request: Payable): boolean =>
  named !== undefined && named.same === derived(name, request, "same").toString("hex");

/** The salt that the gateway made for it; empty where the client gave one. */
export const saltUnder = ({ salt }: Named, name: string, request: Payable): string =>
  masked(name, request, salt);

/** The salt hidden, or what was hidden. */
function masked(name: string, request: Payable, salt: string): string {
  if (!SALT.test(salt)) return "";
  const mask = derived(name, request, "salt");
  const bytes = Buffer.from(salt.slice(2), "hex").map((byte, at) => byte ^ (mask[at] ?? 0));
  return `0x${Buffer.from(bytes).toString("hex")}`;
}

/** Of name and request, whose salt counts where it is the client's. */
function derived(name: string, request: Payable, use: string): Buffer {
  const bytes = requestBytes(request, request.isSalted ? request.salt : "");
  const input = createHash("sha256").update(bytes).digest();
  return Buffer.from(hkdfSync("sha256", input, name, `haca named ${use}`, BYTES));
}
