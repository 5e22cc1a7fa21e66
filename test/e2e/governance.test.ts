import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import type { ListedName } from "@haca/protocol/contracts";
import { UPTO_PROXY_ADDRESS } from "@haca/protocol/signedPayments";
import { signSigningKey } from "@haca/protocol/validatorStaking";
import {
  AbiCoder,
  concat,
  Interface,
  id,
  type JsonRpcProvider,
  parseEther,
  toUtf8Bytes,
  Wallet,
} from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contractAt } from "../../scripts/lib/contracts.ts";
import { placeProxy } from "./escrowCases.ts";
import {
  BOOK,
  failure,
  GUARDIAN,
  LIQUIDITY,
  LocalDeployment,
  later,
  rejection,
  success,
} from "./localDeployment.ts";

/** Of `deployments/parameters/localhost.json`. */
const IMAGE_APPROVER = 9;
const STRANGER = 12;
const TWO_DAYS = 2 * 24 * 60 * 60;
const PCR = `0x${"11".repeat(48)}`;
const IMAGE = [PCR, PCR, PCR, "v2", "LLMProxy", "ab".repeat(20), "https://example.org/enclave"];

let local: LocalDeployment;
let provider: JsonRpcProvider;
beforeAll(async () => {
  local = await LocalDeployment.start();
  await success(local.deploy());
  provider = await local.delegate();
  await stake();
});
afterAll(async () => {
  provider.destroy();
  await local.stop();
});

const as = (account: number): string[] => ["--account", String(account)];
const asLiquidity = as(LIQUIDITY);
const governance = (...options: string[]) => local.governance(...options);
const numberIn = (output: string): string => /^proposal (\d+)$/m.exec(output)?.[1] ?? "";
const addressOf = async (account: number): Promise<string> =>
  (await provider.getSigner(account)).address;
const transactionsOf = async (account: number): Promise<number> =>
  provider.getTransactionCount(await addressOf(account));
const propose = async (...action: string[]): Promise<string> =>
  numberIn(await success(governance("propose", ...action, ...asLiquidity)));
const addressIn = (name: ListedName): string =>
  readAddressBook(BOOK).contracts[name]?.address ?? "";

/** The account that proposes and votes has some of its OPG in a pool of its own. */
async function stake(): Promise<void> {
  const runner = await provider.getSigner(LIQUIDITY);
  const staking = addressIn("ValidatorStaking");
  const key = new Wallet(id("a validator's key"));
  const { chainId } = await provider.getNetwork();
  const consent = await signSigningKey({ chainId, staking, validator: runner.address, key });
  const token = contractAt({ name: "OPG", address: addressIn("OPG"), runner });
  await (await token.approve(staking, parseEther("20000"))).wait();
  const contract = contractAt({ name: "ValidatorStaking", address: staking, runner });
  await (await contract.register(key.address, consent, 0n, parseEther("20000"))).wait();
  await later(provider, 2);
}

describe("npm run governance", () => {
  it("takes a proposal from words to its execution, looking before each step", async () => {
    const simulated = await success(
      governance("propose", "set-settlement-window", "86400", "--simulate"),
    );
    expect(simulated).toContain("from 604800 s (7 days) to 86400 s (1 day)");
    expect(simulated).toMatch(/execute +ok/);
    expect(await success(governance("list"))).toContain("0 proposals");

    const proposal = await propose("set-settlement-window", "86400");
    const step = (command: string, ...rest: string[]) =>
      governance(command, proposal, ...rest, ...asLiquidity);
    expect(await success(governance("status", proposal))).toContain("state pending");
    expect(await failure(step("vote", "for"))).toContain("is pending: its vote begins after");
    await later(provider, 61);

    // Nothing is sent where nothing would change, or where it is only tried or written.
    const sent = await transactionsOf(LIQUIDITY);
    expect(await failure(governance("vote", proposal, "for", ...as(STRANGER)))).toContain(
      "had no votes at the snapshot",
    );
    expect(await success(step("vote", "for", "--simulate"))).toContain("castVote ok as");
    const safe = join(local.folder, "vote.json");
    const safeAddress = await addressOf(LIQUIDITY);
    await success(governance("vote", proposal, "for", "--safe", safe, "--as", safeAddress));
    expect(JSON.parse(readFileSync(safe, "utf8")).transactions[0].to).toBe(
      addressIn("HacaGovernor"),
    );
    expect(await failure(step("queue"))).toContain("is active and cannot be queued");
    expect(await transactionsOf(LIQUIDITY)).toBe(sent);

    expect(await success(step("vote", "for"))).toContain(
      "60000000.0 votes, 20000.0 of them by stake, for proposal",
    );
    expect(await failure(step("vote", "against"))).toContain("has voted on proposal");
    await later(provider, 301);
    expect(await success(governance("status", proposal))).toContain("state succeeded");
    expect(await failure(step("execute"))).toContain("it has to be queued first");
    expect(await success(step("queue", "--simulate"))).toContain("queue ok");
    await success(step("queue"));
    expect(await failure(step("execute"))).toContain("is in the timelock: executable from");
    await later(provider, 121);
    await success(step("execute"));
    expect(await failure(step("execute"))).toContain("is executed and cannot be executed");
    expect(await success(governance("status", proposal))).toContain("state executed");
    expect(await success(governance("decode", proposal))).toContain(
      "InferenceSettlement.setSettlementWindow(window: 86400)",
    );
  });

  it("lets the guardian cancel, also where it is a Safe, and nobody else", async () => {
    const proposal = await propose("set-quorum", "9");
    await later(provider, 61);
    await success(governance("vote", proposal, "for", ...asLiquidity));
    await later(provider, 301);
    await success(governance("queue", proposal));
    expect(await failure(governance("cancel", proposal))).toContain(
      "AccessControlUnauthorizedAccount(account: 0x",
    );
    const guardian = await addressOf(GUARDIAN);
    const file = join(local.folder, "cancel.json");
    await success(governance("cancel", proposal, "--safe", file, "--as", guardian));
    expect(await success(governance("status", proposal))).toContain("state queued");
    const [{ to, data }] = JSON.parse(readFileSync(file, "utf8")).transactions;
    expect(to).toBe(addressIn("TimelockController"));
    await (await (await provider.getSigner(GUARDIAN)).sendTransaction({ to, data })).wait();
    expect(await success(governance("status", proposal))).toContain("state canceled");
    expect(await failure(governance("cancel", proposal, ...as(GUARDIAN)))).toContain(
      "is canceled and cannot be canceled: that is final",
    );
  });

  it("proposes what nobody else can propose first, and again after a defeat", async () => {
    const proposer = await addressOf(LIQUIDITY);
    const file = join(local.folder, "propose.json");
    const written = await success(
      governance("propose", "set-quorum", "5", "--safe", file, "--as", proposer),
    );
    expect(written).toMatch(/^expected number, once the Safe has sent it: \d+$/m);
    expect(numberIn(written)).toBe("");
    const [{ to, data }] = JSON.parse(readFileSync(file, "utf8")).transactions;
    const stranger = await addressOf(STRANGER);
    const restricted = id("GovernorRestrictedProposer(address)").slice(0, 10);
    expect(await rejection(provider.call({ from: stranger, to, data }))).toMatchObject({
      data: expect.stringContaining(restricted),
    });

    const defeated = await propose("set-quorum", "5");
    await later(provider, 362);
    expect(await success(governance("status", defeated))).toContain("state defeated");
    expect(await failure(governance("queue", defeated))).toContain("it did not pass");
    expect(await propose("set-quorum", "5")).not.toBe(defeated);
  });

  it("says of an account without enough votes that it cannot propose, and sends nothing", async () => {
    const refused = await governance("propose", "set-quorum", "6", ...as(STRANGER));
    expect(refused.output).toContain("has 0.0 votes and needs 1000000.0 to propose");
    expect(refused.output).not.toMatch(/^proposal \d/m);
    expect(await transactionsOf(STRANGER)).toBe(0);
  });

  it("lists, decodes, votes on and cancels a proposal whose text is no UTF-8", async () => {
    const target = addressIn("HacaGovernor");
    const call = new Interface(["function setVotingPeriod(uint32)"]);
    const text = concat([toUtf8Bytes("Voting p"), "0xe9", toUtf8Bytes("riode\u001b[2J\u0000")]);
    const values = AbiCoder.defaultAbiCoder().encode(
      ["address[]", "uint256[]", "bytes[]", "bytes"],
      [[target], [0n], [call.encodeFunctionData("setVotingPeriod", [301])], text],
    );
    const selector = id("propose(address[],uint256[],bytes[],string)").slice(0, 10);
    const signer = await provider.getSigner(LIQUIDITY);
    const sent = await signer.sendTransaction({ to: target, data: concat([selector, values]) });
    const receipt = await sent.wait();
    const proposal = BigInt(receipt?.logs[0]?.data.slice(0, 66) ?? 0).toString();

    const shown = "Voting p\ufffdriode?[2J?";
    expect(await success(governance("list"))).toContain(`${proposal}  pending  ${shown}`);
    await later(provider, 61);
    expect(await success(governance("decode", proposal))).toContain(shown);
    await success(governance("vote", proposal, "for", ...asLiquidity));
    await later(provider, 301);
    await success(governance("queue", proposal));
    await success(governance("cancel", proposal, ...as(GUARDIAN)));
    expect(await success(governance("status", proposal))).toContain("state canceled");
  });

  it("approves an image as the image approver: scheduled, shown, cancelled or made when due", async () => {
    const approve = (...options: string[]) =>
      governance("as-role", "approve-image", ...IMAGE, ...options);
    expect(await failure(approve())).toContain("does not hold role 3");
    const approver = as(IMAGE_APPROVER);
    expect(await success(approve(...approver, "--simulate"))).toContain("schedule ok");
    const operationIn = (output: string): string =>
      /^operation (0x\w{64})$/m.exec(output)?.[1] ?? "";
    const first = operationIn(await success(approve(...approver)));
    expect(await failure(approve(...approver))).toContain("AccessManagerAlreadyScheduled");
    expect(await success(governance("scheduled"))).toContain(
      "TEERegistry.approveImage(measurement: 0x",
    );
    expect(await failure(governance("execute-scheduled", first, ...approver))).toContain(
      "is due from",
    );
    await success(governance("cancel-scheduled", first, ...as(GUARDIAN)));
    expect(await failure(governance("cancel-scheduled", first, ...approver))).toContain(
      "is executed, cancelled or expired",
    );

    const second = operationIn(await success(approve(...approver)));
    await later(provider, TWO_DAYS + 1);
    expect(await failure(governance("execute-scheduled", second))).toContain(
      "can only be executed by",
    );
    await success(governance("execute-scheduled", second, ...approver));
    expect(await failure(approve(...approver))).toContain("is approved for LLMProxy (0) already");
    expect(await success(governance("scheduled"))).toContain("0 operations");
  });

  it("delegates votes, saying from whom to whom", async () => {
    const stranger = await addressOf(STRANGER);
    const delegated = await success(governance("delegate", stranger, ...as(STRANGER)));
    expect(delegated).toContain(`of ${stranger}: nobody -> ${stranger}`);
    expect(await failure(governance("delegate", stranger, ...as(STRANGER)))).toContain("already");
  });

  it("closes and opens contracts and says who keeps a role, as ADMIN, by proposals", async () => {
    const simulated = (...action: string[]) =>
      success(governance("propose", ...action, "--simulate"));
    const closed = await simulated("close-contract", "TEERegistry");
    expect(closed).toMatch(/restricted functions of TEERegistry 0x\w{40}: open -> closed/);
    expect(closed).toMatch(/execute +ok/);
    const admin = await simulated("set-role-admin", "REGISTRAR", "GOVERNANCE");
    expect(admin).toContain("of REGISTRAR: ADMIN -> GOVERNANCE");
    expect(admin).toMatch(/execute +ok/);
    expect(await simulated("set-role-guardian", "REGISTRAR", "GUARDIAN")).toMatch(/execute +ok/);
    for (const [action, text] of [
      [["open-contract", "TEERegistry"], "is open already"],
      [["close-contract", "AccessManager"], "cannot be closed"],
      [["close-contract", "VestingVault"], "is none of the deployment's"],
      [["set-role-guardian", "IMAGE_APPROVER", "GUARDIAN"], "that is GUARDIAN already"],
      [["set-role-admin", "ADMIN", "GUARDIAN"], "ADMIN keeps itself"],
      [["set-role-admin", "NOBODY", "GUARDIAN"], "role must be one of ADMIN"],
    ] as const) {
      expect(await failure(governance("propose", ...action))).toContain(text);
    }
  });

  it("names who vouches for pages and gets rewards, and sets what validators need and lose", async () => {
    const simulated = (...action: string[]) =>
      success(governance("propose", ...action, "--simulate"));
    const { ValidatorStaking } = readAddressBook(BOOK).contracts;
    const staking = ValidatorStaking?.address ?? "";
    for (const [action, text] of [
      [["set-page-attester", staking], `to the short road: nobody -> ${staking}`],
      [["set-reward-recipient", staking], `who gets staking rewards: nobody -> ${staking}`],
      [
        ["set-stake-parameters", "20000", "50000", "750", "200", "1500", "20"],
        "loss with a quorum 5 %, without 1 %, in a day 10 %, bounty 10.0 OPG -> owners 20000.0 OPG",
      ],
    ] as const) {
      const output = await simulated(...action);
      expect(output).toContain(text);
      expect(output).toMatch(/execute +ok/);
    }
    const parameters = (...values: string[]) => ["set-stake-parameters", ...values];
    for (const [action, text] of [
      [["set-reward-recipient", "none"], "nobody gets staking rewards already"],
      [["set-reward-recipient", await addressOf(STRANGER)], "is no contract on this chain"],
      [["set-reward-recipient", "someone"], "is no address, and not none"],
      [parameters("10000", "30000", "500", "100", "1000", "10"), "are the parameters already"],
      [
        parameters("99", "30000", "500", "100", "1000", "0"),
        "of an owner is between 100.0 OPG and",
      ],
      [
        parameters("10000", "999", "500", "100", "1000", "0"),
        "of the set is between 1000.0 OPG and",
      ],
      [parameters("10000", "30000", "1001", "100", "1000", "0"), "no integer from 100 to 1000"],
      [parameters("10000", "30000", "200", "300", "1000", "0"), "is larger than the one with"],
      [parameters("10000", "30000", "500", "100", "999", "0"), "no integer from 1000 to 10000"],
      [parameters("10000", "30000", "500", "100", "1000", "25.1"), "a bounty above 25.0 OPG"],
    ] as const) {
      expect(await failure(governance("propose", ...action))).toContain(text);
    }
  });

  it("creates feeds of data nodes, says what they observe and where, and knows those there are", async () => {
    const simulated = (...action: string[]) =>
      success(governance("propose", ...action, "--simulate"));
    const feed = ["ETH / USD", "8", "https://prices.example/eth-usd", "/price"];
    const output = await simulated("create-feed", ...feed, "3600", "200", "3");
    expect(output).toContain(
      "/price of https://prices.example/eth-usd (source 0x83f88b13583bfd3c12a155bbc0a89c00a8839c81",
    );
    expect(output).toContain("8 decimals, a round every 1 hour, observations within 2 % of");
    expect(output).toMatch(/new feed ETH \/ USD, id 0x\w{64}, read at 0x\w{40}/);
    expect(output).toMatch(/execute +ok/);
    const unknown = `0x${"00".repeat(32)}`;
    const create = (...values: string[]) => ["create-feed", "a", ...values];
    const rest = ["/price", "3600", "200", "3"];
    for (const [action, text] of [
      [create("19", "https://a", ...rest), "no integer from 0 to 18"],
      [create("8", "ftp://a", ...rest), "url ftp://a is none of http or https"],
      [create("8", "https://a", "price", "3600", "200", "3"), "does not begin with /"],
      [create("8", "https://a", "/price", "59", "200", "3"), "no integer from 60 to 86400"],
      [create("8", "https://a", "/price", "60", "0", "3"), "no integer from 1 to 5000"],
      [create("8", "https://a", "/price", "60", "1", "2"), "no integer from 3 to 15"],
      [["create-feed", "a".repeat(65), "8", "https://a", ...rest], "more than 64 bytes"],
      [["set-feed-parameters", unknown, "60", "1", "3"], `there is no feed ${unknown}`],
      [["close-feed", unknown], `there is no feed ${unknown}`],
      [["close-feed", "0x00"], "must be 0x and 64 hex digits"],
    ] as const) {
      expect(await failure(governance("propose", ...action))).toContain(text);
    }
  });

  it("adds an escrow to a deployment that has none, and sets its tokens and its fee", async () => {
    const stranger = await addressOf(STRANGER);
    const add = ["propose", "add-escrow"];
    expect(await failure(governance(...add))).toContain("there is no x402 proxy at 0x4020A4f3");
    expect(await failure(governance("propose", "set-escrow-fee", "1", stranger))).toContain(
      "InferenceEscrow is not in the address book",
    );
    await placeProxy(provider);
    expect(await success(local.deploy())).toContain(
      "handed over without InferenceEscrow: governance adds it (add-escrow)",
    );
    expect(addressIn("InferenceEscrow")).toBe("");
    expect(await failure(governance(...add, stranger))).toContain("there is no x402 proxy at");
    expect(await failure(governance(...add, "proxy"))).toContain("x402's proxy proxy is no addre");
    const proxy = UPTO_PROXY_ADDRESS;
    const unknown = `0x${"12".repeat(32)}`;
    expect(await failure(governance(...add, proxy, addressIn("OPG"), unknown))).toContain(
      "did not create",
    );
    const simulated = await success(governance(...add, "--simulate"));
    expect(simulated).toContain("may call setToken(address,bool), setFee(uint16,address) of the");
    expect(simulated).toMatch(/new payments in OPG 0x\w+: refused -> taken/);
    expect(simulated).toMatch(/execute +ok/);

    const proposed = await success(governance(...add, ...asLiquidity));
    const [, address = "", created = ""] =
      /InferenceEscrow (0x\w{40}): transaction (0x\w{64})/.exec(proposed) ?? [];
    const record = () => governance("record-escrow", created);
    expect(await failure(record())).toContain(`governance does not rule ${address}`);
    // Whoever checks the proposal names what was created.
    const checking = await success(governance(...add, proxy, address, created, "--simulate"));
    expect(checking).toMatch(/execute +ok/);
    const proposal = numberIn(proposed);
    await later(provider, 61);
    await success(governance("vote", proposal, "for", ...asLiquidity));
    await later(provider, 301);
    await success(governance("queue", proposal, ...asLiquidity));
    await later(provider, 121);
    await success(governance("execute", proposal, ...asLiquidity));
    await success(record());
    expect(addressIn("InferenceEscrow")).toBe(address);
    expect(await failure(record())).toContain(`names ${address} already`);
    expect(await failure(governance(...add))).toContain(`there is an escrow already, ${address}`);
    expect(await success(local.check())).toMatch(
      /InferenceEscrow: OPG 0x\w+ is taken: no when deployed, now yes: by governance/,
    );
    expect(await success(local.deploy())).not.toContain("InferenceEscrow: ");

    const opg = addressIn("OPG");
    for (const [action, text] of [
      [["set-escrow-fee", "250", stranger], `fee of payments: none -> 2.5 % to ${stranger}`],
      [["set-escrow-token", opg, "refuse"], `new payments in OPG ${opg}: taken -> refused`],
      [
        ["set-escrow-token", addressIn("StakedVotes"), "allow"],
        "which has no symbol: refused -> taken",
      ],
    ] as const) {
      const output = await success(governance("propose", ...action, "--simulate"));
      expect(output).toContain(text);
      expect(output).toMatch(/execute +ok/);
    }
    for (const [action, text] of [
      [["set-escrow-fee", "1001", stranger], "no integer from 0 to 1000"],
      [["set-escrow-fee", "0", "none"], "the fee is none already"],
      [["set-escrow-fee", "0", stranger], "a fee has a receiver, and no fee has none"],
      [["set-escrow-fee", "5", "none"], "a fee has a receiver, and no fee has none"],
      [["set-escrow-fee", "5", address], "the escrow cannot receive its own fee"],
      [["set-escrow-fee", "5", "someone"], "receiver someone is no address"],
      [["set-escrow-token", opg, "allow"], "are taken already"],
      [["set-escrow-token", stranger, "allow"], "is no contract on this chain"],
      [["set-escrow-token", opg, "maybe"], "choice must be one of allow, refuse, got maybe"],
      [["set-escrow-token", opg], "choice is missing"],
    ] as const) {
      expect(await failure(governance("propose", ...action))).toContain(text);
    }
  });

  it("refuses what it cannot understand or what changes nothing, each in one line", async () => {
    const guardian = await addressOf(GUARDIAN);
    const stranger = await addressOf(STRANGER);
    for (const [options, text] of [
      [["propose", "make-coffee"], "no action make-coffee"],
      [["propose", "set-quorum", "101"], "no integer from 1 to 100"],
      [["propose", "set-quorum", "0"], "no integer from 1 to 100"],
      [["propose", "ban-node", `0x${"00".repeat(32)}`], "governance -- guardian ban-node"],
      [["propose", "set-settlement-window", "5", "--simulate"], "SettlementWindowInvalid(minimum"],
      [["propose", "set-timelock-delay", "119", "--simulate"], "is never below 120 s"],
      [["propose", "replace-guardian", guardian, guardian], "are one account"],
      [["propose", "replace-guardian", stranger, guardian], "is not the guardian"],
      [["status", "12"], "knows no proposal 12"],
      [["status", "twelve"], "a proposal has a number"],
      [["vote", "12", "for", "--account", "99"], "--account must be a number below"],
      [["list", "--simulate"], "unknown option '--simulate'"],
      [["queue", "12", "--description", "text"], "unknown option '--description'"],
      [["cancel", "12", "--safe", "file.json"], "--safe needs the Safe's own address"],
      [["cancel", "12", "--as", stranger], "--as goes with --safe or --simulate"],
      [["execute-scheduled", `0x${"00".repeat(32)}`], "was never scheduled"],
    ] as const) {
      expect(await failure(governance(...options))).toContain(text);
    }
  });

  it("says of another chain's address book that the contracts are not there", async () => {
    const book = readFileSync(BOOK, "utf8");
    const { contracts } = readAddressBook(BOOK);
    const governor = contracts.HacaGovernor?.address ?? "";
    try {
      writeFileSync(BOOK, book.replaceAll(governor, `0x${"ee".repeat(20)}`));
      for (const command of [["list"], ["status", "1"], ["scheduled"], ["delegate", governor]]) {
        expect(await failure(governance(...command))).toContain(
          "deploy first, or use this chain's address book",
        );
      }
      writeFileSync(BOOK, book.replaceAll(governor, contracts.OPG?.address ?? ""));
      expect(await failure(governance("list"))).toContain("has something other than the");
    } finally {
      writeFileSync(BOOK, book);
    }
  });
});
