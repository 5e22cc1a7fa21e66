import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import { ROLES } from "@haca/protocol/roles";
import type { JsonRpcProvider } from "ethers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { contractAt } from "../../scripts/lib/contracts.ts";
import {
  BOOK,
  failure,
  GUARDIAN,
  LocalDeployment,
  later,
  rejection,
  success,
} from "./localDeployment.ts";
import { makeNode } from "./simulatedNode.ts";

/** Each test takes half a minute and more: by default there are some of them. */
const isDeep = process.env.HACA_DEEP === "1";

const PCR = `0x${"44".repeat(48)}`;
const IMAGE = [PCR, PCR, PCR, "v1", "LLMProxy", "cd".repeat(20), "https://example.org/enclave"];

const REGISTRAR = 5;
const DAY = 24 * 60 * 60;

let local: LocalDeployment;
beforeEach(async () => {
  local = await LocalDeployment.start();
});
afterEach(() => local.stop());

it("approves an image on a chain without governance, with the administrator's own role", async () => {
  await success(local.deploy({}, "--part", "tee"));
  const approve = () => local.governance("as-role", "approve-image", ...IMAGE);
  expect(await success(approve())).toContain("never approved -> approved as version v1");
  expect(await failure(approve())).toContain("is approved for LLMProxy (0) already");
  expect(await failure(local.governance("list"))).toContain("HacaGovernor is not in the address");

  // The chain starts again, the address book stays.
  await local.stop();
  local = await LocalDeployment.start();
  for (const command of [["list"], ["scheduled"], ["as-role", "approve-image", ...IMAGE]]) {
    expect(await failure(local.governance(...command))).toContain(
      "deploy first, or use this chain's address book",
    );
  }
});

/** The registry and the AccessManager, with the administrator's key, for what no command is under test for. */
async function contractsOf(provider: JsonRpcProvider) {
  const { TEERegistry, AccessManager } = readAddressBook(BOOK).contracts;
  return {
    registry: contractAt({
      ...{ name: "TEERegistry", address: TEERegistry?.address ?? "", runner: provider },
    }),
    manager: contractAt({
      ...{ name: "AccessManager", address: AccessManager.address },
      runner: await provider.getSigner(0),
    }),
  };
}

it.runIf(isDeep)(
  "registers a node as a registrar, by a document that was verified before",
  async () => {
    await success(local.deploy({}, "--part", "tee"));
    const provider = local.provider();
    const { registry, manager } = await contractsOf(provider);
    const registrar = (await provider.getSigner(REGISTRAR)).address;
    const enclave = makeNode(local.folder);
    const { key, certificate, pcrs, teeId } = enclave;
    const document = enclave.fresh();
    const place = [registrar, "https://node.example.org", "LLMProxy"];
    const asRole = (...values: string[]) => local.governance("as-role", ...values);
    const register = (values = [document, key, certificate, ...place], ...options: string[]) =>
      asRole("register-node", ...values, ...options, "--account", String(REGISTRAR));
    const submit = (path: string) =>
      local.run(["scripts/tee/cli.ts", "submit", path, "--yes", "--network", "localhost"]);

    for (const [values, text] of [
      [[enclave.nothing, key, certificate, ...place], "is no attestation document"],
      [[document, enclave.nothing, certificate, ...place], "is no public key in PEM or DER"],
      [[document, key, enclave.nothing, ...place], "is no certificate in PEM or DER"],
      [[document, key, join(local.folder, "none"), ...place], "no file"],
      [[document, enclave.strangeKey, certificate, ...place], "must be RSA of 2048 to 4096 bits"],
      [[document, enclave.otherKey, certificate, ...place], "vouches for another signing key"],
      [[document, key, certificate, `0x${"00".repeat(20)}`, ...place.slice(1)], "must not be zero"],
      [[document, key, certificate, registrar, "http://a.org", "LLMProxy"], "must be an https URL"],
      [[enclave.oldDocument, key, certificate, ...place], "ask the enclave for another one"],
      [[document, key, certificate, ...place], `npm run tee -- submit ${document}`],
    ] as const) {
      expect(await failure(register([...values]))).toContain(text);
    }
    expect(await failure(submit(enclave.oldDocument))).toContain("it is older than 300 seconds");
    await success(submit(enclave.fresh()));
    expect(await failure(submit(document))).toContain("is verified already");

    expect(await failure(register())).toContain("is not approved for LLMProxy (0)");
    const image = [...pcrs, "v1", "LLMProxy", "cd".repeat(20), "https://example.org/enclave"];
    await success(asRole("approve-image", ...image));
    expect(await failure(register())).toContain("does not hold role 4");
    await success(asRole("grant-role", "REGISTRAR", registrar, String(DAY)));
    expect(await failure(register())).toContain("the role's delay of 1 day is too long");
    await success(asRole("revoke-role", "REGISTRAR", registrar));
    await success(asRole("grant-role", "REGISTRAR", registrar, "0"));

    await (await manager.grantRole(ROLES.GUARDIAN, registrar, 0)).wait();
    const guard = (...values: string[]) =>
      local.governance("guardian", ...values, "--account", String(REGISTRAR));
    const before: unknown = await provider.send("evm_snapshot", []);
    await success(guard("pause-admission", "1"));
    expect(await failure(register())).toContain("the guardian has paused admission until");
    await provider.send("evm_revert", [before]);
    const again: unknown = await provider.send("evm_snapshot", []);
    await success(guard("deny-operator", registrar));
    expect(await failure(register())).toContain("would be the operator, and is denied");
    await provider.send("evm_revert", [again]);

    expect(await failure(local.governance("propose", "register-node", document))).toContain(
      "is done with: npm run governance -- as-role register-node",
    );
    expect(await success(submit(enclave.fresh()))).toContain("register with it by");
    const safe = join(local.folder, "safe.json");
    const written = await success(
      local.governance(
        ...["as-role", "register-node", document, key, certificate, ...place],
        ...["--safe", safe, "--as", registrar],
      ),
    );
    expect(written).toMatch(/to be sent by \S+Z: a document is taken for five minutes/);
    expect(await success(register(undefined, "--simulate"))).toContain("not sent");
    expect(String(await rejection(registry.getTEE(teeId)))).toContain("NodeUnknown");

    const done = await success(register());
    expect(done).toContain(`unknown -> enabled, operated by ${registrar}, paid at ${registrar}`);
    expect(done).toContain("its key is not RSA, and clients of an LLMProxy verify no others");
    const node = await registry.getTEE(teeId);
    expect([node.owner, node.endpoint, node.enabled]).toEqual([registrar, place[1], true]);
    expect(await registry.isTEEActive(teeId)).toBe(true);
    expect(await failure(register())).toContain("is registered already");
    provider.destroy();
  },
);

it("sets what waits in the AccessManager, and waits itself from then on", async () => {
  await success(local.deploy({}, "--part", "tee"));
  const provider = local.provider();
  const { manager } = await contractsOf(provider);
  const asRole = (...values: string[]) => local.governance("as-role", ...values);
  const guardian = (await provider.getSigner(GUARDIAN)).address;

  const closing = ["set-admin-delay", "TEERegistry", "3600"];
  expect(await success(asRole(...closing))).toMatch(
    /about TEERegistry 0x\w{40} \(.*\): at once -> after 1 hour, in force 5 days after the execution/,
  );
  expect(await success(asRole(...closing, "--simulate"))).toMatch(
    /at once \(from \S+Z on: after 1 hour\) -> after 1 hour/,
  );
  expect(await success(asRole("set-grant-delay", "REGISTRAR", String(7 * DAY)))).toContain(
    "a new member of REGISTRAR has the role: at once -> after 7 days, in force 5 days after",
  );
  await later(provider, 5 * DAY + 1);
  for (const [values, text] of [
    [closing, "about TEERegistry are made after 1 hour already"],
    [["set-grant-delay", "REGISTRAR", String(7 * DAY)], "has it after 7 days already"],
    [["set-grant-delay", "REGISTRAR", String(366 * DAY)], "no integer from 0 to"],
    [["set-admin-delay", "VestingVault", "1"], "is none of the deployment's"],
    [["set-execution-delay", "REGISTRAR", guardian, "1"], "does not hold REGISTRAR: grant-role"],
  ] as const) {
    expect(await failure(asRole(...values))).toContain(text);
  }
  expect(await success(asRole("set-grant-delay", "REGISTRAR", "0", "--simulate"))).toContain(
    "after 7 days -> at once, in force 7 days after the execution",
  );

  expect(await success(asRole("grant-role", "REGISTRAR", guardian, String(DAY)))).toContain(
    "gets the role REGISTRAR, 7 days after the execution, with a delay of 1 day",
  );
  expect(await failure(asRole("grant-role", "REGISTRAR", guardian, "0"))).toContain(
    "set-execution-delay changes its delay",
  );
  const access = async (): Promise<bigint[]> => [
    ...(await manager.getAccess(ROLES.REGISTRAR, guardian)),
  ];
  expect((await access())[1]).toBe(BigInt(DAY));
  const shorten = ["set-execution-delay", "REGISTRAR", guardian, "3600"];
  expect(await success(asRole(...shorten))).toContain(
    "as REGISTRAR: after 1 day -> after 1 hour, 23 hours after the execution",
  );
  expect((await access()).slice(1, 3)).toEqual([BigInt(DAY), 3_600n]);
  await later(provider, DAY);
  expect(await failure(asRole(...shorten))).toContain("are made after 1 hour already");
  expect(await success(asRole("set-execution-delay", "REGISTRAR", guardian, "7200"))).toContain(
    "after 1 hour -> after 2 hours, from the execution on",
  );

  // What ADMIN does about the registry is scheduled now, and was done at once before.
  const scheduled = await success(asRole("close-contract", "TEERegistry"));
  expect(scheduled).toContain("setTargetClosed is only scheduled: due after 1 hour");
  const operation = /^operation (0x\w{64})$/m.exec(scheduled)?.[1] ?? "";
  expect(await failure(local.governance("execute-scheduled", operation))).toContain("is due from");
  await later(provider, 3_601);
  await success(local.governance("execute-scheduled", operation));
  const { TEERegistry } = readAddressBook(BOOK).contracts;
  expect(await manager.isTargetClosed(TEERegistry?.address ?? "")).toBe(true);
  provider.destroy();
});
