import { UPTO_PROXY_ADDRESS } from "@haca/protocol/signedPayments";
import { ZeroAddress } from "ethers";
import type { Audit, Fact } from "./audit.ts";
import { ask } from "./discover.ts";
import { parameter } from "./finding.ts";

/** Tokens that the escrow takes, at first OPG where it came with the deployment, and its fee, at first none. */
export async function escrowFacts(audit: Audit): Promise<Fact[]> {
  const { contracts, constructed, findings, history, names, reader } = audit;
  const escrow = contracts.get("InferenceEscrow");
  if (escrow === undefined) return [];
  const proxy = String(constructed.get(escrow)?.[2] ?? "unknown");
  const kind = proxy === UPTO_PROXY_ADDRESS ? "as published" : "NOT the published one";
  findings.push(parameter("x402's proxy of the escrow", `${proxy}, ${kind}`));
  const tokens = history.of(escrow, "TokenAllowed");
  const facts: Fact[] = [];
  for (const token of new Set(tokens.map(({ args }) => String(args.token)))) {
    const changes = tokens.filter(({ args }) => args.token === token);
    const [first] = changes;
    const isOfDeployment =
      token === contracts.get("OPG") && first !== undefined && !history.isAfterHandover(first);
    const fragment = "function isTokenAllowed(address) view returns (bool)";
    const isAllowed = await ask(reader, escrow, fragment, token);
    facts.push({
      subject: `InferenceEscrow: ${names.of(token)} is taken`,
      expected: isOfDeployment ? "yes" : "no",
      actual: isAllowed === true ? "yes" : "no",
      changes: changes.slice(isOfDeployment ? 1 : 0),
    });
  }
  const [feeBps, receiver] = await reader.view(
    escrow,
    "function fee() view returns (uint16, address)",
  );
  const feeInWords = (part: unknown, account: string): string =>
    `${Number(part) / 100} % to ${account === ZeroAddress ? "nobody" : names.of(account)}`;
  facts.push({
    subject: "InferenceEscrow.fee",
    expected: feeInWords(0, ZeroAddress),
    actual: feeInWords(feeBps, receiver),
    changes: history.of(escrow, "FeeChanged"),
  });
  return facts;
}
