// What pages gain with JavaScript.  Everything works without it.
import { initAll } from "./vendor/govuk-frontend/govuk-frontend.min.js";
import { countChosen } from "./choosing.js";
import { followAll } from "./live.js";

document.body.classList.add("js-enabled");
if ("noModule" in HTMLScriptElement.prototype) document.body.classList.add("govuk-frontend-supported");
initAll();
if (document.querySelector('[data-module^="moj-"]')) {
  import("./vendor/moj-frontend/moj-frontend.min.js").then((moj) => moj.initAll());
}
followAll(document);
countChosen(document);
