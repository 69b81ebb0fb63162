// What a program in this directory imports, for tests that stand elsewhere.
export * as rollbook from "@rollbook/client";
export * as trpc from "@trpc/client";
export { EventSource } from "eventsource";
export { WebSocket, WebSocketServer } from "ws";
