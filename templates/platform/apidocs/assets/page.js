// The page's own part: it shows /openapi.json, sends what is tried to /try/ on this
// address, and fetches development tokens.
"use strict";

const element = (id) => document.getElementById(id);

const load = async (path) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: status ${response.status}`);
  return response.json();
};

const isSecured = (api) => Object.keys(api.components?.securitySchemes ?? {}).length > 0;

// scopesOf lists every scope that an operation asks for.
const scopesOf = (api) => {
  const operations = Object.values(api.paths ?? {}).flatMap((item) => Object.values(item));
  const requirements = [api, ...operations].flatMap((o) => o?.security ?? []);
  return [...new Set(requirements.flatMap((r) => Object.values(r)).flat())].sort();
};

const fetchToken = async (subject, scopes) => {
  const response = await fetch("dev/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sub: subject, scopes }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail ?? `status ${response.status}`);
  return answer.access_token;
};

// authorize fills the token in wherever the document asks for credentials.
const authorize = (ui, api, subject, token) => {
  for (const [name, scheme] of Object.entries(api.components.securitySchemes)) {
    if (scheme.type === "http" && scheme.scheme.toLowerCase() === "basic") {
      ui.preauthorizeBasic(name, subject, token);
    } else if (scheme.type === "oauth2") {
      const flow = Object.keys(scheme.flows ?? {})[0];
      ui.authActions.authorizeOauth2({ auth: { name, schema: { ...scheme, flow } }, token: { access_token: token, token_type: "Bearer" } });
    } else {
      ui.preauthorizeApiKey(name, token);
    }
  }
};

const start = async () => {
  const [api, settings] = await Promise.all([load("openapi.json"), load("docs/settings.json")]);
  document.title = api.info.title;
  let token = "";
  const ui = SwaggerUIBundle({
    domNode: element("page"),
    spec: { ...api, servers: (api.servers ?? [{ url: "" }]).map((s) => ({ ...s, url: settings.url + s.url.replace(/\/$/, "") })) },
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    showExtensions: true, // x-backend-adds: what the server asks and answers beyond the input document
    showMutatedRequest: false, // the curl line shows the API's own address
    supportedSubmitMethods: settings.try ? undefined : [],
    tryItOutEnabled: settings.try,
    validatorUrl: null, // it would send the document away
    requestInterceptor: (request) => {
      if (request.url.startsWith(settings.url + "/")) {
        request.url = new URL("try" + request.url.slice(settings.url.length), document.baseURI).href;
        request.headers["X-Try"] = "1";
        if (token && !Object.keys(request.headers).some((h) => h.toLowerCase() === "authorization")) {
          request.headers.Authorization = `Bearer ${token}`;
        }
      }
      return request;
    },
  });
  element("read-only").hidden = settings.try;
  element("token").hidden = !(settings.tokens && isSecured(api));
  element("token").addEventListener("submit", async (event) => {
    event.preventDefault();
    const subject = element("subject").value;
    try {
      token = await fetchToken(subject, scopesOf(api));
      authorize(ui, api, subject, token);
      element("outcome").textContent = "in use for an hour, with every scope that the document names";
    } catch (error) {
      element("outcome").textContent = error.message;
    }
  });
};

start().catch((error) => { element("page").textContent = error.message; });
