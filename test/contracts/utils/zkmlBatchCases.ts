import { decodeRequestId } from "@haca/protocol/requestId";
import { judgeZkmlBatch } from "@haca/protocol/verdicts/judgeZkml";
import { encodeZkmlBatch, ZKML_BATCH_TYPES } from "@haca/protocol/zkmlBatch";
import { id, keccak256, TypedDataEncoder } from "ethers";
import { R } from "./bn254.ts";
import { BYTE_MUTATIONS } from "./byteMutations.ts";
import { GAS } from "./transactionGas.ts";
import { consentChanges, consentOf, hashesOf, type Kind, type Makes } from "./verdictCases.ts";
import { ask } from "./verdictWorld.ts";
import { baseProved, changeProof, PROOF_CHANGES, type Proved, proveIn } from "./zkmlCases.ts";

type Item = Proved & { changes: readonly string[] };
type Batch = { modelVersion: string; node: string; items: readonly Item[] };
type Evidence = { items: string; signature: string; sender: string };

const MAXIMUM = 3;

const base = (makes: Makes): Batch => ({
  modelVersion: makes.world.versions.proved,
  node: makes.world.node.address,
  items: Array.from({ length: 1 + makes.random.below(MAXIMUM) }, () => ({
    ...baseProved(makes),
    changes: [],
  })),
});

type ChangeItem = (item: Item, makes: Makes) => Item;

const ITEM_CHANGES: Record<string, ChangeItem> = {
  requester: (item, { world }) => withResult(item, { requester: world.f.payee.address }),
  price: (item) => withResult(item, { price: 7n }),
  ahead: (item, { world }) => withResult(item, { timestamp: world.state.now + 60n }),
  tooFarAhead: (item, { world }) => withResult(item, { timestamp: world.state.now + 61n }),
  tooLate: (item, { world }) =>
    withResult(item, { timestamp: world.state.now - world.state.settlementWindow - 1n }),
  whenSomethingHappened: (item, { world, random }) =>
    withResult(item, { timestamp: random.pick(world.moments) + BigInt(random.below(3) - 1) }),
  taken: (item, { world, random }) => {
    const { proved, vanilla } = world.taken;
    const requestId = proved.length === 0 ? undefined : random.pick([...proved, ...vanilla]);
    return requestId === undefined ? item : withResult(item, { requestId });
  },
  aliasOfAWord: (item) => ({
    ...item,
    words: item.words.map((word, i) => (i === 0 ? word + R : word)),
  }),
  ...Object.fromEntries(
    Object.keys(PROOF_CHANGES)
      .filter((name) => !["proof oneShort", "proof oneLong", "proof empty"].includes(name))
      .map((name) => [name, (item: Item) => ({ ...item, changes: [...item.changes, name] })]),
  ),
};

const withResult = (item: Item, overrides: Partial<Proved["result"]>): Item => ({
  ...item,
  result: { ...item.result, ...overrides },
});

/** A change of one item, whichever, or of all. */
const itemDrafts = Object.fromEntries(
  Object.entries(ITEM_CHANGES).map(([name, change]) => [
    name,
    (batch: Batch, makes: Makes): Batch => {
      const place = makes.random.below(batch.items.length);
      const isAll = makes.random.below(3) === 0;
      const items = batch.items.map((item, i) =>
        isAll || i === place ? change(item, makes) : item,
      );
      return { ...batch, items };
    },
  ]),
);

const encode = ({ items, modelVersion }: Batch, makes: Makes): string =>
  encodeZkmlBatch(
    items.map(({ result, words, changes }) => {
      const { requester, price, timestamp, requestId } = result;
      const hashed = { words, result: { ...result, ...hashesOf(words), modelVersion } };
      const proof = changes.reduce(
        (changed, name) => changeProof(name, changed, makes),
        proveIn(makes.world, hashed),
      );
      return {
        ...{ requester, price, timestamp, proof, words },
        nonce: decodeRequestId(requestId).nonce,
      };
    }),
  );

export const ZKML_BATCH: Kind<Batch, Evidence> = {
  base,
  drafts: {
    nothing: (batch) => batch,
    ...itemDrafts,
    otherVersion: (batch, { world, random }) => ({
      ...batch,
      modelVersion: random.pick(Object.values(world.versions)),
    }),
    versionWithoutKey: (batch, { world }) => ({ ...batch, modelVersion: world.versions.signed }),
    unknownVersion: (batch) => ({ ...batch, modelVersion: id("unknown") }),
    allTaken: (batch, { world }) => {
      const [requestId] = world.taken.proved;
      const items = batch.items.map((item) =>
        requestId === undefined ? item : withResult(item, { requestId }),
      );
      return { ...batch, items };
    },
    itemTwice: (batch) => ({ ...batch, items: [...batch.items, ...batch.items.slice(0, 1)] }),
    ofAContract: (batch, { world }) => ({ ...batch, node: String(world.wallet.target) }),
    ofAStranger: (batch, { world }) => ({ ...batch, node: world.f.payee.address }),
  },
  seal: (batch, makes) => {
    const { world } = makes;
    const items = encode(batch, makes);
    const message = {
      ...{ modelVersion: batch.modelVersion, node: batch.node },
      itemsHash: keccak256(items),
    };
    const digest = TypedDataEncoder.hash(world.state.domain, ZKML_BATCH_TYPES, message);
    const signature = world.node.signingKey.sign(digest).serialized;
    return { items, signature, sender: world.f.attacker.address };
  },
  evidences: {
    ...consentChanges<Batch, Evidence>(),
    ...Object.fromEntries(
      Object.entries(BYTE_MUTATIONS).map(([name, change]) => [
        `items ${name}`,
        // Sent by the node, since the hash of the items is in what it signed.
        (evidence: Evidence, _: Batch, { world, random }: Makes) => ({
          ...evidence,
          items: change(evidence.items, random),
          sender: world.node.address,
        }),
      ]),
    ),
  },
  compare: async ({ modelVersion, node }, { items, signature, sender }, { world }) => {
    const { state, settlement } = world;
    const message = { modelVersion, node, itemsHash: keccak256(items) };
    const digest = TypedDataEncoder.hash(state.domain, ZKML_BATCH_TYPES, message);
    const consent = await consentOf({ world, node, digest, sender, signature });
    const { verdict, settled } = judgeZkmlBatch({ modelVersion, node, items, consent, state });
    let count = 0n;
    const call = () =>
      settlement.settleZkmlBatch
        .staticCall(modelVersion, node, items, signature, { from: sender, ...GAS })
        .then((answer) => {
          count = answer;
        });
    const there = await ask(call);
    // The number of items that are settled is part of the verdict.
    return { here: `${verdict} ${settled.length}`, there: `${there} ${count}` };
  },
};
