import { createHash, hkdfSync } from "node:crypto";
import type { Grant } from "./grant.ts";

const BYTES = 32;
const SALT = /^0x[0-9a-f]{64}$/;

type Named = NonNullable<Grant["named"]>;

/** Under which a payer's name is noted. */
export const noteOf = (name: string): string =>
  createHash("sha256").update(`haca payment identifier\n${name}`).digest("hex");

/**
 * What is noted of a named request. Who reads the disk has neither the name nor the salt, and finds no prompt by trying: all of it
 * is made of name and request together.
 * @param request `same` says which it is, `salt` is the one that its hash was made with
 */
export const namedAs = (name: string, request: { same: string; salt: string }): Named => ({
  by: noteOf(name),
  same: derived(name, request.same, "same").toString("hex"),
  salt: masked(name, request.same, request.salt),
});

/** Whether that is the request. */
export const isNamed = (named: Named | undefined, name: string, same: string): boolean =>
  named !== undefined && named.same === derived(name, same, "same").toString("hex");

/** The salt that its hash was made with; empty where it was sealed. */
export const saltUnder = ({ salt }: Named, name: string, same: string): string =>
  masked(name, same, salt);

/** The salt hidden, or what was hidden. */
function masked(name: string, same: string, salt: string): string {
  if (!SALT.test(salt)) return "";
  const mask = derived(name, same, "salt");
  const bytes = Buffer.from(salt.slice(2), "hex").map((byte, at) => byte ^ (mask[at] ?? 0));
  return `0x${Buffer.from(bytes).toString("hex")}`;
}

/** Of name and request together. */
const derived = (name: string, same: string, use: string): Buffer =>
  Buffer.from(hkdfSync("sha256", Buffer.from(same, "hex"), name, `haca named ${use}`, BYTES));
