import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ChatNode, PINS } from "../../../sdk/test/support/chatNode.ts";

const COMMAND = join(import.meta.dirname, "../../../sdk/src/cli/cli.ts");
const TOKEN = "token-of-the-benchmark";
const REQUEST = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] });

/**
 * How many milliseconds longer an answer takes through `haca proxy`, a process of its own, than from the node, which is in this
 * one with its simulated enclave and answers at once: one client, the two by turns.
 */
export async function measureProxyOverhead(runs: number): Promise<number[]> {
  const node = await ChatNode.start();
  const folder = mkdtempSync(join(tmpdir(), "haca-bench-"));
  const pins = join(folder, "pins.json");
  writeFileSync(pins, JSON.stringify(PINS));
  const args = [COMMAND, "proxy", "--port", "0", "--node", node.url, "--pins", pins];
  const env = { ...process.env, HACA_PROXY_TOKEN: TOKEN };
  const proxy = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const url = await listening(proxy);
    const overheads: number[] = [];
    // The first ones load and compile.
    for (let run = -20; run < runs; run += 1) {
      const direct = await time(`${node.url}/v1`, { "haca-salt": `0x${"5a".repeat(32)}` });
      const proxied = await time(url, { authorization: `Bearer ${TOKEN}` });
      if (run >= 0) overheads.push(proxied - direct);
    }
    return overheads;
  } finally {
    const ended = once(proxy, "exit");
    proxy.kill("SIGTERM");
    await ended;
    node.stop();
    rmSync(folder, { recursive: true });
  }
}

async function listening({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error("the proxy has no output");
  for await (const line of createInterface({ input: stdout })) {
    return line.replace("listening on ", "");
  }
  throw new Error("the proxy has ended");
}

async function time(url: string, headers: Record<string, string>): Promise<number> {
  const start = performance.now();
  const response = await fetch(`${url}/chat/completions`, {
    ...{ method: "POST", body: REQUEST },
    headers: { "content-type": "application/json", ...headers },
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`what is measured does not hold: ${text}`);
  return performance.now() - start;
}
