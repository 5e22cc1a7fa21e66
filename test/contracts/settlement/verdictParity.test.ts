import { OPTIMISTIC } from "@haca/protocol/pageSettlement";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { expect } from "chai";
import { network } from "hardhat";
import { CONFLICT } from "../utils/conflictCases.ts";
import { LEAF, LEAVES_AHEAD, proposePages } from "../utils/leafCases.ts";
import { admitIn, OPTIMISTIC_LEAF, proposeOptimisticPage } from "../utils/optimisticLeafCases.ts";
import { seededRandom } from "../utils/seededRandom.ts";
import { TEE, VANILLA } from "../utils/signedCases.ts";
import {
  type Case,
  type Kind,
  type Makes,
  makeCase,
  makeChanged,
  namesOf,
} from "../utils/verdictCases.ts";
import {
  deployWorld,
  LIFE,
  observe,
  type Proposed,
  take,
  type World,
} from "../utils/verdictWorld.ts";
import { ZKML_BATCH } from "../utils/zkmlBatchCases.ts";
import { ZKML } from "../utils/zkmlCases.ts";

const connection = await network.create();
const isDeep = process.env.HACA_DEEP === "1";
const SEED = process.env.HACA_SEED ?? "verdicts";
const CASES = isDeep ? 10_000 : 300;
/** A kind, whatever its drafts are, and which part of all cases it has. Batches cost the most. */
const played = <Draft, Evidence>(kind: Kind<Draft, Evidence>, part: number) => ({
  ...{ part, changes: namesOf(kind) },
  turn: (makes: Makes, number: number) => makeCase({ kind, makes, number }),
  changed: (makes: Makes, change: string) =>
    makeChanged({ kind, makes, chosen: [change], isStale: false }),
});
const KINDS = {
  ZKML: played(ZKML, 0.23),
  ZKML_BATCH: played(ZKML_BATCH, 0.17),
  TEE: played(TEE, 0.2),
  VANILLA: played(VANILLA, 0.16),
  LEAF: played(LEAF, 0.18),
  OPTIMISTIC_LEAF: played(OPTIMISTIC_LEAF, 0.2),
  CONFLICT: played(CONFLICT, 0.2),
};
type Name = keyof typeof KINDS;
/** Leaves of each page that is proposed after each thing that happens, and judged again after all that follow. */
const LEAVES = isDeep ? 32 : 4;

const BASE = [
  ...["ResultFromFuture", "ResultExpired", "AlreadySettled"],
  ...["VersionUnknown", "VersionDeprecated"],
];
/** What a run has to have seen of each kind, or it would prove little. */
const WANTED: Record<Name, readonly string[]> = {
  ZKML: [
    ...[...BASE, "TeeIdNotZero", "NodeSignatureInvalid", "VersionWithoutKey", "WordCountInvalid"],
    ...["InputHashMismatch", "OutputHashMismatch", "ProofLengthInvalid"],
    ...["PublicSignalOutOfRange", "ProofPointInvalid", "ProofInvalid"],
  ],
  ZKML_BATCH: [
    ...["NodeSignatureInvalid", "VersionUnknown", "VersionWithoutKey", "ItemsLengthInvalid"],
    ...["ResultFromFuture", "ResultExpired", "NothingToSettle"],
    ...["PublicSignalOutOfRange", "ProofPointInvalid", "ProofInvalid"],
  ],
  TEE: [...BASE, "WrongNode", "NotInService", "EnclaveSignatureInvalid"],
  VANILLA: [...BASE, "TeeIdNotZero", "ProposalExpired", "NodeSignatureInvalid"],
  LEAF: [
    ...["NotTaken", "NotIncluded", "MalformedLeaf", "WrongNode", "OutsideWindow"],
    ...["InvalidSignature", "VersionInvalid", "KeyNotInService"],
  ],
  OPTIMISTIC_LEAF: [
    ...["NotTaken", "NotIncluded", "MalformedLeaf", "WrongNode", "OutsideWindow"],
    ...["InvalidSignature", "VersionInvalid"],
  ],
  CONFLICT: ["NoConflict", "LeafIsBad", "NotTaken", "NotIncluded"],
};
/** What a kind says of what is as it must be. */
const GOOD: Partial<Record<Name, string>> = { CONFLICT: "ConflictingReceipt" };

/** Changes that something gives a meaning to: they have a turn right after it. */
const DUE: Record<string, readonly string[]> = {
  someAreSettled: ["takenRequest", "recordedRequest", "taken", "allTaken"],
  versionsAreDeprecated: [
    "deprecatedVersion",
    ...new Array<string>(4).fill("aroundItsDeprecation"),
  ],
  sessionIsAboutToEnd: ["session fleeting, ahead"],
  windowEnds: ["whenSomethingHappened", "session short", "session ended"],
};

/** Leaves of pages that were proposed, with all that has happened since. */
const OFTEN = [...new Array<string>(8).fill("asItIs"), ...new Array<string>(3).fill("theSame")];

describe("verdicts on results, here and by the contracts", () => {
  let world: World;
  const random = seededRandom(SEED);
  const turns: Record<Name, number> = {
    ...{ ZKML: 0, ZKML_BATCH: 0, TEE: 0, VANILLA: 0, LEAF: 0, OPTIMISTIC_LEAF: 0, CONFLICT: 0 },
  };
  const none = () => new Map<string, number>();
  const seen: Record<Name, Map<string, number>> = {
    ...{ ZKML: none(), ZKML_BATCH: none(), TEE: none(), VANILLA: none(), LEAF: none() },
    ...{ OPTIMISTIC_LEAF: none(), CONFLICT: none() },
  };

  before(async () => {
    world = await deployWorld(connection);
    await observe(world);
    const makes = { world, random };
    await admitIn(makes, world.versions.proved);
    await admitIn(makes, world.versions.provedOnce);
  });
  after(() => connection.close());

  const steps: Record<string, (world: World) => Promise<void>> = {
    begins: async () => {},
    someAreSettled: settleSome,
    aVersionIsAdmitted: (at) => admitIn({ world: at, random }, at.versions.notAdmitted),
    ...LIFE,
  };
  for (const [step, happens] of Object.entries(steps)) {
    it(`test_AgreeAfter_${step}`, async function () {
      this.timeout(isDeep ? 3_600_000 : 600_000);
      await happens(world);
      const before = world.proposed.slice(-5);
      await proposePages({ world, random }, LEAVES);
      await proposeOptimisticPage({ world, random }, 4 + LEAVES);
      await observe(world);
      await compareAhead(before);
      for (const name of Object.keys(KINDS) as Name[]) {
        await compareSome(name, [...(DUE[step] ?? []), ...OFTEN]);
      }
    });
  }

  it("test_SawEveryVerdict", () => {
    for (const name of Object.keys(KINDS) as Name[]) {
      const verdicts = [...seen[name].keys()].map((verdict) => verdict.replace(/^.*_/, ""));
      expect(verdicts, name).to.include.members([...WANTED[name]]);
      const good = GOOD[name] ?? "accepted";
      expect(seen[name].get(good), `${name} ${good}`).to.be.greaterThan(turns[name] / 10);
    }
  });

  async function compareSome(name: Name, due: readonly string[]): Promise<void> {
    const { part, changes, turn, changed } = KINDS[name];
    const makes = { world, random };
    for (const change of due.filter((one) => changes.includes(one))) {
      note(name, await changed(makes, change));
    }
    const many = Math.ceil((CASES * part) / Object.keys(steps).length);
    for (let i = 0; i < many; i += 1) {
      note(name, await turn(makes, turns[name]));
      turns[name] += 1;
    }
  }

  /** Leaves of the last pages but these, dated after what has happened since. */
  async function compareAhead(pages: readonly Proposed[]): Promise<void> {
    for (const page of pages) {
      for (const leaf of page.leaves.slice(0, LEAVES_AHEAD)) {
        const evidence = { header: page.header, leaf };
        const said = await LEAF.compare(page, evidence, { world, random });
        note(page.header.kind === OPTIMISTIC ? "OPTIMISTIC_LEAF" : "LEAF", {
          ...said,
          name: "ahead of its page",
        });
      }
    }
  }

  function note(name: Name, { here, there, name: changes }: Case): void {
    expect(here, `${SEED}: ${name} ${turns[name]}, ${changes}`).to.equal(there);
    const [verdict = ""] = there.split(" ");
    seen[name].set(verdict, (seen[name].get(verdict) ?? 0) + 1);
  }
});

/** One of each kind really settles, so that there are requests that are taken. */
async function settleSome(world: World): Promise<void> {
  const makes: Makes = { world, random: seededRandom("some are settled") };
  const { f, node, state, taken, enclaves } = world;
  const settlement = f.settlement.connect(f.attacker);
  const idOf = (of: string, nonce: bigint) => encodeRequestId({ node: of, nonce });

  const proved = ZKML.base(makes);
  proved.result.requestId = idOf(node.address, 1n);
  const { proof, signature } = ZKML.seal(proved, makes);
  await settlement.settleZkml(proved.result, [...proved.words], proof, signature);
  taken.proved.push(proved.result.requestId);
  take(state.occupied, proved.result.requestId);

  const plain = VANILLA.base(makes);
  plain.result.requestId = idOf(node.address, 2n);
  const { signature: proposal, deadline } = VANILLA.seal(plain, makes);
  await settlement.settleVanilla(plain.result, deadline, proposal);
  taken.vanilla.push(plain.result.requestId);
  take(state.vanilla, plain.result.requestId);

  const { result } = plain;
  const { teeId } = enclaves.rsa;
  const signed = {
    result: { ...result, teeId, requestId: idOf(nodeOfEnclave(teeId), 1n) },
    signer: enclaves.rsa,
  };
  const { signature: signatureOfEnclave } = TEE.seal(signed, makes);
  await settlement.settleTee(signed.result, signatureOfEnclave);
  taken.signed.push(signed.result.requestId);
  take(state.occupied, signed.result.requestId);
}
