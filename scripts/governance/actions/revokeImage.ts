import { addressOf } from "../../lib/chainSession.ts";
import type { Action } from "./action.ts";
import { readImage, readNodeType, readVendor, TEE_REGISTRY, VENDOR_USAGE } from "./teeRegistry.ts";

export const revokeImage: Action = {
  name: "revoke-image",
  usage: `${VENDOR_USAGE} <measurement> <node type>`,
  summary: "ends the approval of an image at once, and approvals that wait",
  by: "guardian",
  functions: ["TEERegistry.revokeImage(bytes32,uint8,uint8)"],
  build: async (context) => {
    const { book, provider, values } = context;
    const { verifierId } = readVendor(context);
    const measurement = values.bytes("measurement", 32);
    const { type, label } = await readNodeType(context);
    const image = await readImage({ book, provider, measurement, type, verifierId });
    const subject = `image ${measurement} for nodes of type ${label}`;
    return {
      calls: [
        {
          contract: TEE_REGISTRY,
          target: addressOf(book, TEE_REGISTRY),
          fragment: "function revokeImage(bytes32 measurement, uint8 teeType, uint8 verifierId)",
          arguments: [measurement, type, verifierId],
          words: image.isApproved
            ? `${subject} (version ${image.version}, ${image.source}): approved -> revoked; every such node on it is ` +
              "inactive from then on, and approvals of it that wait for their delay are void"
            : `${subject}: is not approved, and stays so; approvals of it that wait for their delay are void`,
        },
      ],
    };
  },
};
