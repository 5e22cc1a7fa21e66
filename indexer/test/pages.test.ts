import { join } from "node:path";
import { type Hex, maxUint256 } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BlobFront } from "../../worker/test/support/blobFront.ts";
import { deployWorld, type World } from "./utils/deployWorld.ts";
import { DEPOSIT, LONG_ROAD, PAGE_PARAMETERS, type ProposedPage } from "./utils/pageOperations.ts";
import { type Chain, startChain } from "./utils/startChain.ts";
import { type Indexer, startIndexer } from "./utils/startIndexer.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";
import { waitFor } from "./utils/waitFor.ts";
import { addressOf } from "./utils/writeBook.ts";

const DAY = 86_400n;
const EVIDENCE_WINDOW = 7n * DAY;
const FORGED = 5;
const STATES = ["none", "pending", "final", "rejected", "disproved"];

const folder = temporaryFolder();
let chain: Chain;
let world: World;
let front: BlobFront;
let indexer: Indexer;
let pages: Record<
  | "partial"
  | "overlapping"
  | "rejected"
  | "late"
  | "lied"
  | "answered"
  | "asked"
  | "disproved"
  | "doubted",
  ProposedPage
>;
/** Proposed by the last tests. */
const more: ProposedPage[] = [];
let watcher: Hex;

const store = async (bytes: Uint8Array) => {
  const url = `${front.settings.HACA_BLOB_PUBLISHER}?epochs=1`;
  const response = await fetch(url, { method: "PUT", body: Uint8Array.from(bytes) });
  expect(response.status).toBe(200);
};
const caughtUp = async () => indexer.indexed(await chain.client.getBlockNumber());
const moveTo = async (timestamp: bigint) => {
  await chain.client.setNextBlockTimestamp({ timestamp });
  await chain.client.mine({ blocks: 1 });
};

beforeAll(async () => {
  chain = await startChain();
  front = await BlobFront.start(join(folder.path, "blobs"));
  world = await deployWorld({ chain, folder: folder.path, seed: "pages" });
  const { node, pages: operations } = world;
  const { answer, call, challenge, deposit, propose, settleAgain } = operations;
  watcher = chain.accounts[6] as Hex;
  for (const account of [node.operator, watcher]) await deposit(account);
  indexer = await startIndexer({
    ...{ rpcUrl: chain.rpcUrl, deployment: world.path, dataDirectory: folder.path },
    blobAggregator: front.url,
  });

  const partial = await propose({
    ...{ node, number: 1n, places: [0, 1, 255], store },
    bitmap: 1n | (1n << 255n),
  });
  const overlapping = await propose({ node, number: 1n, places: [0, 1, 2], store });
  const late = await propose({ node, number: 3n, places: [7] });
  const disproved = await propose({ node, number: 8n, places: [4, FORGED], forged: FORGED, store });
  const answered = await propose({ node, number: 6n, places: [9, 10], store });
  await call("requestLeaf", [answered.header, 9], watcher);
  await answer(answered, 9, watcher);
  const asked = await propose({ node, number: 7n, places: [0, 1], store });
  await call("requestLeaf", [asked.header, 0], watcher);
  await call("requestLeaf", [asked.header, 1], watcher);
  await answer(asked, 1, watcher);
  await world.optimistic.admit();
  await deposit(world.optimistic.proposer);
  const doubted = await world.optimistic.propose({ number: 0n, places: [0, 1, 2], store });
  await caughtUp();
  expect(await resultsOf(doubted)).toHaveLength(3);
  for (const index of [0, 1]) await world.optimistic.demand(doubted, index, watcher);
  await chain.client.mine({ blocks: 1, interval: 1_000 });
  await world.optimistic.prove(doubted, 0);
  const rejected = await propose({ node, number: 2n, places: [4, FORGED], forged: FORGED, store });
  await caughtUp();
  expect(await resultsOf(rejected)).toHaveLength(2);
  await challenge(rejected, FORGED, watcher);
  await settleAgain(rejected, 4);
  // All of the deposit was gone.
  await deposit(node.operator);
  front.mode = "lying";
  const lied = await propose({ node, number: 4n, places: [11] });
  await caughtUp();
  pages = { partial, overlapping, rejected, late, lied, answered, asked, disproved, doubted };
});

afterAll(async () => {
  await indexer?.stop();
  await front?.stop();
  await chain?.stop();
  folder.remove();
});

type Answer = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: answers are compared field by field
async function get(path: string): Promise<{ status: number; body: any }> {
  const response = await fetch(`${indexer.url}${path}`);
  return { status: response.status, body: await response.json() };
}
const resultsOf = ({ pageId }: ProposedPage): Promise<Answer[]> =>
  indexer.sql(`select * from settlement where page_id = '${pageId}' order by nonce`);
const rowOf = async ({ pageId }: ProposedPage): Promise<Answer | undefined> =>
  (await indexer.sql(`select * from page where id = '${pageId}'`))[0];
/** Mines until the indexer has looked for a blob again. */
const untilBlob = (page: ProposedPage, blob: string) =>
  waitFor({
    checkAlive: () => undefined,
    probe: async () => {
      await chain.client.mine({ blocks: 1 });
      await caughtUp();
      return (await rowOf(page))?.blob === blob ? true : undefined;
    },
  });

/** That states, of pages and of every request in them, are those of the contract, now and around every page's end. */
async function expectSameStates(): Promise<void> {
  await caughtUp();
  const { timestamp } = await chain.client.getBlock();
  const seen = new Set<string>();
  for (const page of [...Object.values(pages), ...more]) {
    const end = BigInt((await rowOf(page))?.end as string);
    for (const at of [timestamp, end, end + 1n]) {
      const { read, requestIdAt } = world.pages;
      const inContract = (answer: unknown) => {
        const [state, until] = answer as [number, bigint];
        const isOpen = until === 0n || until === maxUint256;
        return { state: STATES[state], until: isOpen ? null : String(until) };
      };
      const expected = inContract(await read("stateOfPage", [page.pageId], at));
      const { body } = await get(`/pages/${page.pageId}?at=${at}`);
      expect({ ...body.page, at: body.at }).toMatchObject({ at: String(at), ...expected });
      seen.add(`page ${expected.state}`);
      for (const { index } of page.results) {
        const requestId = requestIdAt(page, index);
        // Of a request that another page or nobody took, the contract says what this page makes of it.
        const held = await read("stateOf", [requestId, page.header as never], at);
        const state = inContract(held);
        if (state.state === "none") continue;
        const request = (await get(`/requests/${requestId}?at=${at}`)).body;
        expect(request).toMatchObject({ at: String(at), ...state });
        seen.add(`request ${state.state}`);
      }
    }
  }
  for (const state of ["page pending", "page final", "page rejected", "request pending"]) {
    expect(seen).toContain(state);
  }
}

test("a page has what was proposed, the requests that it took, and how long it is pending", async () => {
  const { partial, overlapping } = pages;
  const { header, receipt } = partial;
  const { timestamp } = await chain.client.getBlock({ blockNumber: receipt.blockNumber });
  expect(await rowOf(partial)).toMatchObject({
    ledger_page: String(header.ledgerPage),
    ...{ node_address: partial.nodeAddress.toLowerCase(), number: "1", tee_id: header.teeId },
    ...{ kind: "tee", proposer: header.proposer.toLowerCase(), result_count: 2 },
    ...{ bitmap: String(header.bitmap), root: header.root, blob_id: header.blobId, fee: "0" },
    ...{ proposed_at: String(timestamp), end: String(timestamp + BigInt(LONG_ROAD)) },
    ...{ outcome: "open", reason: null, open_requests: 0, blob: "read", blob_error: null },
    transaction_hash: receipt.transactionHash,
  });
  // Of three results one was taken by the page before.
  expect(await rowOf(overlapping)).toMatchObject({ bitmap: "6", result_count: 2 });
});

test("each result that a page took is a settlement that the chain has checked nothing of", async () => {
  const { partial } = pages;
  const rows = await resultsOf(partial);
  expect(rows.map(({ nonce }) => nonce)).toEqual(["256", "511"]);
  const [result] = partial.results;
  expect(rows[0]).toMatchObject({
    request_id: world.pages.requestIdAt(partial, 0),
    ...{ verification: "tee", verified: false, batched: false, state: "paged" },
    ...{ input_hash: result?.inputHash, output_hash: result?.outputHash, words: [] },
    ...{ signature: result?.signature, tee_id: partial.header.teeId, label: null },
    version_id: world.contracts.versionId(1, 0),
    model_id: world.contracts.modelId,
  });
  const [node] = await indexer.sql(
    `select * from node where address = '${partial.nodeAddress.toLowerCase()}'`,
  );
  // The one that was settled again is verified, and in no page.
  expect(node).toMatchObject({ settled_count: 1, verified_count: 1, paged_count: 10 });
  const { page } = await indexer.graphql(
    `{ page(id: "${partial.pageId}") { settlements { totalCount items { page { id } } } } }`,
  );
  expect(page).toMatchObject({ settlements: { totalCount: 2 } });
});

test("a page that is rejected loses its rows; what is settled again has one of its own", async () => {
  const { rejected } = pages;
  expect(await resultsOf(rejected)).toEqual([]);
  const half = DEPOSIT / 2n;
  expect(await rowOf(rejected)).toMatchObject({
    ...{ outcome: "rejected", reason: "InvalidSignature", challenger: watcher.toLowerCase() },
    ...{ reward: String(half), blob: "read" },
  });
  const again = world.pages.requestIdAt(rejected, 4);
  const rows = await indexer.sql(`select * from settlement where request_id = '${again}'`);
  expect(rows).toMatchObject([{ verified: true, verification: "tee", page_id: null }]);
  expect((await get(`/requests/${again}`)).body).toMatchObject({ state: "final", pageId: null });
  const free = world.pages.requestIdAt(rejected, FORGED);
  expect((await get(`/requests/${free}`)).body).toMatchObject({ state: "none" });
});

test("a blob that is missing is a state of the page, until it is there", async () => {
  const { late } = pages;
  expect(await rowOf(late)).toMatchObject({ blob: "missing", blob_error: "blob.notFound" });
  expect(await resultsOf(late)).toEqual([]);
  // What is taken follows from the chain alone.
  const request = world.pages.requestIdAt(late, 7);
  const expected = { pageId: late.pageId, blob: "missing" };
  expect((await get(`/requests/${request}`)).body).toMatchObject(expected);
  front.mode = "up";
  await store(late.blob);
  await untilBlob(late, "read");
  expect(await resultsOf(late)).toMatchObject([{ request_id: request, state: "paged" }]);
});

test("what a store lies about is never shown, and read once it does not", async () => {
  const { lied } = pages;
  front.mode = "up";
  await store(lied.blob);
  front.mode = "lying";
  await untilBlob(lied, "wrong");
  expect(await rowOf(lied)).toMatchObject({ blob_error: "blob.malformed" });
  expect(await resultsOf(lied)).toEqual([]);
  front.mode = "up";
  await untilBlob(lied, "read");
  expect(await resultsOf(lied)).toHaveLength(1);
});

test("what was proved on demand is verified, alone, and no row of its page any more", async () => {
  const { doubted } = pages;
  const request = world.pages.requestIdAt(doubted, 0);
  const rows = await indexer.sql(`select * from settlement where request_id = '${request}'`);
  expect(rows).toMatchObject([{ verified: true, verification: "zkml", page_id: null }]);
  expect((await get(`/requests/${request}`)).body).toMatchObject({ state: "final", pageId: null });
  expect(await resultsOf(doubted)).toMatchObject([
    { verification: "optimistic", verified: false, state: "paged" },
    { verification: "optimistic", verified: false, state: "paged" },
  ]);
  const row = await rowOf(doubted);
  expect(row).toMatchObject({ kind: "optimistic", open_demands: 1, proved: "1" });
  expect(
    await indexer.sql('select "index", demander, state from page_demand order by "index"'),
  ).toEqual([
    { index: 0, demander: watcher.toLowerCase(), state: "proved" },
    { index: 1, demander: watcher.toLowerCase(), state: "open" },
  ]);
  const id = world.contracts.versionId(1, 0);
  const [version] = await indexer.sql(`select admitted_at from model_version where id = '${id}'`);
  expect(version?.admitted_at).not.toBeNull();
  // Its clock goes on where it stopped, for somebody who asks for a leaf meanwhile as well.
  await world.pages.call("requestLeaf", [doubted.header, 2], watcher);
  await chain.client.mine({ blocks: 1, interval: 1_000 });
  await world.pages.answer(doubted, 2, watcher);
  await world.optimistic.prove(doubted, 1);
  await caughtUp();
  const { end } = (await rowOf(doubted)) ?? {};
  const [, until] = (await world.pages.read("stateOfPage", [doubted.pageId])) as [number, bigint];
  expect(end).toBe(String(until));
  const { body } = await get(`/pages/${doubted.pageId}?at=${until + 1n}`);
  expect(body.page).toMatchObject({ state: "final", worth: "optimistic, unchallenged" });
});

test("states are the contract's, while pages are pending", async () => {
  await expectSameStates();
});

test("states are the contract's, after the long road, when one is disproved and one released", async () => {
  const { disproved, partial } = pages;
  const { call, challenge } = world.pages;
  const { timestamp } = await chain.client.getBlock();
  await moveTo(timestamp + BigInt(LONG_ROAD));
  await challenge(disproved, FORGED, watcher);
  await expectSameStates();
  // What was done in reliance on it stands, and its requests stay taken.
  expect(await resultsOf(disproved)).toHaveLength(2);
  expect(await rowOf(disproved)).toMatchObject({ outcome: "disproved" });

  const end = BigInt((await rowOf(partial))?.end as string);
  await moveTo(end + EVIDENCE_WINDOW + DAY);
  await call("releaseBonds", [[partial.header] as never]);
  await expectSameStates();
  expect(await rowOf(partial)).toMatchObject({ outcome: "released" });
});

test("leaves that were asked for, and what is waited for", async () => {
  const rows = await indexer.sql(
    'select page_id, "index", state, answerer from leaf_request order by requested_at',
  );
  const { answered, asked } = pages;
  expect(rows.filter(({ page_id }) => page_id !== pages.doubted.pageId)).toEqual([
    { page_id: answered.pageId, index: 9, state: "answered", answerer: watcher.toLowerCase() },
    { page_id: asked.pageId, index: 0, state: "open", answerer: null },
    { page_id: asked.pageId, index: 1, state: "answered", answerer: watcher.toLowerCase() },
  ]);
  expect(await rowOf(asked)).toMatchObject({ open_requests: 1 });
});

async function expectSameAccounts(count: number): Promise<void> {
  const accounts = await indexer.sql("select * from page_account order by address");
  expect(accounts).toHaveLength(count);
  for (const { address, amount, open_pages } of accounts) {
    const held = (await world.pages.read("accountOf", [address as Hex])) as {
      amount: bigint;
      openPages: bigint;
    };
    expect({ amount, open_pages }).toEqual({
      ...{ amount: String(held.amount), open_pages: String(held.openPages) },
    });
  }
}

test("accounts and parameters are those of the contract; deposits have their history", async () => {
  await expectSameAccounts(2);
  const deposits = await indexer.sql("select kind, account, amount from page_deposit");
  const amount = String(DEPOSIT);
  const operator = world.node.operator.toLowerCase();
  expect(deposits).toEqual([
    { kind: "deposited", account: operator, amount },
    { kind: "deposited", account: watcher.toLowerCase(), amount },
    { kind: "deposited", account: operator, amount },
  ]);
  const parameters = await indexer.sql("select name, value from page_parameter");
  expect(Object.fromEntries(parameters.map(({ name, value }) => [name, value]))).toEqual(
    Object.fromEntries(Object.entries(PAGE_PARAMETERS).map(([name, v]) => [name, String(v)])),
  );
});

test("the list has every page, a few at a time, with its label", async () => {
  const ids: string[] = [];
  let after = "";
  do {
    const { body } = await get(`/pages?limit=3${after}`);
    expect(body.pages.length).toBeLessThanOrEqual(3);
    for (const page of body.pages) {
      expect(["indexed", "safe", "finalized"]).toContain(page.finality);
      ids.push(page.id);
    }
    after = body.next === null ? "" : `&after=${body.next}`;
  } while (after !== "");
  const all = Object.values(pages).map(({ pageId }) => pageId);
  expect(ids.sort()).toEqual(all.sort());
  const { nodeAddress } = pages.partial;
  expect((await get(`/pages?node=${nodeAddress}`)).body.pages).toHaveLength(all.length);
  expect((await get(`/pages?proposer=${watcher}`)).body.pages).toEqual([]);
});

test.each([
  ["/pages?limit=0", 400],
  ["/pages?limit=501", 400],
  ["/pages?after=x", 400],
  ["/pages?node=0x1", 400],
  ["/pages?state=final", 400],
  ["/pages/0x12", 400],
  [`/pages/0x${"00".repeat(32)}`, 404],
  [`/pages/0x${"00".repeat(32)}?at=-1`, 400],
  ["/requests/7", 400],
  [`/requests/0x${"00".repeat(32)}?block=1`, 400],
])("%s is refused with %i", async (path, status) => {
  const answer = await get(path);
  expect(answer.status).toBe(status);
  expect(Object.keys(answer.body)).toEqual(["error"]);
});

test("a store that is away holds up nothing", async () => {
  front.mode = "down";
  const { node, pages: operations } = world;
  // The page that was disproved cost the last one.
  await operations.deposit(node.operator);
  const proposed = await operations.propose({ node, number: 20n, places: [1] });
  const root = await world.legacy.anchor("meanwhile");
  await caughtUp();
  const unreachable = { blob: "missing", blob_error: "blob.unreachable" };
  expect(await rowOf(proposed)).toMatchObject(unreachable);
  expect(await indexer.sql("select root from anchored_root")).toEqual([{ root }]);
});

test("pages that are attested or withheld, requests that are returned, withdrawals and pauses", async () => {
  const { node, pages: operations } = world;
  const { call, propose } = operations;
  const attester = addressOf(world.contracts.deployed.legacySettlement);
  await call("setAttester", [attester]);
  await chain.client.impersonateAccount({ address: attester });
  await chain.client.setBalance({ address: attester, value: 10n ** 18n });
  const attested = await propose({ node, number: 30n, places: [0] });
  await call("attest", [attested.header as never, 5n as never], attester);
  const withheld = await propose({ node, number: 31n, places: [1, 2] });
  for (const index of [1, 2]) await call("requestLeaf", [withheld.header as never, index], watcher);
  more.push(attested, withheld);
  await expectSameStates();
  expect(await rowOf(withheld)).toMatchObject({ open_requests: 2, outcome: "open" });

  const { timestamp } = await chain.client.getBlock();
  await moveTo(timestamp + 2n * DAY);
  await call("rejectWithheld", [withheld.header as never, 1]);
  await call("returnRequest", [withheld.header as never, 2]);
  await call("withdraw", [chain.accounts[7] as Hex, 5n], watcher);
  const until = timestamp + 3n * DAY;
  await call("pauseProposals", [until]);
  await expectSameStates();
  await expectSameAccounts(3);
  expect(await rowOf(attested)).toMatchObject({ outcome: "open" });
  expect((await rowOf(attested))?.attested_at).not.toBeNull();
  expect(await rowOf(withheld)).toMatchObject({ outcome: "rejected", reason: "DataWithheld" });
  const requests = await indexer.sql(
    `select "index", state from leaf_request where page_id = '${withheld.pageId}' order by "index"`,
  );
  expect(requests).toEqual([
    { index: 1, state: "open" },
    { index: 2, state: "returned" },
  ]);
  expect(await indexer.sql("select * from page_deposit where kind = 'withdrawn'")).toMatchObject([
    { account: watcher.toLowerCase(), receiver: chain.accounts[7]?.toLowerCase(), amount: "5" },
  ]);
  const paused = "select value from page_parameter where name = 'proposalsPausedUntil'";
  expect(await indexer.sql(paused)).toEqual([{ value: String(until) }]);
});
