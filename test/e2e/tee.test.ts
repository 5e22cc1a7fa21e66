import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bindingNonce } from "@haca/attestation/nitro/bindingNonce";
import { documentHints } from "@haca/attestation/nitro/documentHints";
import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { readAddressBook } from "@haca/protocol/addressBook";
import { explainRevert } from "@haca/protocol/explainRevert";
import { ROLES } from "@haca/protocol/roles";
import { createHaca } from "@haca/sdk/client/createHaca";
import { readDeployment } from "@haca/sdk/readDeployment";
import {
  fetchDocument,
  fetchSigningKey,
  fetchTlsCertificate,
} from "@haca/worker/roles/heartbeat/enclaveClient";
import { ContractFactory, hexlify, isError, JsonRpcProvider, Wallet } from "ethers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { developmentKey } from "../../scripts/demo/localChain.ts";
import { type ContractOf, connected, contractAt } from "../../scripts/lib/contracts.ts";
import { type TeeContracts, teeContracts, verifierOf } from "../../scripts/tee/teeContracts.ts";
import { Command } from "./command.ts";
import { BOOK, failure, LocalDeployment, success } from "./localDeployment.ts";

const CHAIN_ID = 31337;
const IMAGE = "e2e";
const LLM_PROXY = 0;
const OPERATOR = 1;
const STRANGER = 2;
const NETWORK = ["--network", "localhost"];

let local: LocalDeployment;
let folder: string;
let provider: JsonRpcProvider;
let administrator: Wallet;
let contracts: TeeContracts;
let snapshot: unknown;
let simulated: { command: Command; operatorUrl: string; publicUrl: string; teeId: string };

/** Verbs that read take a network, those that send an account too. */
const READING = ["status", "list"];
const bare = (...options: string[]) => local.use("scripts/tee/cli.ts", options);
const tee = (verb: string, ...options: string[]) =>
  bare(
    ...[verb, ...options, ...NETWORK],
    ...(READING.includes(verb) ? [] : ["--account", String(OPERATOR)]),
  );

const addressOf = (account: number): string => new Wallet(developmentKey(account)).address;
const wish = (payment = addressOf(3)) => [
  ...["--enclave", simulated.operatorUrl, "--payment", payment],
  ...["--endpoint", simulated.publicUrl, "--type", "LLMProxy", "--yes"],
];

/** Creates one contract of the project. */
/** Who may do what on this chain; the administrator sends. */
const manager = () =>
  contractAt({
    ...{ name: "AccessManager", runner: administrator },
    address: readAddressBook(BOOK).contracts.AccessManager.address,
  });

async function deploy<Name extends "OPG" | "NodeBonds">(
  name: Name,
  artifact: string,
  ...values: unknown[]
): Promise<ContractOf<Name>> {
  const path = join(import.meta.dirname, "..", "..", "artifacts", "contracts", artifact);
  const { abi, bytecode } = JSON.parse(readFileSync(path, "utf8"));
  const created = await new ContractFactory(abi, bytecode, administrator).deploy(...values);
  await created.waitForDeployment();
  return contractAt({ name, address: await created.getAddress(), runner: administrator });
}

async function simulate(...options: string[]): Promise<typeof simulated> {
  const command = new Command([
    ...["scripts/tee/cli.ts", "simulate", "--port", "0", "--public-port", "0"],
    ...options,
  ]);
  await command.printed("Ctrl-C ends it");
  const find = (pattern: RegExp) => pattern.exec(command.output)?.[1] ?? "";
  return {
    command,
    operatorUrl: find(/operator's side {2}(\S+)/),
    publicUrl: find(/public side {6}(\S+)/),
    teeId: find(/teeId {12}(\S+)/),
  };
}

beforeAll(async () => {
  local = await LocalDeployment.start();
  ({ folder } = local);
  await success(local.deploy({}, "--part", "tee"));
  provider = new JsonRpcProvider(local.url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
  administrator = new Wallet(developmentKey(0), provider);
  contracts = await teeContracts({ chainId: CHAIN_ID, runner: administrator });
  const [pcr0, pcr1, pcr2] = measurementsOf(IMAGE);
  await (await contracts.registry.approvePCR({ pcr0, pcr1, pcr2 }, "v1", LLM_PROXY)).wait();
  simulated = await simulate("--image", IMAGE);
});
afterAll(async () => {
  simulated.command.child.kill("SIGTERM");
  expect(await simulated.command.exit(), simulated.command.output).toBe(0);
  provider.destroy();
  await local.stop();
});
beforeEach(async () => {
  snapshot = await provider.send("evm_snapshot", []);
});
afterEach(() => provider.send("evm_revert", [snapshot]));

describe("npm run tee -- register", () => {
  it("verifies, explains, registers in one transaction; then heartbeat, renew, disable, enable, retire", async () => {
    const { teeId, operatorUrl, publicUrl } = simulated;
    const output = await success(tee("register", ...wish()));
    expect(output).toContain("result       valid");
    expect(output).toContain("0 of 4 certificates are stored already");
    expect(output).toContain(`registered   ${teeId}`);
    const cold = Number(/transaction {2}\S+ gas ([\d,]+)/.exec(output)?.[1]?.replaceAll(",", ""));
    expect(cold).toBeGreaterThan(7_000_000);
    expect(cold).toBeLessThan(8_500_000);
    expect(await success(tee("status", teeId))).toMatch(/\nactive\n/);
    expect(await success(tee("list"))).toContain(teeId);
    expect(await failure(tee("register", ...wish()))).toContain(`${teeId} is registered already`);

    expect(await success(tee("heartbeat", "--enclave", operatorUrl, "--yes"))).toContain(
      `alive        ${teeId}`,
    );
    const payee = addressOf(4);
    const renewed = await success(
      tee("renew", teeId, "--enclave", operatorUrl, "--payment", payee, "--yes"),
    );
    expect(renewed).toContain("4 of 4 certificates are stored already");
    const node = await contracts.registry.getTEE(teeId);
    expect(node.paymentAddress).toBe(payee);
    expect(node.endpoint).toBe(publicUrl);
    expect(node.owner).toBe(addressOf(OPERATOR));
    const image = pcrHashOf(measurementsOf(IMAGE));
    const haca = createHaca({
      ...{ chainId: CHAIN_ID, rpcs: [local.url], pins: { images: [image] } },
      deployment: readDeployment(readFileSync(BOOK, "utf8")),
    });
    const operator = addressOf(OPERATOR).toLowerCase();
    const shown = { teeId, operator, image, endpoint: publicUrl, typeName: "LLMProxy" };
    expect((await haca.nodes()).nodes).toMatchObject([{ ...shown, isPinned: true }]);

    expect(await success(tee("disable", teeId, "--yes"))).toContain("enabled -> disabled");
    const disabled = await tee("status", teeId);
    expect(disabled.status).toBe(1);
    expect(disabled.output).toContain("NO  the node is disabled");
    expect(await success(tee("list", "--type", "LLMProxy"))).toContain("0 of them active");
    expect(await success(tee("list", "--all"))).toMatch(new RegExp(`${teeId} +disabled`));
    expect((await haca.nodes()).nodes).toEqual([]);
    await success(tee("enable", teeId, "--yes"));
    expect((await haca.nodes({ nodeType: LLM_PROXY })).nodes).toHaveLength(1);
    await (await manager().grantRole(ROLES.GUARDIAN, administrator.address, 0)).wait();
    await (await contracts.registry.revokePCR(image, LLM_PROXY)).wait();
    expect((await haca.nodes()).nodes).toEqual([]);
    await success(tee("retire", teeId, "--yes"));
    expect(await failure(tee("enable", teeId, "--yes"))).toContain("is retired");
  });

  it("sets the OHTTP key that the enclave's gateway has, and the one after it", async () => {
    const attestedKey = join(folder, "attested.pem");
    const options = ["--image", IMAGE, "--attested-key", attestedKey];
    const enclave = await simulate(...options);
    const gateway = new Command(["gateway/src/cli.ts", "start"], {
      ...{ HACA_CHAIN_ID: String(CHAIN_ID), HACA_GATEWAY_ATTESTED_KEY: attestedKey },
      ...{ HACA_GATEWAY_PORT: "0", HACA_GATEWAY_OPERATOR_PORT: "0" },
      ...{ HACA_GATEWAY_UPSTREAM: "http://127.0.0.1:1", HACA_GATEWAY_QUEUE: "http://127.0.0.1:1" },
      HACA_GATEWAY_MODELS: `m=0x${"12".repeat(32)}`,
      HACA_GATEWAY_ANSWERS: join(folder, "answers"),
    });
    try {
      const { teeId, operatorUrl, publicUrl } = enclave;
      const places = ["--enclave", operatorUrl, "--endpoint", publicUrl, "--type", "LLMProxy"];
      await success(tee("register", ...places, "--payment", addressOf(3), "--yes"));
      await gateway.printed("listening");
      const [listening = ""] = gateway.output
        .split("\n")
        .filter((line) => line.includes("listening"));
      const { url: open, operatorUrl: own } = JSON.parse(listening) as {
        url: string;
        operatorUrl: string;
      };
      const ohttp = (...more: string[]) => tee("ohttp", teeId, "--enclave", own, "--yes", ...more);
      const expectShown = async () => {
        const { ohttpConfig } = await contracts.registry.getTEE(teeId);
        const shown = await (await fetch(`${open}/v1/ohttp/config`)).json();
        expect(shown).toMatchObject({
          ...{ key_id: Number(ohttpConfig.keyId), public_key: ohttpConfig.publicKey.slice(2) },
        });
        return Number(ohttpConfig.keyId);
      };
      expect(await failure(ohttp("--next"))).toContain("has no OHTTP key that a next one");
      expect(await success(ohttp())).toContain("OHTTP key    none -> 0x");
      expect(await expectShown()).toBe(1);
      expect(await failure(ohttp())).toContain("has this OHTTP key already");
      expect(await success(ohttp("--next"))).toMatch(/OHTTP key {4}0x\w+ -> 0x\w+ \(id 2\)/);
      expect(await expectShown()).toBe(2);

      const stranger = tee("ohttp", simulated.teeId, "--enclave", own, "--yes");
      expect(await failure(stranger)).toContain(`has no node ${simulated.teeId}`);
      expect(await failure(bare("simulate", ...options, "--key", "p256"))).toContain(
        "has no key of the kind p256",
      );
    } finally {
      for (const { child } of [gateway, enclave.command]) child.kill("SIGTERM");
      expect(await gateway.exit(), gateway.output).toBe(0);
      await enclave.command.exit();
    }
  });

  it("leaves the bond that the registry asks for, and has it paid back", async () => {
    const { teeId } = simulated;
    const { AccessManager, TEERegistry } = readAddressBook(BOOK).contracts;
    const operator = addressOf(OPERATOR);
    const token = await deploy(
      "OPG",
      "token/OPG.sol/OPG.json",
      administrator.address,
      AccessManager.address,
    );
    const bonds = await deploy(
      "NodeBonds",
      "tee/NodeBonds.sol/NodeBonds.json",
      AccessManager.address,
      await token.getAddress(),
      TEERegistry?.address,
    );
    for (const send of [
      () => bonds.setAmount(5n * 10n ** 18n),
      () => manager().grantRole(ROLES.GOVERNANCE, administrator.address, 0),
      async () => contracts.registry.setBonds(await bonds.getAddress()),
    ]) {
      await (await send()).wait();
    }
    expect(await failure(tee("register", ...wish()))).toContain(
      `takes a bond of 5.0 OPG, and ${operator} has 0.0 OPG`,
    );
    await (await token.transfer(operator, 7n * 10n ** 18n)).wait();
    expect(await success(tee("register", ...wish()))).toContain("bond         5.0 OPG");
    const balance = () => token.balanceOf(operator);
    expect(await balance()).toBe(2n * 10n ** 18n);

    const release = () => tee("release-bond", teeId, "--yes");
    expect(await failure(release())).toContain("is enabled; it has to be retired");
    await success(tee("retire", teeId, "--yes"));
    expect(await failure(release())).toContain("the bond is paid back from");
    await provider.send("evm_increaseTime", [21 * 24 * 60 * 60]);
    await provider.send("evm_mine", []);
    expect(await success(release())).toContain(`paid back    5.0 OPG to ${operator}`);
    expect(await balance()).toBe(7n * 10n ** 18n);
    expect(await failure(release())).toContain(`no bond of node ${teeId} is held`);
  });

  it("says why a node is not active: image, heartbeat, attestation, operator", async () => {
    const { teeId } = simulated;
    await success(tee("register", ...wish()));
    const { registry } = contracts;
    await (await manager().grantRole(ROLES.GUARDIAN, administrator.address, 0)).wait();
    await (await registry.revokePCR(pcrHashOf(measurementsOf(IMAGE)), LLM_PROXY)).wait();
    await (await registry.denyOperator(addressOf(OPERATOR))).wait();
    await provider.send("evm_increaseTime", [8 * 24 * 60 * 60]);
    await provider.send("evm_mine", []);
    const { status, output } = await tee("status", teeId);
    expect(status).toBe(1);
    expect(output).toContain("ok  the node is enabled");
    expect(output).toContain("NO  its operator is denied");
    expect(output).toContain("NO  its image is not approved now");
    expect(output).toMatch(/NO {2}its attestation is \d+ s old, more than the most 604800 s/);
    expect(output).toMatch(/NO {2}its heartbeat is \d+ s old, more than the most 1800 s/);
    expect(output.trim().endsWith("not active")).toBe(true);
  });

  it("refuses an image that is not approved, and a TLS certificate that is another's", async () => {
    expect(await failure(tee("register", ...wish().with(1, simulated.publicUrl)))).toContain(
      "--enclave must be the operator's side",
    );
    const other = await simulate("--image", "not approved", "--key", "secp256k1");
    const enclave = ["--enclave", other.operatorUrl];
    const place = ["--payment", addressOf(3), "--type", "LLMProxy", "--yes"];
    const endpoint = ["--endpoint", other.publicUrl];
    expect(await failure(tee("register", ...enclave, ...place, ...endpoint))).toMatch(
      /image 0x[0-9a-f]{64} is not approved/,
    );
    expect(
      await failure(tee("register", ...wish(), "--tls", new URL(other.publicUrl).host)),
    ).toMatch(/another TLS certificate than the one that the endpoint shows/);
    other.command.child.kill("SIGTERM");
    expect(await other.command.exit()).toBe(0);
  });

  it("refuses an LLMProxy whose key public clients cannot check, unless told to admit it", async () => {
    const other = await simulate("--image", IMAGE, "--key", "p256");
    const values = wish().with(1, other.operatorUrl).with(5, other.publicUrl);
    expect(await failure(tee("register", ...values))).toContain("signing key is not RSA");
    expect(await success(tee("register", ...values, "--any-key"))).toContain("registered");
    other.command.child.kill("SIGTERM");
    expect(await other.command.exit()).toBe(0);
  });

  it("refuses a document that is too old for the chain", async () => {
    await provider.send("evm_increaseTime", [400]);
    await provider.send("evm_mine", []);
    expect(await failure(tee("register", ...wish()))).toContain("it is older than 300 seconds");
  });

  it("cannot be hijacked: a document is for one sender and one payment address", async () => {
    const { operatorUrl, publicUrl } = simulated;
    const endpoint = publicUrl;
    const { registry } = contracts;
    const { store } = await verifierOf({ contracts, runner: provider, verifierId: 0 });
    const nonce = bindingNonce({
      ...{ chainId: BigInt(CHAIN_ID), registry: String(registry.target), endpoint },
      ...{ operator: addressOf(OPERATOR), paymentAddress: addressOf(3), teeType: LLM_PROXY },
    });
    const document = await fetchDocument({ url: operatorUrl, nonce });
    const hints = await documentHints({
      document,
      isStored: async (id) => (await store?.isStored(id)) ?? false,
    });
    const { hostname: host, port } = new URL(publicUrl);
    const registration = {
      ...{ verifierId: 0, evidence: hexlify(document), hints, teeType: LLM_PROXY, endpoint },
      signingKey: await fetchSigningKey({ url: operatorUrl }),
      tlsCertificate: await fetchTlsCertificate({ host, port: Number(port) }),
      paymentAddress: addressOf(3),
    };
    const outcome = async (account: number, paymentAddress: string) => {
      const signer = new Wallet(developmentKey(account), provider);
      try {
        await connected(registry, signer).register.estimateGas(
          { ...registration, paymentAddress },
          { gasLimit: 16_777_216n },
        );
        return "accepted";
      } catch (error) {
        return explainRevert(isError(error, "CALL_EXCEPTION") ? error.data : undefined).name;
      }
    };
    expect(await outcome(OPERATOR, addressOf(STRANGER))).toBe("TEERegistry_BindingMismatch");
    expect(await outcome(STRANGER, addressOf(3))).toBe("TEERegistry_BindingMismatch");
    expect(await outcome(OPERATOR, addressOf(3))).toBe("accepted");
  });

  it("has the enclave certify a session key by hand, for results only where it does that", async () => {
    const { teeId, operatorUrl } = simulated;
    await success(tee("register", ...wish()));
    const key = Wallet.createRandom().address;
    const certify = (...options: string[]) =>
      tee("certify-session", teeId, key, "--enclave", operatorUrl, "--yes", ...options);
    expect(await failure(certify("--signs-results"))).toContain(
      "this enclave certifies keys for heartbeats alone",
    );
    expect(await failure(certify("--days", "30"))).toContain(
      "--days must be an integer from 1 to 29",
    );
    expect((await contracts.registry.sessionKey(teeId, key)).from).toBe(0n);
    expect(await success(certify("--days", "2"))).toContain(
      `session key  ${key} for heartbeats alone until `,
    );
    const session = await contracts.registry.sessionKey(teeId, key);
    expect(session.signsResults).toBe(false);
    // From the next block that can be, at the earliest, to the block that it was.
    const days = session.until - session.from;
    expect(days <= 2n * 86_400n && days > 2n * 86_400n - 120n, String(days)).toBe(true);
    expect(await failure(certify())).toContain("a key is never certified again, take another");
    expect(await success(tee("end-session", teeId, key, "--yes"))).toContain(
      "for heartbeats alone until",
    );

    const willing = await simulate("--image", IMAGE, "--result-keys");
    try {
      const endpoint = ["--endpoint", willing.publicUrl, "--type", "LLMProxy", "--yes"];
      const places = ["--enclave", willing.operatorUrl, "--payment", addressOf(3), ...endpoint];
      await success(tee("register", ...places));
      const output = await success(
        tee(
          ...(["certify-session", willing.teeId, key, "--enclave", willing.operatorUrl] as const),
          ...["--yes", "--signs-results"],
        ),
      );
      expect(output).toContain("whoever holds it speaks for the enclave until then");
      const wide = await contracts.registry.sessionKey(willing.teeId, key);
      expect(wide.signsResults).toBe(true);
    } finally {
      willing.command.child.kill("SIGTERM");
      await willing.command.exit();
    }
  });

  it("leaves nodes to their operators", async () => {
    const { teeId, operatorUrl } = simulated;
    await success(tee("register", ...wish()));
    const asStranger = (...options: string[]) =>
      bare(...options, ...NETWORK, "--account", String(STRANGER));
    const renewal = ["renew", teeId, "--enclave", operatorUrl, "--yes"];
    const only = `only the node's operator ${addressOf(OPERATOR)} may do this`;
    expect(await failure(asStranger(...renewal))).toContain(only);
    expect(await failure(asStranger("retire", teeId, "--yes"))).toContain(only);
  });
});

describe("npm run tee", () => {
  it.each([
    [["status", "0x12"], "expected a teeId"],
    [["status", `0x${"12".repeat(32)}`], "the registry has no node 0x1212"],
    [["list", "--type", "Miner"], "--type must be LLMProxy, Validator, DataNode, ZkmlProver"],
    [["list", "--page", "0"], "--page must be an integer from 1"],
    [["heartbeat", "--enclave", "http://127.0.0.1:1", "--yes"], "does not answer"],
    [["register", "--enclave", "ftp://x"], "required option '--payment <address>' not specified"],
    [["dance"], "unknown command 'dance'"],
    [["status", `0x${"12".repeat(32)}`, "--yes"], "unknown option '--yes'"],
    [["list", "--account", "1"], "unknown option '--account'"],
    [["verify", "package.json", "--network", "localhost"], "unknown option '--network'"],
    [["disable", `0x${"12".repeat(32)}`, "--account", "99"], "has no account 99"],
    [["verify", "package.json"], "not a COSE_Sign1"],
    [["list", "--private-key", "0x12"], "--private-key"],
  ])("refuses %j in one line", async (options, text) => {
    expect(await failure(bare(...options))).toContain(text);
  });

  it("wants a network by name, on the chain that it says, with a registry in its address book", async () => {
    expect(await failure(bare("list", "--network", "nowhere"))).toContain(
      "--network must be one of",
    );
    expect(
      await failure(
        local.run(["scripts/tee/cli.ts", "list", ...NETWORK], {
          HACA_RPC_URL: "http://127.0.0.1:1",
        }),
      ),
    ).toContain("network localhost does not answer");
    const content = readFileSync(BOOK, "utf8");
    const { TEERegistry: _, ...core } = JSON.parse(content).contracts;
    writeFileSync(BOOK, JSON.stringify({ ...JSON.parse(content), contracts: core }));
    try {
      expect(await failure(tee("list"))).toContain("has no TEE registry: npm run deploy");
    } finally {
      writeFileSync(BOOK, content);
    }
    expect(existsSync(BOOK)).toBe(true);
  });
});
