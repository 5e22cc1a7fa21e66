import { afterEach, beforeEach, expect, it } from "vitest";
import { failure, LocalDeployment, success } from "./localDeployment.ts";

const PCR = `0x${"44".repeat(48)}`;
const IMAGE = [PCR, PCR, PCR, "v1", "LLMProxy", "cd".repeat(20), "https://example.org/enclave"];

let local: LocalDeployment;
beforeEach(async () => {
  local = await LocalDeployment.start();
});
afterEach(() => local.stop());

it("approves an image on a chain without governance, with the administrator's own role", async () => {
  await success(local.deploy({}, "--part", "tee"));
  const approve = () => local.governance("as-role", "approve-image", ...IMAGE);
  expect(await success(approve())).toContain("never approved -> approved as version v1");
  expect(await failure(approve())).toContain("is approved for LLMProxy (0) already");
  expect(await failure(local.governance("list"))).toContain("HacaGovernor is not in the address");

  // The chain starts again, the address book stays.
  await local.stop();
  local = await LocalDeployment.start();
  for (const command of [["list"], ["scheduled"], ["as-role", "approve-image", ...IMAGE]]) {
    expect(await failure(local.governance(...command))).toContain(
      "deploy first, or use this chain's address book",
    );
  }
});
