import { VENDORS } from "@haca/attestation/vendors";
import { ZeroAddress } from "ethers";
import { addressOf } from "../../lib/chainSession.ts";
import { verifierAt } from "../../lib/verifierAt.ts";
import { isCodeOf } from "../deployBeforehand.ts";
import type { Action } from "./action.ts";
import { currentVerifier, refuse, TEE_REGISTRY } from "./teeRegistry.ts";

/**
 * Lets the registry take a vendor's evidence: by the verifier that the deployment created and the address book names.
 * One with another root, or with mended code, is for rotate-root and replace-verifier.
 */
export const setVerifier: Action = {
  name: "set-verifier",
  usage: "<vendor>",
  summary: "takes a vendor's evidence, by the address book's verifier",
  by: "proposal",
  functions: ["TEERegistry.setVerifier(uint8,address)"],
  build: async (context) => {
    const { book, provider, values } = context;
    const name = values.text("vendor");
    const vendor = VENDORS.find((known) => known.name === name);
    if (vendor === undefined) {
      throw refuse(
        `there is no vendor ${name}; there are ${VENDORS.map((known) => known.name).join(", ")}`,
      );
    }
    const { verifierId, verifier: contract } = vendor;
    const address = addressOf(book, contract);
    const before = await currentVerifier(context, vendor);
    if (before === address) throw refuse(`${address} is the verifier of ${name} in use`);
    const { vendor: read } = await verifierAt({ address, runner: provider });
    if (read.name !== name) throw refuse(`${address} reads evidence of ${read.name}`);
    const constructorArguments = book.contracts[contract]?.constructorArguments ?? [];
    if (!(await isCodeOf({ contract, constructorArguments, address, provider }))) {
      throw refuse(
        `the code of ${address} is not that of ${contract} with the address book's arguments`,
      );
    }
    const change =
      before === ZeroAddress
        ? `evidence of ${name}: not taken -> taken, by verifier ${address}`
        : `verifier of ${name}: ${before} -> ${address}; every node of the earlier one is inactive until it is renewed`;
    return {
      calls: [
        {
          contract: TEE_REGISTRY,
          target: addressOf(book, TEE_REGISTRY),
          fragment: "function setVerifier(uint8 verifierId, address verifier)",
          arguments: [verifierId, address],
          words: change,
        },
      ],
    };
  },
};
