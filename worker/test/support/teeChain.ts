import { bindingNonce } from "@haca/attestation/nitro/bindingNonce";
import { documentHints } from "@haca/attestation/nitro/documentHints";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { type SigningKeyKind, SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { certificateStoreAbi, teeRegistryAbi } from "@haca/protocol/abi";
import { Contract, getBytes, type InterfaceAbi, sha256, Wallet } from "ethers";
import { everyRole } from "../../../testing/modules.ts";
import { developmentKey, LocalChain } from "./localChain.ts";

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

  private constructor(
    chain: LocalChain,
    contracts: { registry: Contract; store: Contract },
    simulated: ReturnType<typeof makeSimulatedChain>,
  ) {
    this.chain = chain;
    this.registry = contracts.registry;
    this.#store = contracts.store;
    this.#simulated = simulated;
  }

  static async start(): Promise<TeeChain> {
    const simulated = makeSimulatedChain({ now: clock() });
    const account = new Wallet(developmentKey(ADMINISTRATOR)).address;
    const attestation = {
      rootCertificate: simulated.root,
      heartbeatMaxAge: HEARTBEAT_MAX_AGE,
      attestationMaxAge: ATTESTATION_MAX_AGE,
      rootFingerprint: sha256(simulated.root),
      isDevelopmentRoot: true,
    };
    const chain = await LocalChain.start({ attestation, holders: everyRole(account) });
    const administrator = new Wallet(developmentKey(ADMINISTRATOR), chain.provider);
    const contract = (name: "TEERegistry" | "CertificateStore", abi: InterfaceAbi) =>
      new Contract(chain.book.contracts[name]?.address ?? "", abi, administrator);
    const registry = contract("TEERegistry", teeRegistryAbi);
    const store = contract("CertificateStore", certificateStoreAbi);
    const [pcr0, pcr1, pcr2] = measurementsOf("image");
    const image = [{ pcr0, pcr1, pcr2 }, "v1", LLM_PROXY] as const;
    await (await registry.getFunction("approvePCR").send(...image)).wait();
    return new TeeChain(chain, { registry, store }, simulated);
  }

  stop(): Promise<void> {
    return this.chain.stop();
  }

  writeBook(path: string): string {
    return this.chain.writeBook(path);
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
