import { openDevelopmentRoot } from "@haca/enclave-simulator/developmentRoot";
import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import {
  type RunningEnclave,
  startSimulatedEnclave,
} from "@haca/enclave-simulator/startSimulatedEnclave";
import { ATTESTATION_VENDORS } from "@haca/protocol/attestationVendors";
import { BaseError } from "@haca/protocol/baseError";
import type { ContractName } from "@haca/protocol/contracts";
import { gasLimitFor } from "@haca/protocol/gasLimit";
import { fetchHeartbeat } from "@haca/worker/roles/heartbeat/enclaveClient";
import { type JsonRpcProvider, Wallet } from "ethers";
import { type ArgumentsOf, type ChangeName, type ContractOf, connected } from "../lib/contracts.ts";
import type { Report } from "../lib/progress.ts";
import { formatTable } from "../lib/table.ts";
import { collectEvidence } from "../tee/collectEvidence.ts";
import { type TeeContracts, teeContracts, verifierOf } from "../tee/teeContracts.ts";
import { CHAIN_ID, developmentKey, withChain } from "./localChain.ts";

const ADMINISTRATOR = 0;
const GUARDIAN = 1;
const OPERATOR = 2;
const LLM_PROXY = 0;
/** What the simulated enclaves attest as. */
const { nitro } = ATTESTATION_VENDORS;
/** Below one root and instance, so that the second document finds the first one's certificates stored. */
const IMAGES = ["demo-a", "demo-b"] as const;

type Node = { image: string; enclave: SimulatedEnclave; running: RunningEnclave };
/** Two enclaves that were admitted, by the image that each runs. */
export type AdmittedEnclaves = readonly [first: SimulatedEnclave, second: SimulatedEnclave];

/**
 * Admits two simulated enclaves through the verification of their attestation documents on the chain, lets the first
 * send a heartbeat, and shows from the registry who is active.
 */
export async function admitEnclaves(parameters: {
  rpcUrl: string;
  report: Report;
}): Promise<AdmittedEnclaves> {
  const { rpcUrl, report } = parameters;
  return withChain(rpcUrl, (provider) => admitOn({ provider, report }));
}

async function admitOn(parameters: {
  provider: JsonRpcProvider;
  report: Report;
}): Promise<AdmittedEnclaves> {
  const { provider, report } = parameters;
  const account = (index: number) => new Wallet(developmentKey(index), provider);
  const nodes: Node[] = [];
  try {
    const administrator = account(ADMINISTRATOR);
    const contracts = await teeContracts({ chainId: CHAIN_ID, runner: administrator });
    const now = BigInt(Math.floor(Date.now() / 1000));
    const chain = makeSimulatedChain({ now, root: openDevelopmentRoot() });
    const rows: string[][] = [];
    for (const image of IMAGES) {
      report(`admitting an enclave on image ${image}`);
      await approve(contracts, image);
      const measurements = measurementsOf(image);
      const enclave = new SimulatedEnclave({ chain, measurements, kind: "rsa", now });
      const running = await startSimulatedEnclave({ enclave, port: 0, publicPort: 0 });
      nodes.push({ image, enclave, running });
      const operator = account(OPERATOR);
      const admitted = await admit({ contracts, operator, running, teeType: LLM_PROXY });
      const { certificates, gas, storedCertificates, teeId } = admitted;
      const stored = `${storedCertificates} of ${certificates} stored before`;
      rows.push([image, `${teeId.slice(0, 10)}…`, stored, gas.toLocaleString("en")]);
    }
    const columns = ["image", "node", "certificates", "gas of verification and admission"];
    console.log(`\n${formatTable({ columns, rows })}\n`);

    const [first, second] = nodes;
    if (first === undefined || second === undefined) throw new Error("an enclave is missing");
    const alive = await fetchHeartbeat({ url: first.running.operatorUrl });
    const values = [alive.teeId, alive.timestamp, alive.signature] as const;
    const gas = await send(contracts.registry, "heartbeat", values);
    console.log(`      heartbeat of ${first.image}: ${gas.toLocaleString("en")} gas`);
    await requireActive(contracts, IMAGES);
    return [first.enclave, second.enclave];
  } finally {
    await Promise.all(nodes.map(({ running }) => running.close()));
  }
}

/** Revokes the second enclave's image as guardian, and shows who is active then. Returns the enclave that stays. */
export async function revokeSecondImage(parameters: {
  rpcUrl: string;
  enclaves: AdmittedEnclaves;
}): Promise<SimulatedEnclave> {
  const { rpcUrl, enclaves } = parameters;
  const [first, second] = enclaves;
  return withChain(rpcUrl, async (provider) => {
    const guardian = new Wallet(developmentKey(GUARDIAN), provider);
    const contracts = await teeContracts({ chainId: CHAIN_ID, runner: guardian });
    const hash = pcrHashOf(second.measurements);
    const gas = await send(contracts.registry, "revokePCR", [hash, LLM_PROXY]);
    console.log(`      guardian revokes image ${IMAGES[1]}: ${gas.toLocaleString("en")} gas`);
    await requireActive(contracts, [IMAGES[0]]);
    return first;
  });
}

/** On a development chain the administrator may approve images at once. */
export async function approve({ registry }: TeeContracts, image: string): Promise<void> {
  const [pcr0, pcr1, pcr2] = measurementsOf(image);
  await send(registry, "approvePCR", [{ pcr0, pcr1, pcr2 }, image, LLM_PROXY]);
}

/** Has an enclave's evidence verified and the enclave admitted, by its operator. */
export async function admit(parameters: {
  contracts: TeeContracts;
  operator: Wallet;
  running: RunningEnclave;
  teeType: number;
}): Promise<{ teeId: string; storedCertificates: number; certificates: number; gas: bigint }> {
  const { contracts, operator, running, teeType } = parameters;
  const { registration, teeId, storedCertificates, certificates } = await collectEvidence({
    contracts,
    verifier: await verifierOf({ contracts, runner: operator, verifierId: nitro.verifierId }),
    runner: operator,
    request: {
      enclave: running.operatorUrl,
      operator: operator.address,
      paymentAddress: operator.address,
      endpoint: running.publicUrl,
      teeType,
      tls: undefined,
    },
  });
  const registry = connected(contracts.registry, operator);
  const gas = await send(registry, "register", [registration]);
  return { teeId, storedCertificates, certificates, gas };
}

/** Sends a call, waits for it and returns the gas that it used. */
async function send<Name extends ContractName, Function extends ChangeName<Name>>(
  contract: ContractOf<Name>,
  name: Function,
  values: ArgumentsOf<Name, Function>,
): Promise<bigint> {
  const call = contract.getFunction(name);
  const gasLimit = gasLimitFor(await call.estimateGas(...values));
  const receipt = await (await call.send(...values, { gasLimit })).wait();
  return receipt?.gasUsed ?? 0n;
}

/** Prints the registry's active nodes, which must be exactly these. */
async function requireActive(contracts: TeeContracts, expected: readonly string[]): Promise<void> {
  const active = await contracts.registry.getActiveTEEs(LLM_PROXY);
  const names = active.map(
    ({ pcrHash }) =>
      IMAGES.find((image) => pcrHashOf(measurementsOf(image)) === pcrHash) ?? pcrHash,
  );
  console.log(`      active nodes: ${names.join(", ")}`);
  if (names.join() === expected.join()) return;
  throw new BaseError({
    code: "demo.notActive",
    message: `the registry's active nodes are ${names.join(", ") || "none"}, expected ${expected.join(", ")}`,
  });
}
