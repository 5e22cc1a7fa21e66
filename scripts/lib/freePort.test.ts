import { createServer } from "node:net";
import { expect, it } from "vitest";
import { freePort } from "./freePort.ts";

it("avoids a port that is in use", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const port = await freePort(address.port);
  expect(port).not.toBe(address.port);
  expect(port).toBeGreaterThan(0);
  await new Promise((resolve) => server.close(resolve));
  expect(await freePort(address.port)).toBe(address.port);
});
