import { join } from "node:path";
import { NODE_STATUSES } from "@haca/protocol/attestationParameters";
import { heartbeatMessage } from "@haca/protocol/teeMessages";
import { expect } from "chai";
import type { Signer } from "ethers";
import { network } from "hardhat";
import {
  deployRegistry,
  loadAtItsTime,
  makeEnclave,
  makeRegistration,
  now,
  wire,
} from "../utils/attestationFixture.ts";
import { readLifeTree, revertOf, statesLedTo } from "../utils/lifeTree.ts";
import { GAS } from "../utils/transactionGas.ts";

const connection = await network.create();
const AMOUNT = 1_000n;
const TREE = readLifeTree(join(import.meta.dirname, "nodeLife.tree"), "node");

async function deployWithBonds() {
  const f = await deployRegistry(connection);
  const { ethers, manager, registry, governance, operator } = f;
  const [authority, address] = [await manager.getAddress(), await registry.getAddress()];
  const token = await ethers.deployContract("OPG", [operator.address, authority]);
  const bonds = await ethers.deployContract("NodeBonds", [
    ...([authority, await token.getAddress(), address] as const),
  ]);
  await wire(manager, "NodeBonds", bonds);
  await registry.connect(governance).setBonds(await bonds.getAddress());
  await bonds.connect(governance).setAmount(AMOUNT);
  await token.connect(operator).approve(await bonds.getAddress(), AMOUNT);
  const enclave = await makeEnclave(f);
  // Its certificates are stored beforehand, so that each document costs one signature to check.
  const { evidence, hints } = await makeRegistration(f, enclave);
  await f.verifier.verify(evidence, hints, GAS);
  return { ...f, bonds, enclave };
}
type Fixture = Awaited<ReturnType<typeof deployWithBonds>>;

type Operation = {
  /** whose it is */
  by: "operator" | "guardian" | "governance";
  run: (f: Fixture, caller: Signer) => Promise<unknown>;
};

const registrationOf = async (f: Fixture) => {
  await f.networkHelpers.time.increase(1);
  return await makeRegistration(f, f.enclave);
};

/** Everything that is done to one node, each by whoever may. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  register: {
    by: "operator",
    run: async (f, caller) => f.registry.connect(caller).register(await registrationOf(f), GAS),
  },
  renew: {
    by: "operator",
    run: async (f, caller) =>
      f.registry.connect(caller).renew(f.enclave.teeId, await registrationOf(f), GAS),
  },
  heartbeat: {
    by: "operator",
    run: async (f, caller) => {
      const { teeId } = f.enclave;
      const timestamp = (await now(f)) + 1n;
      const signature = f.enclave.sign(heartbeatMessage({ teeId, timestamp }));
      await f.registry.connect(caller).heartbeat(teeId, timestamp, signature);
    },
  },
  disableTEE: {
    by: "operator",
    run: (f, caller) => f.registry.connect(caller).disableTEE(f.enclave.teeId),
  },
  enableTEE: {
    by: "operator",
    run: (f, caller) => f.registry.connect(caller).enableTEE(f.enclave.teeId),
  },
  retireTEE: {
    by: "operator",
    run: (f, caller) => f.registry.connect(caller).retireTEE(f.enclave.teeId),
  },
  banTEE: {
    by: "guardian",
    run: (f, caller) => f.registry.connect(caller).banTEE(f.enclave.teeId),
  },
  liftBan: {
    by: "governance",
    run: (f, caller) => f.registry.connect(caller).liftBan(f.enclave.teeId),
  },
  forfeit: {
    by: "governance",
    run: (f, caller) => f.bonds.connect(caller).forfeit(f.enclave.teeId, f.payee.address),
  },
};

/** The operations that bring a node into each state. */
const STATES: Readonly<Record<string, readonly string[]>> = {
  unknown: [],
  enabled: ["register"],
  disabled: ["register", "disableTEE"],
  retired: ["register", "retireTEE"],
  banned: ["register", "banTEE"],
  expelled: ["register", "banTEE", "retireTEE"],
  "banned, its bond lost": ["register", "banTEE", "forfeit"],
  "expelled, its bond lost": ["register", "banTEE", "retireTEE", "forfeit"],
  "retired, its bond lost": ["register", "banTEE", "forfeit", "liftBan"],
};

async function stateOf(f: Fixture): Promise<string> {
  const { teeId } = f.enclave;
  const { status } = await f.registry.nodeOf(teeId).catch(() => ({ status: 0n }));
  const bond = (await f.bonds.hasLeft(teeId)) ? ", its bond lost" : "";
  return `${NODE_STATUSES[Number(status)]}${bond}`;
}

describe("the life of a node", () => {
  let f: Fixture;
  beforeEach(async () => {
    f = await loadAtItsTime(connection, deployWithBonds);
  });
  const run = async (name: string, caller?: Signer): Promise<unknown> => {
    const operation = OPERATIONS[name];
    if (operation === undefined) throw new RangeError(name);
    return await operation.run(f, caller ?? f[operation.by]);
  };

  it("test_TreeNamesEveryState", () => {
    expect([...TREE.keys()].sort()).to.deep.equal(Object.keys(STATES).sort());
    expect([...TREE.keys()]).to.include.members(statesLedTo(TREE));
  });

  for (const [state, lead] of Object.entries(STATES)) {
    it(`test_GoesOnAsNodeLifeTreeSays: ${state}`, async () => {
      for (const name of lead) await run(name);
      expect(await stateOf(f)).to.equal(state);
      const found: Record<string, string> = {};
      for (const name of Object.keys(OPERATIONS)) {
        const snapshot = await f.networkHelpers.takeSnapshot();
        const refusal = await revertOf(() => run(name));
        const next = await stateOf(f);
        found[name] = refusal ?? (next === state ? `stays ${state}` : `becomes ${next}`);
        expect(refusal === undefined || next === state, name).to.equal(true);
        await snapshot.restore();
      }
      expect(found).to.deep.equal(TREE.get(state));
    });

    it(`test_StaysAsItIsWhateverAStrangerTries: ${state}`, async () => {
      for (const name of lead) await run(name);
      for (const name of Object.keys(OPERATIONS)) {
        // Who brings a heartbeat does not matter: the enclave signed it.
        if (name !== "heartbeat") {
          expect(await revertOf(() => run(name, f.attacker)), name).to.not.equal(undefined);
        }
        expect(await stateOf(f), name).to.equal(state);
      }
    });
  }
});
