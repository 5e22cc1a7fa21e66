import { ledgerPageOf, nodeOfEnclave } from "@haca/protocol/requestId";
import { parseEther } from "ethers";
import { now } from "../utils/attestationFixture.ts";
import {
  answeredPage,
  deployOptimistic,
  type OptimisticFixture,
  proofOf,
} from "../utils/optimisticFixture.ts";
import {
  ALL,
  type Content,
  commit,
  DAY,
  leafOf,
  makePage,
  makeResult,
  type PageFixture,
  propose,
} from "../utils/pageFixture.ts";
import { gasOf, type Measure } from "./measurement.ts";

const SAMPLES = 3;
const PAGE_SIZE = 256n;
const REQUESTS = [0, 1, 2, 3, 4, 5, 6, 7];
/** As long as one by a key of 2048 bits, by nobody, and below every modulus: a greater one would be refused for less. */
const RSA_SIGNATURE = `0x${"25".repeat(256)}`;

/** Pages of 256 results: what every page costs, and what it costs to show that one is wrong or withheld. */
export const measurePages: Measure = async (connection) => {
  const f = await deployOptimistic(connection);
  const { pages, operator, watcher, token, enclave } = f;
  await token.approve(pages, parseEther("100000"));
  await pages.deposit(watcher.address, parseEther("100000"));
  const content: Content = {};
  for (const index of REQUESTS) {
    content[index] = { result: await makeResult(f, index), signature: RSA_SIGNATURE };
  }
  const node = nodeOfEnclave(enclave.teeId);
  const pageAt = (index: bigint) =>
    makePage(f, content, { bitmap: ALL, ledgerPage: ledgerPageOf({ node, index }) });
  const samples: Record<string, bigint[]> = {};
  const add = (key: string, gas: bigint) => {
    samples[key] = [...(samples[key] ?? []), gas];
  };

  // The first of 65,536 nonces pays for a slot that the 255 pages after it share.
  await propose(f, pageAt(0x100n));
  const released = [];
  for (let i = 1n; i <= SAMPLES; i++) {
    const page = pageAt(0x100n + i);
    add("page.propose256", await gasOf(propose(f, page)));
    released.push(page);
  }
  const asked = [4n, 5n, 6n, 7n].map((index) => pageAt(0x100n + index));
  for (const page of asked) {
    await propose(f, page);
    for (const index of REQUESTS) {
      const gas = await gasOf(pages.connect(watcher).requestLeaf(page.header, index));
      // The second request of a page and those after it move no end.
      if (index === 0) add("challenge.requestLeaf", gas);
    }
  }
  const answers = asked.flatMap((page) =>
    REQUESTS.map((index) => ({ header: page.header, leaf: leafOf(page, index) })),
  );
  for (const [key, gas] of Object.entries(await demandOnce(f))) add(key, gas);
  add("challenge.answerLeaf32", await gasOf(pages.connect(f.payee).answerLeaves(answers)));

  await f.networkHelpers.time.increaseTo((await now(f)) + 11n * DAY);
  for (const { header } of released) {
    add("page.release", await gasOf(pages.connect(operator).releaseBonds([header])));
  }
  samples["page.perResult256"] = (samples["page.propose256"] ?? []).map(
    (gas, i) => (gas + (samples["page.release"]?.[i] ?? 0n)) / PAGE_SIZE,
  );
  add("challenge.invalidSignature.rsa", await challengeOnce(f));
  return {
    samples,
    notes: {
      "page.propose256":
        "a page of 256 results by the enclave's operator, none of them taken before",
      "page.release": "the bond of one page, in a transaction of its own",
      "page.perResult256": "both, over 256 results; no attestation",
      "challenge.invalidSignature.rsa": "a leaf with a false RSA-2048 signature in a page of 256",
      "challenge.requestLeaf": "the first request for a page",
      "challenge.demandProof": "the first demand for a page, by an account with a deposit",
      "challenge.demandAnswered":
        "a proof with four public signals that was demanded, settled; the page's only open demand",
      "challenge.answerLeaf32": "32 leaves with RSA-2048 signatures, of four pages",
    },
  };
};

/** A proof of a page of several results, demanded and given. */
async function demandOnce(f: OptimisticFixture): Promise<Record<string, bigint>> {
  const { page, answers } = await answeredPage(f, REQUESTS);
  await propose(f, page, f.node);
  const demand = () => f.pages.connect(f.watcher).demandProof(page.header, 7);
  const give = () =>
    f.pages.connect(f.node).proveLeaf(...proofOf(f, page, 7, answers.get(7)?.words ?? []));
  return {
    "challenge.demandProof": await gasOf(demand()),
    "challenge.demandAnswered": await gasOf(give()),
  };
}

/** By a challenger whose account is new, against a proposer with one open page more. */
async function challengeOnce(f: PageFixture): Promise<bigint> {
  const result = await makeResult(f, 7);
  const page = makePage(f, { 7: { result, signature: RSA_SIGNATURE } }, { bitmap: ALL });
  await propose(f, page);
  const challenger = f.payee.address;
  await f.pages.connect(f.payee).withdraw(f.operator, (await f.pages.accountOf(challenger)).amount);
  const salt = await commit(f, page, 7, undefined, challenger);
  return gasOf(f.pages.challenge(page.header, leafOf(page, 7), challenger, salt));
}
