import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDevelopmentRoot } from "@haca/enclave-simulator/developmentRoot";
import { readAddressBook } from "@haca/protocol/addressBook";
import type { ListedName } from "@haca/protocol/contracts";
import { ROLES, TIMELOCK_ROLES } from "@haca/protocol/roles";
import {
  ContractFactory,
  type ContractRunner,
  type JsonRpcProvider,
  JsonRpcSigner,
  parseEther,
  ZeroAddress,
  ZeroHash,
} from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ContractOf, contractAt, interfaceOf } from "../../scripts/lib/contracts.ts";
import {
  BOOK,
  failure,
  GUARDIAN,
  LIQUIDITY,
  LocalDeployment,
  later,
  ROOT,
  success,
} from "./localDeployment.ts";

/** Each test takes half a minute and more: by default there are some of them. */
const isDeep = process.env.HACA_DEEP === "1";

const STRANGER = 12;
const DELAY = "240";
const asLiquidity = ["--account", String(LIQUIDITY)];

let local: LocalDeployment;
let provider: JsonRpcProvider;
beforeAll(async () => {
  local = await LocalDeployment.start();
  await success(local.deploy());
  provider = await local.delegate();
});
afterAll(async () => {
  provider.destroy();
  await local.stop();
});

const addressIn = (name: ListedName): string =>
  readAddressBook(BOOK).contracts[name]?.address ?? "";
const addressOf = async (account: number): Promise<string> =>
  (await provider.getSigner(account)).address;
const contractOf = <Name extends ListedName>(
  name: Name,
  runner: ContractRunner = provider,
): ContractOf<Name> => contractAt({ name, address: addressIn(name), runner });
const timelockAt = (address: string, runner: ContractRunner = provider) =>
  contractAt({ name: "TimelockController", address, runner });
const balanceOf = (account: string): Promise<bigint> => contractOf("OPG").balanceOf(account);
const give = async (to: string, amount: bigint): Promise<void> => {
  const signed = contractOf("OPG", await provider.getSigner(LIQUIDITY));
  await (await signed.transfer(to, amount)).wait();
};

/** Proposes, votes, queues and executes; what proposing printed. */
async function pass(...action: string[]): Promise<string> {
  const proposed = await success(local.governance("propose", ...action, ...asLiquidity));
  const proposal = /^proposal (\d+)$/m.exec(proposed)?.[1] ?? "";
  await later(provider, 61);
  await success(local.governance("vote", proposal, "for", ...asLiquidity));
  await later(provider, 301);
  await success(local.governance("queue", proposal));
  await later(provider, Number(DELAY) + 1);
  await success(local.governance("execute", proposal));
  return proposed;
}

/** A timelock of this repository's code that somebody makes by hand. */
async function makeTimelock(...values: unknown[]): Promise<[address: string, transaction: string]> {
  const path = ["contracts", "governance", "TimelockController.sol", "TimelockController.json"];
  const { abi, bytecode } = JSON.parse(readFileSync(join(ROOT, "artifacts", ...path), "utf8"));
  const factory = new ContractFactory(abi, bytecode, await provider.getSigner(STRANGER));
  const made = await factory.deploy(...values);
  await made.waitForDeployment();
  return [await made.getAddress(), made.deploymentTransaction()?.hash ?? ""];
}

/** What no proposal decided: an account that may propose in a timelock. */
async function grantAs(admin: string, timelock: string, account: string): Promise<void> {
  await provider.send("hardhat_impersonateAccount", [admin]);
  await provider.send("hardhat_setBalance", [admin, "0xde0b6b3a7640000"]);
  const signer = new JsonRpcSigner(provider, admin);
  const granting = timelockAt(timelock, signer);
  await (await granting.grantRole(TIMELOCK_ROLES.PROPOSER_ROLE, account)).wait();
  await provider.send("hardhat_stopImpersonatingAccount", [admin]);
}

describe("the timelock and the governor that commands it", () => {
  it("relays a call that returns tokens which were sent to the governor", async () => {
    const governor = addressIn("HacaGovernor");
    const token = addressIn("OPG");
    const receiver = `0x${"ab".repeat(20)}`;
    await give(governor, 5n);
    const transfer = [token, "0", "transfer(address,uint256)", receiver];
    for (const [values, text] of [
      [[...transfer, "6"], "the call fails as the governor's: ERC20InsufficientBalance"],
      [[...transfer, "many"], "are not what transfer(address,uint256) takes"],
      [[...transfer], "value 1 (uint256) is missing"],
      [[token, "0", "0x123"], "data must be 0x and whole bytes"],
      [[token, "0", "transfer"], "data must be 0x and whole bytes"],
      [[token, "0", "0x"], "does nothing"],
      [[token, "1", "0x"], "the governor has 0 wei, not 1"],
      [[receiver, "0", "0x12345678"], `there is no contract ${receiver.slice(0, 4)}`],
      [[governor, "0", "0x12345678"], "they have actions"],
      [[addressIn("TimelockController"), "0", "0x12345678"], "comes of queue, execute and cancel"],
    ] as const) {
      const said = await failure(local.governance("propose", "relay", ...values));
      expect(said.toLowerCase()).toContain(text.toLowerCase());
    }
    const proposed = await pass("relay", ...transfer, "5");
    expect(proposed).toMatch(/the governor itself calls OPG\.transfer\(to: 0x\w{40}, value: 5\)/);
    expect(await balanceOf(receiver)).toBe(5n);
    expect(await balanceOf(governor)).toBe(0n);
  });

  it.runIf(isDeep)(
    "schedules by one proposal and makes by another what the timelock has to wait for",
    async () => {
      const timelock = addressIn("TimelockController");
      const simulated = (...action: string[]) =>
        success(local.governance("propose", ...action, "--simulate"));
      const file = join(local.folder, "root.der");
      writeFileSync(file, openDevelopmentRoot(join(local.folder, "root.json")).certificate);
      for (const [values, text] of [
        [["set-admin-delay", "TEERegistry", "3600"], "at once -> after 1 hour, in force 5 days"],
        [["set-grant-delay", "ADMIN", "86400"], "a new member of ADMIN has the role: at once ->"],
        [
          ["set-execution-delay", "GUARDIAN", await addressOf(GUARDIAN), "60"],
          "what the guardian takes away it then takes that much later",
        ],
      ] as const) {
        const words = await simulated(...values);
        expect(words).toContain(text);
        expect(words).toMatch(/execute +ok/);
      }
      const [none, change] = ["0000", "set-settlement-window"];
      expect(
        await failure(local.governance("propose", "execute-scheduled", `0x${none}`)),
      ).toContain("operation must be 0x and 64 hex digits");

      expect(await pass("set-execution-delay", "GOVERNANCE", timelock, "3600")).toContain(
        `calls of ${timelock} as GOVERNANCE: at once -> after 1 hour, from the execution on; a proposal then only schedules`,
      );
      expect(await pass(change, "86400")).toContain(
        "to 86400 s (1 day); it is only scheduled: due 1 hour after the execution",
      );
      const window = (): Promise<bigint> => contractOf("InferenceSettlement").settlementWindow();
      expect(await window()).toBe(604_800n);
      const listed = await success(local.governance("scheduled"));
      expect(listed).toContain("InferenceSettlement.setSettlementWindow(window: 86400)");
      const operation = /^(0x\w{64}) /m.exec(listed)?.[1] ?? "";
      expect(await success(local.check())).toContain("all equal");

      // Half of a change at once and the other half later is no change that anybody voted for.
      expect(await failure(local.governance("propose", "rotate-root", file))).toContain(
        "setTargetFunctionRole would be made at once, and setVerifier only 1 hour later",
      );
      expect(await failure(local.governance("execute-scheduled", operation))).toContain("is due");
      await later(provider, 3_600);
      await pass("execute-scheduled", operation);
      expect(await window()).toBe(86_400n);
      expect(await success(local.check())).toContain("all equal");
      expect(await failure(local.governance("propose", "execute-scheduled", operation))).toContain(
        "is executed, cancelled or expired",
      );
      expect(await simulated("replace-timelock", DELAY)).toContain(
        "gets the role GOVERNANCE, with a delay of 1 hour",
      );
      await pass("set-execution-delay", "GOVERNANCE", timelock, "0");
      await later(provider, 3_600);
    },
  );

  it.runIf(isDeep)(
    "replaces the timelock whole, by one that is as this repository makes it, and goes on with it",
    async () => {
      const [old, governor] = [addressIn("TimelockController"), addressIn("HacaGovernor")];
      const manager = contractOf("AccessManager");
      const propose = (...values: string[]) =>
        local.governance("propose", "replace-timelock", ...values, "--simulate");
      const ours = (admin: string, proposers = [governor], executors = [ZeroAddress]) =>
        makeTimelock(BigInt(DELAY), proposers, executors, admin);
      const stranger = await addressOf(STRANGER);

      // Code that is ours, and a power that is not: each in the constructor, or given since.
      const good = await ours(old);
      const touched = await ours(old);
      await grantAs(old, touched[0], stranger);
      const notOurs = "is not this repository's TimelockController with that delay";
      for (const [values, text] of [
        [["119"], "a timelock's delay is never below 120 s (2 minutes), got 119 s"],
        [[DELAY, stranger, good[1]], "there is no contract"],
        [[DELAY, good[0]], "its transaction is missing"],
        [[DELAY, good[0], "0x12"], "is no transaction hash"],
        [[DELAY, good[0], touched[1]], `did not create ${good[0]}`],
        [["241", ...good], notOurs],
        [[DELAY, ...(await ours(stranger))], notOurs],
        [[DELAY, ...(await ours(old, [governor, stranger]))], notOurs],
        [[DELAY, ...(await ours(old, [governor], [stranger]))], notOurs],
        [[DELAY, addressIn("OPG"), good[1]], "did not create"],
        [[DELAY, ...touched], "something has happened in"],
      ] as const) {
        expect(await failure(propose(...values))).toContain(text);
      }
      const simulated = await success(propose(DELAY, ...good));
      expect(simulated).not.toContain("deployed beforehand");
      expect(simulated).toMatch(/execute +ok/);

      const unchanged: unknown = await provider.send("evm_snapshot", []);
      await pass("set-grant-delay", "GOVERNANCE", "3600");
      expect(await failure(propose(DELAY, ...good))).toContain(
        "for 1 hour nobody would hold GOVERNANCE",
      );
      await provider.send("evm_revert", [unchanged]);

      const proposed = await pass("replace-timelock", DELAY);
      expect(proposed).toContain(
        `THE WHOLE GOVERNANCE goes from the timelock ${old} (delay 2 minutes, never below 2 minutes) to 0x`,
      );
      const [, next = "", transaction = ""] =
        /TimelockController (0x\w{40}): transaction (0x\w{64})/.exec(proposed) ?? [];
      expect(await contractOf("HacaGovernor").timelock()).toBe(next);
      const roles = async (account: string): Promise<string[]> => {
        const held: string[] = [];
        for (const [name, role] of Object.entries(ROLES)) {
          if ((await manager.hasRole(role, account)).isMember) held.push(name);
        }
        return held;
      };
      expect(await roles(next)).toEqual(["ADMIN", "GOVERNANCE", "IMAGE_APPROVER"]);
      expect(await roles(old)).toEqual([]);
      const has = (role: keyof typeof TIMELOCK_ROLES, account: string): Promise<boolean> =>
        timelockAt(next).hasRole(TIMELOCK_ROLES[role], account);
      expect(await has("CANCELLER_ROLE", await addressOf(GUARDIAN))).toBe(true);
      expect(await has("DEFAULT_ADMIN_ROLE", old)).toBe(false);
      expect(await has("DEFAULT_ADMIN_ROLE", next)).toBe(true);

      expect(await failure(propose("300"))).toContain("record-timelock");
      expect(await failure(local.governance("record-timelock", good[1]))).toContain(
        "did not create",
      );
      await success(local.governance("record-timelock", transaction));
      expect(addressIn("TimelockController")).toBe(next);
      expect(await failure(local.governance("record-timelock", transaction))).toContain("already");
      expect(await success(local.check())).toContain("all equal");
      const before: unknown = await provider.send("evm_snapshot", []);
      await grantAs(next, next, stranger);
      expect((await local.check()).output).toContain(
        `TimelockController ${next} PROPOSER_ROLE: ${stranger}`,
      );
      await provider.send("evm_revert", [before]);
      await pass("give-up-votes");
      expect(await failure(local.governance("propose", "give-up-votes"))).toContain("already");
      const opg = contractOf("OPG");
      expect(await opg.delegates(next)).toBe(await opg.NON_VOTING());
      await pass("set-quorum", "7");
      // The governor has two functions of this name, and a typed one is found by its name alone.
      const abi = interfaceOf("HacaGovernor");
      const getter = "quorumNumerator()";
      const quorum = await provider.call({ to: governor, data: abi.encodeFunctionData(getter) });
      expect(abi.decodeFunctionResult(getter, quorum)[0]).toBe(7n);

      // What the treasury has stays where it is, and the governor still decides about it.
      const receiver = `0x${"cd".repeat(20)}`;
      await give(old, parseEther("3"));
      const payment = interfaceOf("OPG").encodeFunctionData("transfer", [receiver, 3n]);
      const operation = [addressIn("OPG"), "0", payment, ZeroHash, ZeroHash] as const;
      await pass(
        ...["relay", old, "0", "schedule(address,uint256,bytes,bytes32,bytes32,uint256)"],
        ...[...operation, "120"],
      );
      await later(provider, 121);
      const treasury = timelockAt(old, await provider.getSigner(STRANGER));
      await (await treasury.execute(...operation)).wait();
      expect(await balanceOf(receiver)).toBe(3n);
    },
  );
});
