import type { AddressBook } from "@haca/protocol/addressBook";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { FetchRequest, getAddress, JsonRpcProvider, Network } from "ethers";
import { StartError } from "../errors.ts";
import type { Chain } from "./chain.ts";
import { requireContract } from "./requireContract.ts";

/**
 * Connects to the endpoint and checks that it serves the chain of the address book, with contracts where the
 * book says they are. @throws StartError where it does not, the provider's error where it cannot tell
 */
export async function connectChain(parameters: {
  rpcUrl: string;
  /** silence after which a request counts as failed */
  timeoutMs: number;
  chainId: number;
  addressBook: AddressBook;
}): Promise<Chain> {
  const { rpcUrl, timeoutMs, chainId, addressBook } = parameters;
  const request = new FetchRequest(rpcUrl);
  request.timeout = timeoutMs;
  // The chain id is checked below, by a call that fails when the endpoint does; the provider's own detection
  // would go on trying in silence. No answer is cached: a receipt that was not there may be there now.
  const network = Network.from(chainId);
  const provider = new JsonRpcProvider(request, network, {
    staticNetwork: network,
    batchMaxCount: 1,
    cacheTimeout: -1,
  });
  try {
    const actual = Number(await provider.send("eth_chainId", []));
    if (actual !== chainId) {
      throw new StartError({
        code: "chain.otherChain",
        message: `HACA_RPC_URL: the endpoint serves chain ${actual}, HACA_CHAIN_ID says ${chainId}`,
      });
    }
    const genesis = await provider.getBlock(0);
    const contracts = addressBook.contracts;
    for (const name of ["ModelRegistry", "InferenceSettlement"] as const) {
      await requireContract({ provider, chainId, name, address: contracts[name].address });
    }
    const pages = contracts.PageSettlement?.address;
    const listed: Readonly<Record<string, { address: string } | undefined>> = contracts;
    const escrow = listed.InferenceEscrow?.address;
    const gates = listed.ChannelGates?.address;
    const operators = listed.CommerceOperators?.address;
    const settlement = getAddress(contracts.InferenceSettlement.address);
    return {
      provider,
      chainId: BigInt(chainId),
      genesisHash: genesis?.hash ?? "unknown",
      settlement,
      modelRegistry: getAddress(contracts.ModelRegistry.address),
      ...(pages === undefined ? {} : { pageSettlement: getAddress(pages) }),
      ...(escrow === undefined ? {} : { escrow: getAddress(escrow) }),
      ...(operators === undefined ? {} : { commerceOperators: getAddress(operators) }),
      ...(gates === undefined ? {} : { channelGates: getAddress(gates) }),
      domain: settlementDomain({ chainId: BigInt(chainId), settlement }),
    };
  } catch (error) {
    provider.destroy();
    throw error;
  }
}
