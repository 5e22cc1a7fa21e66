import type { HardhatEthers } from "@nomicfoundation/hardhat-ethers/types";
import type { BigNumberish } from "ethers";
import { deployMock } from "./deployMock.ts";

const KEY_OFFSET = 1;

/** The Groth16 library behind a contract of the tests. */
export async function deployGroth16Harness(ethers: HardhatEthers) {
  const contract = await deployMock(ethers, "Groth16Harness");
  return {
    contract,
    /** Stores a key as the registry does. */
    storeKey: async (key: string): Promise<string> => {
      const address = await contract.storeKey.staticCall(key);
      await contract.storeKey(key);
      return address;
    },
    verify: async (parameters: {
      store: string;
      proof: string;
      signals: readonly BigNumberish[];
      offset?: number;
      gasLimit?: bigint;
    }): Promise<void> => {
      await contract.verify.staticCall(
        parameters.store,
        parameters.offset ?? KEY_OFFSET,
        parameters.proof,
        parameters.signals,
        parameters.gasLimit === undefined ? {} : { gasLimit: parameters.gasLimit },
      );
    },
    /** Gas of the library call alone. */
    measureVerify: (parameters: {
      store: string;
      proof: string;
      signals: readonly BigNumberish[];
    }): Promise<bigint> =>
      contract.measureVerify.staticCall(parameters.store, parameters.proof, parameters.signals),
  };
}
export type Groth16Harness = Awaited<ReturnType<typeof deployGroth16Harness>>;
