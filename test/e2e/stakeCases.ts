import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type AddressBook, readAddressBook } from "@haca/protocol/addressBook";
import { decodeSnapshot, EPOCH_SECONDS, signAttestation } from "@haca/protocol/validatorStaking";
import {
  concat,
  type EventLog,
  formatEther,
  type JsonRpcProvider,
  JsonRpcSigner,
  parseEther,
  Wallet,
} from "ethers";
import { beforeAll, expect, it } from "vitest";
import { CHAIN_ID, developmentKey } from "../../scripts/demo/localChain.ts";
import { type ContractOf, contractAt } from "../../scripts/lib/contracts.ts";
import {
  BOOK,
  type LocalDeployment,
  later,
  type Result,
  refusalOn,
  success,
} from "./localDeployment.ts";
import { runHere } from "./runHere.ts";

const DAY = 86_400;
const LIQUIDITY = 3;
/** Accounts of the local chain that nobody else here uses. */
const OWNERS = ["10", "11", "12"] as const;
const DELEGATOR = "13";
const STRANGER = "14";
const SAFE = "0x5afe5afe5afe5afe5afe5afe5afe5afe5afe5afe";
const NEW_KEY = `0x${"77".repeat(32)}`;
const NOT_PROPOSED = `0x${"11".repeat(32)}`;

/** A chain with pages of an enclave's results, and how one is proposed and challenged there. */
export type PageWorld = {
  local: LocalDeployment;
  provider: JsonRpcProvider;
  propose: (page: { page: bigint; places: number[]; bad?: number[]; fee?: bigint }) => Promise<{
    id: string;
    header: unknown;
  }>;
  /** the command line's `pages challenge` */
  challenge: (id: string) => Promise<unknown>;
  /** leaves a deposit for the proposer again */
  deposit: () => Promise<unknown>;
};

const as = (account: string): string[] => ["--account", account];
const keyOf = (account: string): Wallet => new Wallet(developmentKey(Number(account)));
const addressOf = (account: string): string => keyOf(account).address;
/** The key that a validator signs with, which is not its owner's. */
const signingKey = (account: string): Wallet => new Wallet(developmentKey(Number(account) + 100));
const numberIn = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1]);

/** The life of validators and delegators on the chain of the pages' tests: its clock only goes on. */
export function stakeCases(world: () => PageWorld): void {
  /** The command in a process of its own, as its user has it. */
  const started = (...options: string[]): Promise<Result> =>
    world().local.run(["scripts/stake/cli.ts", ...options]);
  const runStake = (options: readonly string[], key?: string): Promise<Result> =>
    runHere({
      ...{ path: "scripts/stake/cli.ts", options },
      environment: { HACA_RPC_URL: world().local.url, HACA_VALIDATOR_KEY: key },
    });
  /** The same command line in this process, which saves a second each. */
  const stake = (...options: string[]): Promise<Result> => runStake(options);
  const stakeWith = (key: Wallet, ...options: string[]): Promise<Result> =>
    runStake(options, key.privateKey);
  /** Runs commands that must all send nothing, and looks for a text in the line of each. */
  const refusals = async (
    cases: readonly (readonly [options: readonly string[], text: string])[],
  ): Promise<void> => {
    for (const [options, text] of cases) {
      expect(await refusalOn(world().provider, stake(...options))).toContain(text);
    }
  };

  let book: AddressBook;
  let staking: ContractOf<"ValidatorStaking">;
  let token: ContractOf<"OPG">;
  let goodPage: { id: string; header: unknown };
  const at = <Name extends "ValidatorStaking" | "OPG" | "PageSettlement" | "RewardRouter">(
    name: Name,
    runner: Parameters<typeof contractAt>[0]["runner"] = world().provider,
  ) => contractAt({ name, address: book.contracts[name]?.address ?? "", runner });
  const balanceOf = (account: string): Promise<bigint> => token.balanceOf(account);

  async function asGovernance() {
    const { provider } = world();
    const timelock = book.contracts.TimelockController?.address ?? "";
    await provider.send("hardhat_impersonateAccount", [timelock]);
    await provider.send("hardhat_setBalance", [timelock, "0xde0b6b3a7640000"]);
    return new JsonRpcSigner(provider, timelock);
  }

  /** Brings signatures of owners' keys for a page, as anybody may. */
  async function attest(page: { id: string; header: unknown }, owners: readonly string[]) {
    const { provider } = world();
    const epoch = BigInt((await provider.getBlock("latest"))?.timestamp ?? 0) / EPOCH_SECONDS;
    if (BigInt(await staking.snapshotHashOf(epoch)) === 0n) {
      await success(stake("freeze", ...as(STRANGER)));
    }
    const [frozen] = (await staking.queryFilter("SnapshotFrozen"))
      .map((log) => (log as EventLog).args)
      .filter((args) => args.epoch === epoch);
    const snapshot: bigint[] = [...(frozen?.snapshot ?? [])];
    const { members } = decodeSnapshot(snapshot);
    let signers = 0n;
    const signatures: string[] = [];
    for (const [index, member] of members.entries()) {
      const owner = owners.find((account) => signingKey(account).address === member.key);
      if (owner === undefined) continue;
      signers |= 1n << BigInt(index);
      signatures.push(await sign(owner, page.id));
    }
    const door = at("ValidatorStaking", await provider.getSigner(addressOf(STRANGER)));
    await (await door.attest(page.header as never, snapshot, signers, concat(signatures))).wait();
  }
  const sign = async (owner: string, pageId: string) =>
    signAttestation({
      ...{ chainId: BigInt(CHAIN_ID), staking: await staking.getAddress() },
      ...{ pageId, key: signingKey(owner) },
    });

  beforeAll(async () => {
    book = readAddressBook(BOOK);
    staking = at("ValidatorStaking");
    token = at("OPG");
    const { provider } = world();
    const from = at("OPG", await provider.getSigner(LIQUIDITY));
    for (const account of [...OWNERS.map(addressOf), addressOf(DELEGATOR), SAFE]) {
      await (await from.transfer(account, parseEther("50000"))).wait();
    }
    // For a page and its fee, whatever was left there.
    await world().deposit();
    await world().deposit();
  });

  it("says what a validator needs before anything is sent", async () => {
    const status = await success(started("status"));
    expect(status).toContain("0 of 21 members");
    expect(status).toContain("not possible: governance has named nobody to vouch for pages");
    expect(status).toContain("stream       nothing");
    const [owner] = OWNERS;
    const withKey = ["--key", addressOf(owner), "--consent", `0x${"11".repeat(65)}`];
    await refusals([
      [["stake", "x", ...as(owner)], "amount x is no amount of OPG"],
      [["stake", "0.5", ...as(owner)], "a pool takes 1.0 OPG or more"],
      [["stake", "10000", ...as(owner)], "--commission <percent> is needed"],
      [["stake", "10000", "--commission", "20.01", ...as(owner)], "must be 20 % at most"],
      [["stake", "10000", "--commission", "-1", ...as(owner)], "commission must be a percentage"],
      [["stake", "10000", "--commission", "5", ...as(owner)], "a key is needed"],
      [["stake", "10000", "--commission", "5", "--key", SAFE, ...as(owner)], "go together"],
      [["stake", "10000", "--commission", "5", ...withKey, ...as(owner)], "is not by key"],
      [["enter", ...as(owner)], "is no validator"],
      [["exit", ...as(owner)], "is not in the set"],
      [["commission", "5", ...as(owner)], "is no validator"],
      [["key", "take-back", ...as(owner)], "is no validator"],
      [["delegate", addressOf(owner), "5"], "is no validator"],
      [["delegate", "0x12", "5"], "validator 0x12 is no address"],
      [["simulate", addressOf(owner), "5"], "is no validator"],
      [["withdraw"], "is on its way out"],
      [["claim"], "no rewards of any pool"],
      [["forward"], "governance has named nobody who gets rewards"],
      [["pay"], "waits for its signers to be paid"],
      [["pay", "--epoch", "x"], "epoch must be a day's number"],
      [["slash", NOT_PROPOSED, addressOf(owner)], "is no validator"],
      [["slash", "0x12", addressOf(owner)], "page must be 0x and 64 hex digits"],
      [["freeze", "--safe", "x.json"], "go together"],
    ]);
    const tooMuch = ["stake", "60000", "--commission", "5", ...as(owner)];
    expect(await refusalOn(world().provider, stakeWith(signingKey(owner), ...tooMuch))).toContain(
      "has 50000.0 OPG, and 60000.0 OPG are needed",
    );
  });

  it("registers owners with keys, and takes them into the set", async () => {
    const [first, second, third] = OWNERS;
    const key = signingKey(first);
    const less = ["stake", "9999", "--commission", "10", ...as(first)];
    const output = await success(stakeWith(key, ...less));
    expect(output).toContain(`signatures are those of key ${key.address}`);
    expect(output).toContain("take 9999.0 OPG, once");
    expect(output).toContain("stake comes back 21 days after the end of the day");
    await refusals([
      [["enter", ...as(first)], "and 10000.0 OPG are needed"],
      [[...less], "--commission is for who is no validator yet"],
    ]);
    expect(await success(stake("stake", "30001", ...as(first)))).toContain("has 9999.0 OPG now");

    // A key that is on another machine says on paper that it is for this owner.
    const consent = await success(
      stakeWith(signingKey(second), "key", "consent", addressOf(second)),
    );
    const signature = /consent +(0x\w+)/.exec(consent)?.[1] ?? "";
    const given = ["--key", signingKey(second).address, "--consent", signature];
    const commission = ["--commission", "10"];
    const taken = ["--key", key.address, "--consent", signature];
    const wrong = ["--key", signingKey(third).address, "--consent", signature];
    await refusals([
      [["stake", "30000", ...commission, ...taken, ...as(second)], "is or was validator"],
      [["stake", "30000", ...commission, ...wrong, ...as(second)], "the consent is not by key"],
    ]);
    await success(started("stake", "30000", ...commission, ...given, ...as(second)));
    await success(
      stakeWith(signingKey(third), "stake", "30000", "--commission", "7.25", ...as(third)),
    );
    for (const owner of OWNERS) await success(started("enter", ...as(owner)));
    await refusals([[["enter", ...as(first)], "is in the set already"]]);
    await (await at("PageSettlement", await asGovernance()).setAttester(staking.target)).wait();
    // Nothing of this counts before the next epoch.
    await later(world().provider, DAY);
    const status = await success(stake("status"));
    expect(status).toContain("3 of 21 members, 100000.0 OPG; 3 for the next epoch");
    expect(status).toMatch(/more than 66666\.6+ OPG; possible/);
    expect(status).toMatch(new RegExp(`${addressOf(third)} +30000.0 OPG +30 % .*7.25 %`));
  });

  it("delegates with what that takes over said beforehand, and says what it would earn", async () => {
    const [first] = OWNERS;
    await success(stake("add-rewards", "80000", ...as(String(LIQUIDITY))));
    goodPage = await world().propose({ page: 100n, places: [0, 1], fee: parseEther("7") });
    await attest(goodPage, OWNERS);
    const output = await success(started("delegate", addressOf(first), "10000", ...as(DELEGATOR)));
    expect(output).toContain(`lets ${staking.target} take 10000.0 OPG, once`);
    expect(output).toContain("1 page(s) of its quorums can still be shown wrong, 5 % each");
    expect(output).toContain("stake comes back 21 days");
    expect(await token.allowance(addressOf(DELEGATOR), staking.target)).toBe(0n);
    await refusals([
      [["delegate", addressOf(first), "0.9", ...as(DELEGATOR)], "a pool takes 1.0 OPG or more"],
      [["delegate", addressOf(first), "50000", ...as(DELEGATOR)], "and 50000.0 OPG are needed"],
      [["delegate", addressOf(first), "5", "--permit"], "unknown option '--permit'"],
    ]);

    const prospect = await success(started("simulate", addressOf(first), "10000"));
    expect(prospect).toMatch(/comes back +undelegated now: from 20\d\d-/);
    expect(prospect).toContain("5 % with a quorum: 501.");
    const before = numberIn(prospect, /earns +([\d.]+) OPG a year/);
    const { provider } = world();
    // What is said for 10,000 more is what 10,000 of 110,000 earn, times 110 in 120.
    await later(provider, DAY);
    const owed = await staking.claimRewards.staticCall(addressOf(first), {
      from: addressOf(DELEGATOR),
    });
    expect(Number(formatEther(owed)) / ((before / 365) * (120 / 110))).toBeCloseTo(1, 2);
    const mine = await success(stake("status", "--mine", ...as(DELEGATOR)));
    expect(mine).toMatch(
      new RegExp(`10000.0 OPG with ${addressOf(first)}; \\d+\\.\\d+ OPG of rewards to claim`),
    );
    const funds = await balanceOf(addressOf(DELEGATOR));
    await success(started("claim", ...as(DELEGATOR)));
    expect(await balanceOf(addressOf(DELEGATOR))).toBeGreaterThanOrEqual(funds + owed);
    await refusals([[["claim", ...as(STRANGER)], "no rewards of any pool"]]);
  });

  it("pays signers, and slashes those who signed what is wrong", async () => {
    const [first, second, third] = OWNERS;
    const paid = await success(stake("pay", ...as(STRANGER)));
    expect(paid).toContain("the signers of 1 page(s)");
    expect(paid).toContain("earn 7.0 OPG of fees");
    await refusals([
      [["pay"], "waits for its signers to be paid"],
      [["slash", goodPage.id, addressOf(first)], "nothing was shown to be wrong"],
      [["slash", NOT_PROPOSED, addressOf(first)], "was proposed on this chain"],
    ]);
    const wrong = await world().propose({ page: 101n, places: [0], bad: [0] });
    await attest(wrong, [first, second]);
    await world().challenge(wrong.id);
    const before = await staking.validatorOf(addressOf(first));
    const output = await success(started("slash", wrong.id, addressOf(first), ...as(STRANGER)));
    expect(output).toContain("5 % of what answers");
    expect(await balanceOf(addressOf(STRANGER))).toBe(parseEther("10"));
    const { stake: left } = await staking.validatorOf(addressOf(first));
    expect(before.stake - left).toBe(before.stake / 20n + parseEther("10"));
    const signature = await sign(third, wrong.id);
    await refusals([
      [["slash", wrong.id, addressOf(first)], "was slashed for page"],
      [["slash", wrong.id, addressOf(third)], "is not among the signers"],
      [["slash", wrong.id, addressOf(third), "--signature", "0x12"], "128 hex digits"],
      [["slash", wrong.id, addressOf(first), "--signature", signature], "is not by a key of"],
      [
        ["slash", wrong.id, addressOf(second), "--signature", await sign(second, wrong.id)],
        "was part of the page's quorum",
      ],
    ]);
    const shown = await success(
      stake("slash", wrong.id, addressOf(third), "--signature", signature, ...as(STRANGER)),
    );
    expect(shown).toContain("1 % of what answers");
    await world().deposit();
  });

  it("changes commission and key when their time has come", async () => {
    const [first] = OWNERS;
    const next = new Wallet(NEW_KEY);
    expect(await success(started("commission", "8", ...as(first)))).toContain(
      "10 % -> 8 %, at once",
    );
    expect(await success(stake("commission", "12.5", ...as(first)))).toContain("can be 12.5 %");
    expect(await success(stakeWith(next, "key", "announce", ...as(first)))).toContain(
      `${next.address} can take the place`,
    );
    await refusals([
      [["commission", "12.5", ...as(first)], "12.5 % is announced already"],
      [["apply", addressOf(first)], "has announced only a key from"],
      [["apply", addressOf(OWNERS[1])], "has announced nothing"],
    ]);
    await later(world().provider, 2 * DAY);
    expect(await success(stake("key", "apply", addressOf(first), ...as(STRANGER)))).toContain(
      `-> ${next.address}`,
    );
    await later(world().provider, 5 * DAY);
    expect(await success(stake("apply", ...as(first)))).toContain("8 % -> 12.5 %");
    await refusals([
      [["commission", "12.5", ...as(first)], "it is 12.5 % already"],
      [["key", "take-back", ...as(first)], "has announced no key"],
    ]);
  });

  it("takes stake out, pays it when it is due, and leaves the set", async () => {
    const [first, second] = OWNERS;
    const { provider } = world();
    const out = await success(started("undelegate", addressOf(first), "4000", ...as(DELEGATOR)));
    expect(out).toMatch(/4000\.0+\d* OPG of .* can be withdrawn from 20\d\d-/);
    await refusals([
      [["undelegate", addressOf(first), "9000", ...as(DELEGATOR)], "OPG with"],
      [["undelegate", addressOf(first), "1", ...as(STRANGER)], "has no stake with"],
      [["withdraw", ...as(DELEGATOR)], "the first can be withdrawn from"],
      [["withdraw", addressOf(second), ...as(DELEGATOR)], "is on its way out of"],
    ]);
    // An owner who keeps too little leaves the set with the same call.
    const owner = await success(stake("undelegate", addressOf(second), "25000", ...as(second)));
    expect(owner).toContain(`${addressOf(second)} leaves the set: an owner needs 10000.0 OPG`);
    await success(stake("exit", ...as(first)));
    await refusals([[["exit", ...as(first)], "is not in the set"]]);
    const mine = await success(stake("status", addressOf(DELEGATOR)));
    expect(mine).toMatch(/unbonding +4000\.0\d* OPG of 0x\w{40}: can be withdrawn from 20/);
    await later(provider, 22 * DAY);
    const before = await balanceOf(addressOf(DELEGATOR));
    await success(started("withdraw", ...as(DELEGATOR)));
    expect((await balanceOf(addressOf(DELEGATOR))) - before).toBeGreaterThanOrEqual(
      parseEther("4000"),
    );
    await success(stake("undelegate", addressOf(first), "all", ...as(DELEGATOR)));
    const { content } = await staking.delegationOf(addressOf(first), addressOf(DELEGATOR));
    expect(content.shares).toBe(0n);
  });

  it("writes what a Safe is to send, approval and all, and sends nothing", async () => {
    const [, , third] = OWNERS;
    const { local, provider } = world();
    const file = join(local.folder, "safe.json");
    const height = await provider.send("eth_blockNumber", []);
    const forSafe = ["--safe", file, "--as", SAFE];
    const output = await success(stake("delegate", addressOf(third), "2000", ...forSafe));
    expect(output).toContain("delegate could not be tried before it is allowed");
    expect(output).toContain("not sent");
    expect(await provider.send("eth_blockNumber", [])).toBe(height);
    const { transactions } = JSON.parse(readFileSync(file, "utf8"));
    expect(transactions).toHaveLength(2);
    await provider.send("hardhat_impersonateAccount", [SAFE]);
    await provider.send("hardhat_setBalance", [SAFE, "0xde0b6b3a7640000"]);
    const signer = new JsonRpcSigner(provider, SAFE);
    for (const { data, to } of transactions) {
      await (await signer.sendTransaction({ to, data })).wait();
    }
    const { stake: there } = await staking.delegationOf(addressOf(third), SAFE);
    expect(there).toBeGreaterThan(parseEther("1999.9"));
    await refusals([
      // Whoever has no validator's stake cannot enter, whatever a file would say.
      [["enter", ...forSafe], "is no validator"],
      [["exit", "--as", SAFE], "go together"],
    ]);
  });

  it("passes on what the router holds, once governance has named who gets it", async () => {
    const { provider } = world();
    const router = at("RewardRouter", await asGovernance());
    await (await router.setRecipient(staking.target)).wait();
    await refusals([[["forward"], "the router holds nothing"]]);
    const from = at("OPG", await provider.getSigner(LIQUIDITY));
    await (await from.transfer(router.target, parseEther("800"))).wait();
    expect(await success(stake("forward", ...as(STRANGER)))).toContain("800.0 OPG of the router");
    const status = await success(stake("status"));
    expect(numberIn(status, /stream +([\d.]+) OPG a day/)).toBeGreaterThan(99);
    expect(status.split("\n").length).toBeLessThan(20);
  });
}
