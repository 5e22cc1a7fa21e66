import { BaseError } from "@haca/protocol/baseError";
import type { Signer } from "ethers";
import { connect, requireDeployer } from "../lib/connect.ts";
import { explainError } from "../lib/explainError.ts";
import { printable } from "../lib/words.ts";
import { type ChainOptions, integerOption } from "./options.ts";
import { type TeeContracts, teeContracts } from "./teeContracts.ts";

export type Session = { contracts: TeeContracts; signer: Signer; network: string };

const MAXIMUM_ACCOUNT = 1000;

/** Connects, runs `work` with the registry and the sending account, and closes. Failures come in one line. */
export async function withNetwork<Result>(
  options: ChainOptions,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const account = integerOption({
    ...{ name: "account", text: options.account ?? "0", minimum: 0, maximum: MAXIMUM_ACCOUNT },
  });
  const { connection, chainId } = await connect(options.network);
  try {
    await requireDeployer(connection);
    const signer = (await connection.ethers.getSigners())[account];
    if (signer === undefined) {
      throw new BaseError({
        code: "tee.badOption",
        message: `--account: network ${connection.networkName} has no account ${account}`,
      });
    }
    const contracts = await teeContracts({ chainId, runner: signer });
    return await work({ contracts, signer, network: connection.networkName });
  } catch (error) {
    throw explain(error);
  } finally {
    await connection.close();
  }
}

/** What does not fit into a transaction may, once its certificates are stored. */
function explain(error: unknown): BaseError {
  const explained = explainError({ error, action: "this call" });
  if (explained.code !== "chain.tooMuchGas") return explained;
  return new BaseError({
    code: explained.code,
    message: `${explained.message}: store the document's certificates first (npm run tee -- store), then try again`,
    cause: error,
  });
}

/** Number of a node type by its name in the registry. Error: `tee.badOption`. */
export async function teeTypeOf(contracts: TeeContracts, name: string): Promise<number> {
  const types = await teeTypes(contracts);
  const found = types.find((type) => type.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found.id;
  throw new BaseError({
    code: "tee.badOption",
    message: `--type must be ${types.map((type) => type.name).join(", ")}, got ${name}`,
  });
}

/** Node types of the registry, by number. */
export async function teeTypes(contracts: TeeContracts): Promise<{ id: number; name: string }[]> {
  const [ids, infos] = await contracts.registry.getTEETypes();
  return ids
    .map((id, index) => ({ id: Number(id), name: printable(infos[index]?.name ?? String(id)) }))
    .sort((a, b) => a.id - b.id);
}
