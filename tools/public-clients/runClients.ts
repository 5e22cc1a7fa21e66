import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../python-client/process.ts";
import { prepareClients } from "./prepareClients.ts";

/** Where the tests read what was installed. */
export const CLIENTS_FILE = join(import.meta.dirname, ".cache/clients.json");

/** Installs the clients and runs the tests over them. Returns the exit status. */
export async function runClients(options: { typescript: string }): Promise<number> {
  console.log("installing what is not there yet; the first time takes minutes");
  const clients = await prepareClients(options);
  writeFileSync(CLIENTS_FILE, JSON.stringify(clients));
  const config = join(import.meta.dirname, "clients.config.ts");
  const vitest = ["run", "--root", import.meta.dirname, "--config", config, "--reporter=verbose"];
  const { status } = await run({ program: "vitest", parameters: vitest, isShown: true });
  return status;
}
