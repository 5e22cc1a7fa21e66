import { describe, expect, it } from "vitest";
import { isAboutQuery, LogSlices } from "../src/logSlices.ts";

/** An endpoint with a block range limit; counts what it is asked. */
function endpoint(limit: number, error: unknown = { code: -32602, message: "no" }) {
  const asked: [number, number][] = [];
  return {
    asked,
    readSlice: async (from: number, to: number) => {
      asked.push([from, to]);
      if (to - from + 1 > limit) throw error;
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    },
  };
}
const blocks = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("LogSlices", () => {
  it("asks once where there is no limit", async () => {
    const { asked, readSlice } = endpoint(Number.POSITIVE_INFINITY);
    expect(await new LogSlices().read({ from: 7, to: 1006, readSlice })).toEqual(blocks(7, 1006));
    expect(asked).toEqual([[7, 1006]]);
  });

  it.each([1, 2, 99, 100, 1000])("reads every block once under a limit of %d", async (limit) => {
    const { readSlice } = endpoint(limit);
    expect(await new LogSlices().read({ from: 3, to: 1802, readSlice })).toEqual(blocks(3, 1802));
  });

  it("remembers what the endpoint takes", async () => {
    const { asked, readSlice } = endpoint(100);
    const slices = new LogSlices();
    await slices.read({ from: 0, to: 9999, readSlice });
    asked.length = 0;
    await slices.read({ from: 10_000, to: 19_999, readSlice });
    expect(asked.length).toBeLessThan(200);
  });

  it("reads nothing of an empty range", async () => {
    const { asked, readSlice } = endpoint(1);
    expect(await new LogSlices().read({ from: 5, to: 4, readSlice })).toEqual([]);
    expect(asked).toEqual([]);
  });

  it("gives up where one block is refused too, with the endpoint's own error", async () => {
    const error = { code: -32601, message: "eth_getLogs is disabled" };
    const { asked, readSlice } = endpoint(0, error);
    await expect(new LogSlices().read({ from: 0, to: 1023, readSlice })).rejects.toBe(error);
    expect(asked).toHaveLength(11);
  });

  it("does not ask again an endpoint that is away", async () => {
    const { asked, readSlice } = endpoint(0, new TypeError("fetch failed"));
    await expect(new LogSlices().read({ from: 0, to: 9, readSlice })).rejects.toThrow("fetch");
    expect(asked).toHaveLength(1);
  });
});

// What providers answer, as their users reported it; the words decide nothing.
const rpc = (code: number, message: string) => ({ code, message });
describe("isAboutQuery", () => {
  it.each([
    // github.com/INFURA/infura issue 237
    [rpc(-32602, "range 1000000 exceeds limit of 10000")],
    [rpc(-32005, "query returned more than 10000 results. Try with this block range [0x0, 0x1].")],
    // github.com/ethers-io/ethers.js issue 4703
    [rpc(-32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K…")],
    // github.com/AlphaWallet/alpha-wallet-ios issue 5277
    [rpc(-32600, "block range too high")],
    // github.com/enviodev/hyperindex issue 605, as ethers wraps it
    [{ code: "UNKNOWN_ERROR", error: rpc(-32000, "block range is larger than max block range") }],
    // github.com/OffchainLabs/arbitrum-sdk issue 609: HTTP 413, as viem and as ethers wrap it
    [{ status: 413, message: "HTTP request failed." }],
    [{ code: "SERVER_ERROR", info: { statusCode: 413 } }],
    // github.com/boundless-xyz/boundless issue 838
    [{ status: 400, message: "HTTP request failed." }],
    // github.com/bobanetwork/boba_legacy issue 827
    [rpc(-32602, "invalid params")],
    [{ cause: rpc(-32603, "query timeout exceeded"), message: "An internal error was received." }],
    [rpc(-32701, "请求的区块范围过大")],
  ])("a smaller range may do: %j", (error) => {
    expect(isAboutQuery(error)).toBe(true);
  });

  it.each([
    [new TypeError("fetch failed")],
    [{ status: 429, message: "HTTP request failed." }],
    [{ status: 503, message: "HTTP request failed." }],
    [rpc(-32005, "daily request count exceeded, request rate limited")],
    [{ cause: rpc(-32016, "over rate limit"), message: "An unknown RPC error occurred." }],
    [rpc(429, "Your app has exceeded its compute units per second capacity")],
    [rpc(-32000, "Unauthorized: You must authenticate your request with an API key")],
    [undefined],
    ["text"],
  ])("it would not: %j", (error) => {
    expect(isAboutQuery(error)).toBe(false);
  });
});
