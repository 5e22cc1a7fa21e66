import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { EscrowTerms } from "@haca/protocol/inferenceEscrow";
import { userPath } from "@haca/protocol/userPath";
import { getAddress, isAddress, isHexString } from "ethers";
import { z } from "zod";
import { badArgument } from "./context.ts";

const address = z
  .string("must be an address")
  .refine((text) => /^0x/.test(text) && isAddress(text), "must be an address")
  .transform((text) => getAddress(text));
const hash = z
  .string("must be 32 bytes of hex")
  .refine((text) => isHexString(text, 32), "must be 32 bytes of hex");
const integer = (bits: bigint) =>
  z
    .string("must be a decimal number in quotes")
    .regex(/^[0-9]{1,78}$/, "must be a decimal number in quotes")
    .transform((text) => BigInt(text))
    .refine((value) => value < 1n << bits, `must fit ${bits} bits`);

const schema = z.strictObject({
  chainId: z.int("must be a chain's number").min(1),
  escrow: address,
  terms: z.strictObject({
    ...{ node: address, payee: address, requestHash: hash, token: address },
    ...{ feeBps: integer(16n), kinds: integer(8n), captureWindow: integer(32n) },
  }),
  payment: z.strictObject({
    ...{ payer: address, amount: integer(128n), nonce: integer(256n) },
    ...{ validAfter: integer(256n), validUntil: integer(256n) },
    signature: z
      .string("must be hex")
      .refine((text) => isHexString(text) && text.length % 2 === 0, "must be hex"),
  }),
});

/** A payer's permit with the terms that it is bound to. */
export type PermitFile = {
  chainId: number;
  escrow: string;
  terms: EscrowTerms;
  payment: {
    payer: string;
    amount: bigint;
    nonce: bigint;
    validAfter: bigint;
    validUntil: bigint;
    signature: string;
  };
};

/** Error: `escrow.badArgument`, with file, field and reason. */
export function readPermitFile(given: string): PermitFile {
  const path = userPath(given);
  if (!existsSync(path)) throw badArgument(`there is no file ${path}`);
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw badArgument(`${path} is not JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badArgument(`${path}: ${issue?.path.join(".") || "file"}: ${issue?.message}`);
}

/** Writes a new file. Error: `escrow.badArgument` if there is one, or it cannot be written. */
export function writePermitFile(given: string, file: PermitFile): string {
  const path = userPath(given);
  const text = JSON.stringify(
    file,
    (_, value: unknown) => (typeof value === "bigint" ? String(value) : value),
    2,
  );
  try {
    writeFileSync(path, `${text}\n`, { flag: "wx" });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw badArgument(`${path} ${isThere ? "is there already" : "cannot be written"}`);
  }
  return path;
}
