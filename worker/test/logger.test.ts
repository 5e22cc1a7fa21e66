import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
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
