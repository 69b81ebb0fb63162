// The same as `entry.mjs`, by `require`.
const { EventSource } = require("eventsource");
const { WebSocket, WebSocketServer } = require("ws");
const rollbook = require("@rollbook/client");
const trpc = require("@trpc/client");
module.exports = { rollbook, trpc, EventSource, WebSocket, WebSocketServer };
