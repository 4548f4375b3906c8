// What the pages of complaints gain with JavaScript: the code of a scanned receipt is typed in, and a receipt is asked for again.
const form = document.querySelector("form[data-code]");
const code = decodeURIComponent(location.hash.slice(1));
if (form && /^[0-9A-Za-z-]{20,40}$/.test(code)) {
  history.replaceState(null, "", location.pathname + location.search); // neither the history nor a shared address keeps it
  form.elements.code.value = code;
  form.submit();
}
const again = document.querySelector("form[data-again]");
if (again) setTimeout(() => again.submit(), Number(again.dataset.again));
