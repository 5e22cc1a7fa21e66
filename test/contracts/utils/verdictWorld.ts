import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { explainRevert, revertData } from "@haca/protocol/explainRevert";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import type { PageHeader, PageLeaf } from "@haca/protocol/pageSettlement";
import { placeInLedger } from "@haca/protocol/requestId";
import { sessionKeyDigest, teeRegistryDomain } from "@haca/protocol/teeMessages";
import type { PageTerms } from "@haca/protocol/verdicts/judgeLeaf";
import {
  ACCEPTED,
  type EnclaveState,
  type SessionState,
  type SettlementState,
  type Span,
  type VersionState,
} from "@haca/protocol/verdicts/verdict";
import { hexlify, id, Wallet, ZeroHash } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { deployRegistry, LLM_PROXY, makeRegistration, now, wire } from "./attestationFixture.ts";
import { deployMock } from "./deployMock.ts";
import { makeTrapdoor, makeVerifyingKey } from "./groth16Simulator.ts";
import { DAY, DEPOSIT, PARAMETERS } from "./pageFixture.ts";
import { scalarsFrom } from "./randomScalars.ts";
import { SIGNAL_COUNT, versionParams } from "./settlementFixture.ts";
import { GAS } from "./transactionGas.ts";

const WINDOW = 7n * 86_400n;

/** An enclave with what is known of it, in a form that the steps of a life change. */
type Known = EnclaveState & { service: Span[]; sessions: Map<string, SessionState> };

/**
 * The contracts of settlement with versions, enclaves of every kind of key, session keys and nodes; beside them the same as
 * data. `LIFE` changes both.
 */
export async function deployWorld(connection: NetworkConnection) {
  const f = await deployRegistry(connection);
  const { models, governance: owner, registry, chainId, ethers } = f;
  const modelId = computeModelId({ owner: owner.address, slug: "world" });
  await models.connect(owner).registerModel("world");
  const trapdoor = makeTrapdoor({ signalCount: SIGNAL_COUNT, random: scalarsFrom("world") });
  const verifyingKey = makeVerifyingKey(trapdoor);
  const versions = new Map<string, VersionState>();
  const publish = async (major: number, hasKey: boolean): Promise<string> => {
    const publisher = models.connect(owner);
    if (hasKey) {
      const params = versionParams({ verifyingKey, overrides: { major } });
      await publisher.publishVersion(modelId, params);
    } else {
      await publisher.publishManifest(modelId, major, 0, id("manifest"), ZeroHash);
    }
    const versionId = computeVersionId({ modelId, major, minor: 0 });
    const proved = { inputWords: 2, outputWords: 1, verifyingKey };
    versions.set(versionId, hasKey ? proved : { inputWords: 0, outputWords: 0 });
    return versionId;
  };
  const proved = await publish(1, true);
  const signed = await publish(2, false);
  const provedOnce = await publish(3, true);
  const signedOnce = await publish(4, false);
  const notAdmitted = await publish(5, true);

  const enclaves = new Map<string, Known>();
  const admitOne = async (kind: SimulatedEnclave["kind"], modulusLength?: number) => {
    const time = await now(f);
    const enclave = new SimulatedEnclave({
      chain: makeSimulatedChain({ now: time, root: f.chain.rootAuthority }),
      ...{ measurements: measurementsOf("image"), kind, now: time },
      ...(modulusLength === undefined ? {} : { modulusLength }),
    });
    await registry.connect(f.operator).register(await makeRegistration(f, enclave), GAS);
    const signingKey = hexlify(enclave.signingKey);
    const service = [{ from: await now(f) }];
    enclaves.set(enclave.teeId, { signingKey, service, sessions: new Map() });
    return enclave;
  };
  const rsa = await admitOne("rsa");
  const rsa4096 = await admitOne("rsa", 4096);
  const p256 = await admitOne("p256");
  const secp256k1 = await admitOne("secp256k1");

  const registryDomain = teeRegistryDomain({ chainId, registry: await registry.getAddress() });
  let counter = 0n;
  const walletOf = (name: string) => new Wallet(id(`session ${name}`));
  const certify = async (name: string, seconds: bigint, signsResults: boolean) => {
    const session = walletOf(name);
    const until = (await now(f)) + seconds;
    counter += 1n;
    const statement = { teeId: rsa.teeId, key: session.address, signsResults, until, counter };
    const digest = sessionKeyDigest({ domain: registryDomain, ...statement });
    await registry.certifySessionKey(
      ...([statement.teeId, statement.key, signsResults, until, counter] as const),
      rsa.sign(digest),
    );
    const state = { from: await now(f), until, signsResults };
    enclaves.get(rsa.teeId)?.sessions.set(session.address, state);
    return session;
  };
  const live = await certify("live", 20n * 86_400n, true);
  const short = await certify("short", 4_000n, true);
  const ended = await certify("ended", 20n * 86_400n, true);
  const heartbeats = await certify("heartbeats", 20n * 86_400n, false);

  const pages = await deployPageSettlement(f);
  const node = new Wallet(id("node of the world"));
  const wallet = await deployMock(ethers, "OwnedWallet", [node.address]);
  const state: Omit<SettlementState, keyof Mutable> & Mutable = {
    domain: settlementDomain({ chainId, settlement: await f.settlement.getAddress() }),
    ...{ now: await now(f), settlementWindow: WINDOW },
    ...{ occupied: new Map(), vanilla: new Map(), versions, enclaves },
  };
  return {
    ...{ f, state, trapdoor, node, wallet },
    /** for calls in whoever's name */
    settlement: f.settlement.connect(ethers.provider),
    pages,
    pageSettlement: await pages.getAddress(),
    /** seconds for which a result can be proposed now */
    resultWindow: PARAMETERS.resultWindow,
    /** pages of results that were proposed */
    proposed: [] as Proposed[],
    versions: { proved, signed, provedOnce, signedOnce, notAdmitted },
    enclaves: { rsa, rsa4096, p256, secp256k1 },
    sessions: { live, short, ended, heartbeats, fleeting: walletOf("fleeting") },
    certifyFleeting: () => certify("fleeting", 55n, true),
    /** times at which something happened, and those around now that a bound is at */
    moments: [state.now],
    /** requests of the node, and of the enclave `rsa`, that are taken */
    taken: { proved: [] as string[], signed: [] as string[], vanilla: [] as string[] },
  };
}
/** A page that was proposed, with the leaves that it has. */
export type Proposed = { header: PageHeader; leaves: readonly PageLeaf[]; terms: PageTerms };

/** Pages of results beside the settlement, the operator with a deposit for many. */
async function deployPageSettlement(f: Awaited<ReturnType<typeof deployRegistry>>) {
  const { ethers, manager, settlement, governance, operator, administrator, guardian } = f;
  const token = await ethers.deployContract("OPG", [administrator, guardian]);
  const pages = await ethers.deployContract("PageSettlement", [
    ...([await manager.getAddress(), await settlement.getAddress()] as const),
    ...([await token.getAddress(), DAY, PARAMETERS] as const),
  ]);
  await wire(manager, "PageSettlement", pages);
  await settlement.connect(governance).setLedgerWriter(pages, true);
  await token.approve(pages, DEPOSIT);
  await pages.deposit(operator.address, DEPOSIT);
  return pages;
}

export type World = Awaited<ReturnType<typeof deployWorld>>;

type Mutable = {
  now: bigint;
  settlementWindow: bigint;
  occupied: Map<bigint, bigint>;
  vanilla: Map<bigint, bigint>;
  versions: Map<string, VersionState>;
  enclaves: Map<string, Known>;
};

/** Notes the chain's time, as that of calls, and that something happened. */
export async function observe(world: World): Promise<bigint> {
  const time = await now(world.f);
  world.state.now = time;
  world.moments.push(time);
  return time;
}

/** What the contract says to a call. Fails for whatever is no answer of a contract. */
export const ask = (call: () => Promise<unknown>): Promise<string> =>
  call().then(
    () => ACCEPTED,
    (error: unknown) => {
      const data = revertData(error);
      if (data === undefined) throw error;
      return explainRevert(data).name;
    },
  );

/** Notes that a request is taken. */
export function take(bitmaps: Map<bigint, bigint>, requestId: string): void {
  const { page, bit } = placeInLedger(requestId);
  bitmaps.set(page, (bitmaps.get(page) ?? 0n) | bit);
}

/** What happens one after the other, to the chain and to the state beside it. */
export const LIFE: Record<string, (world: World) => Promise<void>> = {
  hourPasses: async ({ f }) => {
    await f.networkHelpers.time.increase(3_600);
  },
  versionsAreDeprecated: async (world) => {
    for (const version of [world.versions.provedOnce, world.versions.signedOnce]) {
      await world.f.models.connect(world.f.governance).deprecateVersion(version);
      const deprecatedAt = await observe(world);
      const known = world.state.versions.get(version);
      if (known !== undefined) world.state.versions.set(version, { ...known, deprecatedAt });
    }
  },
  nodeIsDisabled: async (world) => {
    const { teeId } = world.enclaves.p256;
    await world.f.registry.connect(world.f.operator).disableTEE(teeId);
    leave(world, teeId, await observe(world));
  },
  sessionEnds: async (world) => {
    const { enclaves, sessions, f, state } = world;
    const { address } = sessions.ended;
    await f.registry.connect(f.operator).endSessionKey(enclaves.rsa.teeId, address);
    const until = await observe(world);
    const known = state.enclaves.get(enclaves.rsa.teeId)?.sessions;
    const session = known?.get(address);
    if (session !== undefined) known?.set(address, { ...session, until });
  },
  sessionIsAboutToEnd: async (world) => {
    await world.certifyFleeting();
  },
  nodeIsEnabledAgain: async (world) => {
    await world.f.networkHelpers.time.increase(600);
    const { teeId } = world.enclaves.p256;
    await world.f.registry.connect(world.f.operator).enableTEE(teeId);
    world.state.enclaves.get(teeId)?.service.push({ from: await observe(world) });
  },
  nodeIsBanned: async (world) => {
    const { teeId } = world.enclaves.secp256k1;
    await world.f.registry.connect(world.f.guardian).banTEE(teeId);
    await observe(world);
    world.state.enclaves.get(teeId)?.service.splice(0);
  },
  windowsAreShort: async (world) => {
    const { f, pages, state } = world;
    const seconds = 7_200n;
    await f.settlement.connect(f.governance).setSettlementWindow(seconds);
    await pages.connect(f.governance).setParameters({ ...PARAMETERS, resultWindow: seconds });
    state.settlementWindow = seconds;
    world.resultWindow = seconds;
  },
  windowsAreLongAgain: async (world) => {
    const { f, pages, state } = world;
    await f.settlement.connect(f.governance).setSettlementWindow(WINDOW);
    await pages.connect(f.governance).setParameters(PARAMETERS);
    state.settlementWindow = WINDOW;
    world.resultWindow = PARAMETERS.resultWindow;
  },
  windowEnds: async (world) => {
    await world.f.networkHelpers.time.increase(WINDOW - 3_000n);
    await observe(world);
  },
  imageIsRevoked: async (world) => {
    const { f, state } = world;
    await f.registry.connect(f.guardian).revokeImage(pcrHashOf(f.image), LLM_PROXY, 0);
    const time = await observe(world);
    for (const teeId of state.enclaves.keys()) leave(world, teeId, time);
    await f.networkHelpers.time.increase(100);
  },
};

function leave({ state }: World, teeId: string, until: bigint): void {
  const service = state.enclaves.get(teeId)?.service;
  const last = service?.pop();
  if (last !== undefined) service?.push({ ...last, until });
}
