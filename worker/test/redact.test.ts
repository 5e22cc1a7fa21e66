import { JsonRpcProvider, Network } from "ethers";
import { expect, it } from "vitest";
import { rpcFailure } from "../src/chain/rpcErrors.ts";
import { describeError, RetryableError } from "../src/errors.ts";
import { redact } from "../src/redact.ts";

const RAW = `0x02${"ab".repeat(200)}`;

it("an address on the net is shown without user, path and query", () => {
  expect(redact("no answer of https://me:secret@rpc.example:8443/v2/KEY?token=KEY, again")).toBe(
    "no answer of https://rpc.example:8443, again".replace(", again", " again"),
  );
  expect(redact("postgres://haca:secret@db:5432/haca is away")).toBe("postgres://db:5432 is away");
});

it("hex is shown up to the length of a hash", () => {
  const hash = `0x${"12".repeat(32)}`;
  expect(redact(`${hash} ${RAW}`)).toBe(`${hash} 0x…(201 bytes)`);
});

it("what ethers makes of a refused transaction shows the endpoint's words, and not the transaction", () => {
  const provider = new JsonRpcProvider("http://127.0.0.1:1", 1, {
    staticNetwork: Network.from(1),
  });
  const payload = {
    id: 1,
    jsonrpc: "2.0" as const,
    method: "eth_sendRawTransaction",
    params: [RAW],
  };
  const words = [
    "transaction underpriced",
    "nonce too low",
    "insufficient funds",
    "gas limit reached",
  ];
  for (const message of words) {
    const error = provider.getRpcError(payload, { id: 1, error: { code: -32000, message } });
    expect(error.message).toContain(RAW);
    const shown = describeError(rpcFailure(error));
    expect(shown).toContain(message);
    expect(shown).not.toContain("ab".repeat(40));
  }
  provider.destroy();
});

it("a cause is shown as carefully as the error", () => {
  const cause = new Error(`POST https://rpc.example/KEY with ${RAW}`);
  const shown = describeError(new RetryableError({ code: "rpc.failed", message: "failed", cause }));
  expect(shown).toBe("failed (POST https://rpc.example with 0x…(201 bytes))");
});
