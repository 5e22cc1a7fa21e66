import { join } from "node:path";
import { encodeName } from "@haca/enclave-simulator/makeCertificate";
import { teeRegistryAbi } from "@haca/protocol/abi";
import { type Hex, zeroHash } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accessTee, pcrHashOf, pcrsOf, type Tee, teeIdOf } from "./utils/accessTee.ts";
import { deployContracts } from "./utils/deployContracts.ts";
import { isAccepted, randomFrom } from "./utils/randomFrom.ts";
import { type Chain, startChain } from "./utils/startChain.ts";
import { type Indexer, startIndexer } from "./utils/startIndexer.ts";
import { IMAGES, type TeeOperations, TYPES, teeOperations } from "./utils/teeOperations.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";

const SEED = process.env.HACA_SEED ?? "tee registry";
const ROUNDS = process.env.HACA_DEEP === "1" ? 40 : 8;
const OPERATIONS_PER_ROUND = 40;
const NODES_AT_START = 6;

const folder = temporaryFolder();
const random = randomFrom(SEED);
/** How often each operation was accepted. */
const done = new Map<string, number>();
/** How often the chain called a node active, and how often not. */
const answers = { active: 0, inactive: 0 };
let chain: Chain;
let tee: Tee;
let world: TeeOperations;
let indexer: Indexer;

beforeAll(async () => {
  chain = await startChain();
  const path = join(folder.path, "book.json");
  tee = accessTee({ chain, contracts: await deployContracts({ chain, path }) });
  world = teeOperations({ chain, tee, random });
  await tee.call("setVerifier", [1, await tee.deployVerifier()]);
  for (const image of IMAGES) {
    for (const type of TYPES) {
      await tee.call("approvePCR", [pcrsOf(image), "v0", type]);
      await tee.call("approveImage", [
        ...([pcrHashOf(image), "v0", type, 1, `0x${"00".repeat(16)}`] as const),
        ...([zeroHash, ""] as const),
      ]);
    }
  }
  for (let i = 0; i < NODES_AT_START; i++) {
    await world.operations.register();
  }
  indexer = await startIndexer({
    rpcUrl: chain.rpcUrl,
    deployment: path,
    dataDirectory: folder.path,
  });
});

afterAll(async () => {
  await indexer?.stop();
  await chain?.stop();
  folder.remove();
});

const nodeIds = () => world.nodes.map(({ enclave }) => teeIdOf(enclave));

/** What the contract answers for every node if the latest block's time were `at`. */
async function activeOnChain(at: bigint): Promise<Hex[]> {
  const answers = await Promise.all(
    nodeIds().map(async (id) => ({
      id,
      isActive: await chain.client.readContract({
        abi: teeRegistryAbi,
        address: tee.registry.address,
        functionName: "isTEEActive",
        args: [id],
        blockOverrides: { time: at },
      }),
    })),
  );
  return answers.filter(({ isActive }) => isActive).map(({ id }) => id);
}

/** What the indexer answers, page by page. */
async function activeByIndexer(at: bigint): Promise<Hex[]> {
  const ids: Hex[] = [];
  for (const type of TYPES) {
    let after = "";
    for (;;) {
      const url = `${indexer.url}/nodes/active?type=${type}&at=${at}&limit=2${after}`;
      const page = (await (await fetch(url)).json()) as {
        nodes: { id: Hex; teeType: number }[];
        next: number | null;
      };
      expect(page.nodes.every(({ teeType }) => teeType === type)).toBe(true);
      expect(page.nodes.length).toBeLessThanOrEqual(2);
      ids.push(...page.nodes.map(({ id }) => id));
      if (page.next === null) {
        break;
      }
      after = `&after=${page.next}`;
    }
  }
  return ids;
}

/** Times at which answers differ: now, far off, and around the last second of each node's ages. */
async function interestingTimes(): Promise<bigint[]> {
  const { timestamp } = await chain.client.getBlock();
  const heartbeatMaxAge = await tee.registry.read.heartbeatMaxAge();
  const attestationMaxAge = await tee.registry.read.attestationMaxAge();
  const id = random.pick(nodeIds());
  const { lastHeartbeatAt } = await tee.registry.read.getTEE([id]);
  const { attestedAt } = await tee.lens.read.getNode([id]);
  const ends = [lastHeartbeatAt + heartbeatMaxAge, attestedAt + attestationMaxAge];
  return [
    timestamp,
    timestamp - BigInt(random.below(5000)),
    timestamp + BigInt(random.below(5000)),
    ...ends.flatMap((end) => [end, end + 1n]),
  ];
}

async function expectSameVerdicts(): Promise<void> {
  await indexer.indexed(await chain.client.getBlockNumber());
  for (const at of await interestingTimes()) {
    const expected = await activeOnChain(at);
    answers.active += expected.length;
    answers.inactive += world.nodes.length - expected.length;
    const actual = await activeByIndexer(at);
    expect({ at, active: actual.sort() }).toEqual({ at, active: expected.sort() });
  }
}

test("a node is active for the indexer exactly when it is for the contract", async () => {
  await expectSameVerdicts();
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < OPERATIONS_PER_ROUND; i++) {
      const name = random.pick(
        Object.keys(WEIGHTS).flatMap((key) => Array(WEIGHTS[key]).fill(key)),
      );
      const operation = world.operations[name as keyof TeeOperations["operations"]];
      const count = (await isAccepted(operation)) ? 1 : 0;
      done.set(name, (done.get(name) ?? 0) + count);
    }
    await chain.client.increaseTime({ seconds: random.below(900) });
    await chain.client.mine({ blocks: 1 });
    await expectSameVerdicts();
  }
  // A run in which nothing happened would prove nothing.
  const refused = Object.keys(WEIGHTS).filter((name) => (done.get(name) ?? 0) === 0);
  expect(refused).toEqual([]);
  expect(answers.active).toBeGreaterThan(50);
  expect(answers.inactive).toBeGreaterThan(50);
});

/** How often an operation is tried, relative to the others. */
const WEIGHTS: Record<string, number> = {
  ...{ register: 4, renew: 9, heartbeat: 20, disable: 2, enable: 4, retire: 1 },
  ...{ ban: 1, liftBan: 3, denyOperator: 1, allowOperator: 3, approveImage: 6, revokeImage: 1 },
  ...{ setHeartbeatMaxAge: 1, setAttestationMaxAge: 1, pauseAdmission: 1, setVerifier: 1 },
  ...{ revokeCertificate: 1, revokeCertificateKey: 1, revokeUnseenCertificate: 1 },
  ...{ certifySessionKey: 3, endSessionKey: 2, setOhttpConfig: 2 },
};

const rowsById = async (table: string, key: string) =>
  new Map((await indexer.sql(`select * from ${table}`)).map((row) => [row[key], row]));

test("a node's row says what the contract's reads say", async () => {
  const rows = await rowsById("tee_node", "id");
  const configs = await rowsById("tee_ohttp_config", "tee_id");
  expect(rows.size).toBe(world.nodes.length);
  const kinds = ["", "rsa", "p256", "secp256k1"];
  const statuses = ["unknown", "enabled", "disabled", "retired", "banned", "expelled"];
  for (const id of nodeIds()) {
    const info = await tee.registry.read.getTEE([id]);
    const view = await tee.lens.read.getNode([id]);
    expect(rows.get(id)).toMatchObject({
      tee_type: info.teeType,
      owner: info.owner.toLowerCase(),
      payment_address: info.paymentAddress.toLowerCase(),
      endpoint: info.endpoint,
      public_key: info.publicKey,
      measurement: info.pcrHash,
      registered_at: String(info.registeredAt),
      last_heartbeat_at: String(info.lastHeartbeatAt),
      attested_at: String(view.attestedAt),
      status: statuses[view.status],
      key_kind: kinds[view.keyKind],
      verifier_id: view.verifierId,
      verifier_generation: String(view.verifierGeneration),
      image_generation: String(view.imageGeneration),
      signer_certificate: view.signerCertificate,
    });
    const { ohttpConfig } = info;
    const config = configs.get(id);
    expect(config ?? null).toEqual(
      ohttpConfig.registeredAt === 0n
        ? null
        : {
            tee_id: id,
            key_id: ohttpConfig.keyId,
            kem_id: ohttpConfig.kemId,
            kdf_id: ohttpConfig.kdfId,
            aead_id: ohttpConfig.aeadId,
            public_key: ohttpConfig.publicKey,
            key_config: ohttpConfig.keyConfig,
            registered_at: String(ohttpConfig.registeredAt),
            row_block: config?.row_block,
          },
    );
  }
  for (const type of TYPES) {
    const ids = await indexer.sql(
      `select id from tee_node where tee_type = ${type} order by number`,
    );
    const listed = await tee.lens.read.listNodes([type, 0n, BigInt(world.nodes.length)]);
    expect(ids.map((row) => row.id)).toEqual(listed);
  }
});

test("images, session keys, parameters and revocations are those of the contracts", async () => {
  for (const image of IMAGES) {
    for (const type of TYPES) {
      const pcrHash = pcrHashOf(image);
      const view = await tee.lens.read.getImage([pcrHash, type, 0]);
      const [row] = await indexer.sql(
        `select * from tee_image where measurement = '${pcrHash}' and tee_type = ${type} and verifier_id = 0 order by generation desc`,
      );
      expect(row).toMatchObject({
        generation: String(view.generation),
        approved_at: String(view.approvedAt),
        revoked_at: view.revokedAt === 0n ? null : String(view.revokedAt),
        version: view.version,
        commit: view.commit,
        repository: view.repository,
      });
    }
  }
  const keys = await indexer.sql(`select *, "from" as start from tee_session_key`);
  expect(keys).toHaveLength(world.nodes.flatMap(({ sessionKeys }) => sessionKeys).length);
  for (const { tee_id, key, signs_results, start, until } of keys) {
    const session = await tee.registry.read.sessionKey([tee_id as Hex, key as Hex]);
    expect({ signs_results, start, until }).toEqual({
      signs_results: session.signsResults,
      start: String(session.from),
      until: String(session.until),
    });
  }
  const parameters = await rowsById("tee_parameter", "name");
  const { read } = tee.registry;
  expect(parameters.get("heartbeatMaxAge")?.value).toBe(String(await read.heartbeatMaxAge()));
  expect(parameters.get("attestationMaxAge")?.value).toBe(String(await read.attestationMaxAge()));
  expect(parameters.get("admissionPausedUntil")?.value).toBe(
    String(await read.admissionPausedUntil()),
  );
  for (const { revocation_key } of await indexer.sql("select * from certificate_revocation")) {
    expect(await tee.store.read.isRevoked([revocation_key as Hex])).toBe(true);
  }
  for (const { id } of await indexer.sql("select id from certificate")) {
    expect(await tee.store.read.isStored([id as Hex])).toBe(true);
  }
});

test("the history tables lead to the present", async () => {
  const changes = await indexer.sql(
    "select tee_id, previous, current from tee_status_change order by block_number, log_index",
  );
  const status = new Map<unknown, unknown>();
  for (const { tee_id, previous, current } of changes) {
    expect(previous).toBe(status.get(tee_id) ?? "unknown");
    status.set(tee_id, current);
  }
  const rows = await indexer.sql("select id, status from tee_node");
  expect(new Map(rows.map((row) => [row.id, row.status]))).toEqual(status);

  const parameterChanges = await indexer.sql(
    "select name, previous, current from tee_parameter_change order by block_number, log_index",
  );
  const values = new Map<unknown, unknown>();
  for (const { name, previous, current } of parameterChanges) {
    expect(previous).toBe(values.get(name) ?? "0");
    values.set(name, current);
  }
  const signsOfLife = await indexer.sql(
    `select id, last_heartbeat_at, max(timestamp) as beat, max(a.attested_at) as attested
     from tee_node join tee_attestation a on a.tee_id = id left join tee_heartbeat h on h.tee_id = id
     group by id, last_heartbeat_at`,
  );
  expect(signsOfLife).toHaveLength(world.nodes.length);
  for (const { last_heartbeat_at, beat, attested } of signsOfLife) {
    const latest = Math.max(Number(beat), Number(attested));
    expect(Number(last_heartbeat_at)).toBe(latest);
  }
});

test("an authority's revocation takes out every node below it", async () => {
  await tee.call("setHeartbeatMaxAge", [86_400n]);
  await tee.call("setAttestationMaxAge", [7_776_000n]);
  await expectSameVerdicts();
  const { timestamp } = await chain.client.getBlock();
  expect((await activeOnChain(timestamp)).length).toBeGreaterThan(0);

  const { enclave } = random.pick(world.nodes);
  await tee.revokeUnseen(encodeName(enclave.chain.names[1] ?? ""), 3n);
  await indexer.indexed(await chain.client.getBlockNumber());
  expect(await activeByIndexer(timestamp + 1n)).toEqual([]);
  await expectSameVerdicts();
});

test.each([
  ["", "type"],
  ["?type=256", "type"],
  ["?type=x", "type"],
  ["?type=0&at=-1", "at"],
  ["?type=0&limit=0", "limit"],
  ["?type=0&limit=501", "limit"],
  ["?type=0&after=1e3", "after"],
  ["?type=0&operator=1", ""],
])("the route refuses %s", async (query, field) => {
  const response = await fetch(`${indexer.url}/nodes/active${query}`);
  expect(response.status).toBe(400);
  expect(((await response.json()) as { error: string }).error.startsWith(`${field}: `)).toBe(true);
});
