import { createPublicKey } from "node:crypto";
import { BaseError } from "@haca/protocol/baseError";
import { getBytes } from "ethers";
import { sendCall } from "../lib/sendCall.ts";
import { printable } from "../lib/words.ts";
import { approveBond } from "./bond.ts";
import { type AdmissionRequest, collectEvidence, type Evidence } from "./collectEvidence.ts";
import { explainDocument } from "./explainDocument.ts";
import {
  addressOption,
  asked,
  endpointOption,
  type SendOptions,
  teeIdArgument,
  urlOption,
  vendorOption,
} from "./options.ts";
import { verifierOf } from "./teeContracts.ts";
import { type Session, teeTypeOf, withNetwork } from "./withNetwork.ts";

const LLM_PROXY = 0;

type Places = { enclave: string; tls?: string };

/** Admits an enclave as a node of the sending account. */
export async function register(
  options: SendOptions &
    Places & { payment: string; endpoint: string; type: string; vendor: string; anyKey: boolean },
): Promise<void> {
  const enclave = urlOption("enclave", options.enclave);
  const paymentAddress = addressOption("payment", options.payment);
  const endpoint = endpointOption(options.endpoint);
  const { verifierId } = vendorOption(options.vendor);
  await withNetwork(options, async (session) => {
    const { contracts, signer } = session;
    const teeType = await teeTypeOf(contracts, options.type);
    const operator = await signer.getAddress();
    const request = { enclave, operator, paymentAddress, endpoint, teeType, tls: options.tls };
    const evidence = await collect(session, request, verifierId);
    if (teeType === LLM_PROXY && !options.anyKey) requireRsa(evidence.registration.signingKey);
    await requireUnknown(session, evidence.teeId);
    // After all that can be looked at: an allowance is not to be given for an enclave that is refused.
    if (!(await approveBond(session, options))) return;
    const receipt = await sendCall({
      ...{ contract: contracts.registry, signer, name: "register" },
      values: [evidence.registration],
      question: asked(options, `Send register to ${session.network}?`),
    });
    if (receipt !== undefined) console.log(`registered   ${evidence.teeId}`);
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
  const isKnown = await contracts.registry.nodeOf(teeId).then(
    () => true,
    () => false,
  );
  if (!isKnown) return;
  throw new BaseError({
    code: "tee.refused",
    message: `register is refused: node ${teeId} is registered already: tee renew`,
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
    const known = await contracts.registry.getTEE(teeId);
    const { verifierId } = await contracts.lens.getNode(teeId);
    const request = {
      enclave,
      operator: await signer.getAddress(),
      paymentAddress: payment || known.paymentAddress,
      endpoint: newEndpoint || known.endpoint,
      teeType: Number(known.teeType),
      tls: options.tls,
    };
    const evidence = await collect(session, request, verifierId);
    console.log(
      `payment      ${change(known.paymentAddress, request.paymentAddress)}\n` +
        `endpoint     ${change(printable(known.endpoint), printable(request.endpoint))}`,
    );
    const receipt = await sendCall({
      ...{ contract: contracts.registry, signer, name: "renew" },
      values: [teeId, evidence.registration],
      question: asked(options, `Send renew to ${session.network}?`),
    });
    if (receipt !== undefined) console.log(`renewed      ${teeId}`);
  });
}

const change = (before: string, after: string): string =>
  before === after ? `${before}, as before` : `${before} -> ${after}`;

async function collect(
  { contracts, signer }: Session,
  request: AdmissionRequest,
  verifierId: bigint | number,
): Promise<Evidence> {
  const verifier = await verifierOf({ contracts, runner: signer, verifierId });
  console.log(
    `asking ${request.enclave} for a document that is bound to this sender, payment address, endpoint and type`,
  );
  const root = await verifier.store?.rootFingerprint();
  if (root !== undefined && root !== verifier.vendor.root.fingerprint) {
    console.log("this deployment pins a development root: its attestations mean nothing");
  }
  const evidence = await collectEvidence({ contracts, verifier, runner: signer, request });
  console.log(explainDocument({ result: evidence.result, now: evidence.judgedAt }));
  console.log(
    `hints        for ${evidence.certificates - evidence.storedCertificates + 1} signatures; ` +
      `${evidence.storedCertificates} of ${evidence.certificates} certificates are stored already`,
  );
  return evidence;
}
