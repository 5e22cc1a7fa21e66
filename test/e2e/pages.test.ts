import { readAddressBook } from "@haca/protocol/addressBook";
import { blobIdToWord } from "@haca/protocol/blobs/blobId";
import { checkPage, encodePageBlob } from "@haca/protocol/blobs/pageBlob";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { headerOfProposal, type PageHeader } from "@haca/protocol/pageSettlement";
import { ledgerPageOf, nodeOfEnclave } from "@haca/protocol/requestId";
import type { JsonRpcProvider } from "ethers";
import { type Interface, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AdmittedEnclaves, admitEnclaves } from "../../scripts/demo/admitEnclaves.ts";
import {
  CLIENT,
  requestHash,
  settleByEnclave,
  signAnswer,
} from "../../scripts/demo/enclaveAnswers.ts";
import { CHAIN_ID, developmentKey } from "../../scripts/demo/localChain.ts";
import { startBlobs } from "../../scripts/demo/startBlobs.ts";
import { contractAt } from "../../scripts/lib/contracts.ts";
import { capturePageCases } from "./capturePageCases.ts";
import { channelCases } from "./channelCases.ts";
import { placeProxy } from "./escrowCases.ts";
import {
  BOOK,
  failure,
  LocalDeployment,
  later,
  type Result,
  refusalOn,
  success,
} from "./localDeployment.ts";
import { OptimisticNode } from "./optimisticNode.ts";
import { stakeCases } from "./stakeCases.ts";

const OPERATOR = "2";
const LIQUIDITY = "3";
const NODE = "4";
const WATCHER = "6";
const DAY = 86_400;
const NOT_PROPOSED = `0x${"11".repeat(32)}`;

let local: LocalDeployment;
let provider: JsonRpcProvider;
let enclave: AdmittedEnclaves[0];
let otherEnclave: AdmittedEnclaves[1];
let blobsUrl: string;

const pages = (...options: string[]): Promise<Result> =>
  local.use("scripts/pages/cli.ts", options, { HACA_BLOB_AGGREGATOR: blobsUrl });
const as = (account: string): string[] => ["--account", account];
const addressOf = (account: string): string => new Wallet(developmentKey(Number(account))).address;

beforeAll(async () => {
  local = await LocalDeployment.start();
  await success(local.deploy({}, "--part", "tee"));
  [enclave, otherEnclave] = await admitEnclaves({ rpcUrl: local.url, report: () => undefined });
  provider = local.provider();
  await placeProxy(provider);
  await success(local.deploy());
  await settleByEnclave({ rpcUrl: local.url, enclave });
  const { group, folder } = local;
  blobsUrl = await startBlobs({ group, runFolder: folder, timeoutMs: 30_000 });
});
afterAll(async () => {
  provider.destroy();
  await local.stop();
});

type Proposing = {
  page: bigint;
  places: readonly number[];
  /** places that have a signature of nobody's */
  bad?: readonly number[];
  /** places that the page takes without a result */
  empty?: readonly number[];
  fee?: bigint;
  /** of each result */
  price?: bigint;
  /** of each result; without one the demo's client */
  requester?: string;
};

/** Proposes a page of the enclave's, as its operator. Returns its id. */
const propose = async (parameters: Proposing): Promise<string> =>
  (await proposeWithHeader(parameters)).id;

async function proposeWithHeader(
  parameters: Proposing,
): Promise<{ id: string; header: PageHeader }> {
  const { page, places, bad = [], empty = [], fee = 0n, price = 0n, requester } = parameters;
  const { contracts } = readAddressBook(BOOK);
  const signed = await Promise.all(
    places.map(async (index) => {
      const nonce = page * 256n + BigInt(index);
      const asked = requester === undefined ? {} : { requester };
      const { result, signature } = await signAnswer({
        ...{ provider, enclave, nonce, price, ...asked },
      });
      const { requestId: _, ...rest } = result;
      return {
        ...rest,
        index,
        signature: bad.includes(index) ? `0x${"00".repeat(256)}` : signature,
      };
    }),
  );
  const node = nodeOfEnclave(enclave.teeId);
  const content = { node: node.toLowerCase(), page, results: signed };
  const settlement = contracts.InferenceSettlement.address;
  const { root, bitmap } = checkPage({
    ...{ page: content, domain: settlementDomain({ chainId: BigInt(CHAIN_ID), settlement }) },
  });
  const stored = await fetch(`${blobsUrl}/v1/blobs?epochs=1`, {
    ...{ method: "PUT", body: encodePageBlob(content) },
  });
  const { newlyCreated } = (await stored.json()) as {
    newlyCreated: { blobObject: { blobId: string } };
  };
  const contract = contractAt({
    name: "PageSettlement",
    address: contracts.PageSettlement?.address ?? "",
    runner: await provider.getSigner(Number(OPERATOR)),
  });
  const proposal = {
    ...{ kind: 2n, teeId: enclave.teeId, ledgerPage: ledgerPageOf({ node, index: page }), root },
    bitmap: empty.reduce((bits, index) => bits | (1n << BigInt(index)), bitmap),
    ...{ blobId: blobIdToWord(newlyCreated.blobObject.blobId), fee, deadline: 0n },
  };
  const sent = await contract.proposePage(proposal, "0x");
  const receipt = await sent.wait();
  const abi = contract.interface as unknown as Interface;
  const logs = receipt?.logs ?? [];
  const found = logs.map((log) => abi.parseLog(log)).find((log) => log?.name === "PageProposed");
  return {
    id: String(found?.args.pageId),
    header: headerOfProposal(found?.args as unknown as PageHeader),
  };
}

/** Runs a command that must send nothing, and returns its one line. */
const refusal = (running: Promise<Result>): Promise<string> => refusalOn(provider, running);

describe("npm run pages", () => {
  it("leaves a deposit, says what it is good for, and gives it back", async () => {
    expect(await success(pages("list"))).toContain("no page was proposed");
    const operator = addressOf(OPERATOR);
    expect(await success(pages("account", operator))).toContain("takes 1000.0 OPG more");
    expect(await refusal(pages("deposit", "10", ...as(WATCHER)))).toContain("has 0.0 OPG");
    for (const amount of ["0", "-1", "1.0000000000000000001", "x"]) {
      expect(await refusal(pages("deposit", amount, ...as(LIQUIDITY)))).toMatch(/amount|argument/);
    }
    const output = await success(pages("deposit", "1000", "--for", operator, ...as(LIQUIDITY)));
    expect(output).toContain(`deposit of ${operator}: 0.0 OPG -> 1000.0 OPG`);
    expect(await success(pages("account", ...as(OPERATOR)))).toContain("could be proposed");
    await success(pages("deposit", "100", "--for", addressOf(WATCHER), ...as(LIQUIDITY)));
    expect(await refusal(pages("withdraw", "101", ...as(WATCHER)))).toContain("has 100.0 OPG");
    await success(pages("withdraw", "40", ...as(WATCHER)));
    expect(await success(pages("account", ...as(WATCHER)))).toContain("60.0 OPG");
  });

  it("checks a good page, refuses to challenge it, and frees its bond in the end", async () => {
    const id = await propose({ page: 1n, places: [0, 3, 255] });
    expect(await success(pages("check", id))).toContain("3, all of them good");
    expect(await success(pages("show", id))).toMatch(/pending until 20\d\d-/);
    expect(await success(pages("list"))).toContain(id);
    expect(await refusal(pages("challenge", id, ...as(WATCHER)))).toContain("is good");
    expect(await refusal(pages("withdraw", "all", ...as(OPERATOR)))).toContain("open page(s)");
    expect(await refusal(pages("release", id))).toContain("is pending until");
    expect(await refusal(pages("settle-again", id, "0"))).toContain("is pending until");
    await later(provider, 3 * DAY + 60);
    expect(await success(pages("show", id))).toContain("final: unchallenged");
    expect(await refusal(pages("release", id))).toContain("is free from");
    await later(provider, 7 * DAY);
    await success(pages("release", id));
    expect(await refusal(pages("release", id))).toContain("is free already");
  });

  it("challenges a page with a wrong result, and settles the good ones again", async () => {
    const id = await propose({ page: 2n, places: [0, 1, 2], bad: [1] });
    expect(await failure(pages("check", id))).toContain("1 of 3 results are wrong");
    const output = await success(pages("challenge", id, ...as(WATCHER)));
    expect(output).toContain("place 1: InvalidSignature");
    expect(output).toContain("loses 1000.0 OPG, of which 500.0 OPG go to the account of");
    expect(await success(pages("show", id))).toContain("rejected: InvalidSignature");
    expect(await refusal(pages("challenge", id, ...as(WATCHER)))).toContain("is rejected");
    expect(await success(pages("account", ...as(WATCHER)))).toContain("560.0 OPG");
    await success(pages("settle-again", id, "0", ...as(WATCHER)));
    expect(await failure(pages("settle-again", id, "1"))).toMatch(/did not sign|SignatureInvalid/);
    await success(pages("burn-forfeits"));
    expect(await refusal(pages("burn-forfeits"))).toContain("nothing was forfeited");
  });

  it("asks for results, shows them, and rejects what nobody shows", async () => {
    await success(pages("deposit", "1000", "--for", addressOf(OPERATOR), ...as(LIQUIDITY)));
    const id = await propose({ page: 3n, places: [4, 5], empty: [9] });
    expect(await refusal(pages("request", id, "6", ...as(WATCHER)))).toContain("index must be");
    expect(await refusal(pages("request", id, "4", ...as("8")))).toContain("takes 10.0 OPG");
    await success(pages("request", id, "4", ...as(WATCHER)));
    expect(await refusal(pages("request", id, "4", ...as(WATCHER)))).toContain("already");
    expect(await success(pages("show", id))).toContain("while somebody waits for a result");
    expect(await refusal(pages("reject", id, "4"))).toContain("can be shown until");
    await success(pages("answer", id, ...as("8")));
    expect(await success(pages("account", ...as("8")))).toContain("10.0 OPG");
    expect(await refusal(pages("answer", id))).toContain("nobody waits");

    await success(pages("request", id, "9", ...as(WATCHER)));
    expect(await refusal(pages("answer", id))).toContain("no result at place 9");
    expect(await refusal(pages("return", id, "9"))).toContain("is pending");
    await later(provider, DAY + 60);
    await success(pages("reject", id, "9", ...as("8")));
    expect(await success(pages("show", id))).toContain("rejected: DataWithheld");
  });

  it("demands proofs of optimistic results, gives them, and rejects what nobody proves", async () => {
    const world = await OptimisticNode.start({ provider, signer: NODE });
    const unpriced = await world.settle({ nonce: 1n << 30n, price: 0n });
    const priced = await world.settle({ nonce: (1n << 30n) + 1n, price: 1n });
    expect(await refusal(pages("admit", NOT_PROPOSED))).toContain("no request");
    expect(await refusal(pages("admit", unpriced))).toContain("has no price");
    expect(await success(pages("admit", priced))).toContain("is open to optimistic pages");
    expect(await refusal(pages("admit", priced))).toContain("is open to optimistic pages since");

    await success(pages("deposit", "1000", "--for", addressOf(NODE), ...as(LIQUIDITY)));
    await later(provider, 60);
    const { id, files } = await world.propose({ places: [0, 1, 2, 3], store: blobsUrl });
    expect(await success(pages("show", id))).toMatch(/optimistic: nobody has checked its answers/);
    const checked = await success(pages("check", id));
    expect(checked).toContain("nothing wrong with their form");
    expect(checked).toContain("the model can be run again");
    const of = (index: number) => [id, String(index), ...files(index)];
    expect(await refusal(pages("prove", ...of(0)))).toContain("nobody demands");
    expect(await refusal(pages("demand", id, "0", ...as("9")))).toContain("takes 50.0 OPG");
    expect(await refusal(pages("demand", id, "0", ...as(NODE)))).toContain("open page(s)");
    await success(pages("deposit", "150", "--for", addressOf(WATCHER), ...as(LIQUIDITY)));
    await success(pages("demand", id, "0", ...as(WATCHER)));
    expect(await refusal(pages("demand", id, "0", ...as(WATCHER)))).toContain("already");
    expect(await success(pages("show", id))).toMatch(/waits for a result or a proof/);
    expect(await refusal(pages("reject", id, "0"))).toContain("the proof of place 0 can be shown");

    const [proof = "", signals = ""] = files(0);
    expect(await refusal(pages("prove", id, "0", proof, proof))).toContain("list of decimal");
    expect(await refusal(pages("prove", id, "0", signals, signals))).toContain("no proof.json");
    expect(await refusal(pages("prove", id, "0", ...files(1)))).toContain("other words");
    const proved = await success(pages("prove", ...of(0), ...as("8")));
    expect(proved).toContain("is settled as ZKML, alone and for good; 50.0 OPG go to");
    expect(await success(pages("show", id))).toContain("proved: 0");
    expect(await refusal(pages("demand", id, "0", ...as(WATCHER)))).toContain("was proved");

    await success(pages("demand", id, "1", ...as(WATCHER)));
    await success(pages("demand", id, "2", ...as(WATCHER)));
    await later(provider, DAY + 60);
    expect(await refusal(pages("prove", ...of(1)))).toContain("was to be given until");
    expect(await success(pages("reject", id, "1", ...as("8")))).toContain("loses 1050.0 OPG");
    expect(await success(pages("show", id))).toContain("rejected: DemandUnanswered");
    expect(await success(pages("return", id, "2"))).toContain("50.0 OPG go back");
    expect(await refusal(pages("settle-again", id, "3"))).toContain("settles by its proof");
    expect(await success(pages("prove", ...of(3)))).toMatch(/alone and for good$/m);
  });

  it("says in one line what it cannot do, and sends nothing", async () => {
    expect(await refusal(pages("show", "0x12"))).toContain("page must be 0x and 64 hex digits");
    expect(await refusal(pages("show", NOT_PROPOSED))).toContain("no page");
    expect(await refusal(pages("list", "--from-block", "x"))).toContain("--from-block");
    await success(pages("deposit", "1000", "--for", addressOf(OPERATOR), ...as(LIQUIDITY)));
    const id = await propose({ page: 4n, places: [0], empty: [1] });
    // A place that the page took without a result is a fault, and can be shown.
    expect(await failure(pages("check", id))).toContain("1 of 2 results are wrong");
    const away = { HACA_BLOB_AGGREGATOR: "http://127.0.0.1:1" };
    const challenge = ["challenge", id, ...as(WATCHER)];
    const line = await refusal(local.use("scripts/pages/cli.ts", challenge, away));
    expect(line).toMatch(/\[blob\./);
  });
});

const deposit = () =>
  success(pages("deposit", "1000", "--for", addressOf(OPERATOR), ...as(LIQUIDITY)));

describe("npm run stake", () => {
  stakeCases(() => ({
    ...{ local, provider, deposit, propose: proposeWithHeader },
    challenge: (id) => success(pages("challenge", id, ...as(WATCHER))),
  }));
});

describe("npm run escrow", () => {
  capturePageCases(() => ({
    ...{ local, provider, blobsUrl, propose, requestHash, deposit },
    ...{ teeId: enclave.teeId, requester: String(CLIENT) },
  }));
  channelCases(() => ({
    ...{ local, provider, blobsUrl, propose, deposit, enclave },
    settle: async ({ isOther = false, ...rest }) => {
      const { result, signature } = await signAnswer({
        ...{ provider, enclave: isOther ? otherEnclave : enclave, ...rest },
      });
      const address = readAddressBook(BOOK).contracts.InferenceSettlement.address;
      const runner = await provider.getSigner(Number(WATCHER));
      const settlement = contractAt({ name: "InferenceSettlement", address, runner });
      await (await settlement.settleTee(result, signature)).wait();
    },
  }));
});
