// The built page in two windows, with the real server: what happens in one is seen in the other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { preview } from "vite";
import { Server } from "./server.mjs";
import { Browser } from "./windows.mjs";

test("what one does is seen by another, also across a crash of the server", async (t) => {
  const server = await Server.start();
  t.after(() => server.remove());
  const site = await preview({ preview: { host: "127.0.0.1", port: 0 }, logLevel: "error" });
  t.after(() => site.close());
  const browser = await Browser.start();
  t.after(() => browser.close());

  const page = `http://127.0.0.1:${site.httpServer.address().port}/?server=${encodeURIComponent(server.url)}`;
  try {
    await twoWindows(server, browser, page);
  } catch (error) {
    console.error(["The server:", ...server.log, "The pages:", ...browser.log, ...browser.errors].join("\n"));
    throw error;
  }
});

async function twoWindows(server, browser, page) {
  const carol = await browser.open("carol", `${page}&as=carol`);
  const luca = await browser.open("luca", `${page}&as=luca`);

  // What the demo data holds. Carol has a coordinator's roster, of the first course.
  await carol.says("Live");
  await carol.hasRows(["Lena Learner: enrolled", "Liam Learner: cancelled"]);
  await luca.says("Live");
  await luca.hasRows(["Company history: expired"]);

  await luca.press("Enroll Onboarding");
  await carol.hasRows(["Lena Learner: enrolled", "Liam Learner: cancelled", "Luca Learner: enrolled"]);
  await luca.hasRows(["Company history: expired", "Onboarding: enrolled"]);

  await luca.press("Leave Onboarding");
  await carol.hasRows(["Lena Learner: enrolled", "Liam Learner: cancelled", "Luca Learner: cancelled"]);
  await luca.hasRows(["Company history: expired", "Onboarding: cancelled"]);

  // A refusal, in words.
  await luca.uncheck("If a course is full, put me on its waitlist");
  await luca.press("Enroll First aid");
  assert.equal(await luca.alert(), "All 2 seats are taken.");
  await luca.hasRows(["Company history: expired", "Onboarding: cancelled"]);

  // A crash. What is pressed while there is no server is carried out once there is one.
  await carol.keepDisconnected();
  await server.kill();
  await carol.says("Connection lost, reconnecting…");
  await luca.says("Connection lost, reconnecting…");
  await luca.press("Enroll Onboarding");
  await luca.says("The server cannot be reached. Trying again…");
  await server.restart();
  await luca.says("Live");
  await luca.hasRows(["Company history: expired", "Onboarding: enrolled"]);

  // Carol's window has missed that, and misses this, until it is connected again.
  const [{ id: courseId }] = (await server.query("lois", "course.list", { search: "Onboarding" })).items;
  await server.mutate("lois", "enrollment.enroll", { courseId });
  await carol.says("Connection lost, reconnecting…");
  await carol.hasEvents(["Luca Learner: left", "Luca Learner: enrolled"]);
  await carol.letConnect();
  await carol.says("Live");
  await carol.hasRows([
    "Lena Learner: enrolled",
    "Liam Learner: cancelled",
    "Luca Learner: enrolled",
    "Lois Learner: enrolled",
  ]);

  // One event more: had an earlier one come twice, it would have come before this one.
  await luca.press("Leave Onboarding");
  await carol.hasEvents([
    "Luca Learner: left",
    "Lois Learner: enrolled",
    "Luca Learner: enrolled again",
    "Luca Learner: left",
    "Luca Learner: enrolled",
  ]);
  await luca.hasEvents([
    "Onboarding: left",
    "Onboarding: enrolled again",
    "Onboarding: left",
    "Onboarding: enrolled",
  ]);

  assert.deepEqual(browser.navigations, [], "no window was reloaded");
  assert.deepEqual(browser.errors, [], "every error was dealt with");
}
