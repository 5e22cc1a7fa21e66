import { id } from "ethers";
import type { ContractName } from "./contracts.ts";
import type { RoleName } from "./roles.ts";

export type AccessRule = {
  contract: ContractName;
  role: Exclude<RoleName, "ADMIN">;
  /** signatures of functions that are restricted through the AccessManager to that role */
  functions: readonly string[];
};

/**
 * Every function that is restricted through the AccessManager. A deployment writes this table into it;
 * docs/access-control.md says the same in words and a test compares all three.
 */
export const ACCESS_TABLE: readonly AccessRule[] = [
  {
    contract: "InferenceSettlement",
    role: "GOVERNANCE",
    functions: [
      "setSettlementWindow(uint64)",
      "setLedgerWriter(address,bool)",
      "setTeeRegistry(address)",
    ],
  },
  {
    contract: "TEERegistry",
    role: "GOVERNANCE",
    functions: [
      "addTEEType(uint8,string)",
      "liftBan(bytes32)",
      "allowOperator(address)",
      "setHeartbeatMaxAge(uint256)",
      "setAttestationMaxAge(uint64)",
      "setVerifier(uint8,address)",
      "setBonds(address)",
    ],
  },
  {
    contract: "TEERegistry",
    role: "GUARDIAN",
    functions: [
      "revokePCR(bytes32,uint8)",
      "revokeImage(bytes32,uint8,uint8)",
      "banTEE(bytes32)",
      "denyOperator(address)",
      "pauseAdmission(uint64)",
    ],
  },
  {
    contract: "TEERegistry",
    role: "IMAGE_APPROVER",
    functions: [
      "approveImage(bytes32,string,uint8,uint8,bytes16,bytes32,string)",
      "approvePCR((bytes,bytes,bytes),string,uint8)",
    ],
  },
  {
    contract: "TEERegistry",
    role: "REGISTRAR",
    functions: ["registerTEEWithAttestation(bytes,bytes,bytes,address,string,uint8)"],
  },
  {
    contract: "PageSettlement",
    role: "GOVERNANCE",
    functions: ["setParameters((uint24,uint24,uint24,uint88))", "setAttester(address)"],
  },
  { contract: "PageSettlement", role: "GUARDIAN", functions: ["pauseProposals(uint64)"] },
  {
    contract: "ValidatorStaking",
    role: "GOVERNANCE",
    functions: ["setParameters((uint96,uint96,uint16,uint16,uint16,uint96))"],
  },
  { contract: "RewardRouter", role: "GOVERNANCE", functions: ["setRecipient(address)"] },
  {
    contract: "DataFeeds",
    role: "GOVERNANCE",
    functions: [
      "createFeed(string,uint8,bytes32,(uint32,uint16,uint8))",
      "setFeedParameters(bytes32,(uint32,uint16,uint8))",
      "closeFeed(bytes32)",
    ],
  },
  {
    contract: "InferenceEscrow",
    role: "GOVERNANCE",
    functions: ["setToken(address,bool)", "setFee(uint16,address)"],
  },
  {
    contract: "NodeBonds",
    role: "GOVERNANCE",
    functions: ["setAmount(uint96)", "forfeit(bytes32,address)"],
  },
  {
    contract: "CertificateStore",
    role: "GUARDIAN",
    functions: ["revokeCertificate(bytes32)", "revokeKey(bytes32)", "revokeUnseen(bytes,uint256)"],
  },
];

export const selectorOf = (signature: string): string => id(signature).slice(0, 10);
