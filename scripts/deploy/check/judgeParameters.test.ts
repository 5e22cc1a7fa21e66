import { expect, it } from "vitest";
import type { Finding } from "./finding.ts";
import { judgeInclusionDelay } from "./judgeParameters.ts";

const PAGES = `0x${"11".repeat(20)}`;
const subject = "delay of forced inclusion";

/** What the check says of a PageSettlement that was made with this delay. */
function findingsOf(delay: bigint, chainId: number, isDevelopmentChain = false): Finding[] {
  const findings: Finding[] = [];
  judgeInclusionDelay({
    contracts: new Map([["PageSettlement", PAGES]]),
    constructed: new Map([[PAGES, ["", "", "", delay, []]]]),
    ...{ findings, isDevelopmentChain, reader: { chainId } },
  });
  return findings;
}

it("tells the delay of forced inclusion, and refuses less than the chain is known for", () => {
  const told = { kind: "parameter", subject, expected: "", actual: "86399 s" };
  for (const [chainId, isDevelopmentChain] of [
    [10740, false],
    [8453, true],
  ] as const) {
    expect(findingsOf(86_399n, chainId, isDevelopmentChain)).toEqual([told]);
  }
  expect(findingsOf(86_399n, 8453)).toEqual([
    told,
    { kind: "different", subject, expected: "at least 86400 s on Base", actual: "86399 s" },
  ]);
  expect(findingsOf(86_400n, 8453)).toHaveLength(1);
});
