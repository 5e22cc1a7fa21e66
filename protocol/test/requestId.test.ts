import { getAddress } from "ethers";
import { expect, it } from "vitest";
import { decodeRequestId, encodeRequestId } from "../src/requestId.ts";
import { catchError } from "./catchError.ts";
import { randomFrom } from "./random.ts";

const NODE = getAddress("0x00000000000000000000000000000000000000aa");
const LAST_NONCE = (1n << 96n) - 1n;

it("puts the node before the nonce", () => {
  expect(encodeRequestId({ node: NODE, nonce: 1n })).toBe(
    "0x00000000000000000000000000000000000000aa000000000000000000000001",
  );
});

it("decodes what it encoded", () => {
  const random = randomFrom("request ids");
  for (let run = 0; run < 100; run++) {
    const node = getAddress(
      `0x${random(1n << 160n)
        .toString(16)
        .padStart(40, "0")}`,
    );
    for (const nonce of [0n, LAST_NONCE, random(LAST_NONCE)]) {
      expect(decodeRequestId(encodeRequestId({ node, nonce }))).toEqual({ node, nonce });
    }
  }
});

it("refuses a nonce that does not fit", () => {
  for (const nonce of [-1n, LAST_NONCE + 1n]) {
    const error = catchError(() => encodeRequestId({ node: NODE, nonce }));
    expect(error.code).toBe("requestId.nonceOutOfRange");
    expect(error.message).toContain(String(nonce));
  }
});

it("refuses what is no request id", () => {
  for (const text of [
    "",
    "0x",
    `0x${"0".repeat(63)}`,
    `0x${"0".repeat(65)}`,
    `0x${"g".repeat(64)}`,
  ]) {
    expect(catchError(() => decodeRequestId(text)).code).toBe("requestId.malformed");
  }
});
