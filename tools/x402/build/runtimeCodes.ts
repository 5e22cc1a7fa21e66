import { BaseError } from "@haca/protocol/baseError";
import { concat, getAddress, getCreate2Address, keccak256, toBeHex } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { openChainInMemory } from "../../../scripts/lib/chainAlone.ts";
import type { Genuine } from "./genuine.ts";

/** Whom the deployment scripts have create the contracts: it has this address on every chain. */
const CREATOR = "0x4e59b44847b379578588920cA78FbF26c0B4956C";

/**
 * What does the same: CREATE2 of everything behind the first 32 bytes, with these as the salt.
 * salt = calldata[0:32]; length = size - 32; memory = calldata[32:]; create2(0, 0, length, salt)
 */
const CREATOR_CODE = "0x5f35602036038060205f375f5ff500";

export type Created = { contract: Genuine; initCode: string };

/**
 * Codes by address, as a chain has them once the contracts were created there: constructors run, and what they keep of
 * chain and address (31337) is in the code.
 * @throws BaseError `x402.otherCode`
 */
export async function runtimeCodes(created: readonly Created[]): Promise<Record<string, string>> {
  const connection = await openChainInMemory({ chainType: "l1" });
  try {
    const codes: Record<string, string> = {};
    await connection.provider.request({
      method: "hardhat_setCode",
      params: [CREATOR, CREATOR_CODE],
    });
    for (const { contract, initCode } of created) {
      codes[contract.address] = await create(connection, contract, initCode);
    }
    return codes;
  } finally {
    await connection.close();
  }
}

/** @throws BaseError `x402.otherCode` where an init code is not the one that a contract's address is of */
export function checkAddress({ contract, initCode }: Created): void {
  const hash = keccak256(initCode);
  const address = getCreate2Address(CREATOR, toBeHex(contract.salt, 32), hash);
  if (address === getAddress(contract.address)) return;
  const message = `${contract.name}: this source is not that of ${contract.address}: its init code has the hash ${hash}, which gives ${address}`;
  throw new BaseError({ code: "x402.otherCode", message });
}

async function create(
  { ethers }: NetworkConnection,
  contract: Genuine,
  initCode: string,
): Promise<string> {
  const [sender] = await ethers.getSigners();
  const data = concat([toBeHex(contract.salt, 32), initCode]);
  const sent = await sender?.sendTransaction({ to: CREATOR, data });
  await sent?.wait();
  const code = await ethers.provider.getCode(contract.address);
  if (code !== "0x") return code;
  const message = `${contract.name}: its constructor fails on a local chain`;
  throw new BaseError({ code: "x402.otherCode", message });
}
