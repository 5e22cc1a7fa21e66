import { teeRegistryAbi } from "@haca/protocol/abi";
import { BaseError } from "@haca/protocol/baseError";
import { Interface, makeError } from "ethers";
import { describe, expect, it } from "vitest";
import { explainError } from "./explainError.ts";

const abi = new Interface(teeRegistryAbi);
const [expected, actual] = [`0x${"11".repeat(20)}`, `0x${"22".repeat(20)}`];
const data = abi.encodeErrorResult("TEERegistry_NotOperator", [expected, actual]);
const words = `renew is refused: only the node's operator ${expected} may do this, not ${actual}`;
const explain = (error: unknown) => explainError({ error, action: "renew" });

describe("explainError", () => {
  it.each<[string, unknown]>([
    [
      "ethers",
      makeError("execution reverted", "CALL_EXCEPTION", {
        ...{ action: "estimateGas", data, reason: null, invocation: null, revert: null },
        transaction: { to: null, data: "0x" },
      }),
    ],
    ["an endpoint", Object.assign(new Error("reverted"), { data })],
    ["an endpoint that nests", Object.assign(new Error("x"), { data: { message: "x", data } })],
    ["a provider that wraps", new Error("x", { cause: Object.assign(new Error("y"), { data }) })],
  ])("finds the contract's reason in an error of %s", (_, error) => {
    expect(explain(error)).toMatchObject({ code: "chain.refused", message: words });
  });

  it("prints a reason that somebody chose on one line", () => {
    const reason = new Interface(["error Error(string)"]).encodeErrorResult("Error", [
      "a\nb\u001b",
    ]);
    expect(explain(Object.assign(new Error("x"), { data: reason })).message).toBe(
      "renew is refused: a?b?",
    );
  });

  it.each(["out of gas", "gas required exceeds allowance (16777216)", "exceeds block gas limit"])(
    "says that it does not fit into one transaction: %s",
    (text) => {
      const explained = explain(new Error(text));
      expect(explained.code).toBe("chain.tooMuchGas");
      expect(explained.message).toContain("16,777,216 gas of one transaction");
    },
  );

  it("keeps our own errors, and anything else to one line", () => {
    const own = new BaseError({ code: "tee.refused", message: "no" });
    expect(explain(own)).toBe(own);
    expect(explain(new Error("first\nsecond"))).toMatchObject({
      code: "chain.failed",
      message: "renew: first",
    });
    expect(explain("text").message).toBe("renew: text");
    expect(explain(new Error("insufficient funds for gas"))).toMatchObject({
      code: "chain.unpaid",
    });
  });
});
