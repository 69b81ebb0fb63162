// A server that answers as a test says, and remembers what it was asked.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

/**
 * Starts one for the length of a test. `answer` gets each request, with its body as JSON, and says what to respond:
 * `{status?, headers?, json? | text?}`, or nothing, never to respond. `upgrade` gets each request for a WebSocket, and
 * a function that accepts it.
 */
export async function stub(test, { answer, upgrade } = {}) {
  const requests = [];
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer(async (request, response) => {
    let body = "";
    request.setEncoding("utf8");
    for await (const chunk of request) body += chunk;
    const { method, url, headers } = request;
    const asked = { method, url, headers, body: body === "" ? undefined : JSON.parse(body), aborted: false };
    response.on("close", () => (asked.aborted = !response.writableEnded));
    requests.push(asked);
    const said = await answer?.(asked, requests.length, response);
    if (!said) return;
    response.writeHead(said.status ?? 200, { "content-type": "application/json", ...said.headers });
    response.end(said.text ?? JSON.stringify(said.json));
  });
  server.on("upgrade", (request, socket, head) => {
    const refuse = (status) => socket.end(`HTTP/1.1 ${status} No\r\nconnection: close\r\n\r\n`);
    const accept = () =>
      new Promise((resolve) =>
        sockets.handleUpgrade(request, socket, head, (connection) => {
          const heard = [];
          connection.on("message", (message) => heard.push(JSON.parse(message)));
          resolve(Object.assign(connection, { heard, say: (message) => connection.send(JSON.stringify(message)) }));
        }),
      );
    upgrade?.(request, { accept, refuse });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(() => {
    for (const connection of sockets.clients) connection.terminate();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, requests };
}

/** Some time, also where a test has the clock in its hands. */
const { setTimeout } = globalThis;
export const moment = () => new Promise((resolve) => setTimeout(resolve, 2));

/** Waits until something holds. */
export async function until(holds) {
  for (const begun = performance.now(); !holds(); await moment()) {
    if (performance.now() - begun > 30_000) throw new Error(`waited in vain for ${holds}`);
  }
}

/** An error as Rollbook answers with it. */
export function shape(code, number, reason) {
  const httpStatus = { UNAUTHORIZED: 401, NOT_FOUND: 404, CONFLICT: 409, INTERNAL_SERVER_ERROR: 500 }[code];
  const data = { code, httpStatus, path: "enrollment.enroll", requestId: "r-1", ...(reason && { reason }) };
  return { message: `It is ${code}.`, code: number, data };
}

export const unauthorized = shape("UNAUTHORIZED", -32001);
const reason = { type: "alreadyEnrolled", enrollmentId: "e", status: "enrolled" };
export const enrolledAlready = shape("CONFLICT", -32009, reason);

/** What a promise is refused with. */
export function refusal(promise) {
  return promise.then(
    (value) => Promise.reject(new Error(`not refused, but ${JSON.stringify(value)}`)),
    (error) => error,
  );
}
