import { hexOfText, keccak, keccakText, wordOf } from "../bytes.ts";
import { addressWord } from "../typedData.ts";

export type TypedField = { name: string; type: string };

/** What EIP-712 signs, as wallets take it: of the types that payments have, which are structs, addresses, words, texts. */
export type TypedData = {
  domain: { name: string; version?: string; chainId: number; verifyingContract: string };
  types: Readonly<Record<string, TypedField[]>>;
  primaryType: string;
  /** numbers as decimal text */
  message: Readonly<Record<string, unknown>>;
};

const DOMAIN_FIELDS: readonly TypedField[] = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
];

/** The fields of a domain that it has, as wallets want them among the types. */
export const domainFieldsOf = (domain: TypedData["domain"]): TypedField[] =>
  DOMAIN_FIELDS.filter(({ name }) => Object.hasOwn(domain, name));

/** The digest that is signed: 32 bytes. */
export function hashTypedData({ domain, message, primaryType, types }: TypedData): string {
  const ofDomain = { EIP712Domain: domainFieldsOf(domain) };
  return keccak(
    "0x1901",
    hashStruct(ofDomain, "EIP712Domain", domain),
    hashStruct(types, primaryType, message),
  );
}

/** As EIP-712 has it, without a domain. Numbers may be numbers, too. */
export function hashStruct(types: TypedData["types"], name: string, value: object): string {
  const words = (types[name] ?? []).map((field) => {
    const member: unknown = Reflect.get(value, field.name);
    if (types[field.type] !== undefined) return hashStruct(types, field.type, member as object);
    if (field.type === "string") return keccak(hexOfText(String(member)));
    if (field.type === "address") return addressWord(String(member));
    if (field.type === "bytes32") return String(member);
    return wordOf(BigInt(member as string));
  });
  return keccak(keccakText(typeText(types, name)), ...words);
}

/** A struct's type, and behind it those that it has, by name. */
function typeText(types: TypedData["types"], name: string): string {
  const others = new Set<string>();
  const collect = (from: string): void => {
    for (const { type } of types[from] ?? []) {
      if (types[type] === undefined || others.has(type)) continue;
      others.add(type);
      collect(type);
    }
  };
  collect(name);
  const fieldsOf = (of: string): string =>
    (types[of] ?? []).map((field) => `${field.type} ${field.name}`).join(",");
  return [name, ...[...others].sort()].map((of) => `${of}(${fieldsOf(of)})`).join("");
}
