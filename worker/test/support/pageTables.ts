import { PAGE_REASONS, placesOf } from "@haca/protocol/pageSettlement";
import { requestIdAt } from "@haca/protocol/requestId";
import { EPOCH_SECONDS } from "@haca/protocol/validatorStaking";
import { MaxUint256 } from "ethers";
import { pageInterface, stakingInterface } from "../../src/chain/chain.ts";
import { type Happened, happenedAt } from "./happened.ts";
import type { StakingContract } from "./stakingContract.ts";
import { frozenSets } from "./stakingTables.ts";
import type { Row, Tables } from "./tables.ts";
import type { WatchBed } from "./watchBed.ts";

const OUTCOMES = ["open", "released", "rejected", "disproved"];
const REJECTED = 3n;
const KINDS: Record<string, string> = { 2: "tee", 3: "optimistic" };

const lower = (hex: string): string => hex.toLowerCase();
/** Null where the contract keeps a zero for what has not been. */
const orNull = (value: bigint): string | null => (value === 0n ? null : String(value));
/** Places of bits, rising. */
const placesIn = (bits: bigint): number[] => placesOf({ bitmap: bits });

/** What the chain says of pages, by the contract's events and by what it answers now. */
export async function pageTables(bed: WatchBed, staking: StakingContract): Promise<Tables> {
  const { contract } = bed.pages;
  const { provider } = bed.tee.chain;
  const all = await happenedAt({ provider, contract, abi: pageInterface });
  const of = (name: string): Happened[] => all.filter((one) => one.name === name);
  const refuted = new Map(of("PageRefuted").map((one) => [one.args.pageId as string, one]));
  const attested = new Map(of("PageAttested").map((one) => [one.args.pageId as string, one]));
  const staked = { provider, contract: staking.contract, abi: stakingInterface };
  const sets = frozenSets(await happenedAt(staked));
  const attester = lower(String(staking.contract.target));
  const tables: Record<"page" | "settlement" | "page_attestation" | "page_signer", Row[]> = {
    ...{ page: [], settlement: [], page_attestation: [], page_signer: [] },
  };
  for (const proposed of of("PageProposed")) {
    const { bitmap, kind, ledgerPage, pageId, ...args } = proposed.args.toObject();
    const record = await contract.pageOf(pageId);
    const ended = refuted.get(pageId)?.args;
    tables.page.push({
      ...{ id: pageId, kind: KINDS[kind], ledger_page: String(ledgerPage) },
      ...{ bitmap: String(bitmap), result_count: placesIn(bitmap).length },
      ...{ tee_id: args.teeId, proposer: lower(args.proposer), root: args.root },
      ...{ blob_id: args.blobId, fee: String(args.fee), blob: "read" },
      ...{ proposed_at: String(record.proposedAt), attested_at: orNull(record.attestedAt) },
      ...{ outcome: OUTCOMES[Number(record.outcome)], ended_at: orNull(record.endedAt) },
      reason: record.reason === 0n ? null : PAGE_REASONS[Number(record.reason)],
      open_requests: Number(record.openRequests),
      challenger: ended ? lower(ended.challenger) : null,
      reward: ended ? String(ended.reward) : null,
      ...{ transaction_hash: proposed.transaction, block_number: String(proposed.block) },
    });
    // Requests of a page that was rejected are nobody's; those of one that was disproved stay taken.
    if (ended?.state !== REJECTED) {
      for (const index of placesIn(bitmap)) {
        const requestId = requestIdAt({ ledgerPage, index });
        tables.settlement.push({ request_id: requestId, page_id: pageId, state: "paged" });
      }
    }
    if (record.attestedAt === 0n) continue;
    const epoch = record.attestedAt / EPOCH_SECONDS;
    const places = placesIn(record.signers);
    tables.page_attestation.push({
      ...{ page_id: pageId, attester, attester_number: Number(record.attesterNumber) },
      ...{ signers: Number(record.signers), signer_count: places.length, epoch: String(epoch) },
      attested_at: String(record.attestedAt),
      transaction_hash: attested.get(pageId)?.transaction,
    });
    for (const index of places) {
      const { key = "", stake = 0n } = sets.get(epoch)?.members[index] ?? {};
      const validator = lower(await staking.contract.validatorOfKey(key));
      const signer = { key: lower(key), validator, stake: String(stake) };
      tables.page_signer.push({ page_id: pageId, index, ...signer });
    }
  }
  return {
    ...tables,
    page_challenge: of("PageRefuted").map(({ args, transaction }) => ({
      ...{ page_id: args.pageId, challenger: lower(args.challenger), reward: String(args.reward) },
      reason: PAGE_REASONS[Number(args.reason)],
      outcome: args.state === REJECTED ? "rejected" : "disproved",
      transaction_hash: transaction,
    })),
    // The last one of each: once its challenge was made, a commitment can be made again.
    challenge_commitment: [
      ...new Map(
        of("ChallengeCommitted").map(({ args, block, transaction }) => [
          args.commitment,
          {
            ...{ commitment: args.commitment, transaction_hash: transaction },
            block_number: String(block),
          },
        ]),
      ).values(),
    ],
    page_account: await accountsOf(bed, all, attester),
    page_deposit: all
      .filter(({ name }) => ["Deposited", "Withdrawn"].includes(name))
      .map(({ args, block, index, name }) => ({
        ...{ kind: lower(name), account: lower(args.account), amount: String(args.amount) },
        receiver: name === "Withdrawn" ? lower(args.receiver) : null,
        ...{ block_number: String(block), log_index: index },
      })),
  };
}

/** Everybody whose account an event is about. */
async function accountsOf(
  bed: WatchBed,
  all: readonly Happened[],
  attester: string,
): Promise<Row[]> {
  const accounts = new Set<string>();
  for (const { args, name } of all) {
    const { account, challenger, proposer } = args.toObject();
    for (const one of [account, challenger, proposer]) {
      if (typeof one === "string") accounts.add(lower(one));
    }
    if (name === "PageAttested") accounts.add(attester);
  }
  return await Promise.all(
    [...accounts].map(async (address) => {
      const { amount, openPages } = await bed.pages.contract.accountOf(address);
      return { address, amount: String(amount), open_pages: String(openPages) };
    }),
  );
}

/** What the contract says of each page's state, as the indexer answers it. */
export async function pageStates(bed: WatchBed): Promise<Row[]> {
  const { contract } = bed.pages;
  const states = ["none", "pending", "final", "rejected", "disproved"];
  const { provider } = bed.tee.chain;
  const all = await happenedAt({ provider, contract, abi: pageInterface });
  const proposed = all.filter(({ name }) => name === "PageProposed");
  return await Promise.all(
    proposed.map(async ({ args: { pageId: id } }) => {
      const { state, until } = await contract.stateOfPage(id);
      const isOpen = until === 0n || until === MaxUint256;
      return { id, state: states[Number(state)], until: isOpen ? null : String(until) };
    }),
  );
}
