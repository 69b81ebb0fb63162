// Somebody signs in with a provider in a browser; their access token is printed, alone.
//
// node sign_in.mjs PAGE ISSUER NAME
import { Browser } from "../../../../bindings/example/test/windows.mjs";

const [page, issuer, name] = process.argv.slice(2);
const browser = await Browser.start();
try {
  const window = await browser.open(name, `${page}?${new URLSearchParams({ issuer })}`);
  await window.page.getByLabel("Name").fill(name);
  await window.press("Sign in");
  await window.press("Allow");
  const status = window.page.getByRole("status").filter({ hasText: /./ });
  const token = (await status.innerText()).trim();
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw new Error(token);
  if (browser.errors.length > 0) throw new Error(browser.errors.join("\n"));
  console.log(token);
} catch (error) {
  console.error(["The pages:", ...browser.navigations, ...browser.log, ...browser.errors].join("\n"));
  throw error;
} finally {
  await browser.close();
}
