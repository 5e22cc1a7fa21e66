import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { isSignedByKey } from "@haca/sdk/signatures";
import { hexlify, id } from "ethers";
import {
  BYTE_MUTATIONS,
  ECDSA_MUTATIONS,
  flipBit,
} from "../../test/contracts/utils/byteMutations.ts";
import type { Random } from "../../test/contracts/utils/seededRandom.ts";

/** A signature by an enclave's key over 32 bytes, and whether the SDK takes it. */
export type SignatureCase = {
  name: string;
  key: string;
  message: string;
  signature: string;
  sdk: boolean;
};

type Signed = Omit<SignatureCase, "name" | "sdk">;

const CHANGES: Record<string, (sound: Signed, random: Random) => Partial<Signed>> = {
  none: () => ({}),
  bitOfKey: ({ key }, random) => ({ key: flipBit(key, random) }),
  longKey: ({ key }, random) => ({ key: BYTE_MUTATIONS.oneLong?.(key, random) ?? key }),
  shortKey: ({ key }, random) => ({ key: BYTE_MUTATIONS.oneShort?.(key, random) ?? key }),
  bitOfMessage: ({ message }, random) => ({ message: flipBit(message, random) }),
  bitOfSignature: ({ signature }, random) => ({ signature: flipBit(signature, random) }),
  otherS: ({ signature }, random) => ({
    signature: ECDSA_MUTATIONS.highS?.(signature, random) ?? signature,
  }),
  otherV: ({ signature }, random) => ({
    signature: ECDSA_MUTATIONS.otherParity?.(signature, random) ?? signature,
  }),
  ofSignature: ({ signature }, random) => ({
    signature: random.pick(Object.values(ECDSA_MUTATIONS))(signature, random),
  }),
};

/** Every change of every key, in turn. */
export async function signatureCases(parameters: {
  count: number;
  random: Random;
  enclaves: Readonly<Record<string, SimulatedEnclave>>;
}): Promise<SignatureCase[]> {
  const { count, random, enclaves } = parameters;
  const kinds = Object.entries(CHANGES).flatMap(([change, make]) =>
    Object.entries(enclaves).map(([by, enclave]) => ({ name: `${by}: ${change}`, make, enclave })),
  );
  const cases: SignatureCase[] = [];
  for (let index = 0; index < count; index += 1) {
    const { name, make, enclave } = kinds[index % kinds.length] ?? random.pick(kinds);
    const message = id(`message ${index}`);
    const sound = {
      ...{ key: hexlify(enclave.signingKey), message },
      signature: hexlify(enclave.sign(message)),
    };
    const changed = { ...sound, ...make(sound, random) };
    const sdk = await isSignedByKey(changed).catch(() => false);
    cases.push({ name, ...changed, sdk });
  }
  return cases;
}
