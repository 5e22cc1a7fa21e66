import { createPublicKey } from "node:crypto";
import { BaseError } from "@haca/protocol/baseError";
import { getBytes } from "ethers";
import { printable } from "../lib/printable.ts";
import { approveBond } from "./bond.ts";
import { collectEvidence, type Evidence, type Wish } from "./collectEvidence.ts";
import { explainDocument } from "./explainDocument.ts";
import {
  addressOption,
  endpointOption,
  type SendOptions,
  teeIdArgument,
  urlOption,
} from "./options.ts";
import { sendCall } from "./sendCall.ts";
import { type Session, teeTypeOf, withNetwork } from "./withNetwork.ts";

const LLM_PROXY = 0;

type Places = { enclave: string; tls?: string };

/** Admits an enclave as a node of the sending account. */
export async function register(
  options: SendOptions &
    Places & { payment: string; endpoint: string; type: string; anyKey: boolean },
): Promise<void> {
  const enclave = urlOption("enclave", options.enclave);
  const paymentAddress = addressOption("payment", options.payment);
  const endpoint = endpointOption(options.endpoint);
  await withNetwork(options, async (session) => {
    const { contracts, signer } = session;
    const teeType = await teeTypeOf(contracts, options.type);
    const operator = await signer.getAddress();
    const wish = { enclave, operator, paymentAddress, endpoint, teeType, tls: options.tls };
    const evidence = await collect(session, wish);
    if (teeType === LLM_PROXY && !options.anyKey) requireRsa(evidence.registration.signingKey);
    await requireUnknown(session, evidence.teeId);
    // After all that can be looked at: an allowance is not to be given for an enclave that is refused.
    if (!(await approveBond(session, options))) return;
    await send({ session, options, evidence, name: "register", values: [evidence.registration] });
  });
}

/** Clients of the public network verify RSA signatures alone, and pick nodes of this type by chance. */
function requireRsa(signingKey: string): void {
  const key = Buffer.from(getBytes(signingKey));
  const { asymmetricKeyType } = createPublicKey({ key, format: "der", type: "spki" });
  if (asymmetricKeyType === "rsa") return;
  throw new BaseError({
    code: "tee.keyUnsupported",
    message: `the enclave's signing key is not RSA (${asymmetricKeyType}): clients of an LLMProxy verify no others; --any-key admits it all the same`,
  });
}

async function requireUnknown({ contracts }: Session, teeId: string): Promise<void> {
  const isKnown = await contracts.registry
    .getFunction("nodeOf")(teeId)
    .then(
      () => true,
      () => false,
    );
  if (!isKnown) return;
  throw new BaseError({
    code: "tee.refused",
    message: `the registry refuses: node ${teeId} is registered already; renew renews its attestation`,
  });
}

/** Renews a node's attestation; what is not given stays as it is. */
export async function renew(
  argument: string,
  options: SendOptions & Places & { payment?: string; endpoint?: string },
): Promise<void> {
  const teeId = teeIdArgument(argument);
  const enclave = urlOption("enclave", options.enclave);
  const payment = options.payment && addressOption("payment", options.payment);
  const newEndpoint = options.endpoint && endpointOption(options.endpoint);
  await withNetwork(options, async (session) => {
    const { contracts, signer } = session;
    const known = await contracts.registry.getFunction("getTEE")(teeId);
    const wish = {
      enclave,
      operator: await signer.getAddress(),
      paymentAddress: payment || known.paymentAddress,
      endpoint: newEndpoint || known.endpoint,
      teeType: Number(known.teeType),
      tls: options.tls,
    };
    const evidence = await collect(session, wish);
    console.log(
      `payment      ${change(known.paymentAddress, wish.paymentAddress)}\n` +
        `endpoint     ${change(printable(known.endpoint), printable(wish.endpoint))}`,
    );
    const values = [teeId, evidence.registration];
    await send({ session, options, evidence, name: "renew", values });
  });
}

const change = (before: string, after: string): string =>
  before === after ? `${before}, as before` : `${before} -> ${after}`;

async function collect({ contracts, signer }: Session, wish: Wish): Promise<Evidence> {
  console.log(
    `asking ${wish.enclave} for a document that is bound to this sender, payment address, endpoint and type`,
  );
  if (contracts.isDevelopmentRoot) {
    console.log("this deployment pins a development root: its attestations mean nothing");
  }
  const evidence = await collectEvidence({ contracts, runner: signer, wish });
  console.log(explainDocument({ verdict: evidence.verdict, now: evidence.judgedAt }));
  console.log(
    `hints        for ${evidence.certificates - evidence.storedCertificates + 1} signatures; ` +
      `${evidence.storedCertificates} of ${evidence.certificates} certificates are stored already`,
  );
  return evidence;
}

async function send(parameters: {
  session: Session;
  options: SendOptions;
  evidence: Evidence;
  name: "register" | "renew";
  values: readonly unknown[];
}): Promise<void> {
  const { session, options, evidence, name, values } = parameters;
  const { contracts, signer, network } = session;
  const receipt = await sendCall({
    ...{ contract: contracts.registry, signer, name, values, report: console.log },
    ...(options.yes ? {} : { question: `Send ${name} to ${network}?` }),
  });
  if (receipt === undefined) return;
  console.log(
    `${name === "register" ? "registered" : "renewed"}   ${evidence.teeId}\n` +
      `transaction  ${receipt.hash}, gas ${receipt.gasUsed.toLocaleString("en")}`,
  );
}
