import { pageIdOf as pageIdThere } from "@haca/protocol/pageSettlement";
import { expect, it } from "vitest";
import { withOtherEnd } from "../../test/contracts/utils/otherEnd.ts";
import { checkPage } from "../src/checks/ofEvidence.ts";
import { pageIdOf } from "../src/page.ts";
import type { PageEvidence, ReceiptPageHeader } from "../src/receipt/receipt.ts";
import { receiptOf } from "./support/vectors.ts";

const { core, evidence } = receiptOf("teeP256InPage");

function page(change: Partial<ReceiptPageHeader> = {}): PageEvidence {
  const found = evidence.find(({ type }) => type === "page");
  if (found?.type !== "page") throw new Error("no page");
  const changed = { ...found, header: { ...found.header, ...change } };
  return { ...changed, pageId: pageIdOf(core.chainId, changed) };
}

it("has the id that the contracts' bindings give it", () => {
  const { header, pageSettlement, pageId } = page();
  const { kind, ledgerPage, bitmap, fee, ...rest } = header;
  const numbers = { kind: BigInt(kind), ledgerPage: BigInt(ledgerPage), bitmap: BigInt(bitmap) };
  expect(
    pageIdThere({
      ...{ chainId: BigInt(core.chainId), pageSettlement },
      header: { ...rest, ...numbers, fee: BigInt(fee) },
    }),
  ).toBe(pageId);
});

it("is one whose header was made anew, and still of this request, this enclave and its kind", () => {
  expect(checkPage({ core, pages: [page()] }).status).toBe("asserted");
  const { ledgerPage, teeId } = page().header;
  const changes: readonly (readonly [Partial<ReceiptPageHeader>, string])[] = [
    [{ ledgerPage: String(BigInt(ledgerPage) + 1n) }, "the page is of other requests"],
    [{ bitmap: "0" }, "the page left the request out"],
    [{ teeId: withOtherEnd(teeId) }, "the page is another enclave's"],
    [{ kind: "3" }, "the page is of another kind"],
    [{ root: `0x${"00".repeat(32)}` }, "the result is not under the root in the page's header"],
  ];
  for (const [change, detail] of changes) {
    expect(checkPage({ core, pages: [page(change)] })).toMatchObject({ status: "refuted", detail });
  }
});

it("is refuted where one of two is wrong", () => {
  const wrong = page({ bitmap: "0" });
  expect(checkPage({ core, pages: [page(), wrong] }).status).toBe("refuted");
});
