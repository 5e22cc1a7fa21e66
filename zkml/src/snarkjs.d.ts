/** The part of snarkjs 0.7 that the compiler uses; the package has no types of its own. */
declare module "snarkjs" {
  /** a path, bytes to read, or a place to write (`data` is filled in) */
  export type SnarkFile = string | { type: "mem"; data?: Uint8Array };

  export type VerificationKey = {
    protocol: string;
    curve: string;
    nPublic: number;
    vk_alpha_1: string[];
    vk_beta_2: string[][];
    vk_gamma_2: string[][];
    vk_delta_2: string[][];
    IC: string[][];
  };

  export type Groth16Proof = {
    protocol: string;
    curve: string;
    pi_a: string[];
    pi_b: string[][];
    pi_c: string[];
  };

  /** A curve with its pool of worker threads. */
  export type Curve = { terminate: () => Promise<void> };

  export const curves: { getCurveFromName: (name: "bn128") => Promise<Curve> };

  export const powersOfTau: {
    newAccumulator: (curve: Curve, power: number, out: SnarkFile) => Promise<Uint8Array>;
    contribute: (
      from: SnarkFile,
      out: SnarkFile,
      name: string,
      entropy: string,
    ) => Promise<Uint8Array>;
    preparePhase2: (from: SnarkFile, out: SnarkFile) => Promise<void>;
    verify: (ptau: SnarkFile) => Promise<boolean>;
  };

  export const zKey: {
    /** resolves to -1 where the powers of tau do not fit */
    newZKey: (r1cs: SnarkFile, ptau: SnarkFile, out: SnarkFile) => Promise<Uint8Array | -1>;
    contribute: (
      from: SnarkFile,
      out: SnarkFile,
      name: string,
      entropy: string,
    ) => Promise<Uint8Array>;
    beacon: (
      from: SnarkFile,
      out: SnarkFile,
      name: string,
      beaconHex: string,
      iterationsExponent: number,
    ) => Promise<Uint8Array>;
    verifyFromR1cs: (r1cs: SnarkFile, ptau: SnarkFile, zkey: SnarkFile) => Promise<boolean>;
    verifyFromInit: (initial: SnarkFile, ptau: SnarkFile, zkey: SnarkFile) => Promise<boolean>;
    exportVerificationKey: (zkey: SnarkFile) => Promise<VerificationKey>;
  };

  export const groth16: {
    prove: (
      zkey: SnarkFile,
      witness: SnarkFile,
    ) => Promise<{ proof: Groth16Proof; publicSignals: string[] }>;
    verify: (
      key: VerificationKey,
      publicSignals: readonly string[],
      proof: Groth16Proof,
    ) => Promise<boolean>;
  };
}
