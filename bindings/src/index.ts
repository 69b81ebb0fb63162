/**
 * Rollbook's procedures, typed for the tRPC client.
 *
 * `createRollbookClient` makes a client, `rollbookLink` the link for one of your own, `jsonRpcLink` is for servers that
 * are reached by JSON-RPC alone, and `isRollbookError` tells errors apart. All else is types: with `import type`
 * nothing is loaded.
 */
export { createRollbookClient, rollbookLink } from "./client.js";
export type { RollbookClient, RollbookOptions, RollbookToken, RollbookTransport } from "./client.js";
export { isRollbookError } from "./errors.js";
export type { ReasonType, RollbookError } from "./errors.js";
export { jsonRpcLink } from "./jsonRpcLink.js";
export type { JsonRpcLinkOptions, WebSocketConstructor, WebSocketLike } from "./jsonRpcLink.js";
export type * from "./router.js";
