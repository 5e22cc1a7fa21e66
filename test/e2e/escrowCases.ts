import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import type { ContractName, ListedName } from "@haca/protocol/contracts";
import { contextOf, hashWords, settlementDomain } from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { encodeRequestId } from "@haca/protocol/requestId";
import { UPTO_PROXY_ADDRESS } from "@haca/protocol/signedPayments";
import {
  ContractFactory,
  type JsonRpcProvider,
  JsonRpcSigner,
  parseEther,
  ZeroAddress,
  ZeroHash,
} from "ethers";
import { beforeAll, expect, it } from "vitest";
import { contractAt } from "../../scripts/lib/contracts.ts";
import { readArtifact } from "../../testing/artifacts.ts";
import { uptoCodes } from "../../testing/uptoContracts.ts";
import { makeProof, makeTrapdoor, makeVerifyingKey } from "../contracts/utils/groth16Simulator.ts";
import { scalarsFrom } from "../contracts/utils/randomScalars.ts";
import {
  BOOK,
  LIQUIDITY,
  type LocalDeployment,
  type Result,
  refusalOn,
  success,
} from "./localDeployment.ts";
import { runHere } from "./runHere.ts";

export const PAYER = LIQUIDITY;
export const [NODE, PAYEE, STRANGER] = [10, 11, 12] as const;
export const REQUEST = hashWords([3n]);
const PRICE = parseEther("2");
const SAFE = "0x5afe5afE5afE5afE5afE5aFe5aFe5Afe5Afe5AfE";
const NO_JOB = `0x${"11".repeat(32)}`;
const LAYOUT = [{ count: 1, bits: 8, isSigned: false, scaleExponent: 0 }];
/** One input word, one output word, context. */
const SIGNALS = 3;

export type World = { local: LocalDeployment; provider: JsonRpcProvider };

/** Permit2, x402's proxy and its contract of channels, as a chain has them that the escrow is deployed on. */
export async function placeProxy(provider: JsonRpcProvider): Promise<void> {
  for (const [address, code] of Object.entries(uptoCodes())) {
    await provider.send("hardhat_setCode", [address, code]);
  }
}

export const addressOf = (name: ListedName): string =>
  readAddressBook(BOOK).contracts[name]?.address ?? "";

/** `npm run escrow` over the life of payments. One stays open, whose id `left` gets, for `refundCases`. */
export function escrowCases(world: () => World, left: { jobId: string }): void {
  const { escrow, started } = commands(world);
  const refusal = (...options: string[]) => refusalOn(world().provider, escrow(...options));
  const fileOf = (name: string): string => join(world().local.folder, `permit-${name}.json`);
  const jobIn = (output: string): string => /^job +(0x[0-9a-f]{64})/m.exec(output)?.[1] ?? "";
  let accounts: Record<"payer" | "node" | "payee" | "stranger", string>;

  beforeAll(async () => {
    const of = async (index: number) => (await world().provider.getSigner(index)).address;
    accounts = {
      ...{ payer: await of(PAYER), node: await of(NODE) },
      ...{ payee: await of(PAYEE), stranger: await of(STRANGER) },
    };
  });

  const permitting = (name: string, changes: Record<string, string> = {}): string[] => {
    const options = {
      ...{ "--node": accounts.node, "--payee": accounts.payee, "--request": REQUEST },
      ...{ "--amount": "5", "--kinds": "zkml", "--account": String(PAYER) },
      ...{ "--out": fileOf(name), ...changes },
    };
    return ["permit", ...Object.entries(options).flat()];
  };
  const opened = async (name: string): Promise<string> => {
    const signed = await success(escrow(...permitting(name)));
    const output = await success(escrow("open", fileOf(name), "--account", String(STRANGER)));
    expect(jobIn(output)).toBe(jobIn(signed));
    return jobIn(output);
  };

  it("makes a gate of payment channels, once, and says whose it is", async () => {
    const { node, payee } = accounts;
    const opening = ["open-gate", "--node", node, "--payee", payee];
    const output = await success(started(...opening, "--account", String(STRANGER)));
    const [, gate = ""] = /^settings +HACA_GATEWAY_GATE=(0x[0-9a-fA-F]{40}), /m.exec(output) ?? [];
    expect(output).toContain(`gate ${gate}, for good`);
    expect(await refusal(...opening)).toContain(`there is a gate with these terms, ${gate}`);
    const told = await success(escrow("gate", gate));
    expect(told).toContain(`node       ${node}\n  payee      ${payee}, fee none`);
    expect(told).toContain("counts     TEE, TEE in a page");
    expect(JSON.parse(await success(escrow("gate", gate, "--json")))).toMatchObject({ gate, node });
    for (const [options, words] of [
      [["gate", payee], `${payee} is no gate of this deployment`],
      [["gate", "0x12"], "gate 0x12 is no address"],
      [["withdraw", "--from", gate], `gate ${gate} owes `],
      [["open-gate", "--node", "me", "--payee", payee], "--node me is no address"],
      [[...opening, "--kinds", "all"], "--kinds must be of zkml, tee"],
    ] as const) {
      expect(await refusal(...options)).toContain(words);
    }
  });

  it("signs a permit for a job, which anybody brings once the payer lets Permit2 move tokens", async () => {
    const signed = await success(started(...permitting("first")));
    expect(signed).toContain("nothing is sent");
    expect(signed).toContain(`holds        5.0 OPG of ${accounts.payer} for 1 hour`);
    expect(signed).toContain("captured by  ZKML");
    const opening = ["open", fileOf("first"), "--account", String(STRANGER)];
    expect(await refusal(...opening)).toContain(`Permit2 may move, until ${accounts.payer} appro`);
    const approving = ["approve", "1000", "--account", String(PAYER)];
    expect(await success(started(...approving))).toContain("0.0 OPG -> 1000.0 OPG");
    expect(await refusal(...approving)).toContain("Permit2 may move 1000.0 OPG of");

    const opening2 = await success(started(...opening));
    expect(opening2).toContain(`change       5.0 OPG of ${accounts.payer} -> held by the escrow`);
    expect(opening2.indexOf("change  ")).toBeLessThan(opening2.indexOf("transaction  "));
    left.jobId = jobIn(opening2);
    expect(left.jobId).toBe(jobIn(signed));
    const opg = contractAt({
      ...{ name: "OPG", address: addressOf("OPG"), runner: world().provider },
    });
    expect(await opg.balanceOf(addressOf("InferenceEscrow"))).toBe(parseEther("5"));
    expect(await refusal(...opening)).toContain(`job ${left.jobId} is there already: open`);
  });

  it("says how a job stands, and all of a payer's", async () => {
    const shown = await success(started("status", left.jobId));
    expect(shown).toMatch(/status +open: frozen for the node's result, for /);
    expect(shown).toContain("held       5.0 OPG");
    expect(shown).toContain(`payee      ${accounts.payee}, fee none`);
    const { jobs, credits } = JSON.parse(await success(escrow("status", accounts.payer, "--json")));
    expect(credits).toEqual([]);
    expect(jobs).toMatchObject([
      {
        ...{ jobId: left.jobId, status: "Open", end: null },
        job: { payer: accounts.payer, amount: String(parseEther("5")), feeReceiver: ZeroAddress },
      },
    ]);
    expect(await success(escrow("status", accounts.stranger))).toContain("0 jobs of payer");
  });

  it("refuses, in one line, what it cannot understand or what changes nothing", async () => {
    const { payer, stranger } = accounts;
    const tampered = (name: string, change: (file: { terms: object }) => object): string => {
      const file = JSON.parse(readFileSync(fileOf("first"), "utf8"));
      writeFileSync(fileOf(name), JSON.stringify({ ...file, ...change(file) }));
      return fileOf(name);
    };
    await success(escrow(...permitting("second")));
    const second = JSON.parse(readFileSync(fileOf("second"), "utf8"));
    const otherTerms = { ...second, terms: { ...second.terms, payee: stranger } };
    const fieldless = tampered("fieldless", ({ terms }) => ({ terms: { ...terms, feeBps: 5 } }));
    for (const [options, text] of [
      [["status", "job"], "is neither a job's id, 0x and 64 hex digits, nor an address"],
      [["status", NO_JOB], `no job ${NO_JOB} was ever opened in the escrow of chain 31337`],
      [["status", NO_JOB, "--account", "1"], "unknown option '--account'"],
      [["refund", "0x12"], "job must be 0x and 64 hex digits"],
      [["refund", NO_JOB], `no job ${NO_JOB} was ever opened`],
      [["refund", left.jobId], "can be captured until"],
      [["cancel", left.jobId, "--account", String(STRANGER)], `${stranger} is neither the node`],
      [["withdraw"], "nothing of OPG"],
      [["withdraw", "--token", stranger], "does not answer as a token"],
      [["approve", "1.0000000000000000001"], "is no amount of OPG"],
      [["capture", left.jobId, NO_JOB], "was settled alone with a proof or a signature"],
      [["capture-page", left.jobId, "0x12", "3"], "page must be 0x and 64 hex digits"],
      [["capture-page", left.jobId, NO_JOB, "3"], `no page ${NO_JOB} was proposed`],
      [permitting("a", { "--kinds": "zkml,vanilla" }), "--kinds must be of zkml, tee, tee-page"],
      [permitting("a", { "--amount": "0" }), "--amount must be above 0"],
      [permitting("a", { "--node": "0x12" }), "--node 0x12 is no address"],
      [permitting("a", { "--request": "0x12" }), "--request must be 0x and 64 hex digits"],
      [permitting("a", { "--window": "3599" }), "--window must be from 3600 to 2592000 s"],
      [
        permitting("a", { "--kinds": "tee-page", "--window": "3600" }),
        "--window must be from 435600 to 2592000 s for these kinds",
      ],
      [permitting("a", { "--valid": "soon" }), "--valid must be a number of seconds, got soon"],
      [permitting("a", { "--token": addressOf("OPG").toLowerCase() }).slice(0, 3), "--payee"],
      [permitting("first"), "is there already"],
      [["open", fileOf("none")], "there is no file"],
      [["open", fieldless], "terms.feeBps: must be a decimal number in quotes"],
      [["open", tampered("chain", () => ({ chainId: 1 }))], "of chain 1, not for"],
      [
        ["open", tampered("terms", () => otherTerms)],
        `${payer} has not signed this permit for these terms`,
      ],
    ] as const) {
      expect(await refusal(...options), options.join(" ")).toContain(text);
    }
    writeFileSync(fileOf("text"), "hello");
    expect(await refusal("open", fileOf("text"))).toContain("is not JSON");
  });

  it("gives everything back at once, by the payee", async () => {
    const job = await opened("cancelled");
    const cancelling = ["cancel", job, "--account", String(PAYEE)];
    expect(await success(started(...cancelling))).toContain("open -> cancelled, 5.0 OPG back to");
    expect(await refusal(...cancelling)).toContain(`job ${job} was cancelled; nothing sent`);
    expect(await success(escrow("status", job))).toMatch(/status +cancelled: 5.0 OPG back/);
  });

  it("writes what a Safe is to send, and sends nothing", async () => {
    const { local, provider } = world();
    const file = join(local.folder, "escrow-safe.json");
    const forSafe = ["--safe", file, "--as", SAFE];
    /** What a command writes, sent by the Safe. */
    const bySafe = async (running: (...options: string[]) => Promise<Result>, ...of: string[]) => {
      const height = await provider.send("eth_blockNumber", []);
      const output = await success(running(...of, ...forSafe));
      expect(output).toContain(`written to ${file}, for the Safe ${SAFE}; not sent`);
      expect(await provider.send("eth_blockNumber", [])).toBe(height);
      const { chainId, transactions } = JSON.parse(readFileSync(file, "utf8"));
      expect([chainId, transactions.length]).toEqual(["31337", 1]);
      const [{ data, to }] = transactions;
      await provider.send("hardhat_impersonateAccount", [SAFE]);
      await provider.send("hardhat_setBalance", [SAFE, "0xde0b6b3a7640000"]);
      await (await new JsonRpcSigner(provider, SAFE).sendTransaction({ to, data })).wait();
      return output;
    };
    const job = jobIn(await success(escrow(...permitting("safe", { "--payee": SAFE }))));
    expect(await bySafe(started, "open", fileOf("safe"))).toContain(
      `held by the escrow, job ${job}`,
    );
    for (const [options, text] of [
      [["--as", SAFE], "--safe <file> and --as <the Safe's address> go together"],
      [["--safe", file], "go together"],
      [["--safe", file, "--as", "0x12"], "--as 0x12 is no address"],
      [["--safe", file, "--as", accounts.stranger], `${accounts.stranger} is neither the node`],
    ] as const) {
      expect(await refusal("cancel", job, ...options)).toContain(text);
    }
    expect(await bySafe(escrow, "cancel", job)).toContain("open -> cancelled, 5.0 OPG back to");
    expect(await success(escrow("status", job))).toMatch(/status +cancelled: 5.0 OPG back/);
  });

  it("pays for a result that was settled alone, and tells who got what", async () => {
    const job = await opened("captured");
    const requestId = await settle(world(), accounts);
    const wrong = await success(
      escrow(...permitting("other", { "--request": NO_JOB, "--amount": "5" })),
    );
    await success(escrow("open", fileOf("other")));
    expect(await refusal("capture", jobIn(wrong), requestId)).toContain(
      `the job is of request hash ${NO_JOB}`,
    );
    const captured = await success(started("capture", job, requestId));
    expect(captured).toContain(`open -> captured by request ${requestId}, 2.0 OPG to`);
    expect(captured).toContain(`0.0 OPG of fee, 3.0 OPG back to ${accounts.payer}`);
    expect(await refusal("capture", job, requestId)).toContain("was captured; nothing sent");
    expect(await success(escrow("status", job))).toContain("2.0 OPG to the payee");
    const opg = contractAt({
      ...{ name: "OPG", address: addressOf("OPG"), runner: world().provider },
    });
    expect(await opg.balanceOf(accounts.payee)).toBe(PRICE);
  });

  it("keeps what a token does not move as a credit, which its owner takes", async () => {
    const { provider } = world();
    const token = await otherToken(world());
    const changes = { "--token": token, "--amount": "5" };
    const signed = await success(escrow(...permitting("credited", changes)));
    const ofPayer = ["--account", String(PAYER), "--token", token];
    await success(escrow("approve", "5", ...ofPayer));
    await success(escrow("open", fileOf("credited")));
    const code = await provider.getCode(token);
    const { jobs } = JSON.parse(await success(escrow("status", jobIn(signed), "--json")));
    await provider.send("hardhat_setCode", [token, "0x"]);
    const payee = await provider.getSigner(PAYEE);
    const address = addressOf("InferenceEscrow");
    const contract = contractAt({ name: "InferenceEscrow", address, runner: payee });
    await (await contract.cancel(jobs[0].job)).wait();
    await provider.send("hardhat_setCode", [token, code]);
    expect(await success(escrow("status", accounts.payer))).toMatch(
      /credit +5\.0 "OPG" of 0x\w+, whose transfer failed/,
    );
    const withdrawing = ["withdraw", ...ofPayer, "--to", accounts.stranger];
    expect(await success(started(...withdrawing))).toContain(`of credit to ${accounts.stranger}`);
    expect(await refusal(...withdrawing)).toContain("nothing of");
  });
}

/** After the deadline of the job that `escrowCases` left. */
export function refundCases(world: () => World, left: { jobId: string }): void {
  const { escrow, started } = commands(world);

  it("gives a payer everything back after the deadline, by anybody, once", async () => {
    const shown = await success(escrow("status", left.jobId));
    expect(shown).toContain("open, and its deadline is over: npm run escrow -- refund");
    const refusing = (...options: string[]) => refusalOn(world().provider, escrow(...options));
    expect(await refusing("capture", left.jobId, NO_JOB)).toContain("could be captured until");
    const refund = ["refund", left.jobId, "--account", String(STRANGER)];
    expect(await success(started(...refund))).toContain("open -> refunded, 5.0 OPG back to");
    expect(await refusing(...refund)).toContain("was refunded; nothing sent");
    expect(await success(escrow("status", left.jobId))).toContain("refunded: 5.0 OPG back");
  });
}

export const commands = (world: () => World) => ({
  /** The command in a process of its own, as its user has it. */
  started: (...options: string[]): Promise<Result> =>
    world().local.run(["scripts/escrow/cli.ts", ...options]),
  /** The same command line in this process, which saves a second each. */
  escrow: (...options: string[]): Promise<Result> =>
    runHere({
      ...{ path: "scripts/escrow/cli.ts", options },
      environment: { HACA_RPC_URL: world().local.url },
    }),
});

/** Settles a result of the node with a proof that is made of the key's trapdoor; returns its request's id. */
async function settle(
  { provider }: World,
  { node, payer }: Record<"node" | "payer", string>,
): Promise<string> {
  const runner = await provider.getSigner(NODE);
  const at = <Name extends ContractName & ListedName>(name: Name) =>
    contractAt({ name, address: addressOf(name), runner });
  const random = scalarsFrom("escrow cases");
  const trapdoor = makeTrapdoor({ signalCount: SIGNALS, random });
  const registry = at("ModelRegistry");
  await (await registry.registerModel("paid")).wait();
  const modelId = computeModelId({ owner: node, slug: "paid" });
  const version = {
    ...{ major: 1, minor: 0, modelHash: NO_JOB, blobId: ZeroHash, circuitHash: NO_JOB },
    ...{ csHash: "0x", transcriptHash: ZeroHash, verifyingKey: makeVerifyingKey(trapdoor) },
    ...{ inputMode: 0, inputLayout: LAYOUT, outputLayout: LAYOUT },
  };
  await (await registry.publishVersion(modelId, version)).wait();
  const { timestamp = 0 } = (await provider.getBlock("latest")) ?? {};
  const words = [3n, 4n];
  const result = {
    modelVersion: computeVersionId({ modelId, major: 1, minor: 0 }),
    ...{ inputHash: REQUEST, outputHash: hashWords(words.slice(1)), requester: payer },
    ...{ requestId: encodeRequestId({ node, nonce: 1n }), price: PRICE },
    ...{ timestamp: BigInt(timestamp), teeId: ZeroHash },
  };
  const settlement = at("InferenceSettlement");
  const { chainId } = await provider.getNetwork();
  const domain = settlementDomain({ chainId, settlement: settlement.target });
  const signals = [...words, contextOf({ domain, result })];
  const proof = makeProof({ trapdoor, signals, a: random(), b: random() });
  await (await settlement.settleZkml(result, words, proof, "0x")).wait();
  return result.requestId;
}

/** A second token that governance allows, of which the payer has some. */
async function otherToken({ provider }: World): Promise<string> {
  const payer = await provider.getSigner(PAYER);
  const { abi, bytecode } = readArtifact("OPG");
  const factory = new ContractFactory(abi as [], bytecode, payer);
  const token = await (await factory.deploy(payer.address, payer.address)).getAddress();
  const timelock = addressOf("TimelockController");
  await provider.send("hardhat_impersonateAccount", [timelock]);
  await provider.send("hardhat_setBalance", [timelock, "0xde0b6b3a7640000"]);
  const address = addressOf("InferenceEscrow");
  const runner = new JsonRpcSigner(provider, timelock);
  const escrow = contractAt({ name: "InferenceEscrow", address, runner });
  await (await escrow.setToken(token, true)).wait();
  expect(await escrow.PROXY()).toBe(UPTO_PROXY_ADDRESS);
  return token;
}
