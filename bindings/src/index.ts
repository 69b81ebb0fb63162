/**
 * The types of Rollbook's procedures: `createTRPCClient<AppRouter>(…)` with the tRPC client as it is.
 *
 * There is no code here, only types: import them with `import type`.
 */
export type * from "./router.js";
