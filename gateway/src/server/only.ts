import { RefusedRequestError } from "../gatewayError.ts";
import type { App } from "./app.ts";

/** Answers 405 to every other method than those that a path has. */
export function only(app: App, path: string, allowed: string): void {
  app.all(path, () => {
    const message = `${path} takes ${allowed}`;
    throw new RefusedRequestError({
      ...{ status: 405, code: "method.notAllowed", message, allow: allowed },
    });
  });
}
