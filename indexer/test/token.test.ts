import { readFileSync } from "node:fs";
import { join } from "node:path";
import { accessManagerAbi, vestingVaultAbi } from "@haca/protocol/abi";
import { ALLOCATIONS } from "@haca/protocol/allocations";
import { getContract, type Hex, hexToString, zeroAddress } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deployContracts } from "./utils/deployContracts.ts";
import { deployToken, type Token } from "./utils/deployToken.ts";
import { type GovernanceOperations, governanceOperations } from "./utils/governanceOperations.ts";
import { isAccepted, randomFrom } from "./utils/randomFrom.ts";
import { type Chain, startChain } from "./utils/startChain.ts";
import { type Indexer, startIndexer } from "./utils/startIndexer.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";
import { type TokenOperations, tokenOperations } from "./utils/tokenOperations.ts";
import { addressOf, writeBook } from "./utils/writeBook.ts";

const SEED = process.env.HACA_SEED ?? "token";
const OPERATIONS = process.env.HACA_DEEP === "1" ? 6000 : 250;
/** Operations after which the proposals' states are compared. */
const STEP = 100;
/** The same, once only what is rare is left. */
const SHORT_STEP = 5;
const DOCUMENT = join(import.meta.dirname, "..", "..", "docs", "indexer.md");
/** Stands for the time in the manual's query. */
const EXAMPLE_TIME = "1800000000";
/** Names of `IGovernor.ProposalState`, by number. */
const STATES = [
  ...["pending", "active", "canceled", "defeated", "succeeded", "queued", "expired", "executed"],
];

const folder = temporaryFolder();
const random = randomFrom(SEED);
/** How often each operation was accepted. */
const done = new Map<string, number>();
const statesSeen = new Set<string>();
let chain: Chain;
let token: Token;
let manager: Hex;
let world: TokenOperations;
let governance: GovernanceOperations;
let indexer: Indexer;

beforeAll(async () => {
  chain = await startChain();
  const path = join(folder.path, "book.json");
  const core = await deployContracts({ chain, path });
  manager = addressOf(core.deployed.accessManager);
  token = await deployToken({ chain });
  await writeBook({ chain, path, contracts: { ...core.deployed, ...token.deployed } });
  world = await tokenOperations({ chain, token, random });
  governance = governanceOperations({ chain, token, manager, random });
  indexer = await startIndexer({
    rpcUrl: chain.rpcUrl,
    deployment: path,
    dataDirectory: folder.path,
  });
});

afterAll(async () => {
  await indexer?.stop();
  await chain?.stop();
  folder.remove();
});

/** The manual's query for the states of proposals, asked at the chain's time. */
function stateQuery(now: bigint): string {
  const blocks = [...readFileSync(DOCUMENT, "utf8").matchAll(/```sql\n([\s\S]*?)```/g)];
  const query = blocks.map(([, text = ""]) => text).find((text) => text.includes("from proposal"));
  expect(query).toContain(EXAMPLE_TIME);
  return (query ?? "").replaceAll(EXAMPLE_TIME, String(now));
}

async function expectSameStates(): Promise<void> {
  const { number, timestamp } = await chain.client.getBlock();
  await indexer.indexed(number);
  const rows = await indexer.sql(stateQuery(timestamp));
  const states = new Map(rows.map(({ id, state }) => [id, state]));
  expect(states.size).toBe(governance.proposals.length);
  for (const { id } of governance.proposals) {
    const state = STATES[await token.governor.read.state([id])] ?? "";
    statesSeen.add(state);
    expect({ id, state: states.get(String(id)) }).toEqual({ id, state });
  }
}

test("a proposal's state follows from its row, at every time", async () => {
  const operations = { ...world.operations, ...governance.operations };
  const names = Object.keys(operations) as (keyof typeof operations)[];
  // Without these nothing else in a proposal's life can happen.
  const often = ["propose", "vote", "vote", "queue", "execute", "executeAtTimelock"] as const;
  // While the administrator's role is still what it was: later, nobody may be able to.
  for (const [functionName, ...delay] of [["grantRole", 0], ["revokeRole"]] as const) {
    const args = [9n, chain.accounts[1], ...delay];
    await token.call({ to: manager, abi: accessManagerAbi, functionName, args });
    done.set(functionName, 1);
  }
  const missing = () => names.filter((name) => (done.get(name) ?? 0) === 0);
  const attempt = async (name: keyof typeof operations): Promise<void> => {
    const count = (await isAccepted(operations[name])) ? 1 : 0;
    done.set(name, (done.get(name) ?? 0) + count);
  };
  for (let i = 1; i <= OPERATIONS; i++) {
    await attempt(random.pick([...names, ...often]));
    if (i % STEP === 0) {
      await expectSameStates();
    }
  }
  // What chance has left out, with what leads to it; a proposal that succeeded is soon queued.
  const expected = STATES.filter((state) => state !== "expired");
  const isComplete = () => missing().length === 0 && statesSeen.size === expected.length;
  for (let i = 1; i <= OPERATIONS && !isComplete(); i++) {
    await attempt(random.pick([...missing(), ...often]));
    if (i % SHORT_STEP === 0) {
      await expectSameStates();
    }
  }
  await expectSameStates();
  expect(missing()).toEqual([]);
  expect([...statesSeen].sort()).toEqual(expected.sort());
  // The manual's query is for SQL over HTTP.
  const query = stateQuery((await chain.client.getBlock()).timestamp);
  expect(await indexer.sqlOverHttp(query)).toEqual(await indexer.sql(query));
});

test("balances sum to the supply, and each is the token's", async () => {
  const holders = await indexer.sql("select address, balance, delegatee from holder");
  const sum = holders.reduce((total, { balance }) => total + BigInt(balance as string), 0n);
  expect(sum).toBe(await token.opg.read.totalSupply());
  for (const { address, balance, delegatee } of holders) {
    expect(String(await token.opg.read.balanceOf([address as Hex]))).toBe(balance);
    const delegates = (await token.opg.read.delegates([address as Hex])).toLowerCase();
    expect(delegates).toBe(delegatee ?? zeroAddress);
  }
  const everyone = [...world.accounts, ...world.vaults, token.airdrop.address];
  const known = holders.map(({ address }) => address);
  for (const account of everyone) {
    const isKnown = known.includes(account.toLowerCase());
    expect(isKnown || (await token.opg.read.balanceOf([account])) === 0n).toBe(true);
  }
  const [flow] = await indexer.sql(
    `select sum(case when "from" = '${zeroAddress}' then amount else 0 end)
          - sum(case when "to" = '${zeroAddress}' then amount else 0 end) as supply from token_transfer`,
  );
  expect(flow).toEqual({ supply: String(sum) });
});

test("votes and delegations are the token's", async () => {
  const delegates = await indexer.sql("select * from delegate");
  expect(delegates.length).toBeGreaterThan(3);
  for (const { address, votes } of delegates) {
    expect(String(await token.opg.read.getVotes([address as Hex]))).toBe(votes);
  }
  const changes = await indexer.sql("select * from delegation order by block_number, log_index");
  const current = new Map<unknown, unknown>();
  for (const { delegator, previous, current: next } of changes) {
    expect(previous).toBe(current.get(delegator) ?? null);
    current.set(delegator, next);
  }
  const holders = await indexer.sql("select * from holder where delegatee is not null");
  const withDelegate = [...current].filter(([, delegatee]) => delegatee !== null);
  expect(new Map(holders.map((row) => [row.address, row.delegatee]))).toEqual(
    new Map(withDelegate),
  );
});

test("grants and releases are those of the vaults", async () => {
  const rows = await indexer.sql("select * from vesting_grant");
  const grants = new Map(rows.map((row) => [row.vault, row]));
  expect([...grants.keys()].sort()).toEqual(
    world.vaults.map((vault) => vault.toLowerCase()).sort(),
  );
  const read = <name extends Exclude<Reads, "vested">>(address: Hex, functionName: name) =>
    chain.client.readContract({ address, abi: vestingVaultAbi, functionName });
  type Reads = "terms" | "beneficiary" | "pendingBeneficiary" | "released" | "revokedAt" | "vested";
  const orNull = (value: string) => (value === zeroAddress ? null : value.toLowerCase());
  for (const vault of world.vaults) {
    const terms = (await read(vault, "terms")) as Record<string, unknown>;
    const revokedAt = await read(vault, "revokedAt");
    const row = grants.get(vault.toLowerCase());
    expect(row).toMatchObject({
      ...{ total: String(terms.total), tge_amount: String(terms.tgeAmount) },
      ...{ tge: String(terms.tge), start: String(terms.start), end: String(terms.end) },
      original_beneficiary: String(terms.beneficiary).toLowerCase(),
      revoker: orNull(String(terms.revoker)),
      refund_to: orNull(String(terms.refundTo)),
      beneficiary: String(await read(vault, "beneficiary")).toLowerCase(),
      pending_beneficiary: orNull(String(await read(vault, "pendingBeneficiary"))),
      released: String(await read(vault, "released")),
      revoked_at: revokedAt === 0n ? null : String(revokedAt),
    });
    const [sum] = await indexer.sql(
      `select coalesce(sum(amount), 0)::text as paid from vesting_release where vault = '${vault.toLowerCase()}'`,
    );
    expect(sum).toEqual({ paid: row?.released });
    const balance = await token.opg.read.balanceOf([vault]);
    const paidOut = BigInt(String(row?.released)) + BigInt(String(row?.refund ?? 0));
    expect(BigInt(String(row?.total)) - paidOut).toBe(balance);
  }
});

test("allocations, claims and votes are all there", async () => {
  const allocations = await indexer.sql(
    "select allocation, sum(amount)::text as amount from genesis_allocation group by allocation",
  );
  expect(new Map(allocations.map((row) => [row.allocation, row.amount]))).toEqual(
    new Map(ALLOCATIONS.map(({ name, amount }) => [name, String(amount)])),
  );
  const grants = await indexer.sql(
    "select g.allocation as grants, a.allocation from vesting_grant g join genesis_allocation a on a.receiver = g.vault",
  );
  expect(grants).toHaveLength(5);
  expect(grants.every((row) => row.grants === row.allocation)).toBe(true);

  const claims = await indexer.sql("select index from airdrop_claim order by index");
  expect(claims.map((row) => Number(row.index))).toEqual([...world.claimed].sort());

  const tallies = await indexer.sql(
    `select id, for_votes, against_votes, abstain_votes, quorum, vote_start,
       coalesce(sum(weight) filter (where support = 'for'), 0)::text as counted
     from proposal left join vote on proposal_id = id
     group by id, for_votes, against_votes, abstain_votes, quorum, vote_start`,
  );
  for (const row of tallies) {
    const [against, inFavour, abstain] = await token.governor.read.proposalVotes([
      BigInt(String(row.id)),
    ]);
    expect(row).toMatchObject({
      ...{ for_votes: String(inFavour), against_votes: String(against) },
      ...{ abstain_votes: String(abstain), counted: String(inFavour) },
    });
    if (row.quorum !== null) {
      const quorum = await token.governor.read.quorum([BigInt(String(row.vote_start))]);
      expect(row.quorum).toBe(String(quorum));
    }
  }
  expect(tallies.some((row) => row.quorum !== null)).toBe(true);
  const { proposals } = await indexer.graphql(
    "{ proposals { items { id targets values calldatas description operation { proposalId } } } }",
  );
  const byId = new Map(governance.proposals.map((proposal) => [String(proposal.id), proposal]));
  for (const item of (proposals as { items: Record<string, unknown>[] }).items) {
    const proposal = byId.get(String(item.id));
    expect(item).toMatchObject({
      targets: proposal?.targets.map((target) => target.toLowerCase()),
      values: proposal?.values.map(String),
      calldatas: proposal?.calldatas,
      // PostgreSQL's texts cannot hold it.
      description: hexToString(proposal?.description ?? "0x").replaceAll("\u0000", ""),
    });
    const { operation } = item as { operation: { proposalId: string } | null };
    expect(operation === null || operation.proposalId === item.id).toBe(true);
  }
});

test("roles, their members and functions are the AccessManager's", async () => {
  const { read } = getContract({ address: manager, abi: accessManagerAbi, client: chain.client });
  const { timestamp } = await chain.client.getBlock();
  for (const row of await indexer.sql("select * from access_role")) {
    const id = BigInt(row.id as string);
    expect(row.admin_role_id).toBe(String(await read.getRoleAdmin([id])));
    expect(row.guardian_role_id).toBe(String(await read.getRoleGuardian([id])));
    if (BigInt(row.grant_delay_since as string) <= timestamp) {
      expect(row.grant_delay).toBe(String(await read.getRoleGrantDelay([id])));
    }
  }
  const members = await indexer.sql("select * from access_member");
  expect(members.some(({ revoked_at }) => revoked_at !== null)).toBe(true);
  for (const row of members) {
    const id = BigInt(row.role_id as string);
    const [isMember, delay] = await read.hasRole([id, row.account as Hex]);
    const isThere = row.revoked_at === null && BigInt(row.since as string) <= timestamp;
    expect(isThere).toBe(isMember);
    if (isMember && BigInt(row.execution_delay_since as string) <= timestamp) {
      expect(row.execution_delay).toBe(String(delay));
    }
  }
  const functions = await indexer.sql("select * from access_function");
  expect(functions.length).toBeGreaterThan(0);
  for (const { target, selector, role_id } of functions) {
    const role = await read.getTargetFunctionRole([target as Hex, selector as Hex]);
    expect(role_id).toBe(String(role));
  }
  for (const { address, is_closed } of await indexer.sql("select * from access_target")) {
    expect(await read.isTargetClosed([address as Hex])).toBe(is_closed);
  }
});
