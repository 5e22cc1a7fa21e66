import { BaseError } from "@haca/protocol/baseError";
import { COMMERCE_DEPLOYMENTS } from "@haca/protocol/commerceEscrows";
import { UPTO_PROXY_ADDRESS } from "@haca/protocol/signedPayments";
import { expect } from "chai";
import { network } from "hardhat";
import { dryRun, requireFunds } from "../../../scripts/deploy/rehearsal.ts";
import { deployGovernance, SETTLEMENT_WINDOW } from "../utils/governanceFixture.ts";

/** EIP-7825: the most that one transaction may take. */
const TRANSACTION_GAS_LIMIT = 16_777_216n;

describe("cost of the deployment", () => {
  it("test_KeepsEveryTransactionBelowTheLimitAndCostsWhatTheDeployerIsAskedFor", async () => {
    const connection = await network.create();
    const { governance, deployer, ethers } = await deployGovernance(connection);
    const sent = await ethers.provider.getTransactionCount(deployer.address);
    const cost = await dryRun({
      ...{ governance, chainType: connection.chainType },
      settlementWindow: SETTLEMENT_WINDOW,
      ...{ uptoProxy: UPTO_PROXY_ADDRESS, hasGates: true, commerce: COMMERCE_DEPLOYMENTS[0] },
    });
    expect(cost.transactions).to.equal(sent);
    expect(cost.largest < TRANSACTION_GAS_LIMIT, `${cost.largest} gas`).to.equal(true);
    expect(cost.gas > cost.largest).to.equal(true);

    const ask = () => requireFunds({ connection, deployer: deployer.address, ...cost });
    await ask();
    await connection.networkHelpers.setBalance(deployer.address, cost.gas - 1n);
    const refusal = await ask().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refusal).to.be.instanceOf(BaseError);
    expect((refusal as BaseError).code).to.equal("deploy.noFunds");
    await connection.close();
  });
});
