import type { Hono } from "hono";
import type { GatewayContext } from "./answerRequest.ts";

/** Routes of a gateway. */
export type App = Hono<{ Bindings: GatewayContext["env"] }>;
