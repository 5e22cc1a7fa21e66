import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { airdropRoot, buildAirdropTree } from "@haca/protocol/airdropTree";
import { OPG_UNIT } from "@haca/protocol/allocations";
import {
  DEFAULT_ATTESTATION_MAX_AGE,
  DEFAULT_HEARTBEAT_MAX_AGE,
} from "@haca/protocol/attestationParameters";
import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { COMMERCE_DEPLOYMENTS } from "@haca/protocol/commerceEscrows";
import { UPTO_PROXY_ADDRESS } from "@haca/protocol/signedPayments";
import { type BaseContract, id, sha256 } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { REFUSING_ESCROW } from "../../../scripts/deploy/chain/refusingEscrow.ts";
import type { GovernanceParameters } from "../../../scripts/deploy/parameters/readParameters.ts";
import { runGovernanceModule } from "../../../scripts/deploy/runGovernanceModule.ts";
import { airdropEntries, GOVERNOR_SETTINGS, MIN_DELAY } from "./tokenFixture.ts";

export const SETTLEMENT_WINDOW = 7 * 24 * 60 * 60;
export const TGE_PAST = Date.UTC(2026, 3, 8) / 1000;

/** States of a proposal, as the governor numbers them. */
export const STATE = {
  Pending: 0n,
  Active: 1n,
  Canceled: 2n,
  Defeated: 3n,
  Succeeded: 4n,
  Queued: 5n,
  Expired: 6n,
  Executed: 7n,
} as const;

/** Everything, deployed and handed over by the deployment's own module; in the place of x402's contracts stands code that does nothing. */
export async function deployGovernance(connection: NetworkConnection) {
  const { ethers } = connection;
  await connection.networkHelpers.setCode(UPTO_PROXY_ADDRESS, "0x00");
  await connection.networkHelpers.setCode(BATCH_SETTLEMENT_ADDRESS, "0x00");
  const [commerce] = COMMERCE_DEPLOYMENTS;
  if (commerce === undefined) throw new Error("no public escrow");
  await connection.networkHelpers.setCode(commerce.escrow, REFUSING_ESCROW);
  for (const collector of [commerce.erc3009Collector, commerce.permit2Collector]) {
    await connection.networkHelpers.setCode(collector, "0x00");
  }
  const [deployer, guardian, foundation, liquidity, contributor, investor, alice, bob, ...more] =
    await ethers.getSigners();
  const [stranger, imageApprover] = more;
  if (
    !(deployer && guardian && foundation && liquidity && contributor && investor) ||
    !(alice && bob && stranger && imageApprover)
  ) {
    throw new Error("no accounts");
  }
  const { root } = makeSimulatedChain({ now: BigInt(TGE_PAST) });
  const governance: GovernanceParameters = {
    tge: TGE_PAST,
    forcedInclusionDelay: 0,
    guardian: guardian.address,
    imageApprover: imageApprover.address,
    foundation: foundation.address,
    liquidity: liquidity.address,
    contributors: [{ beneficiary: contributor.address, amount: 150_000_000n * OPG_UNIT }],
    investors: [{ beneficiary: investor.address, amount: 100_000_000n * OPG_UNIT }],
    airdropRoot: airdropRoot(buildAirdropTree(airdropEntries(4).map(({ entry }) => entry))),
    airdropDeadline: Date.UTC(2040, 0, 1) / 1000,
    attestation: {
      rootCertificate: root,
      rootFingerprint: sha256(root),
      isDevelopmentRoot: true,
      heartbeatMaxAge: DEFAULT_HEARTBEAT_MAX_AGE,
      attestationMaxAge: DEFAULT_ATTESTATION_MAX_AGE,
    },
    timelockDelay: MIN_DELAY,
    governor: GOVERNOR_SETTINGS,
  };
  const { contracts } = await runGovernanceModule({
    ...{ connection, governance, uptoProxy: UPTO_PROXY_ADDRESS, hasGates: true, commerce },
    settlementWindow: SETTLEMENT_WINDOW,
  });
  const { channelGates, commerceOperators, inferenceEscrow, ...always } = contracts;
  if (!(inferenceEscrow && channelGates && commerceOperators)) throw new Error("no escrow");
  const addressOf = (name: keyof typeof always) => always[name].getAddress();
  const { getContractAt } = ethers;
  const typed = {
    accessManager: await getContractAt("AccessManager", await addressOf("accessManager")),
    modelRegistry: await getContractAt("ModelRegistry", await addressOf("modelRegistry")),
    inferenceSettlement: await getContractAt(
      "InferenceSettlement",
      await addressOf("inferenceSettlement"),
    ),
    ecdsaP384: await getContractAt("EcdsaP384", await addressOf("ecdsaP384")),
    certificateStore: await getContractAt("CertificateStore", await addressOf("certificateStore")),
    verifier: await getContractAt("NitroAttestationVerifier", await addressOf("verifier")),
    signingKeys: await getContractAt("SigningKeys", await addressOf("signingKeys")),
    teeRegistry: await getContractAt("TEERegistry", await addressOf("teeRegistry")),
    legacySettlement: await getContractAt("LegacySettlement", await addressOf("legacySettlement")),
    nodeBonds: await getContractAt("NodeBonds", await addressOf("nodeBonds")),
    pageSettlement: await getContractAt("PageSettlement", await addressOf("pageSettlement")),
    validatorStaking: await getContractAt("ValidatorStaking", await addressOf("validatorStaking")),
    stakedVotes: await getContractAt("StakedVotes", await addressOf("stakedVotes")),
    rewardRouter: await getContractAt("RewardRouter", await addressOf("rewardRouter")),
    dataFeeds: await getContractAt("DataFeeds", await addressOf("dataFeeds")),
    inferenceEscrow: await getContractAt("InferenceEscrow", await inferenceEscrow.getAddress()),
    channelGates: await getContractAt("ChannelGates", await channelGates.getAddress()),
    commerceOperators: await getContractAt(
      "CommerceOperators",
      await commerceOperators.getAddress(),
    ),
    timelock: await getContractAt("TimelockController", await addressOf("timelock")),
    genesis: await getContractAt("GenesisDistribution", await addressOf("genesis")),
    opg: await getContractAt("OPG", await addressOf("opg")),
    vestingFactory: await getContractAt("VestingFactory", await addressOf("vestingFactory")),
    airdrop: await getContractAt("MerkleAirdrop", await addressOf("airdrop")),
    governor: await getContractAt("HacaGovernor", await addressOf("governor")),
  };
  return {
    ...{ connection, ethers, governance, ...typed },
    ...{ deployer, guardian, foundation, liquidity, contributor, investor, alice, bob, stranger },
    imageApprover,
  };
}
export type GovernanceFixture = Awaited<ReturnType<typeof deployGovernance>>;

export type Proposal = {
  targets: string[];
  values: bigint[];
  calldatas: string[];
  description: string;
};

/** The proposal to call one function of one contract. */
export async function proposalOf(parameters: {
  contract: BaseContract;
  function: string;
  arguments: unknown[];
  description?: string;
}): Promise<Proposal> {
  const { contract } = parameters;
  return {
    targets: [await contract.getAddress()],
    values: [0n],
    calldatas: [contract.interface.encodeFunctionData(parameters.function, parameters.arguments)],
    description: parameters.description ?? `call ${parameters.function}`,
  };
}

/** What queue, execute and cancel take. */
export const byHash = ({ targets, values, calldatas, description }: Proposal) =>
  [targets, values, calldatas, id(description)] as const;

export const byText = ({ targets, values, calldatas, description }: Proposal) =>
  [targets, values, calldatas, description] as const;

export async function idOf(
  governor: GovernanceFixture["governor"],
  proposal: Proposal,
): Promise<bigint> {
  return governor.hashProposal(...byHash(proposal));
}
