import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { DEFAULT_PAGE_PARAMETERS, PAGE_REASONS } from "@haca/protocol/pageSettlement";
import { signAttestation } from "@haca/protocol/validatorStaking";
import { concat, formatEther, id, type JsonRpcProvider, Wallet } from "ethers";
import { signAnswer } from "../enclaveAnswers.ts";
import { CHAIN_ID, developmentKey } from "../localChain.ts";
import { type Answer, type Proposed, proposePage } from "./proposePage.ts";
import type { Seat } from "./seatValidators.ts";
import type { Wait } from "./startWatchers.ts";
import { eventsOf, gasUsedBy, leaveDeposit, pass, storyContracts } from "./storyContracts.ts";

/** Who admitted the enclave: nothing of it is proposed without this account. */
const OPERATOR = 2;
/** Who proposes its pages, with a deposit of their own. */
const PROPOSER = 11;
/** Ledger pages of the enclave that nothing before has used. */
const GOOD_PAGE = 2n;
const FORGED_PAGE = 3n;
const PAGE_SIZE = 256n;
const RESULTS = 8;
const FORGED_RESULT = 5;
const FEE = 4n * 10n ** 18n;
/** Members whose keys vouch for the forged answer: more than two thirds of four equal stakes. */
const STOLEN = 3;

export type Story = {
  provider: JsonRpcProvider;
  blobsUrl: string;
  wait: Wait;
};
type TeeStory = Story & { enclave: SimulatedEnclave; seats: readonly Seat[] };

/** A line of the story. */
export const tell = (text: string): void => console.log(`      ${text}`);
export const gas = (used: bigint): string => `${used.toLocaleString("en")} gas`;
export const opg = (amount: bigint): string => `${formatEther(amount)} OPG`;

/** A page whose answers are the enclave's: the validators sign it, and it is final after the short road. */
export async function tellGoodPage(story: TeeStory): Promise<void> {
  const { provider, wait } = story;
  const proposer = new Wallet(developmentKey(PROPOSER), provider);
  const { minimumDeposit } = DEFAULT_PAGE_PARAMETERS;
  await leaveDeposit(provider, proposer.address, minimumDeposit + 2n * FEE);
  const page = await propose(story, proposer, GOOD_PAGE, (answer) => answer);
  tell(`${RESULTS} answers proposed as a page: ${gas(page.gas)}, with ${opg(FEE)} for its signers`);
  const { pages: contract } = storyContracts(proposer);
  const values = [page.pageId];
  const attested = await wait("the validators' signatures", async () => {
    const [event] = await eventsOf({ provider, contract, name: "PageAttested", values });
    return event;
  });
  const used = await gasUsedBy(provider, attested.transactionHash);
  tell(`four validators judged every answer and signed; one of them brought that: ${gas(used)}`);
  await pass(provider, DEFAULT_PAGE_PARAMETERS.shortRoad + 1n);
  const { state } = await contract.stateOfPage(page.pageId);
  tell(`six hours later it is ${stateName(state)}, on the word of two thirds of the stake`);
}

/** A page with an answer that the enclave did not give, which three stolen keys vouch for; one watcher is enough. */
export async function tellForgedPage(story: TeeStory & { watcher: Wallet }): Promise<void> {
  const { provider, seats, wait, watcher } = story;
  const proposer = new Wallet(developmentKey(PROPOSER), provider);
  const { pages: contract, staking } = storyContracts(proposer);
  const page = await propose(story, proposer, FORGED_PAGE, (answer, index) =>
    index === FORGED_RESULT
      ? { ...answer, result: { ...answer.result, outputHash: id("What it never said.") } }
      : answer,
  );
  tell(`${RESULTS} answers proposed, one of them forged: ${gas(page.gas)}`);
  const used = await attest({ ...story, page, signers: seats.slice(0, STOLEN) });
  tell(
    `${STOLEN} stolen keys of ${seats.length} vouch for it: ${gas(used)}; no validator's program did`,
  );
  const values = [page.pageId];
  const refuted = await wait("the watcher's challenge", async () => {
    const [event] = await eventsOf({ provider, contract, name: "PageRefuted", values });
    return event;
  });
  const { challenger, reason, reward } = refuted.args;
  const who = challenger === watcher.address ? "the watcher" : "a validator";
  const challenge = await gasUsedBy(provider, refuted.transactionHash);
  tell(
    `${who} shows it (${PAGE_REASONS[Number(reason)]}): ${gas(challenge)}, and gets ${opg(reward)}; as much burns`,
  );
  const slashes = await wait("the slashes", async () => {
    const events = await eventsOf({
      ...{ provider, contract: staking, name: "Slashed" },
    });
    return events.length === STOLEN ? events : undefined;
  });
  for (const { args, transactionHash } of slashes) {
    const owner = seats.findIndex((seat) => seat.owner.address === args.validator) + 1;
    const amount = opg(args.taken);
    tell(`validator ${owner} loses ${amount}: ${gas(await gasUsedBy(provider, transactionHash))}`);
  }
}

/** Eight answers of the enclave as a page, changed after it signed them. */
async function propose(
  story: TeeStory,
  proposer: Wallet,
  page: bigint,
  change: (answer: Answer, index: number) => Answer,
): Promise<Proposed> {
  const { blobsUrl, enclave, provider } = story;
  const operator = new Wallet(developmentKey(OPERATOR), provider);
  const answers = await Promise.all(
    Array.from({ length: RESULTS }, async (_, index) => {
      const nonce = page * PAGE_SIZE + BigInt(index);
      return change(await signAnswer({ provider, enclave, nonce }), index);
    }),
  );
  return await proposePage({ blobsUrl, kind: 2, proposer, operator, answers, fee: FEE });
}

/** Brings signatures of these keys. Returns the gas. */
async function attest(
  parameters: TeeStory & { page: Proposed; signers: readonly Seat[] },
): Promise<bigint> {
  const { page, provider, signers } = parameters;
  const { staking } = storyContracts(new Wallet(developmentKey(PROPOSER), provider));
  await (await staking.freeze()).wait();
  const frozen = await eventsOf({ provider, contract: staking, name: "SnapshotFrozen" });
  const snapshot: bigint[] = [...(frozen.at(-1)?.args.snapshot ?? [])];
  const keys = snapshot.slice(1).map((word) => word >> 96n);
  const signing = keys.flatMap((key, index) => {
    const seat = signers.find((candidate) => BigInt(candidate.key.address) === key);
    return seat === undefined ? [] : [{ index, key: seat.key }];
  });
  const signatures = await Promise.all(
    signing.map(async ({ key }) =>
      signAttestation({
        ...{ chainId: BigInt(CHAIN_ID), staking: await staking.getAddress() },
        ...{ pageId: page.pageId, key },
      }),
    ),
  );
  const bits = signing.reduce((sum, { index }) => sum | (1n << BigInt(index)), 0n);
  const call = await staking.attest(page.header, snapshot, bits, concat(signatures));
  return (await call.wait())?.gasUsed ?? 0n;
}

const STATES = ["unknown", "pending", "final", "rejected", "disproved"];
export const stateName = (state: bigint): string => STATES[Number(state)] ?? String(state);
