import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { JsonRpcProvider, Network } from "ethers";
import { expect, it } from "vitest";

const LOGGER = join(import.meta.dirname, "../src/logger.ts");

it.runIf(existsSync("/dev/full"))("a log on a full disk does not end the worker", async () => {
  const full = openSync("/dev/full", "w");
  const script = `import { createLogger } from ${JSON.stringify(LOGGER)};
    const logger = createLogger({ level: "info" });
    for (let i = 0; i < 5000; i++) logger.info({ filler: "x".repeat(1000) }, "line");
    await new Promise((resolve) => setImmediate(resolve));
    process.stderr.write("went on");`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", full, "pipe"],
  });
  closeSync(full);
  const [said, [code]] = await Promise.all([text(child.stderr as never), once(child, "close")]);
  expect(said).toBe("went on");
  expect(code).toBe(0);
});

it("an error of ethers is logged without the request that it carries", async () => {
  const raw = `0x02${"ab".repeat(200)}`;
  const provider = new JsonRpcProvider("http://127.0.0.1:1", 1, { staticNetwork: Network.from(1) });
  const error = provider.getRpcError(
    { id: 1, jsonrpc: "2.0", method: "eth_sendRawTransaction", params: [raw] },
    { id: 1, error: { code: -32000, message: "odd" } },
  );
  provider.destroy();
  const script = `import { createLogger } from ${JSON.stringify(LOGGER)};
    const error = Object.assign(new Error(${JSON.stringify(error.message)}), ${JSON.stringify(error)});
    createLogger({ level: "info" }).error({ err: error }, "failed");`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = await Promise.all([text(child.stdout as never), once(child, "close")]);
  const { err } = JSON.parse(said) as { err: { message: string; stack: string } };
  expect(err.message).toBe("odd");
  expect(err.stack).toContain("at ");
  expect(said).not.toContain("ab".repeat(40));
});
