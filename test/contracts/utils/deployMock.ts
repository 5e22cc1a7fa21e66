import type { HardhatEthers } from "@nomicfoundation/hardhat-ethers/types";
import type { BaseContract } from "ethers";
import type { Functions } from "../../../scripts/lib/contracts.ts";
import type { mockAbis } from "../generated/mockAbis.ts";

type MockAbis = typeof mockAbis;

/** A contract of the tests, with its functions typed by its ABI. */
export type Mock<Name extends keyof MockAbis> = BaseContract &
  Functions<MockAbis[Name]> & { readonly target: string };

/** The name of one of its functions. */
export type MockFunction<Name extends keyof MockAbis> = keyof Functions<MockAbis[Name]>;

/** Deploys a contract of `test/contracts/mocks/`. */
export const deployMock = async <Name extends keyof MockAbis>(
  ethers: HardhatEthers,
  name: Name,
  values: readonly unknown[] = [],
): Promise<Mock<Name>> => (await ethers.deployContract(name, [...values])) as unknown as Mock<Name>;
