import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { PERMIT2_ADDRESS, UPTO_PROXY_ADDRESS } from "@haca/protocol/signedPayments";
import { describe, expect, it, onTestFinished } from "vitest";
import { startChain, withChain } from "../../scripts/demo/localChain.ts";
import { ProcessGroup } from "../../scripts/lib/processGroup.ts";
import { Command } from "./command.ts";

const x402 = (...options: string[]): Command => new Command(["tools/x402/cli.ts", ...options]);

/** URL of something that says of itself that it is another chain. */
async function otherChain(): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, result: "0x1" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("npm run x402", () => {
  it("puts Permit2, the proxy and the contract of channels on a local chain, and says which codes they are", async () => {
    const folder = mkdtempSync(join(tmpdir(), "haca-x402-"));
    const group = new ProcessGroup({ logFolder: folder });
    onTestFinished(async () => {
      await group.stop();
      rmSync(folder, { recursive: true });
    });
    const url = await startChain({ group, timeoutMs: 60_000, port: 0 });
    const command = x402("--rpc-url", url);
    expect(await command.exit(), command.output).toBe(0);
    await withChain(url, async (provider) => {
      for (const address of [PERMIT2_ADDRESS, UPTO_PROXY_ADDRESS, BATCH_SETTLEMENT_ADDRESS]) {
        expect(command.output).toMatch(new RegExp(`^(stand-in|genuine ) {2}${address}$`, "m"));
        expect((await provider.getCode(address)).length).toBeGreaterThan(1_000);
      }
    });
  });

  it("refuses what is no local chain, in one line", async () => {
    const cases = [
      ["127.0.0.1:8545", /^error: --rpc-url must be an http URL, got "127/],
      [await otherChain(), /^error: --rpc-url \S+: it is chain 1, not a local one/],
      ["http://127.0.0.1:9", /^error: --rpc-url http:\/\/127\.0\.0\.1:9: /],
    ] as const;
    for (const [url, words] of cases) {
      const command = x402("--rpc-url", url);
      expect(await command.exit()).toBe(1);
      expect(command.output).toMatch(words);
      expect(command.output.trim().split("\n")).toHaveLength(1);
    }
  });
});
