// The server's API: one function a route; a refusal is an error with the server's own words.
const PLACE = "birnn-token";

export class Refusal extends Error {
  constructor(status, error) { super(error.message); this.status = status; this.code = error.code; }
}

export function takeToken() { // what stands after # goes to no server; nor does it stay in the address
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(PLACE, given);
    history.replaceState(null, "", location.pathname);
  }
}

export const setToken = (token) => sessionStorage.setItem(PLACE, token.trim());
export const hasToken = () => Boolean(sessionStorage.getItem(PLACE));

export async function send(path, options = {}) {
  const token = sessionStorage.getItem(PLACE);
  const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  let reply;
  try {
    reply = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, { code: "away", message: "the server does not answer; is it still running?" });
  }
  if (reply.ok) return reply;
  let error = { code: "unknown", message: `the server answered ${reply.status}` };
  try { error = (await reply.json()).error; } catch { /* no JSON: the words above */ }
  throw new Refusal(reply.status, error);
}

export const runs = async () => (await send("/v1/runs")).json();

const asJson = (body, signal, accept) => ({
  method: "POST", signal, body: JSON.stringify(body),
  headers: { "Content-Type": "application/json", ...(accept ? { Accept: accept } : {}) },
});

export const predict = async (body, signal) => (await send("/v1/predict", asJson(body, signal))).json();
export const explain = async (body, signal) => (await send("/v1/explain", asJson(body, signal))).json();
export const predictCsv = async (body) => (await send("/v1/predict", asJson(body, undefined, "text/csv"))).blob();
