import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bindingNonce } from "@haca/attestation/document/bindingNonce";
import { documentHints } from "@haca/attestation/document/documentHints";
import { p384BaseTable } from "@haca/attestation/p384Base";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { type SigningKeyKind, SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { type AddressBook, writeAddressBook } from "@haca/protocol/addressBook";
import { type BaseContract, Contract, ContractFactory, getBytes, sha256, Wallet } from "ethers";
import { developmentKey, LocalChain } from "./localChain.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** Accounts of their own, so that nonces do not meet those of the chain's owner. */
const ADMINISTRATOR = 8;
const CHAIN_ID = 31337n;
const LLM_PROXY = 0;
const ENDPOINT = "https://node.example";
export const HEARTBEAT_MAX_AGE = 1800;
const ATTESTATION_MAX_AGE = 604_800;

const clock = (): bigint => BigInt(Math.floor(Date.now() / 1000));

/** A local chain with a TEE registry under a simulated root, for real workers to send heartbeats to. */
export class TeeChain {
  readonly chain: LocalChain;
  readonly registry: Contract;
  readonly #simulated: ReturnType<typeof makeSimulatedChain>;
  readonly #store: Contract;
  readonly #book: AddressBook;

  private constructor(
    chain: LocalChain,
    contracts: { registry: Contract; store: Contract; book: AddressBook },
    simulated: ReturnType<typeof makeSimulatedChain>,
  ) {
    this.chain = chain;
    this.registry = contracts.registry;
    this.#store = contracts.store;
    this.#book = contracts.book;
    this.#simulated = simulated;
  }

  static async start(): Promise<TeeChain> {
    const chain = await LocalChain.start();
    const simulated = makeSimulatedChain({ now: clock() });
    const administrator = new Wallet(developmentKey(ADMINISTRATOR), chain.provider);
    const create = async (path: string, ...values: unknown[]): Promise<Contract> => {
      const file = join(ROOT, "artifacts", `${path}.json`);
      const { abi, bytecode } = JSON.parse(readFileSync(file, "utf8"));
      const contract: BaseContract = await new ContractFactory(abi, bytecode, administrator).deploy(
        ...values,
      );
      await contract.waitForDeployment();
      return new Contract(await contract.getAddress(), abi, administrator);
    };
    const manager = await create(
      "@openzeppelin/contracts/access/manager/AccessManager.sol/AccessManager",
      administrator.address,
    );
    const ecdsa = await create("contracts/attestation/EcdsaP384.sol/EcdsaP384", p384BaseTable());
    const store = await create(
      "contracts/attestation/CertificateStore.sol/CertificateStore",
      ...[manager.target, ecdsa.target, simulated.root],
    );
    const verifier = await create(
      "contracts/attestation/NitroAttestationVerifier.sol/NitroAttestationVerifier",
      ...[store.target, ecdsa.target],
    );
    const keys = await create("contracts/registry/SigningKeys.sol/SigningKeys");
    const registry = await create(
      "contracts/registry/TEERegistry.sol/TEERegistry",
      ...[manager.target, keys.target, verifier.target, HEARTBEAT_MAX_AGE, ATTESTATION_MAX_AGE],
    );
    const call = async (name: string, ...values: unknown[]) => {
      await (await registry.getFunction(name).send(...values)).wait();
    };
    await call("addTEEType", LLM_PROXY, "LLMProxy");
    const [pcr0, pcr1, pcr2] = measurementsOf("image");
    await call("approvePCR", { pcr0, pcr1, pcr2 }, "v1", LLM_PROXY);
    const book = structuredClone(chain.book);
    const entry = { ...book.contracts.InferenceSettlement, constructorArguments: [] };
    book.contracts.TEERegistry = { ...entry, address: String(registry.target) };
    book.parameters.attestation = {
      rootFingerprint: sha256(simulated.root),
      isDevelopmentRoot: true,
      heartbeatMaxAge: HEARTBEAT_MAX_AGE,
      attestationMaxAge: ATTESTATION_MAX_AGE,
    };
    return new TeeChain(chain, { registry, store, book }, simulated);
  }

  stop(): Promise<void> {
    return this.chain.stop();
  }

  writeBook(path: string): string {
    writeAddressBook({ path, book: this.#book });
    return path;
  }

  enclave(kind: SigningKeyKind = "p256"): SimulatedEnclave {
    const measurements = measurementsOf("image");
    return new SimulatedEnclave({ chain: this.#simulated, measurements, kind, now: clock() });
  }

  /** Admits an enclave as a node of the administrator. */
  async admit(enclave: SimulatedEnclave): Promise<void> {
    const { registry } = this;
    const operator = new Wallet(developmentKey(ADMINISTRATOR)).address;
    const bound = { paymentAddress: operator, endpoint: ENDPOINT, teeType: LLM_PROXY };
    const nonce = bindingNonce({
      ...{ chainId: CHAIN_ID, registry: String(registry.target), operator },
      ...bound,
    });
    const evidence = enclave.attest({ now: clock(), nonce: getBytes(nonce) });
    const hints = await documentHints({
      document: evidence,
      isStored: (id) => this.#store.getFunction("isStored")(id),
    });
    const { signingKey, tlsCertificate } = enclave;
    const registration = { verifierId: 0, evidence, hints, signingKey, tlsCertificate, ...bound };
    const register = registry.getFunction("register");
    await (await register(registration, { gasLimit: 16_777_216n })).wait();
  }

  /** Signed time of the node's last heartbeat, unix seconds. */
  async lastHeartbeat(teeId: string): Promise<bigint> {
    return (await this.registry.getFunction("getTEE")(teeId)).lastHeartbeatAt;
  }

  /** Session keys that were certified for a node, oldest first. */
  async sessionKeys(teeId: string): Promise<string[]> {
    const filter = this.registry.getEvent("SessionKeyCertified")(teeId);
    const events = await this.registry.queryFilter(filter, 0);
    return events.map((event) => ("args" in event ? String(event.args.key) : ""));
  }
}
