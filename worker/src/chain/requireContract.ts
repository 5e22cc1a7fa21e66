import type { JsonRpcProvider } from "ethers";
import { StartError } from "../errors.ts";

/**
 * Refuses an address book that is another chain's.
 * @throws StartError `chain.notDeployed`, where there is no code at the contract's address
 */
export async function requireContract(parameters: {
  provider: JsonRpcProvider;
  chainId: number;
  name: string;
  address: string;
}): Promise<void> {
  const { provider, chainId, name, address } = parameters;
  if ((await provider.getCode(address)) !== "0x") return;
  throw new StartError({
    code: "chain.notDeployed",
    message: `HACA_ADDRESS_BOOK: chain ${chainId} has no ${name} at ${address}: deploy first, or use the address book of this chain`,
  });
}
