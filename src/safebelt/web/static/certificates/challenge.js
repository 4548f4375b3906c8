// Challenge a live service: this browser draws the nonce, asks the service itself, and checks the signature.  What the
// certificate is worth, its chain, revocation, registration and log, this house says afterwards.  The steps are those of
// `rooms/certificates/decide/challenging.py`.
const PATH = "/.well-known/safebelt/identity";
const HEADER = "safebelt identity v1";
const FIELDS = ["system", "place", "nonce", "at"];
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_CERTIFICATES = 10;
const NONCE_BYTES = 24;
const CURVES = { "2a8648ce3d030107": ["P-256", "SHA-256", 32], "2b81040022": ["P-384", "SHA-384", 48] };
const EC_KEY = "2a8648ce3d0201";
const ED25519 = "2b6570";

const form = document.getElementById("challenge");
const result = document.getElementById("result");
const lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const words = Object.fromEntries([...document.querySelectorAll("[data-word]")].map((one) => [one.dataset.word, one.textContent]));

class NoAnswer extends Error {} // nobody answered, or said no: nothing is known, and nothing is bad
class NoProof extends Error {} // somebody answered, and it proves nothing

const said = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => String(values[key] ?? ""));
const part = (holds, text, because = []) => ({ holds, text, because });

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "yes";
  tell(said("asking"));
  try {
    show(await challenge(form.elements.address.value, form.elements.system.value.trim()));
  } finally {
    delete form.dataset.busy;
  }
});

// ---- the challenge

async function challenge(address, system) {
  const nonce = base64url(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
  const found = { nonce, place: placeOf(address), parts: [], checked: null };
  if (!found.place) return { ...found, parts: [part("unknown", said("no-address"))], isTyped: false };
  try {
    if (!globalThis.crypto?.subtle) throw new NoAnswer(said("insecure"));
    const answer = await ask(found.place, nonce, system);
    await judge(found, answer);
  } catch (error) {
    if (!(error instanceof NoAnswer || error instanceof NoProof)) throw error;
    found.parts.push(part(error instanceof NoProof ? "false" : "unknown", error.message));
  }
  return found;
}

async function ask(place, nonce, system) {
  const query = new URLSearchParams(system ? { nonce, system } : { nonce });
  let answer, body;
  try {
    answer = await fetch(`${place}${PATH}?${query}`, {
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(Number(form.dataset.seconds) * 1000),
    });
    body = await bounded(answer);
  } catch (error) {
    if (error instanceof NoProof) throw error;
    const isMixed = location.protocol === "https:" && place.startsWith("http:");
    throw new NoAnswer(said(isMixed ? "mixed" : error.name === "TimeoutError" ? "slow" : "silent", { place }));
  }
  const read = json(body);
  if (!answer.ok) throw new NoAnswer(said("refused", { status: answer.status, why: String(read?.[lang]?.detail ?? "").slice(0, 300) }));
  return read;
}

async function bounded(answer) {
  const reader = answer.body.getReader();
  const pieces = [];
  for (let size = 0; ; ) {
    const { value, done } = await reader.read();
    if (done) return new TextDecoder().decode(await new Blob(pieces).arrayBuffer());
    size += value.length;
    if (size > MAX_ANSWER_BYTES) throw new NoProof(said("garbage"));
    pieces.push(value);
  }
}

async function judge(found, answer) {
  const { text, signature, chain } = answer ?? {};
  if (![text, signature, chain].every((one) => typeof one === "string")) throw new NoProof(said("garbage"));
  const fields = fieldsOf(text);
  const certificates = fields && certificatesOf(chain);
  if (!fields || !certificates?.length) throw new NoProof(said("garbage"));
  Object.assign(found, { text, fields, chain: certificates.map(pem).join("") });
  const holds = await isSigned(certificates[0], signature, text);
  found.parts.push(part(holds, said(holds === "unknown" ? "cannot-verify" : "signature")));
  found.parts.push(part(truth(fields.nonce === found.nonce), said("nonce")));
  found.parts.push(part(truth(placeOf(fields.place) === found.place), said("place", { place: fields.place.slice(0, 200) })));
  found.checked = await check(found.chain);
  const certified = found.checked.system_id;
  found.parts.push(part(certified === undefined ? "unknown" : truth(fields.system === certified), said("system")));
}

async function check(certificate) {
  try {
    const answer = await fetch(form.dataset.check, {
      method: "POST",
      headers: { "content-type": "application/json", "x-csrf-token": form.elements._csrf_token.value },
      body: JSON.stringify({ certificate }),
    });
    const read = json(await answer.text());
    return answer.ok && read ? read : { problem: said("unchecked", { why: read?.[lang]?.detail ?? answer.status }) };
  } catch {
    return { problem: said("unchecked", { why: "" }) };
  }
}

// ---- what services sign

function placeOf(address) {
  const wanted = address.trim().replace(PATH, "");
  let url;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(wanted) ? wanted : `https://${wanted}`);
  } catch {
    return "";
  }
  const isPlain = ["http:", "https:"].includes(url.protocol) && !url.search && !url.hash && !url.username && !url.password;
  return isPlain && url.hostname ? `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, "")}` : "";
}

function fieldsOf(text) {
  const lines = text.split("\n");
  if (lines.length !== FIELDS.length + 2 || lines[0] !== HEADER || lines.at(-1) !== "") return null;
  const pairs = lines.slice(1, -1).map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]);
  return pairs.every(([name], at) => name === FIELDS[at]) ? Object.fromEntries(pairs) : null;
}

async function isSigned(certificate, signature, text) {
  let key, bytes;
  try {
    key = keyOf(certificate);
    bytes = key.size ? rawSignature(fromBase64(signature), key.size) : fromBase64(signature);
  } catch {
    throw new NoProof(said("garbage"));
  }
  try {
    const imported = await crypto.subtle.importKey("spki", key.spki, key.algorithm, false, ["verify"]);
    return truth(await crypto.subtle.verify(key.algorithm, imported, bytes, new TextEncoder().encode(text)));
  } catch (error) {
    if (error.name === "NotSupportedError") return "unknown"; // a browser without Ed25519, say
    throw new NoProof(said("garbage"));
  }
}

// ---- X.509, just as much as the public key takes

function certificatesOf(chain) {
  try {
    const blocks = [...chain.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)];
    return blocks.length > MAX_CERTIFICATES ? [] : blocks.map((block) => fromBase64(block[1].replace(/\s/g, "")));
  } catch {
    return [];
  }
}

function keyOf(certificate) {
  const fields = members(members(certificate)[0]);
  const spki = fields[fields[0][0] === 0xa0 ? 6 : 5]; // after version, serial, algorithm, issuer, validity, subject
  const [kind, curve] = members(members(spki)[0]).map((oid) => hex(contents(oid)));
  if (kind === ED25519) return { spki, algorithm: { name: "Ed25519" } };
  const [namedCurve, hash, size] = (kind === EC_KEY && CURVES[curve]) || [];
  if (!size) throw new Error("a key of another kind");
  return { spki, size, algorithm: { name: "ECDSA", namedCurve, hash } };
}

function rawSignature(der, size) {
  const numbers = members(der).map(contents);
  if (der[0] !== 0x30 || numbers.length !== 2) throw new Error("no signature");
  const raw = new Uint8Array(2 * size);
  numbers.forEach((number, at) => {
    const plain = number[0] === 0 ? number.slice(1) : number;
    if (number[0] & 0x80 || plain.length > size) throw new Error("no signature");
    raw.set(plain, (at + 1) * size - plain.length);
  });
  return raw;
}

function measure(bytes, at) {
  const first = bytes[at + 1];
  const more = first & 0x80 ? first & 0x7f : 0;
  if (at + 2 + more > bytes.length || first === 0x80 || more > 4) throw new Error("no DER");
  const length = more ? bytes.slice(at + 2, at + 2 + more).reduce((sum, byte) => sum * 256 + byte, 0) : first;
  const begin = at + 2 + more;
  if (begin + length > bytes.length) throw new Error("no DER");
  return { begin, end: begin + length };
}

function members(bytes) {
  const whole = measure(bytes, 0);
  if (whole.end !== bytes.length) throw new Error("no DER");
  const found = [];
  for (let at = whole.begin; at < whole.end; ) {
    const { end } = measure(bytes, at);
    found.push(bytes.slice(at, end));
    at = end;
  }
  return found;
}

const contents = (bytes) => bytes.slice(measure(bytes, 0).begin);
const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const fromBase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const base64url = (bytes) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const pem = (der) => `-----BEGIN CERTIFICATE-----\n${base64(der).match(/.{1,64}/g).join("\n")}\n-----END CERTIFICATE-----\n`;
const truth = (holds) => (holds ? "true" : "false");

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// ---- showing: everything a service or a certificate says goes in as text

function tell(text) {
  document.getElementById("progress").textContent = text;
}

function show(found) {
  const holds = together(found.parts);
  const checked = found.checked;
  result.querySelector("[data-rows]").replaceChildren(
    row(words.proof, holds, { says: { [lang]: said(`proof-${holds}`) }, holds, because: found.parts.map(asReason) }),
    ...Object.entries(checked?.axes ?? {}).map(([axis, each]) => row(words[`axis-${axis}`], each.reason.holds, each.reason)),
  );
  fill("who", checked?.subject ? whom(checked) : "");
  fill("by", checked?.issuer ? said("by", { issuer: words[`issuer-${checked.issuer}`] ?? checked.issuer }) : "");
  result.querySelector("[data-provisional]").hidden = !checked?.provisional;
  fill("unchecked", checked?.problem ?? "");
  fill("told", found.place ? said("told", { place: found.place, nonce: found.nonce, at: found.fields?.at ?? "—" }) : "");
  fill("signed", found.text ?? "");
  fill("chain", found.chain ?? "");
  result.hidden = false;
  tell(said(`proof-${holds}`));
  result.querySelector("h2").focus();
}

function whom(checked) {
  const names = Object.fromEntries(checked.subject.split(/(?<!\\),/).map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
  const plain = (text) => text.replace(/\\(.)/g, "$1");
  return [names.CN, names.O].filter(Boolean).map(plain).concat(checked.system_id || []).join(" · ");
}

const together = (parts) => ["false", "unknown"].find((holds) => parts.some((one) => one.holds === holds)) ?? "true";
const asReason = (one) => ({ says: { [lang]: one.text }, holds: one.holds, because: [] });

function fill(name, text) {
  const place = result.querySelector(`[data-fill="${name}"]`);
  place.textContent = text;
  (place.closest("details") ?? place).hidden = !text;
}

function row(name, holds, reason) {
  const made = clone("row");
  made.querySelector("dt").textContent = name;
  const place = made.querySelector("dd");
  place.append(clone(`tag-${holds}`));
  const why = clone("why");
  why.querySelector("[data-about]").textContent = name;
  why.querySelector("details").open = holds !== "true";
  why.querySelector("ul").append(tree(reason));
  place.append(why);
  return made;
}

function tree(reason) {
  const item = document.createElement("li");
  item.className = "sb-why__item";
  item.append(clone(`mark-${reason.holds}`), ` ${reason.says[lang]}`);
  if (reason.because.length) {
    const list = document.createElement("ul");
    list.className = "sb-why__list";
    list.append(...reason.because.map(tree));
    item.append(list);
  }
  return item;
}

function clone(name) {
  return document.getElementById(name).content.cloneNode(true);
}

form.hidden = false;
