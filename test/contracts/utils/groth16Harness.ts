import type { HardhatEthers } from "@nomicfoundation/hardhat-ethers/types";
import type { BigNumberish } from "ethers";

const KEY_OFFSET = 1;

/** The Groth16 library behind a contract of the tests. */
export async function deployGroth16Harness(ethers: HardhatEthers) {
  const contract = await ethers.deployContract("Groth16Harness");
  const store = contract.getFunction("storeKey");
  return {
    contract,
    /** Stores a key as the registry does. */
    storeKey: async (key: string): Promise<string> => {
      const address: string = await store.staticCall(key);
      await store(key);
      return address;
    },
    verify: (parameters: {
      store: string;
      proof: string;
      signals: readonly BigNumberish[];
      offset?: number;
      gasLimit?: bigint;
    }): Promise<void> =>
      contract
        .getFunction("verify")
        .staticCall(
          parameters.store,
          parameters.offset ?? KEY_OFFSET,
          parameters.proof,
          parameters.signals,
          parameters.gasLimit === undefined ? {} : { gasLimit: parameters.gasLimit },
        ),
    /** Gas of the library call alone. */
    measureVerify: (parameters: {
      store: string;
      proof: string;
      signals: readonly BigNumberish[];
    }): Promise<bigint> =>
      contract
        .getFunction("measureVerify")
        .staticCall(parameters.store, parameters.proof, parameters.signals),
  };
}
export type Groth16Harness = Awaited<ReturnType<typeof deployGroth16Harness>>;
