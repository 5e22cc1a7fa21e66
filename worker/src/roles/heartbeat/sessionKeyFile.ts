import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "@haca/protocol/replaceFile";
import { Wallet } from "ethers";
import { z } from "zod";
import { StartError } from "../../errors.ts";

const fileSchema = z.strictObject({
  format: z.literal(1),
  privateKey: z.string().regex(/^0x[0-9a-f]{64}$/, "must be 0x and 64 hex digits"),
});

/** Where the session key of a node of one registry is kept. */
export function sessionKeyPath(parameters: {
  dataDirectory: string;
  chainId: bigint;
  registry: string;
  teeId: string;
}): string {
  const { dataDirectory, chainId, registry, teeId } = parameters;
  const name = `session-${chainId}-${registry.toLowerCase()}-${teeId}.json`;
  return join(dataDirectory, name);
}

/** The kept session key, or undefined. @throws StartError `session.malformed`, which does not show the content */
export function readSessionKey(path: string): Wallet | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return new Wallet(fileSchema.parse(JSON.parse(readFileSync(path, "utf8"))).privateKey);
  } catch {
    // Without the cause, which would quote the file.
    throw new StartError({
      code: "session.malformed",
      message: `HACA_DATA_DIR: ${path} is no session key; without the file a new one is made`,
    });
  }
}

/**
 * Makes a session key, and has it on disk before anybody hears of it: a crash cannot leave a certified key that is
 * lost. Readable by its owner only.
 */
export function makeSessionKey(path: string): Wallet {
  const { privateKey } = Wallet.createRandom();
  mkdirSync(dirname(path), { recursive: true });
  replaceFile({ path, text: `${JSON.stringify({ format: 1, privateKey })}\n`, mode: 0o600 });
  return new Wallet(privateKey);
}
