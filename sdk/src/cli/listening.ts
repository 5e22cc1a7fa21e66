import { randomBytes } from "node:crypto";
import { UsageError } from "./readInput.ts";

/** What commands have in common that listen. */

/** A port of `--port`; 0 takes a free one. @throws UsageError */
export function readPort(port: string): number {
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new UsageError(`--port: must be 0 to 65535, got ${port}`);
}

/**
 * The token that callers bring, of the environment: on a command line others would see it. Without one it is drawn, and `said`.
 * @throws UsageError
 */
export function readToken(name: string, env: NodeJS.ProcessEnv): { token: string; said: string } {
  const given = env[name] ?? "";
  if (given !== "" && !/^[\x21-\x7e]{16,}$/.test(given)) {
    throw new UsageError(`${name}: must be 16 printable characters at least, without spaces`);
  }
  if (given !== "") return { token: given, said: "" };
  const token = randomBytes(24).toString("base64url");
  return { token, said: `token ${token}\n` };
}

/** Starts something that listens. @throws UsageError where it cannot */
export async function listening<Server>(start: () => Promise<Server>): Promise<Server> {
  try {
    return await start();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === "EADDRINUSE" ? "something listens there already" : `cannot listen (${code})`;
    throw new UsageError(`--port: ${reason}`);
  }
}
