import { describe, expect, it } from "vitest";
import { type SolcLayout, storagePlaces } from "./storagePlaces.ts";

const LAYOUT: SolcLayout = {
  storage: [
    { label: "paused", offset: 0, slot: "0", type: "t_bool" },
    { label: "limit", offset: 1, slot: "0", type: "t_uint64" },
    {
      label: "_nodes",
      offset: 0,
      slot: "1",
      type: "t_mapping(t_bytes32,t_struct(Node)4711_storage)",
    },
  ],
  types: {
    t_bool: { label: "bool", numberOfBytes: "1" },
    t_uint64: { label: "uint64", numberOfBytes: "8" },
    "t_mapping(t_bytes32,t_struct(Node)4711_storage)": {
      ...{ label: "mapping(bytes32 => struct A.Node)", numberOfBytes: "32" },
    },
    "t_struct(Node)4711_storage": {
      ...{ label: "struct A.Node", numberOfBytes: "32" },
      members: [{ label: "since", offset: 20, slot: "0", type: "t_uint64" }],
    },
  },
};

describe("a contract's storage", () => {
  it("is its variables and the members of its structs, by names that no compilation draws", () => {
    expect(storagePlaces(LAYOUT)).toEqual([
      { name: "paused", type: "bool", slot: "0", offset: "0", bytes: "1" },
      { name: "limit", type: "uint64", slot: "0", offset: "1", bytes: "8" },
      {
        ...{ name: "_nodes", type: "mapping(bytes32 => struct A.Node)" },
        ...{ slot: "1", offset: "0", bytes: "32" },
      },
      { name: "A.Node.since", type: "uint64", slot: "0", offset: "20", bytes: "8" },
    ]);
    expect(storagePlaces({ storage: [], types: null })).toEqual([]);
  });

  it("has each name once", () => {
    const [first] = LAYOUT.storage;
    if (first === undefined) throw new Error("no variable");
    expect(() => storagePlaces({ ...LAYOUT, storage: [...LAYOUT.storage, first] })).toThrow(
      "two variables",
    );
  });
});
