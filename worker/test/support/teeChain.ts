import type { KeyObject } from "node:crypto";
import { bindingNonce } from "@haca/attestation/nitro/bindingNonce";
import { documentHints } from "@haca/attestation/nitro/documentHints";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { type SigningKeyKind, SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { sessionKeyDigest, teeRegistryDomain } from "@haca/protocol/teeMessages";
import { ContractFactory, getBytes, sha256, Wallet } from "ethers";
import { type ContractOf, contractAt } from "../../../scripts/lib/contracts.ts";
import { readArtifact } from "../../../testing/artifacts.ts";
import { everyRole } from "../../../testing/modules.ts";
import { developmentKey, LocalChain } from "./localChain.ts";
import { waitFor } from "./processes.ts";

/** Accounts of their own, so that nonces do not meet those of the chain's owner. */
const ADMINISTRATOR = 8;
const LLM_PROXY = 0;
const ENDPOINT = "https://node.example";
export const HEARTBEAT_MAX_AGE = 1800;
const ATTESTATION_MAX_AGE = 604_800;

const clock = (): bigint => BigInt(Math.floor(Date.now() / 1000));

/** A local chain with a TEE registry under a simulated root, for real workers to send heartbeats to. */
export class TeeChain {
  readonly chain: LocalChain;
  readonly registry: ContractOf<"TEERegistry">;
  readonly #simulated: ReturnType<typeof makeSimulatedChain>;
  readonly #store: ContractOf<"CertificateStore">;

  private constructor(
    chain: LocalChain,
    contracts: { registry: ContractOf<"TEERegistry">; store: ContractOf<"CertificateStore"> },
    simulated: ReturnType<typeof makeSimulatedChain>,
  ) {
    this.chain = chain;
    this.registry = contracts.registry;
    this.#store = contracts.store;
    this.#simulated = simulated;
  }

  /** @param chainId of development chains, if left out */
  static async start(chainId?: number): Promise<TeeChain> {
    const simulated = makeSimulatedChain({ now: clock() });
    const account = new Wallet(developmentKey(ADMINISTRATOR)).address;
    const attestation = {
      rootCertificate: simulated.root,
      heartbeatMaxAge: HEARTBEAT_MAX_AGE,
      attestationMaxAge: ATTESTATION_MAX_AGE,
      rootFingerprint: sha256(simulated.root),
      isDevelopmentRoot: true,
    };
    const chain = await LocalChain.start({ attestation, holders: everyRole(account) }, chainId);
    const administrator = new Wallet(developmentKey(ADMINISTRATOR), chain.provider);
    const contract = <Name extends "TEERegistry" | "CertificateStore">(name: Name) =>
      contractAt({
        ...{ name, address: chain.book.contracts[name]?.address ?? "", runner: administrator },
      });
    const registry = contract("TEERegistry");
    const store = contract("CertificateStore");
    const tee = new TeeChain(chain, { registry, store }, simulated);
    await tee.approve(LLM_PROXY);
    return tee;
  }

  /** Lets nodes of a type run the enclaves' image. */
  async approve(teeType: number): Promise<void> {
    const [pcr0, pcr1, pcr2] = measurementsOf("image");
    await (await this.registry.approvePCR({ pcr0, pcr1, pcr2 }, "v1", teeType)).wait();
  }

  stop(): Promise<void> {
    return this.chain.stop();
  }

  writeBook(path: string): string {
    return this.chain.writeBook(path);
  }

  /** @param keys its signing key, of this kind; a fresh one if left out */
  enclave(
    kind: SigningKeyKind = "p256",
    keys?: { publicKey: KeyObject; privateKey: KeyObject },
  ): SimulatedEnclave {
    const measurements = measurementsOf("image");
    const common = { chain: this.#simulated, measurements, kind, now: clock() };
    return new SimulatedEnclave({ ...common, ...(keys && { keys }) });
  }

  /** Admits an enclave as a node of the administrator, or of another development account. */
  async admit(
    enclave: SimulatedEnclave,
    account = ADMINISTRATOR,
    teeType = LLM_PROXY,
    endpoint = ENDPOINT,
  ): Promise<void> {
    const runner = new Wallet(developmentKey(account), this.chain.provider);
    const registry = contractAt({
      ...{ name: "TEERegistry", address: String(this.registry.target), runner },
    });
    const operator = runner.address;
    const bound = { paymentAddress: operator, endpoint, teeType };
    const nonce = bindingNonce({
      ...{ chainId: BigInt(this.chain.chainId), registry: registry.target, operator },
      ...bound,
    });
    const evidence = enclave.attest({ now: clock(), nonce: getBytes(nonce) });
    const hints = await documentHints({
      document: evidence,
      isStored: (id) => this.#store.isStored(id),
    });
    const { signingKey, tlsCertificate } = enclave;
    const registration = { verifierId: 0, evidence, hints, signingKey, tlsCertificate, ...bound };
    const gas = { gasLimit: 16_777_216n };
    await (await registry.register.send(registration, gas)).wait();
    await this.#nextSecond();
  }

  /** A contract that batches of the public network's gateways are sent to. @param account number of who deploys it */
  async deployRelay(account: number): Promise<ContractOf<"LegacySettlement">> {
    const { abi, bytecode } = readArtifact("LegacySettlement");
    const deployer = new Wallet(developmentKey(account), this.chain.provider);
    const factory = new ContractFactory(abi as [], bytecode, deployer);
    const made = await (await factory.deploy(this.registry.target)).waitForDeployment();
    const { provider: runner } = this.chain;
    return contractAt({ name: "LegacySettlement", address: String(made.target), runner });
  }

  /** Who may do everything that governance may. */
  get administrator(): Wallet {
    return new Wallet(developmentKey(ADMINISTRATOR), this.chain.provider);
  }

  /** Whose nodes the admitted enclaves are. */
  get operator(): string {
    return new Wallet(developmentKey(ADMINISTRATOR)).address;
  }

  /** A key that the enclave has certified for an hour: its first. */
  async certifySession(enclave: SimulatedEnclave, signsResults: boolean): Promise<Wallet> {
    const { registry } = this;
    const session = new Wallet(Wallet.createRandom().privateKey);
    const { teeId } = enclave;
    const values = [session.address, signsResults, clock() + 3_600n, 1n] as const;
    const [key, , until, counter] = values;
    const domain = teeRegistryDomain({
      ...{ chainId: BigInt(this.chain.chainId), registry: String(registry.target) },
    });
    const digest = sessionKeyDigest({ domain, teeId, key, signsResults, until, counter });
    await (await registry.certifySessionKey(teeId, ...values, enclave.sign(digest))).wait();
    await this.#nextSecond();
    return session;
  }

  /** Results of pages are judged as of the second before the proposal, in which what begins now has to have begun. */
  async #nextSecond(): Promise<void> {
    const timeOf = async () => (await this.chain.provider.getBlock("latest"))?.timestamp ?? 0;
    const begun = await timeOf();
    await waitFor(async () => {
      await this.chain.send("evm_mine");
      return (await timeOf()) > begun ? true : undefined;
    });
  }

  /** Signed time of the node's last heartbeat, unix seconds. */
  async lastHeartbeat(teeId: string): Promise<bigint> {
    return (await this.registry.getTEE(teeId)).lastHeartbeatAt;
  }

  /** Session keys that were certified for a node, oldest first. */
  async sessionKeys(teeId: string): Promise<string[]> {
    const events = await this.registry.queryFilter("SessionKeyCertified", 0);
    return events.flatMap((event) =>
      "args" in event && event.args.teeId === teeId ? String(event.args.key) : [],
    );
  }
}
