import { setTimeout as wait } from "node:timers/promises";
import { BaseError } from "@haca/protocol/baseError";
import { type Report, Steps } from "../../lib/progress.ts";
import type { Subject } from "./collect.ts";
import type { Answer, Service } from "./service.ts";

const PAUSE_MS = 2_000;
const LONGEST_WAIT_MS = 10 * 60_000;

/**
 * Looks each contract up and hands in the sources of those that are not verified yet; the failure of one does not
 * keep the others. Error `verify.incomplete` if one is left.
 */
export async function verifySubjects(parameters: {
  service: Service;
  subjects: readonly Subject[];
  /** only look */
  isCheck: boolean;
}): Promise<void> {
  const { service, subjects, isCheck } = parameters;
  const steps = new Steps({ total: subjects.length });
  const missing: string[] = [];
  for (const subject of subjects) {
    const { name } = subject.contract;
    await steps.run(`${name} ${subject.address}`, async (report) => {
      const answer = await settle(service, subject, isCheck, report);
      console.log(`      ${answer.isVerified ? "✔" : "✘"} ${answer.words}`);
      if (!answer.isVerified) missing.push(name);
    });
  }
  if (missing.length > 0) {
    throw new BaseError({
      code: "verify.incomplete",
      message: `${missing.length} of ${subjects.length} contracts are not verified at ${service.name}: ${missing.join(", ")}`,
    });
  }
  console.log(`all ${subjects.length} contracts are verified at ${service.name}`);
}

async function settle(
  service: Service,
  subject: Subject,
  isCheck: boolean,
  report: Report,
): Promise<Answer> {
  try {
    const found = await service.look(subject);
    if (found.isVerified || isCheck) return found;
    const receipt = await service.submit(subject);
    if (receipt === undefined) return { isVerified: true, words: "was verified already" };
    report(`handed in as ${receipt}`);
    return await follow(service, subject, receipt);
  } catch (error) {
    // A service that does not answer at all will not for the next contract either.
    if (!(error instanceof BaseError) || error.code !== "verify.refused") throw error;
    return { isVerified: false, words: error.message };
  }
}

async function follow(service: Service, subject: Subject, receipt: string): Promise<Answer> {
  const end = Date.now() + LONGEST_WAIT_MS;
  while (Date.now() < end) {
    const answer = await service.follow(receipt, subject);
    if (answer !== undefined) return answer;
    await wait(PAUSE_MS);
  }
  return { isVerified: false, words: `still at work; its job is ${receipt}` };
}
