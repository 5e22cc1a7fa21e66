import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isVerified } from "@haca/sdk/isVerified";
import type { Check } from "@haca/sdk/line";
import type { Pins } from "@haca/sdk/pins";
import { makeReceipt } from "@haca/sdk/receipt/makeReceipt";
import type { PageEvidence, Receipt } from "@haca/sdk/receipt/receipt";
import { receiptId } from "@haca/sdk/typedData";
import { verify } from "@haca/sdk/verify";
import { expect } from "chai";
import { hexlify, type Wallet } from "ethers";
import { network } from "hardhat";
import { loadAtItsTime, now } from "../utils/attestationFixture.ts";
import {
  DAY,
  deployPages,
  idOf,
  leafOf,
  makePage,
  makeResult,
  type Page,
  type PageFixture,
  propose,
  sign,
} from "../utils/pageFixture.ts";

const connection = await network.create();
const deploy = () => deployPages(connection);

/** What the SDK says of receipts at this chain's contracts, by JSON-RPC: selectors, words and states are its own. */
describe("receipts, by the SDK at a chain", () => {
  let f: PageFixture;
  let server: Server;
  let url = "";
  let pins: Pins = {};

  before(async () => {
    server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      const { id, method, params } = JSON.parse(body);
      const answer = await connection.provider
        .request({ method, params })
        .then((result) => ({ result }))
        .catch((error: Error) => ({ error: { code: 3, message: error.message } }));
      response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  beforeEach(async () => {
    f = await loadAtItsTime(connection, deploy);
    const settlement = (await f.settlement.getAddress()).toLowerCase();
    pins = {
      settlements: [{ chainId: String(f.chainId), settlement }],
      models: { chat: { version: f.versionId } },
    };
  });

  const lower = (text: string): string => text.toLowerCase();

  async function receiptOf(page: Page, index: number, session?: Wallet): Promise<Receipt> {
    const { result, signature, siblings } = leafOf(page, index);
    const { price, timestamp, ...rest } = result;
    const { kind, ledgerPage, bitmap, fee, ...header } = page.header;
    const evidence: PageEvidence = {
      type: "page",
      pageSettlement: lower(await f.pages.getAddress()),
      pageId: await idOf(f, page),
      header: {
        ...{ ...header, proposer: lower(header.proposer), kind: String(kind) },
        ...{ ledgerPage: String(ledgerPage), bitmap: String(bitmap), fee: String(fee) },
      },
      path: siblings,
    };
    return makeReceipt({
      core: {
        chainId: String(f.chainId),
        settlement: lower(await f.settlement.getAddress()),
        message: { ...rest, price: String(price), timestamp: String(timestamp) },
        ...{ signature, key: hexlify(f.enclave.signingKey), attestation: null },
        session: session === undefined ? null : lower(session.address),
        ...{ input: null, output: null },
      },
      evidence: [evidence],
    });
  }

  async function statuses(receipt: Receipt): Promise<Partial<Record<Check, string>>> {
    const lines = await verify(receipt, { pins, rpcs: [url, url], now: await now(f) });
    return Object.fromEntries(lines.map(({ check, status }) => [check, status]));
  }

  it("test_SaysWhatTheContractsSay_OfAPageFromItsProposalToItsEnd", async () => {
    const result = await makeResult(f, 3);
    const page = makePage(f, {
      3: { result, signature: sign(f, result) },
      9: { result: await makeResult(f, 9), signature: "0x00" },
    });
    const receipt = await receiptOf(page, 3, f.session);
    expect(receiptId(receipt.core)).to.equal(await f.settlement.hashResult(result));
    expect(await statuses(receipt)).to.include({ page: "asserted", settled: "unknown" });

    await propose(f, page);
    expect(await statuses(receipt)).to.include({
      ...{ signature: "asserted", session: "asserted", page: "asserted" },
      ...{ validWhenAnswered: "asserted", inGoodStanding: "asserted", settled: "unknown" },
    });
    await f.networkHelpers.time.increase(3n * DAY + 1n);
    const lines = await verify(receipt, { pins, rpcs: [url], now: await now(f) });
    expect(lines.find(({ check }) => check === "settled")?.status).to.equal("asserted");
    // Nobody has sent a heartbeat for three days, which takes nothing back.
    expect(lines.find(({ check }) => check === "inGoodStanding")?.status).to.equal("refuted");
    expect(isVerified(lines, { attestation: "registry", demands: ["settled"] })).to.equal(true);
  });

  it("test_SaysWhichResultWasSettled_AndTakesTheWordOfABannedEnclaveBack", async () => {
    const result = await makeResult(f, 5, { price: 7n });
    const signature = sign(f, result, f.enclave);
    const page = makePage(f, { 5: { result, signature } });
    const receipt = { ...(await receiptOf(page, 5)), evidence: [] };
    expect(await statuses(receipt)).to.include({
      settled: "unknown",
      validWhenAnswered: "asserted",
    });

    await f.settlement.settleTee(result, signature);
    expect(await statuses(receipt)).to.include({ settled: "asserted" });
    const other = { ...result, price: 8n };
    const another = makePage(f, { 5: { result: other, signature: sign(f, other, f.enclave) } });
    const otherReceipt = { ...(await receiptOf(another, 5)), evidence: [] };
    expect(await statuses(otherReceipt)).to.include({ signature: "asserted", settled: "refuted" });

    await f.registry.connect(f.guardian).banTEE(f.enclave.teeId);
    expect(await statuses(receipt)).to.include({
      ...{ settled: "asserted", validWhenAnswered: "refuted", inGoodStanding: "refuted" },
    });
  });
});
