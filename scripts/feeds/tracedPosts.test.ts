import { dataFeedsAbi } from "@haca/protocol/abi";
import { Interface, id } from "ethers";
import { describe, expect, it } from "vitest";
import { postsIn, tracedCalls } from "./tracedPosts.ts";

const abi = new Interface(dataFeedsAbi);
const FEEDS = `0x${"fe".repeat(20)}`;
const OTHER = `0x${"0c".repeat(20)}`;
const FEED = id("feed");
const post = (value: bigint, feedId = FEED): string =>
  abi.encodeFunctionData("post", [feedId, [[id("node"), value, 100n, "0x"]]]);
const call = (input: string, changes: object = {}) => ({
  ...{ type: "CALL", to: FEEDS, input, ...changes },
});
const posted = (parts: Partial<Parameters<typeof postsIn>[0]["call"]>) =>
  postsIn({
    ...{ abi, feeds: FEEDS, feedId: FEED },
    call: { type: "CALL", to: OTHER, input: "0x", ...parts },
  });

describe("posts within a transaction", () => {
  it("are those of the feed that stood, at whatever depth, in the order of their rounds", () => {
    const deep = { type: "DELEGATECALL", to: OTHER, input: "0x", calls: [call(post(2n))] };
    const calls = [call(post(1n)), deep, call(post(9n, id("another"))), call(post(3n))];
    expect(posted({ calls })).toEqual([post(1n), post(2n), post(3n)]);
  });

  it.each<[string, object]>([
    ["was refused", { error: "execution reverted" }],
    ["ran as another contract's code", { type: "DELEGATECALL" }],
    ["was of another contract", { to: OTHER }],
    ["made a contract", { type: "CREATE", to: undefined }],
  ])("are not what %s", (_, changes) => {
    expect(posted({ calls: [call(post(1n), changes)] })).toEqual([]);
  });

  it("are none of what was taken back with the call around it", () => {
    const around = call("0x", { to: OTHER, error: "execution reverted", calls: [call(post(1n))] });
    expect(posted({ calls: [around, call(post(2n))] })).toEqual([post(2n)]);
  });
});

describe("an endpoint that is asked for the calls of a transaction", () => {
  it("is asked for those of this one", async () => {
    const asked: unknown[] = [];
    const send = async (...values: unknown[]) => {
      asked.push(values);
      return { ...call(post(1n)), gasUsed: "0x1" };
    };
    expect(await tracedCalls({ send }, "0x12")).toMatchObject(call(post(1n)));
    expect(asked).toEqual([["debug_traceTransaction", ["0x12", { tracer: "callTracer" }]]]);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    [
      "refuses",
      () => Promise.reject(new Error("the method does not exist")),
      "the method does not exist",
    ],
    [
      "answers something else",
      () => Promise.resolve({ structLogs: [] }),
      "its answer is no trace of calls",
    ],
  ])("and %s has its words told", async (_, send, untold) => {
    expect(await tracedCalls({ send }, "0x12")).toEqual({ untold });
  });
});
