import type { StoragePlace } from "@haca/protocol/addressBook";

/** What solc says of a contract's storage (`storageLayout`), as far as it is used. Names of types hold numbers of a compilation. */
export type SolcLayout = {
  storage: readonly SolcVariable[];
  /** null of a contract without variables */
  types: Readonly<Record<string, SolcType>> | null;
};
type SolcVariable = { label: string; offset: number; slot: string; type: string };
type SolcType = { label: string; numberOfBytes: string; members?: readonly SolcVariable[] };

/** Variables in their order, and the members of each struct behind them, without what another compilation would call otherwise. */
export function storagePlaces({ storage, types }: SolcLayout): StoragePlace[] {
  const known = types ?? {};
  const place = ({ label, offset, slot, type }: SolcVariable, struct?: string): StoragePlace => ({
    name: struct === undefined ? label : `${struct}.${label}`,
    type: known[type]?.label ?? "",
    ...{ slot, offset: String(offset), bytes: known[type]?.numberOfBytes ?? "0" },
  });
  const structs = Object.values(known)
    .filter(({ members }) => members !== undefined)
    .map(({ label, members = [] }) => [label.replace(/^struct /, ""), members] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const places = [
    ...storage.map((variable) => place(variable)),
    ...structs.flatMap(([name, members]) => members.map((member) => place(member, name))),
  ];
  const names = new Set(places.map(({ name }) => name));
  if (names.size !== places.length) throw new Error("two variables of a contract have one name");
  return places;
}
