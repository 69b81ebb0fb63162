// The server under the page: `rollbook dev` on a database of its own, which can be killed and started again.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PROGRAM =
  process.env.ROLLBOOK_BIN ?? new URL("../../../target/debug/rollbook", import.meta.url).pathname;

/**
 * A free port below those that the system hands out: while the server is down, no connection that happens to be made
 * can take it.
 */
async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const taken = createServer();
    const free = await new Promise((resolve) => {
      taken.once("error", () => resolve(false));
      taken.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    taken.close();
    await once(taken, "close");
    return port;
  }
}

export class Server {
  /** What it logged. */
  log = [];
  #process;

  static async start() {
    const server = new Server();
    server.port = await freePort();
    server.url = `http://127.0.0.1:${server.port}`;
    server.directory = await mkdtemp(join(tmpdir(), "rollbook-example-"));
    await server.restart();
    return server;
  }

  /** Starts it where it was, with what it had; done when it takes calls. */
  async restart() {
    const database = `sqlite:${join(this.directory, "rollbook.db")}`;
    const process = spawn(PROGRAM, ["dev", "--port", String(this.port), "--database-url", database], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = process;
    const ready = new Promise((resolve, reject) => {
      process.once("error", reject);
      process.once("exit", (code, signal) => reject(new Error(`the server ended: ${code ?? signal}`)));
      createInterface(process.stderr).on("line", (line) => this.log.push(line));
      createInterface(process.stdout).on("line", (line) => line === "Rollbook is ready." && resolve());
    });
    await ready;
  }

  /** As a crash would: `kill -9`. */
  async kill() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }

  async remove() {
    await this.kill();
    await rm(this.directory, { recursive: true });
  }

  /** A call by somebody who has no window open. */
  async query(subject, path, input) {
    const query = new URLSearchParams({ input: JSON.stringify(input) });
    return (await this.#answer(`/trpc/${path}?${query}`, await this.#session(subject))).result.data;
  }

  async mutate(subject, path, input) {
    return (await this.#answer(`/trpc/${path}`, await this.#session(subject), input)).result.data;
  }

  async #session(subject) {
    const { token } = await this.#answer("/dev/token", {}, { organization: "acme", subject });
    return { authorization: `Bearer ${token}` };
  }

  async #answer(path, headers, body) {
    const post = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(this.url + path, body === undefined ? { headers } : post);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }
}
