// Try it: the same form, but the answer appears as the model writes it.  Without JavaScript the form is posted.
const form = document.getElementById("try");
const prompt = document.getElementById("prompt");
const card = document.getElementById("answer-card");
const answer = document.getElementById("answer");
const place = document.getElementById("tried-place");

for (const link of document.querySelectorAll("[data-prompt]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    prompt.value = link.dataset.prompt;
    form.requestSubmit();
  });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "yes";
  document.querySelector("[data-before-try]")?.remove();
  place.replaceChildren();
  card.hidden = false;
  answer.textContent = answer.dataset.waiting;
  answer.classList.add("sb-answer__text--busy");
  try {
    await ask();
  } catch {
    answer.textContent = answer.dataset.broken;
  } finally {
    answer.classList.remove("sb-answer__text--busy");
    delete form.dataset.busy;
  }
});

async function ask() {
  const response = await fetch(form.dataset.stream, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (!response.ok || !response.body) throw new Error(String(response.status));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value.replaceAll("\r", "");
    const events = rest.split("\n\n");
    rest = events.pop();
    for (const raw of events) {
      const kind = /^event: ?(.*)$/m.exec(raw)?.[1];
      const data = /^data: ?(.*)$/m.exec(raw)?.[1];
      if (!kind || !data) continue;
      const told = JSON.parse(data);
      if (kind === "text" || kind === "refused") text += told.text;
      answer.textContent = text;
      if (told.html) place.innerHTML = told.html; // our own server's rendering, escaped there
    }
  }
}
