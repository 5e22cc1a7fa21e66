import { COMMERCE_DEPLOYMENTS, type CommerceDeployment } from "@haca/protocol/commerceEscrows";
import {
  type CommerceJob,
  commerceHash,
  commerceNonce,
  commerceSalt,
} from "@haca/protocol/commercePayments";
import { RECEIVE_TYPES } from "@haca/protocol/signedPayments";
import {
  AbiCoder,
  ContractFactory,
  type JsonRpcProvider,
  keccak256,
  parseEther,
  toBeHex,
  ZeroAddress,
  ZeroHash,
} from "ethers";
import { beforeAll, expect, it } from "vitest";
import { contractAt } from "../../scripts/lib/contracts.ts";
import { readArtifact } from "../../testing/artifacts.ts";
import {
  addressOf,
  commands,
  NODE,
  PAYEE,
  PAYER,
  REQUEST,
  STRANGER,
  type World,
} from "./escrowCases.ts";
import { refusalOn, success } from "./localDeployment.ts";

const HOUR = 3_600n;
const MOST = parseEther("5");
const [PUBLISHED] = COMMERCE_DEPLOYMENTS as readonly [CommerceDeployment];

/** `npm run escrow` over payments in the public escrow, once `escrowCases` has had a result settled for the payer. */
export function operatorCases(world: () => World): void {
  const { escrow, started } = commands(world);
  const refusal = (...options: string[]) => refusalOn(world().provider, escrow(...options));
  let accounts: Record<"payer" | "node" | "payee" | "stranger", string>;
  let operator = "";

  beforeAll(async () => {
    const of = async (index: number) => (await world().provider.getSigner(index)).address;
    accounts = {
      ...{ payer: await of(PAYER), node: await of(NODE) },
      ...{ payee: await of(PAYEE), stranger: await of(STRANGER) },
    };
  });

  /** Brings a payment that the payer signs, in OPG or otherwise; returns its hash. */
  const opened = async (
    saltNonce: bigint,
    of: { operator: string; token: string; name: string; version: string; maxAmount: bigint } = {
      ...{ operator, token: addressOf("OPG"), name: "OPG", version: "1", maxAmount: MOST },
    },
  ): Promise<string> => {
    const { provider } = world();
    const { payer } = accounts;
    const { maxAmount, name, operator: by, token, version } = of;
    const time = BigInt((await provider.getBlock("latest"))?.timestamp ?? 0);
    const { chainId } = await provider.getNetwork();
    const domain = { chainId, escrow: PUBLISHED.escrow };
    const job: CommerceJob = {
      payment: {
        ...{ operator: by, payer, receiver: by, token, maxAmount },
        ...{ preApprovalExpiry: time + HOUR, authorizationExpiry: time + 2n * HOUR },
        ...{ refundExpiry: time + 2n * HOUR, minFeeBps: 0n, maxFeeBps: 0n },
        ...{ feeReceiver: ZeroAddress, salt: commerceSalt({ requestHash: REQUEST, saltNonce }) },
      },
      ...{ requestHash: REQUEST, saltNonce },
    };
    const signature = await (await provider.getSigner(PAYER)).signTypedData(
      { name, version, chainId, verifyingContract: token },
      RECEIVE_TYPES,
      {
        ...{ from: payer, to: PUBLISHED.erc3009Collector, value: maxAmount, validAfter: 0n },
        ...{ validBefore: time + HOUR, nonce: commerceNonce(domain, job.payment) },
      },
    );
    const runner = await provider.getSigner(STRANGER);
    const contract = contractAt({ name: "CommerceOperator", address: by, runner });
    await (await contract.open(job, PUBLISHED.erc3009Collector, signature)).wait();
    return commerceHash(domain, job.payment);
  };

  it("makes an operator of commerce payments, once, and says whose it is", async () => {
    const { node, payee } = accounts;
    const making = ["create-operator", "--node", node, "--payee", payee, "--kinds", "zkml"];
    const output = await success(started(...making, "--account", String(STRANGER)));
    operator = /^change +operator (0x[0-9a-fA-F]{40}), for good/m.exec(output)?.[1] ?? "";
    expect(await refusal(...making)).toContain(
      `there is an operator with these terms, ${operator}`,
    );
    const told = await success(escrow("operator", operator));
    expect(told).toContain(`node       ${node}\n  payee      ${payee}, fee none`);
    expect(told).toContain(`held in    the public escrow ${PUBLISHED.escrow}`);
    expect(told).toContain("deadlines  1 hour after the opening at least");
    expect(JSON.parse(await success(escrow("operator", operator, "--json")))).toMatchObject({
      ...{ operator, node, payee, token: addressOf("OPG"), leastWindow: String(HOUR) },
    });
    for (const [options, words] of [
      [["operator", payee], `${payee} is no operator of this deployment`],
      [["operator", "0x12"], "operator 0x12 is no address"],
      [[...making, "--token", payee], "does not answer as a token"],
    ] as const) {
      expect(await refusal(...options)).toContain(words);
    }
  });

  it("shows a payment, and gives it back at once by the payee alone", async () => {
    const hash = await opened(1n);
    const shown = await success(escrow("status", hash));
    expect(shown).toContain(`operator   ${operator}`);
    expect(shown).toMatch(/status +open: frozen for the node's result, for /);
    expect(shown).toContain("held       5.0 OPG");
    expect(await refusal("refund", hash)).toContain("can be captured until");
    expect(await refusal("cancel", hash, "--account", String(STRANGER))).toContain(
      `${accounts.stranger} is neither the node`,
    );
    const cancelling = ["cancel", hash, "--account", String(PAYEE)];
    expect(await success(started(...cancelling))).toContain("open -> cancelled, 5.0 OPG back to");
    expect(await refusal(...cancelling)).toContain(`job ${hash} was cancelled; nothing sent`);
    expect(await success(escrow("status", hash))).toMatch(/status +cancelled: 5.0 OPG back/);
  });

  it("shows a payment in a token of six decimals in its own, and tells what a gateway is to know of it", async () => {
    const { node, payee, payer } = accounts;
    const { abi, bytecode } = readArtifact("DollarToken");
    const runner = await world().provider.getSigner(PAYER);
    const made = await new ContractFactory(abi as [], bytecode, runner).deploy(payer);
    const token = String((await made.waitForDeployment()).target);
    const making = ["create-operator", "--node", node, "--payee", payee, "--kinds", "zkml"];
    making.push("--token", token);
    const output = await success(started(...making, "--account", String(STRANGER)));
    const address = /^change +operator (0x[0-9a-fA-F]{40}), for good/m.exec(output)?.[1] ?? "";
    const entry = { address: token, name: "Test Dollar", version: "2", decimals: 6 };
    expect(output).toContain(JSON.stringify({ ...entry, operator: address }));
    expect(output).toContain(`HACA_PAYMENT_TOKENS=${token}`);
    const { name, version } = entry;
    const hash = await opened(3n, { operator: address, token, name, version, maxAmount: 20_000n });
    const shown = await success(escrow("status", hash));
    expect(shown).toContain(`held       0.02 "USDX" of ${token}`);
    expect(shown).toContain(`token      ${token}, 6 decimals`);
    expect(JSON.parse(await success(escrow("status", hash, "--json")))).toMatchObject({
      ...{ tokens: [{ address: token, decimals: 6 }], jobs: [{ job: { amount: "20000" } }] },
    });
  });

  it("captures it by a result that was settled alone, and lists it with the payer's jobs", async () => {
    const hash = await opened(2n);
    const listed = async () => {
      const { jobs } = JSON.parse(await success(escrow("status", accounts.payer, "--json")));
      return jobs as { jobId: string; status: string; end: { requestId: string | null } | null }[];
    };
    const requestId = (await listed()).find(({ end }) => end?.requestId != null)?.end?.requestId;
    const captured = await success(started("capture", hash, requestId ?? ""));
    expect(captured).toContain(`open -> captured by request ${requestId}, 2.0 OPG to`);
    expect(captured).toContain(`3.0 OPG back to ${accounts.payer}`);
    expect(await refusal("capture", hash, requestId ?? "")).toContain("was captured; nothing sent");
    expect(await refusal("refund", hash)).toContain("was captured; nothing sent");
    expect((await listed()).find(({ jobId }) => jobId === hash)).toMatchObject({
      ...{ status: "Captured", end: { requestId, returned: String(parseEther("3")) } },
    });
  });

  it("takes what a failed transfer left in an operator", async () => {
    const { provider } = world();
    const { payee, stranger } = accounts;
    const ofPayee = ["--account", String(PAYEE), "--to", stranger];
    for (const [options, words] of [
      [["--from", payee], `${payee} is neither a gate nor an operator of this deployment`],
      [["--from", "0x12"], "--from 0x12 is no address"],
      [["--from", operator, ...ofPayee], `operator ${operator} owes ${payee} nothing of OPG`],
    ] as const) {
      expect(await refusal("withdraw", ...options)).toContain(words);
    }
    const runner = await provider.getSigner(PAYER);
    const opg = contractAt({ name: "OPG", address: addressOf("OPG"), runner });
    await (await opg.transfer(operator, parseEther("2"))).wait();
    await owe(provider, { debtor: operator, account: payee, amount: parseEther("2") });
    expect(await success(escrow("operator", operator))).toContain(`credit     2.0 OPG of ${payee}`);
    const before = await opg.balanceOf(stranger);
    const withdrawing = ["withdraw", "--from", operator, ...ofPayee];
    expect(await success(started(...withdrawing))).toContain(`2.0 OPG of credit to ${stranger}`);
    expect((await opg.balanceOf(stranger)) - before).toBe(parseEther("2"));
    expect(await refusal(...withdrawing)).toContain("nothing of OPG; nothing sent");
  });
}

/** Writes a credit in OPG where the contract keeps it: OPG itself blocks nobody, so that no transfer of it fails. */
async function owe(
  provider: JsonRpcProvider,
  credit: { debtor: string; account: string; amount: bigint },
): Promise<void> {
  const { account, amount, debtor } = credit;
  const token = addressOf("OPG");
  const contract = contractAt({ name: "CommerceOperator", address: debtor, runner: provider });
  const coder = AbiCoder.defaultAbiCoder();
  const under = (key: string, slot: string) =>
    keccak256(coder.encode(["address", "bytes32"], [key, slot]));
  for (let slot = 0; slot < 16; slot += 1) {
    const place = under(account, under(token, toBeHex(slot, 32)));
    await provider.send("hardhat_setStorageAt", [debtor, place, toBeHex(amount, 32)]);
    if ((await contract.creditOf(token, account)) === amount) return;
    await provider.send("hardhat_setStorageAt", [debtor, place, ZeroHash]);
  }
  throw new Error("no such slot");
}
