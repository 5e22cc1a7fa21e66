import { addressOf } from "../call.ts";
import type { Action } from "./action.ts";
import { readImage, readNodeType, refuse, TEE_REGISTRY } from "./teeRegistry.ts";

export const revokeImage: Action = {
  name: "revoke-image",
  usage: "<pcr hash> <node type>",
  summary: "ends the approval of an image at once",
  by: "guardian",
  build: async (context) => {
    const { book, provider, values } = context;
    const pcrHash = values.bytes("pcr hash", 32);
    const { type, label } = await readNodeType(context);
    const image = await readImage({ book, provider, pcrHash, type });
    if (!image?.isApproved) throw refuse(`image ${pcrHash} is not approved for ${label}`);
    return {
      calls: [
        {
          contract: TEE_REGISTRY,
          target: addressOf(book, TEE_REGISTRY),
          fragment: "function revokePCR(bytes32 pcrHash, uint8 teeType)",
          arguments: [pcrHash, type],
          words:
            `image ${pcrHash} (version ${image.version}, ${image.source}) for nodes of type ${label}: ` +
            "approved -> revoked; every such node on it is inactive from then on",
        },
      ],
    };
  },
};
