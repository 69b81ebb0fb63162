// Debian's Chromium, and windows in it that share nothing.
import { chromium } from "playwright-core";

/** Within this time a window shows what is waited for. A broken event stream is taken up after 3 s. */
const PATIENCE_MS = 30_000;

export class Browser {
  /** What the pages said on their consoles. */
  log = [];
  /** Errors that no part of a page caught. */
  errors = [];
  /** Where windows went after they were opened. */
  navigations = [];
  #browser;

  static async start() {
    const browser = new Browser();
    browser.#browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        // Root gets no sandbox.
        "--no-sandbox",
        "--disable-gpu",
        // It looks for nothing but the page.
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
    return browser;
  }

  /** Somebody's window: with a profile of its own, so that nothing but the server connects it with another. */
  async open(name, address) {
    const context = await this.#browser.newContext({ locale: "en-GB" });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    page.on("console", (message) => this.log.push(`${name}: ${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => this.errors.push(`${name}: ${error.stack}`));
    await page.goto(address);
    page.on("framenavigated", (frame) => this.navigations.push(`${name}: ${frame.url()}`));
    return new Window(page);
  }

  async close() {
    await this.#browser.close();
  }
}

/** What somebody sees and does. */
class Window {
  constructor(page) {
    this.page = page;
  }

  async press(button) {
    await this.page.getByRole("button", { name: button, exact: true }).click();
  }

  async uncheck(label) {
    await this.page.getByLabel(label).uncheck();
  }

  /** The alert appears; its text. */
  async alert() {
    return (await this.page.getByRole("alert").innerText()).trim();
  }

  /** A status appears with these words. */
  async says(words) {
    await this.page.getByRole("status").filter({ hasText: words }).waitFor();
  }

  /** The table comes to have these rows, each the first two cells, and no other. */
  async hasRows(expected) {
    await this.#comes(expected, () =>
      [...document.querySelectorAll("tbody tr")].map(({ cells }) => `${cells[0].innerText}: ${cells[1].innerText}`),
    );
  }

  /** The list of what happened comes to be this, newest first. */
  async hasEvents(expected) {
    await this.#comes(expected, () =>
      [...document.querySelectorAll(".events li")].map(({ innerText }) => innerText.replace(/^[\d:]+ /, "")),
    );
  }

  async #comes(expected, read) {
    const same = `JSON.stringify((${read})()) === ${JSON.stringify(JSON.stringify(expected))}`;
    try {
      await this.page.waitForFunction(same);
    } catch (cause) {
      const seen = await this.page.evaluate(read);
      throw new Error(`expected ${JSON.stringify(expected)}\nbut seen ${JSON.stringify(seen)}`, { cause });
    }
  }

  /** From now on, whatever becomes of the connection that is there, the window gets no new event stream. */
  async keepDisconnected() {
    await this.page.route("**/trpc/enrollment.onChange?*", (route) => route.abort("connectionrefused"));
  }

  async letConnect() {
    await this.page.unrouteAll({ behavior: "wait" });
  }
}
