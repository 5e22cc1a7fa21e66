import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDevelopmentRoot } from "@haca/enclave-simulator/developmentRoot";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { readAddressBook } from "@haca/protocol/addressBook";
import { type ContractRunner, concat, keccak256, parseEther, sha256 } from "ethers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { contractAt } from "../../scripts/lib/contracts.ts";
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
import { makeNode } from "./simulatedNode.ts";

/** Each test takes half a minute and more: by default there are some of them. */
const isDeep = process.env.HACA_DEEP === "1";

const REGISTRAR = 5;
const PCRS = ["11", "22", "33"].map((byte) => `0x${byte.repeat(48)}`);
const PCR_HASH = keccak256(concat(PCRS));
const COMMIT = "1234567890abcdef1234567890abcdef12345678";
const IMAGE = [...PCRS, "v2", "LLMProxy", COMMIT, "https://example.org/enclave"];
const asGuardian = ["--account", String(GUARDIAN)];
const asLiquidity = ["--account", String(LIQUIDITY)];

let local: LocalDeployment;
/** Brings back the deployment as it was made. */
let anew: () => Promise<void>;
beforeAll(async () => {
  local = await LocalDeployment.start();
  await success(local.deploy());
});
afterAll(() => local.stop());
beforeEach(async () => {
  anew = await local.remember();
});
afterEach(() => anew());

const contractOf = <Name extends "TEERegistry" | "TEERegistryLens" | "OPG" | "NodeBonds">(
  name: Name,
  runner: ContractRunner,
) => contractAt({ name, address: readAddressBook(BOOK).contracts[name]?.address ?? "", runner });

/** Proposes, votes, queues and executes. */
async function pass(
  provider: ReturnType<LocalDeployment["provider"]>,
  ...action: string[]
): Promise<string> {
  const proposed = await success(local.governance("propose", ...action, ...asLiquidity));
  const proposal = /^proposal (\d+)$/m.exec(proposed)?.[1] ?? "";
  await later(provider, 61);
  await success(local.governance("vote", proposal, "for", ...asLiquidity));
  await later(provider, 301);
  await success(local.governance("queue", proposal));
  await later(provider, 121);
  await success(local.governance("execute", proposal));
  return proposed;
}

describe("governance of attestation", () => {
  it("approves an image by a proposal, and the guardian revokes it with one command", async () => {
    const simulated = await success(
      local.governance("propose", "approve-image", ...IMAGE, "--simulate"),
    );
    expect(simulated).toContain(
      `image ${PCR_HASH} for nodes of type LLMProxy (0): never approved -> approved as version v2, ` +
        `generation 1, built from commit ${COMMIT} of https://example.org/enclave`,
    );
    expect(simulated).toMatch(/execute +ok/);

    const provider = await local.delegate();
    const registry = contractOf("TEERegistry", provider);
    const isApproved = () => registry.isPCRApproved(0, PCR_HASH);
    expect(await isApproved()).toBe(false);
    await pass(provider, "approve-image", ...IMAGE);
    expect(await isApproved()).toBe(true);
    const image = await contractOf("TEERegistryLens", provider).getImage(PCR_HASH, 0, 0);
    expect([image.version, image.commit, image.repository]).toEqual([
      ...["v2", `0x${COMMIT}${"00".repeat(12)}`, "https://example.org/enclave"],
    ]);

    for (const vendor of [[], ["nitro"]]) {
      const again = ["propose", "approve-image", ...vendor, ...IMAGE];
      expect(await failure(local.governance(...again))).toContain(
        "is approved for LLMProxy (0) already",
      );
    }
    const revocation = ["guardian", "revoke-image", "nitro", PCR_HASH, "LLMProxy"];
    expect(await failure(local.governance(...revocation))).toContain("does not hold the role");
    const words = await success(local.governance(...revocation, ...asGuardian, "--simulate"));
    expect(words).toContain(`(version v2, commit ${COMMIT} of https://example.org/enclave)`);
    expect(words).toContain("approved -> revoked");
    expect(await isApproved()).toBe(true);
    await success(local.governance(...revocation, ...asGuardian));
    expect(await isApproved()).toBe(false);
    expect(await success(local.governance(...revocation, ...asGuardian, "--simulate"))).toContain(
      "is not approved, and stays so; approvals of it that wait for their delay are void",
    );
    const again = await success(
      local.governance("propose", "approve-image", ...IMAGE, "--simulate"),
    );
    expect(again).toContain(
      "revoked (version v2, generation 1) -> approved as version v2, generation 2",
    );
    provider.destroy();
  });

  it("rotates the root: a new store and verifier, made before and used only once voted for", async () => {
    const root = openDevelopmentRoot(join(local.folder, "root.json")).certificate;
    const file = join(local.folder, "root.der");
    writeFileSync(file, root);
    const before = readAddressBook(BOOK);
    const simulated = await success(local.governance("propose", "rotate-root", file, "--simulate"));
    expect(simulated).toContain(
      `root of Nitro attestations: not AWS's known one (SHA-256 ${before.parameters.attestation?.rootFingerprint}) -> ` +
        `not AWS's known one (SHA-256 ${sha256(root)}), CN=simulated.nitro-enclaves`,
    );
    expect(simulated).toMatch(/execute +ok/);

    const provider = await local.delegate();
    const registry = contractOf("TEERegistry", provider);
    const verifierNow = (): Promise<string> => registry.verifier(0);
    const old = before.contracts.NitroAttestationVerifier?.address;
    expect(await verifierNow()).toBe(old);
    const setVerifier = (vendor: string) =>
      local.governance("propose", "set-verifier", vendor, "--simulate");
    expect(await failure(setVerifier("nitro"))).toContain(`${old} is the verifier of nitro in use`);
    expect(await failure(setVerifier("acme"))).toContain(
      "there is no vendor acme; there are nitro",
    );

    const proposed = await pass(provider, "rotate-root", file);
    const verifier = await verifierNow();
    expect(verifier).not.toBe(old);
    // The address book still names the one from before, whose code is looked at.
    const back = await success(setVerifier("nitro"));
    expect(back).toContain(`verifier of nitro: ${verifier} -> ${old}; every node of the earlier`);
    expect(back).toMatch(/execute +ok/);
    expect(proposed).toContain(`NitroAttestationVerifier ${verifier}: transaction`);
    const nitro = contractAt({
      ...{ name: "NitroAttestationVerifier", address: verifier, runner: provider },
    });
    const store = await nitro.CERTIFICATES();
    const storeFor = (runner: ContractRunner) =>
      contractAt({ name: "CertificateStore", address: store, runner });
    const revokes = async (account: number) =>
      storeFor(await provider.getSigner(account)).revokeUnseen.staticCall("0x3000", 1);
    expect(await storeFor(provider).rootFingerprint()).toBe(sha256(root));
    await revokes(GUARDIAN);
    expect(String(await rejection(revokes(LIQUIDITY)))).toContain("AccessManagedUnauthorized");
    expect(await failure(local.governance("propose", "rotate-root", file))).toContain(
      "pinned already",
    );

    expect((await local.check()).output).toContain(
      `TEERegistry: verifier 0: NitroAttestationVerifier ${old} when deployed, now NitroAttestationVerifier 0x`,
    );
    const [storeHash = "", verifierHash = ""] = [
      ...proposed.matchAll(/: transaction (0x\w{64})$/gm),
    ].map(([, hash]) => hash ?? "");
    const record = (...hashes: string[]) => local.governance("record-root", file, ...hashes);
    expect(await failure(record(verifierHash, storeHash))).toContain("did not create the");
    await success(record(storeHash, verifierHash));
    expect(readAddressBook(BOOK).contracts.CertificateStore?.address).toBe(store);
    expect(await success(local.check())).toContain("all equal");
    provider.destroy();
  });

  it.runIf(isDeep)(
    "replaces the verifier under the same root, and has the guardian's commands for operators and admission",
    async () => {
      const book = readAddressBook(BOOK);
      const [, , root = ""] = book.contracts.CertificateStore?.constructorArguments ?? [];
      const file = join(local.folder, "pinned.der");
      writeFileSync(file, Buffer.from(root.slice(2), "hex"));
      expect(await failure(local.governance("propose", "rotate-root", file))).toContain(
        "that root is pinned already; replace-verifier",
      );
      const provider = await local.delegate();
      const registry = contractOf("TEERegistry", provider);
      const before: string = await registry.verifier(0);
      const proposed = await pass(provider, "replace-verifier", file);
      expect(proposed).toContain(
        `verifier of Nitro attestations: ${before} -> a new one under the same root; every node is inactive until`,
      );
      expect(await registry.verifier(0)).not.toBe(before);
      expect(await registry.verifierGeneration(0)).toBe(2n);

      const operator = "0x00000000000000000000000000000000000000AA";
      const guardian = (...values: string[]) =>
        local.governance("guardian", ...values, ...asGuardian);
      expect(await success(guardian("deny-operator", operator))).toContain("allowed -> denied");
      expect(await registry.isOperatorDenied(operator)).toBe(true);
      expect(await failure(guardian("deny-operator", operator))).toContain("is denied already");
      const allow = ["propose", "allow-operator", operator, "--simulate"];
      expect(await success(local.governance(...allow))).toMatch(/execute +ok/);
      provider.destroy();
    },
  );

  it.runIf(isDeep)(
    "takes a verifier that is there only if its code, root and parts are as they should be",
    async () => {
      const file = join(local.folder, "root.der");
      writeFileSync(file, openDevelopmentRoot(join(local.folder, "root.json")).certificate);
      const safe = join(local.folder, "safe.json");
      const provider = await local.delegate();
      const proposer = (await provider.getSigner(LIQUIDITY)).address;
      provider.destroy();
      const proposed = await success(
        local.governance("propose", "rotate-root", file, "--safe", safe, "--as", proposer),
      );
      const verifier = /NitroAttestationVerifier (0x\w{40}): transaction/.exec(proposed)?.[1] ?? "";
      expect(JSON.parse(readFileSync(safe, "utf8")).transactions).toHaveLength(1);

      const rotate = (...values: string[]) =>
        local.governance("propose", "rotate-root", ...values, "--simulate");
      const reused = await success(rotate(file, verifier));
      expect(reused).not.toContain("deployed beforehand");
      expect(reused).toMatch(/execute +ok/);

      const { contracts } = readAddressBook(BOOK);
      const other = join(local.folder, "other.der");
      writeFileSync(other, openDevelopmentRoot(join(local.folder, "other.json")).certificate);
      const broken = join(local.folder, "broken.der");
      writeFileSync(broken, readFileSync(file).subarray(1));
      for (const [values, text] of [
        [[other, verifier], "is not that of CertificateStore with the new root"],
        [
          [file, contracts.NitroAttestationVerifier?.address ?? ""],
          "is not that of CertificateStore",
        ],
        [[file, contracts.OPG?.address ?? ""], "is no Nitro verifier"],
        [[file, `0x${"12".repeat(20)}`], "there is no contract"],
        [[broken], "is no certificate"],
        [[join(local.folder, "missing.der")], "no file"],
        [[join(local.folder, "root.json")], "is no certificate"],
      ] as const) {
        expect(await failure(rotate(...values))).toContain(text);
      }
    },
  );

  it.runIf(isDeep)(
    "gives the guardian a command for each thing it may take away, and takes each once",
    async () => {
      const operator = `0x${"12".repeat(20)}`;
      const chain = makeSimulatedChain({ now: BigInt(Math.floor(Date.now() / 1000)) });
      const [root, authority] = ["chain-root.der", "authority.der"].map((name, index) => {
        const file = join(local.folder, name);
        writeFileSync(file, chain.cabundle[index] ?? "");
        return file;
      });
      const asIt = (...values: string[]) => local.governance("guardian", ...values, ...asGuardian);
      for (const [values, text, again] of [
        [["deny-operator", operator], "allowed -> denied", "is denied already"],
        [["pause-admission", "24"], "open -> paused until", "there can be no other before"],
        [["revoke-unseen-certificate", authority ?? ""], "revoked for good", "is revoked already"],
      ] as const) {
        expect(await failure(local.governance("guardian", ...values))).toContain(
          "does not hold the role",
        );
        expect(await success(asIt(...values))).toContain(text);
        expect(await failure(asIt(...values))).toContain(again);
      }
      for (const [values, text] of [
        [["revoke-unseen-certificate", root ?? ""], "is a root certificate"],
        [["revoke-unseen-certificate", join(local.folder, "none.der")], "no file"],
        [["revoke-certificate", `0x${"12".repeat(32)}`], "the store knows no certificate"],
        [["revoke-key", `0x${"12".repeat(32)}`], "the store knows no certificate"],
        [["pause-admission", "169"], "no integer from 1 to 168"],
      ] as const) {
        expect(await failure(asIt(...values))).toContain(text);
      }
      const day = String(24 * 60 * 60);
      for (const [values, text] of [
        [["allow-operator", operator], "denied -> allowed"],
        [["grant-role", "REGISTRAR", operator, day], `${operator} gets the role REGISTRAR`],
        [["set-proposal-threshold", "2000000"], "from 1000000.0 OPG to 2000000.0 OPG"],
      ] as const) {
        const output = await success(local.governance("propose", ...values, "--simulate"));
        expect(output).toContain(text);
        expect(output).toMatch(/execute +ok/);
      }
      expect(
        await failure(local.governance("propose", "revoke-role", "REGISTRAR", operator)),
      ).toContain("does not hold REGISTRAR");
    },
  );

  it.runIf(isDeep)(
    "has a registrar leave a bond for its node, and says what is missing for that",
    async () => {
      const provider = await local.delegate();
      const registrar = (await provider.getSigner(REGISTRAR)).address;
      const node = makeNode(local.folder);
      await pass(provider, "approve-image", ...node.pcrs, ...IMAGE.slice(3));
      await pass(provider, "grant-role", "REGISTRAR", registrar, "0");
      const asRegistrar = ["--account", String(REGISTRAR)];
      const tee = (...values: string[]) =>
        local.run(["scripts/tee/cli.ts", ...values, "--yes", ...asRegistrar]);
      expect(await failure(tee("approve-bond"))).toContain("this registry takes no bonds");
      await pass(provider, "set-bond", "1000");

      const document = node.fresh((await provider.getBlock("latest"))?.timestamp);
      await success(tee("submit", document));
      const place = [registrar, "https://node.example.org", "LLMProxy"];
      const register = () =>
        local.governance(
          ...["as-role", "register-node", document, node.key, node.certificate, ...place],
          ...asRegistrar,
        );
      expect(await failure(register())).toContain(`a bond of 1000.0 OPG, and ${registrar} has 0.0`);
      const opg = contractOf("OPG", await provider.getSigner(LIQUIDITY));
      await (await opg.transfer(registrar, parseEther("1000"))).wait();
      expect(await failure(register())).toContain("take: npm run tee -- approve-bond");
      expect(await success(tee("approve-bond"))).toContain("approved     the bond of one node");
      expect(await failure(tee("approve-bond"))).toContain("may take 1000.0 OPG already");
      await success(register());
      const bonds = contractOf("NodeBonds", provider);
      const { owner, amount } = await bonds.bondOf(node.teeId);
      expect([owner, amount]).toEqual([registrar, parseEther("1000")]);
      provider.destroy();
    },
  );

  it("says what changes before it happens, and refuses what would change nothing", async () => {
    for (const [values, text] of [
      [["set-heartbeat-age", "600"], "from 1800 s (30 minutes) to 600 s (10 minutes)"],
      [["set-attestation-age", "3600"], "from 604800 s (7 days) to 3600 s (1 hour)"],
      [
        ["add-node-type", "4", "Relay"],
        "0 LLMProxy, 1 Validator, 2 DataNode, 3 ZkmlProver -> 0 LLMProxy, 1 Validator, 2 DataNode, 3 ZkmlProver, 4 Relay",
      ],
      [["set-bond", "1000"], "the bond of a node changes from none to 1000.0 OPG"],
    ] as const) {
      const output = await success(local.governance("propose", ...values, "--simulate"));
      expect(output).toContain(text);
      expect(output).toMatch(/execute +ok/);
    }
    const nobody = `0x${"ab".repeat(32)}`;
    const zero = `0x${"00".repeat(48)}`;
    for (const [values, text] of [
      [["propose", "add-node-type", "3", "Prover"], "node type 3 exists, it is ZkmlProver"],
      [["propose", "set-heartbeat-age", "59", "--simulate"], "TEERegistry_AgeInvalid"],
      [["propose", "approve-image", ...PCRS, "v2", "Toaster"], "node type Toaster does not exist"],
      [["propose", "approve-image", ...PCRS, "v2", "0", "abc"], "commit must be the whole hash"],
      [
        ["propose", "approve-image", zero, zero, zero, ...IMAGE.slice(3)],
        "all measurements are zero: that is an enclave in debug mode",
      ],
      [["guardian", "ban-node", nobody], `the registry knows no node ${nobody}`],
      [["propose", "set-bond", "1e99"], "1e99 is no amount of OPG"],
      [["propose", "forfeit-bond", nobody, `0x${"12".repeat(20)}`], "the registry knows no node"],
      [["propose", "lift-ban", nobody], `the registry knows no node ${nobody}`],
      [
        ["propose", "set-heartbeat-age", "600", "--account", "99"],
        "--account must be a number below",
      ],
    ] as const) {
      expect(await failure(local.governance(...values))).toContain(text);
    }
  });
});
