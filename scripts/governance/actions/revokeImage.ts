import { VERIFIER_IDS } from "@haca/protocol/attestationVendors";
import { addressOf } from "../../lib/chainSession.ts";
import type { Action } from "./action.ts";
import { readImage, readNodeType, TEE_REGISTRY } from "./teeRegistry.ts";

export const revokeImage: Action = {
  name: "revoke-image",
  usage: "<pcr hash> <node type>",
  summary: "ends the approval of an image at once, and approvals that wait",
  by: "guardian",
  functions: ["TEERegistry.revokeImage(bytes32,uint8,uint8)"],
  build: async (context) => {
    const { book, provider, values } = context;
    const pcrHash = values.bytes("pcr hash", 32);
    const { type, label } = await readNodeType(context);
    const image = await readImage({ book, provider, pcrHash, type });
    const subject = `image ${pcrHash} for nodes of type ${label}`;
    return {
      calls: [
        {
          contract: TEE_REGISTRY,
          target: addressOf(book, TEE_REGISTRY),
          fragment: "function revokeImage(bytes32 measurement, uint8 teeType, uint8 verifierId)",
          arguments: [pcrHash, type, VERIFIER_IDS.nitro],
          words: image.isApproved
            ? `${subject} (version ${image.version}, ${image.source}): approved -> revoked; every such node on it is ` +
              "inactive from then on, and approvals of it that wait for their delay are void"
            : `${subject}: is not approved, and stays so; approvals of it that wait for their delay are void`,
        },
      ],
    };
  },
};
