import { legacySettlementAbi } from "@haca/protocol/abi";
import { legacyMessageHash } from "@haca/protocol/legacySettlement";
import { encodeFunctionData, type Hex, keccak256, stringToHex, toHex } from "viem";
import { type Tee, teeIdOf } from "./accessTee.ts";
import type { Contracts } from "./deployContracts.ts";
import type { Chain } from "./startChain.ts";
import { IMAGES } from "./teeOperations.ts";
import { addressOf } from "./writeBook.ts";

const LLM_PROXY = 0;
export const BLOB_ID = stringToHex("M4hsZGQ1oCktdzegB6HnI6Mi28S2nqOPHxK-W7_4BUk");

/** What the public network's tools can record. */
export function legacyOperations(parameters: { chain: Chain; contracts: Contracts; tee: Tee }) {
  const { chain, contracts, tee } = parameters;
  const to = addressOf(contracts.deployed.legacySettlement);

  /** Anchors a root, named by a text, from the first account. */
  const anchor = async (name: string, batchSize = 20n) => {
    const root = keccak256(stringToHex(name));
    const args = [root, batchSize, BLOB_ID] as const;
    await chain.send({
      to,
      data: encodeFunctionData({ abi: legacySettlementAbi, functionName: "batchSettle", args }),
    });
    return root;
  };

  /** Admits an enclave with an RSA key, which those tools take alone, and records an answer of it. */
  const settleIndividual = async (ethAddress: Hex) => {
    const [measurements] = IMAGES;
    const operator = chain.accounts[1];
    if (measurements === undefined) throw new Error("no image");
    const enclave = await tee.makeEnclave({ measurements, kind: "rsa" });
    const registration = await tee.registrationOf({ enclave, operator, teeType: LLM_PROXY });
    await tee.call("register", [registration], operator);
    const { timestamp } = await chain.client.getBlock();
    const message = {
      inputHash: keccak256(stringToHex("request")),
      outputHash: keccak256(stringToHex("answer")),
      timestamp,
    };
    const messageHash = legacyMessageHash(message) as Hex;
    const signature = toHex(enclave.sign(messageHash));
    const { inputHash, outputHash } = message;
    await chain.send({
      to,
      data: encodeFunctionData({
        abi: legacySettlementAbi,
        functionName: "settleIndividual",
        args: [
          ...([teeIdOf(enclave), inputHash, outputHash, timestamp] as const),
          ...([ethAddress, BLOB_ID, signature] as const),
        ],
      }),
    });
    return { ...message, teeId: teeIdOf(enclave), messageHash, signature };
  };

  return { anchor, settleIndividual };
}
