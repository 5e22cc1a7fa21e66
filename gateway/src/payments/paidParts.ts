import type { Charge, SignedResult } from "../profile/signAnswer.ts";
import type { GatewayParts } from "../server/gatewayParts.ts";

/**
 * The parts of the gateway as a paid request uses them: it is paid once it is its turn, its result names who paid and what, and
 * whoever counts hears how it ends. Nothing of how it is answered is otherwise.
 */
export function paidParts(parameters: {
  parts: GatewayParts;
  /** undefined: the result says nothing of the payment */
  charge: Charge | undefined;
  /** takes the money, before anything is asked of the upstream */
  begin: () => Promise<void>;
  /** this request is the one that makes the answer */
  onBegin: () => void;
  /** the answer is signed, and nobody has it: neither disk nor worker. What it throws is told in place of the answer */
  onSigned?: (result: SignedResult) => Promise<void>;
  /** the result is with the worker */
  onAnswered: () => Promise<void>;
  /** there is an answer, or an error in its place */
  onEnd: (error: Error | undefined) => void;
}): GatewayParts {
  const { begin, charge, onAnswered, onBegin, onEnd, onSigned, parts } = parameters;
  const { admission, answers, signing } = parts;
  return {
    ...parts,
    signing: charge === undefined ? signing : { ...signing, charge },
    admission: {
      ...{ running: admission.running, waiting: admission.waiting },
      async enter(signal) {
        const leave = await admission.enter(signal);
        try {
          await begin();
          return leave;
        } catch (error) {
          leave();
          throw error;
        }
      },
    },
    answers: {
      enter(repeat) {
        const entered = answers.enter(repeat);
        if ("before" in entered) return entered;
        const { making } = entered;
        onBegin();
        return {
          making: {
            resolve(answer) {
              onEnd(undefined);
              making.resolve(answer);
            },
            reject(error) {
              onEnd(error);
              making.reject(error);
            },
          },
        };
      },
      async handIn(given) {
        await onSigned?.(given.result);
        await answers.handIn(given);
        await onAnswered();
      },
    },
  };
}
