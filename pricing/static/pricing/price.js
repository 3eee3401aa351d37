// The page: a price as one types, from the model in the page alone; the server is asked when one wants to compare.

import { back, load, outside, predict } from "./price-model.mjs";

const AGREE = 1e-4; // the largest relative difference that is none
const find = (id) => document.getElementById(id);
const form = find("home");
const { edition, predict: ask, token: login } = document.body.dataset;
const plain = new Intl.NumberFormat("en-US");
let model = null;
let access = "";

const show = (id, text) => {
  find(id).textContent = text;
  find(id).hidden = !text;
};

const amount = (value) => {
  const digits = value < 1000 ? 2 : 0;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
};

const money = (value) => `${model.preprocessing.currency} ${amount(value)}`;

const range = ([low, high]) => `${amount(low)} to ${amount(high)}`;

const percent = (share) => `${(100 * share).toLocaleString("en-US", { maximumSignificantDigits: 2 })} %`;

/** What is typed, or null where something is wrong with it; what is wrong stands at its field. */
function homeTyped() {
  const home = { coverage: Number(form.coverage.value), allow_unknown: form.allow_unknown.checked };
  const wrong = {};
  for (const { name } of model.preprocessing.columns) {
    const input = form[name];
    const whole = input.dataset.whole !== undefined;
    home[name] = input.valueAsNumber;
    const inside = home[name] >= Number(input.min) && home[name] <= Number(input.max); // false for what is no number
    if (!inside || (whole && !Number.isInteger(home[name]))) {
      const bounds = `${plain.format(input.min)} to ${plain.format(input.max)}`;
      wrong[name] = `Expected a ${whole ? "whole " : ""}number from ${bounds}.`;
    }
  }
  home.location = form.location.value;
  const { locations } = model.preprocessing;
  if (!home.location.trim()) wrong.location = `Expected a location of 1 to ${form.location.maxLength} characters.`;
  else if (!home.allow_unknown && !locations.includes(home.location)) {
    wrong.location = `This is none of the ${plain.format(locations.length)} known locations.`;
  }
  for (const name of [...model.preprocessing.columns.map((column) => column.name), "location"]) {
    show(`${name}-wrong`, wrong[name] ?? "");
    form[name].setAttribute("aria-invalid", name in wrong);
  }
  return Object.keys(wrong).length ? null : home;
}

function beyond(home, said) {
  const { columns } = model.preprocessing;
  const found = columns.filter((column) => outside(column, home[column.name]));
  const named = found.map(({ name, low, high }) => {
    const label = form[name].labels[0].textContent.toLowerCase();
    return `${label} ${plain.format(low)} to ${plain.format(high)}`;
  });
  if (!said.extrapolating) return "";
  if (!named.length) return "No home that the model learned from sold for so little or so much.";
  return `Outside of what the model learned from (${named.join(", ")}): it is priced as the nearest of these.`;
}

function update() {
  const home = homeTyped();
  show("server", "");
  show("agree", "");
  find("ask").disabled = !home;
  find("result").classList.toggle("off", !home);
  if (!home) {
    find("price").textContent = "–";
    find("price").value = "";
    find("interval").textContent = "One of the fields is not as expected.";
    show("beyond", "");
    return;
  }
  const [said] = predict(tf, model, [home]);
  const [low, high] = said.interval;
  find("price").value = said.predicted_price;
  find("price").textContent = money(said.predicted_price);
  find("interval").textContent = `${model.preprocessing.currency} ${range(said.interval)} with a chance of ${percent(home.coverage)}`;
  find("marker").style.left = `${(100 * (said.predicted_price - low)) / (high - low)}%`;
  show("beyond", beyond(home, said));
}

/** The answer to a POST as [whether it went well, its body]; what is wrong is said in `detail`. */
async function posted(address, body, headers = {}) {
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    if (answer.status === 401 && access) signedIn("");
    return [answer.ok, await answer.json()];
  } catch {
    return [false, { detail: "The server cannot be reached. The price above does not need it." }];
  }
}

function signedIn(token) {
  access = token;
  find("login").hidden = Boolean(token);
}

async function logIn(event) {
  event.preventDefault();
  const { username, password } = event.target.elements;
  const [ok, body] = await posted(login, { username: username.value, password: password.value });
  show("login-said", ok ? "" : body.detail);
  if (!ok) return;
  signedIn(body.access);
  password.value = "";
  await askServer();
}

async function askServer() {
  const home = homeTyped();
  if (!home) return;
  if (!access) {
    show("server", "Log in first: the server answers customers and staff.");
    find("username").focus();
    return;
  }
  const [ok, said] = await posted(ask, home, { Authorization: `Bearer ${access}` });
  if (JSON.stringify(home) !== JSON.stringify(homeTyped())) return; // it was asked of another home
  show("agree", "");
  if (!ok) {
    show("server", said.detail);
    return;
  }
  const [ours] = predict(tf, model, [home]);
  const pairs = [said.predicted_price, ...said.interval].map((value, number) => [
    value,
    [ours.predicted_price, ...ours.interval][number],
  ]);
  const off = Math.max(...pairs.map(([theirs, mine]) => Math.abs(mine / theirs - 1)));
  find("agree").value = off;
  show("server", `Version ${said.version} on the server: ${money(said.predicted_price)} (${range(said.interval)}).`);
  if (said.version !== model.version) {
    show("agree", `This page has version ${model.version}. Reload it to have the one of the server.`);
  } else if (off < AGREE) {
    show("agree", `Both agree: they differ by ${percent(off)} at most.`);
  } else {
    show("agree", `They differ by up to ${percent(off)}.`);
  }
}

/** A home like most that were learned from. */
function begin() {
  const { columns, locations, area_unit: unit } = model.preprocessing;
  const steps = { bedrooms: 1, bathrooms: 0.25, sqft: 10 };
  for (const column of columns) {
    const step = steps[column.name];
    form[column.name].value = Math.round(back(column, 0) / step) * step;
  }
  find("unit").textContent = unit;
  find("locations").replaceChildren(...locations.map((location) => new Option(location, location)));
  form.location.value = locations[0] ?? "";
  const kilobytes = plain.format(Math.round(model.bytes / 1000));
  find("facts").textContent = `Version ${model.version}, ${model.model}. ${kilobytes} kB were loaded for the model.`;
}

try {
  model = await load(tf, new URL(edition, location.href).href);
  begin();
  for (const event of ["input", "change"]) form.addEventListener(event, update); // some changes are only one of them
  find("login").addEventListener("submit", logIn);
  find("ask").addEventListener("click", askServer);
  update();
  find("all").disabled = false;
} catch (error) {
  show("facts", `There is no model for this page now. ${error.message}`);
}
