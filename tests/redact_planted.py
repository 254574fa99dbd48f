"""Made-up secrets of every kind, put together at run time so that no file of the project holds one."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

HEX = "0123456789abcdef"
LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
ALNUM = LOWER + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WORD = ALNUM + "_-"
DIGITS = "0123456789"
BASE64 = ALNUM + "+/"
UUID = "8-4-4-4-12"
"""No alphabet: the lengths of the parts, in hexadecimal digits."""

# What stands before, alphabet and length of what follows; "|" separates several such parts.
SHAPES: dict[str, list[tuple[str, str, int]]] = {
    "github-pat": [("gh" + "p_", ALNUM, 36)],
    "github-oauth": [("gh" + "o_", ALNUM, 36)],
    "github-user": [("gh" + "u_", ALNUM, 36)],
    "github-app": [("gh" + "s_", ALNUM, 36)],
    "github-refresh": [("gh" + "r_", ALNUM, 76)],
    "github-fine-grained": [("github_" + "pat_", ALNUM, 22), ("_", ALNUM, 59)],
    "gitlab-pat": [("glp" + "at-", WORD, 20)],
    "gitlab-deploy": [("gld" + "t-", ALNUM, 20)],
    "gitlab-runner": [("glr" + "t-", ALNUM, 20)],
    "gitlab-job": [("glcb" + "t-64_", ALNUM, 20)],
    "gitlab-trigger": [("glpt" + "t-", HEX, 40)],
    "gitlab-feed": [("glf" + "t-", ALNUM, 20)],
    "gitlab-scim": [("glso" + "at-", ALNUM, 20)],
    "gitlab-feature-flag": [("glff" + "ct-", ALNUM, 20)],
    "gitlab-agent": [("glag" + "ent-", ALNUM, 50)],
    "gitlab-mail": [("glim" + "t-", ALNUM, 25)],
    "gitlab-oauth-app": [("glo" + "as-", HEX, 64)],
    "gitlab-runner-registration": [("GR13" + "48941", ALNUM, 20)],
    "bitbucket-app": [("AT" + "BB", ALNUM, 32)],
    "bitbucket-access": [("ATC" + "TT3", ALNUM, 180)],
    "atlassian": [("ATA" + "TT3", ALNUM, 180), ("=", HEX, 8)],
    "sourcegraph": [("sg" + "p_", HEX, 16), ("_", HEX, 40)],
    "azure-devops": [("", ALNUM, 76), ("AZ" + "DO", ALNUM, 4)],
    "anthropic": [("sk-" + "ant-api03-", WORD, 93), ("AA", "", 0)],
    "anthropic-oauth": [("sk-" + "ant-oat01-", WORD, 93), ("AA", "", 0)],
    "openai": [("s" + "k-", ALNUM, 20), ("T3Blbk" + "FJ", ALNUM, 20)],
    "openai-project": [("sk-" + "proj-", WORD, 74), ("T3Blbk" + "FJ", ALNUM, 74)],
    "openai-plain": [("s" + "k-", HEX, 32)],
    "openrouter": [("sk-" + "or-v1-", HEX, 64)],
    "langsmith": [("lsv" + "2_pt_", HEX, 32), ("_", HEX, 10)],
    "google-api-key": [("AI" + "za", WORD, 35)],
    "xai": [("xa" + "i-", ALNUM, 80)],
    "groq": [("gs" + "k_", ALNUM, 52)],
    "perplexity": [("ppl" + "x-", ALNUM, 48)],
    "huggingface": [("h" + "f_", ALNUM, 34)],
    "huggingface-org": [("api_" + "org_", ALNUM, 34)],
    "replicate": [("r" + "8_", ALNUM, 37)],
    "helicone": [("sk-" + "helicone-", ALNUM, 7), ("-", ALNUM, 7), ("-", ALNUM, 7), ("-", ALNUM, 7)],
    "jina": [("ji" + "na_", ALNUM, 60)],
    "context7": [("ctx" + "7sk-", UUID, 0)],
    "apify": [("apify" + "_api_", ALNUM, 36)],
    "daytona": [("dt" + "n_", HEX, 64)],
    "runpod": [("rp" + "a_", UPPER, 42)],
    "deno-deploy": [("dd" + "p_", ALNUM, 36)],
    "inngest": [("sign" + "key-prod-", HEX, 64)],
    "trigger-dev": [("tr_" + "prod_", ALNUM, 24)],
    "zuplo": [("zp" + "ka_", HEX, 32), ("_", HEX, 8)],
    "nvidia": [("nva" + "pi-", ALNUM, 64)],
    "pinecone": [("pc" + "sk_", ALNUM, 5), ("_", ALNUM, 63)],
    "tavily": [("tv" + "ly-", ALNUM, 32)],
    "firecrawl": [("f" + "c-", HEX, 32)],
    "bedrock": [("AB" + "SK", ALNUM, 120)],
    "aws-session-token": [("IQoJb3" + "JpZ2lu", BASE64, 300)],
    "google-oauth-token": [("ya" + "29.", WORD, 120)],
    "google-oauth-secret": [("GOC" + "SPX-", WORD, 28)],
    "google-refresh-token": [("1/" + "/0", WORD, 100)],
    "azure-client-secret": [("aB3" + "8Q~", ALNUM, 34)],
    "azure-storage-key": [("Account" + "Key=", BASE64, 86), ("==", "", 0)],
    "azure-shared-access-key": [("SharedAccess" + "Key=", BASE64, 43), ("=", "", 0)],
    "alibaba-key-id": [("LT" + "AI", ALNUM, 20)],
    "digitalocean": [("dop_" + "v1_", HEX, 64)],
    "digitalocean-oauth": [("doo_" + "v1_", HEX, 64)],
    "heroku": [("HR" + "KU-AA", ALNUM, 58)],
    "fly": [("fm" + "2_", ALNUM, 140)],
    "cloudflare-origin-ca": [("v1" + ".0-", HEX, 24), ("-", HEX, 146)],
    "supabase": [("sb" + "p_", HEX, 40)],
    "supabase-secret": [("sb_" + "secret_", ALNUM, 32)],
    "netlify": [("nf" + "p_", ALNUM, 40)],
    "render": [("rn" + "d_", ALNUM, 32)],
    "neon": [("nap" + "i_", LOWER, 64)],
    "planetscale": [("pscale_" + "tkn_", WORD, 43)],
    "scalingo": [("tk-" + "us-", ALNUM, 48)],
    "tailscale": [("tskey-" + "auth-", ALNUM, 12), ("-", ALNUM, 32)],
    "databricks": [("da" + "pi", HEX, 32)],
    "clickhouse": [("4b" + "1d", ALNUM, 38)],
    "openshift": [("sha256" + "~", ALNUM, 43)],
    "pulumi": [("pu" + "l-", HEX, 40)],
    "terraform-cloud": [("", ALNUM, 14), (".atlas" + "v1.", ALNUM, 67)],
    "vault-service": [("hv" + "s.", ALNUM, 95)],
    "vault-batch": [("hv" + "b.", ALNUM, 140)],
    "vault-legacy": [("s" + ".a7B", ALNUM, 21)],
    "doppler": [("dp" + ".pt.", ALNUM, 43)],
    "onepassword-service": [("ops_" + "eyJ", ALNUM, 260)],
    "onepassword-secret-key": [("A" + "3-", UPPER, 6), ("-", UPPER, 11), ("-", UPPER, 5), ("-", UPPER, 5), ("-", UPPER, 5)],
    "age": [("AGE-SECRET-" + "KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)],
    "harness": [("pa" + "t.", ALNUM, 22), (".", ALNUM, 24), (".", ALNUM, 20)],
    "npm": [("np" + "m_", ALNUM, 36)],
    "pypi": [("pypi-" + "AgEIcHlwaS5vcmc", ALNUM, 120)],
    "rubygems": [("ruby" + "gems_", HEX, 48)],
    "clojars": [("CLOJ" + "ARS_", LOWER, 60)],
    "crates": [("c" + "io", ALNUM, 32)],
    "nuget": [("oy" + "2", LOWER, 43)],
    "docker": [("dckr_" + "pat_", ALNUM, 27)],
    "artifactory": [("AK" + "Cp", ALNUM, 69)],
    "artifactory-reference": [("cm" + "Vmd", ALNUM, 59)],
    "octopus": [("AP" + "I-", UPPER, 26)],
    "circleci": [("CCI" + "PAT_", ALNUM, 22), ("_", HEX, 40)],
    "buildkite": [("bk" + "ua_", HEX, 40)],
    "prefect": [("pn" + "u_", ALNUM, 36)],
    "infracost": [("ic" + "o-", ALNUM, 32)],
    "postman": [("PM" + "AK-", HEX, 24), ("-", HEX, 34)],
    "sonar": [("sq" + "p_", HEX, 40)],
    "readme": [("rd" + "me_", LOWER, 70)],
    "settlemint": [("sm_" + "pat_", ALNUM, 16)],
    "grafana-service": [("gl" + "sa_", ALNUM, 32), ("_", HEX, 8)],
    "grafana-cloud": [("gl" + "c_", ALNUM, 60)],
    "newrelic": [("NR" + "AK-", UPPER, 27)],
    "newrelic-license": [("", HEX, 32), ("FFFF" + "NRAL", "", 0)],
    "sentry-org": [("sntrys_" + "eyJ", ALNUM, 120), ("_", ALNUM, 43)],
    "sentry-user": [("sntr" + "yu_", HEX, 64)],
    "dynatrace": [("dt0" + "c01.", UPPER, 24), (".", UPPER, 64)],
    "honeycomb": [("hca" + "ik_", LOWER, 58)],
    "posthog": [("ph" + "x_", ALNUM, 43)],
    "slack-bot": [("xox" + "b-", DIGITS, 12), ("-", DIGITS, 12), ("-", ALNUM, 24)],
    "slack-user": [("xox" + "p-", DIGITS, 12), ("-", DIGITS, 12), ("-", DIGITS, 12), ("-", HEX, 32)],
    "slack-workspace": [("xox" + "a-2-", ALNUM, 40)],
    "slack-config": [("xox" + "e-1-", ALNUM, 146)],
    "slack-app": [("xap" + "p-1-", UPPER, 11), ("-", DIGITS, 13), ("-", HEX, 64)],
    "slack-webhook": [("https://hooks.slack" + ".com/services/T0", UPPER, 9), ("/B0", UPPER, 9), ("/", ALNUM, 24)],
    "discord-webhook": [("https://discord.com/api/" + "webhooks/", DIGITS, 18), ("/", WORD, 68)],
    "telegram": [("", "123456789", 10), (":A" + "A", WORD, 33)],
    "sendgrid": [("SG" + ".", ALNUM, 22), (".", ALNUM, 43)],
    "sendinblue": [("xkey" + "sib-", HEX, 64), ("-", ALNUM, 16)],
    "mailchimp": [("", HEX, 32), ("-us" + "14", "", 0)],
    "mailgun": [("ke" + "y-", HEX, 32)],
    "twilio": [("S" + "K", HEX, 32)],
    "stripe": [("sk_" + "live_", ALNUM, 24)],
    "stripe-restricted": [("rk_" + "test_", ALNUM, 99)],
    "stripe-webhook": [("whs" + "ec_", ALNUM, 32)],
    "square": [("sq0" + "atp-", ALNUM, 22)],
    "facebook": [("EA" + "AC", ALNUM, 140)],
    "shopify": [("shp" + "at_", HEX, 32)],
    "shippo": [("shippo_" + "live_", HEX, 40)],
    "easypost": [("EZ" + "AK", ALNUM, 54)],
    "duffel": [("duffel_" + "live_", WORD, 43)],
    "flutterwave": [("FLWSECK_" + "TEST-", HEX, 32), ("-X", "", 0)],
    "adobe": [("p8" + "e-", LOWER, 32)],
    "frameio": [("fio" + "-u-", ALNUM, 64)],
    "linear": [("lin_" + "api_", ALNUM, 40)],
    "notion": [("nt" + "n_", DIGITS, 11), ("", ALNUM, 35)],
    "figma": [("fig" + "d_", ALNUM, 40)],
    "airtable": [("pa" + "t", ALNUM, 14), (".", HEX, 64)],
    "typeform": [("tf" + "p_", ALNUM, 59)],
    "contentful": [("CFP" + "AT-", ALNUM, 43)],
    "intra42": [("s-s4" + "t2ud-", HEX, 64)],
    "maxmind": [("", ALNUM, 6), ("_", ALNUM, 29), ("_m" + "mk", "", 0)],
    "yandex": [("AQ" + "VN", ALNUM, 36)],
    "gitlab-workspace": [("glw" + "t-", ALNUM, 20)],
    "kimi": [("sk-" + "kimi-", ALNUM, 64)],
    "together": [("tgp_" + "v1_", ALNUM, 43)],
    "fireworks": [("f" + "w_", ALNUM, 24)],
    "wandb-key": [("wandb_" + "v1_", ALNUM, 40)],
    "google-agent-key": [("AQ." + "Ab8RN6", WORD, 40)],
    "cloudflare-token": [("cfu" + "t_", ALNUM, 48)],
    "aiven": [("AV" + "NS_", ALNUM, 19)],
    "mongodb-atlas": [("mdb_" + "sa_sk_", ALNUM, 40)],
    "azure-new-key": [("", ALNUM, 52), ("JQ" + "QJ99", ALNUM, 26)],
    "elastic": [("es" + "su_", ALNUM, 80)],
    "pagerduty-key": [("pd" + "us+_", UPPER, 7), ("_", HEX, 8), ("-", HEX, 4), ("-", HEX, 4), ("-", HEX, 4), ("-", HEX, 12)],
    "adafruit-key": [("ai" + "o_", ALNUM, 28)],
    "endor": [("en" + "dr+", ALNUM, 16)],
    "flexport": [("shl" + "tm_", ALNUM, 40)],
    "brave": [("B" + "SA", ALNUM, 28)],
    "confluent-secret": [("cf" + "lt", BASE64, 60)],
    "salesforce": [("00" + "D", ALNUM, 12), ("!A" + "Q", ALNUM, 90)],
    "vault-batch-legacy": [("b.AA" + "AA", ALNUM, 140)],
    "signed-address": [("X-Amz-" + "Signature=", HEX, 64)],
    "dropbox": [("s" + "l.", ALNUM, 135)],
}

# Values that only their name gives away: kind, name, alphabet, length.
NAMED: list[tuple[str, str, str, int]] = [
    ("aws-secret", "aws_secret_access_key", BASE64, 40),
    ("datadog", "DD_API_KEY", HEX, 32),
    ("cloudflare", "CLOUDFLARE_API_TOKEN", ALNUM, 40),
    ("fastly", "FASTLY_API_TOKEN", ALNUM, 32),
    ("okta", "OKTA_API_TOKEN", "0" + ALNUM, 42),
    ("pagerduty", "PAGERDUTY_TOKEN", ALNUM, 20),
    ("twilio-auth", "TWILIO_AUTH_TOKEN", HEX, 32),
    ("jfrog", "JFROG_API_KEY", ALNUM, 73),
    ("password", "DB_PASSWORD", ALNUM, 14),
    ("client-secret", "client_secret", ALNUM, 40),
    ("api-key", "x-api-key", ALNUM, 32),
    ("private-token", "private_token", ALNUM, 24),
    ("access-token", "accessToken", ALNUM, 48),
    ("secret-key", "SECRET_KEY_BASE", HEX, 64),
    ("encryption", "encryptionKey", HEX, 64),
    ("adafruit", "ADAFRUIT_IO_KEY", LOWER, 32),
    ("algolia", "ALGOLIA_API_KEY", LOWER, 32),
    ("alibaba", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", ALNUM, 30),
    ("asana", "ASANA_CLIENT_SECRET", LOWER, 32),
    ("assemblyai", "ASSEMBLYAI_API_KEY", HEX, 32),
    ("azure-openai", "AZURE_OPENAI_API_KEY", HEX, 32),
    ("bittrex", "BITTREX_SECRET_KEY", LOWER, 32),
    ("braintree", "BRAINTREE_PRIVATE_KEY", HEX, 32),
    ("bitbucket-client", "BITBUCKET_CLIENT_SECRET", ALNUM, 64),
    ("codecov", "CODECOV_ACCESS_TOKEN", LOWER, 32),
    ("cohere", "CO_API_KEY", ALNUM, 40),
    ("coinbase", "COINBASE_ACCESS_TOKEN", WORD, 64),
    ("confluent", "CONFLUENT_SECRET_KEY", ALNUM, 64),
    ("deepgram", "DEEPGRAM_API_KEY", HEX, 40),
    ("discord-client", "DISCORD_CLIENT_SECRET", ALNUM, 32),
    ("drone", "DRONECI_ACCESS_TOKEN", ALNUM, 32),
    ("etsy", "ETSY_ACCESS_TOKEN", LOWER, 24),
    ("facebook-secret", "FACEBOOK_APP_SECRET", HEX, 32),
    ("finicity", "FINICITY_CLIENT_SECRET", ALNUM, 20),
    ("finnhub", "FINNHUB_ACCESS_TOKEN", LOWER, 20),
    ("flickr", "FLICKR_ACCESS_TOKEN", LOWER, 32),
    ("freshbooks", "FRESHBOOKS_ACCESS_TOKEN", LOWER, 64),
    ("gitter", "GITTER_ACCESS_TOKEN", LOWER, 40),
    ("heroku-uuid", "HEROKU_API_KEY", UUID, 0),
    ("hubspot", "HUBSPOT_API_KEY", UUID, 0),
    ("intercom", "INTERCOM_API_KEY", ALNUM, 60),
    ("jenkins", "JENKINS_API_TOKEN", HEX, 32),
    ("kraken", "KRAKEN_ACCESS_TOKEN", BASE64, 86),
    ("kucoin", "KUCOIN_SECRET_KEY", UUID, 0),
    ("launchdarkly", "LAUNCHDARKLY_ACCESS_TOKEN", WORD, 40),
    ("linear-client", "LINEAR_CLIENT_SECRET", HEX, 32),
    ("linkedin", "LINKEDIN_CLIENT_SECRET", ALNUM, 16),
    ("linode", "LINODE_TOKEN", HEX, 64),
    ("looker", "LOOKER_CLIENT_SECRET", ALNUM, 24),
    ("mattermost", "MATTERMOST_ACCESS_TOKEN", LOWER, 26),
    ("messagebird", "MESSAGEBIRD_API_TOKEN", ALNUM, 25),
    ("mistral", "MISTRAL_API_KEY", ALNUM, 32),
    ("netlify-plain", "NETLIFY_AUTH_TOKEN", ALNUM, 43),
    ("nytimes", "NYTIMES_ACCESS_TOKEN", ALNUM, 32),
    ("opsgenie", "OPSGENIE_API_KEY", UUID, 0),
    ("plaid", "PLAID_SECRET_KEY", LOWER, 30),
    ("postmark", "POSTMARK_SERVER_TOKEN", UUID, 0),
    ("railway", "RAILWAY_TOKEN", UUID, 0),
    ("rapidapi", "RAPIDAPI_ACCESS_TOKEN", ALNUM, 50),
    ("rollbar", "ROLLBAR_ACCESS_TOKEN", HEX, 32),
    ("sendbird", "SENDBIRD_ACCESS_TOKEN", HEX, 40),
    ("snyk", "SNYK_TOKEN", UUID, 0),
    ("sonar-plain", "SONAR_TOKEN", HEX, 40),
    ("splunk", "SPLUNK_HEC_TOKEN", UUID, 0),
    ("squarespace", "SQUARESPACE_ACCESS_TOKEN", UUID, 0),
    ("sumologic", "SUMO_ACCESS_KEY", ALNUM, 64),
    ("travis", "TRAVIS_CI_ACCESS_TOKEN", ALNUM, 22),
    ("twitch", "TWITCH_API_TOKEN", LOWER, 30),
    ("twitter", "TWITTER_ACCESS_SECRET", ALNUM, 45),
    ("vercel", "VERCEL_TOKEN", ALNUM, 24),
    ("wandb", "WANDB_API_KEY", HEX, 40),
    ("zendesk", "ZENDESK_SECRET_KEY", ALNUM, 40),
    ("yandex-secret", "YANDEX_ACCESS_SECRET", WORD, 40),
    ("circleci-plain", "CIRCLECI_TOKEN", HEX, 40),
    ("cloudinary", "CLOUDINARY_API_SECRET", WORD, 27),
    ("elevenlabs", "ELEVENLABS_API_KEY", HEX, 32),
    ("pusher", "PUSHER_APP_SECRET", HEX, 20),
    ("rails-master", "RAILS_MASTER_KEY", HEX, 32),
    ("jwt-signing", "JWT_SIGNING_KEY", ALNUM, 48),
    ("smtp", "SMTP_PASSWORD", ALNUM, 20),
    ("ldap", "LDAP_BIND_PASSWORD", ALNUM, 16),
    ("vault-approle", "VAULT_SECRET_ID", UUID, 0),
]


class Planted(NamedTuple):
    kind: str
    value: str
    name: str = ""


def planted(seed: str = "planted") -> list[Planted]:
    """One secret of every kind, the same on every run."""
    dice = random.Random(seed)
    out = [
        Planted(kind, "".join(head + _random(dice, chars, size) for head, chars, size in parts)) for kind, parts in SHAPES.items()
    ]
    out += [Planted(kind, _random(dice, chars, size), name) for kind, name, chars, size in NAMED]
    return out


def core(item: Planted) -> str:
    """The part of a planted value that must not survive: what follows a label that is itself no secret."""
    for label in ("AccountKey=", "SharedAccessKey=", "Signature=", "/services/", "/webhooks/"):
        if label in item.value:
            return item.value.partition(label)[2]
    return item.value


def private_key(kind: str = "RSA ") -> str:
    """A private key in PEM, of random bytes."""
    dice = random.Random(kind)
    body = _random(dice, BASE64, 64 * 6)
    lines = "\n".join(body[i : i + 64] for i in range(0, len(body), 64))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----\n"


def token_jwt(claims: dict[str, object]) -> str:
    """An invented signed JSON Web Token with these claims."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).decode().rstrip("=")

    head = part(json.dumps({"alg": "RS256", "typ": "JWT"}).encode())
    return ".".join((head, part(json.dumps(claims).encode()), part(random.Random(5).randbytes(64))))


def _random(dice: random.Random, chars: str, size: int) -> str:
    if chars == UUID:
        return "-".join(_random(dice, HEX, int(part)) for part in UUID.split("-"))
    while chars:
        text = "".join(dice.choice(chars) for _ in range(size))
        if size < 14 or (any(c.isdigit() for c in text) and not text.isdigit()) or chars in (DIGITS, "123456789"):
            return text
    return ""


def escaped(text: str) -> str:
    """A JSON string with every character written as an escape."""
    return '"' + "".join(f"\\u{ord(c):04x}" for c in text) + '"'


def contexts() -> dict[str, tuple[Callable[[Planted], str], bool]]:
    """How a secret may be written into a record: name of the context -> (record, is it JSON)."""

    def assigned(item: Planted) -> str:
        return item.name or "value"

    def text(item: Planted) -> str:
        return f"{item.name}={item.value}" if item.name else f"it is {item.value} I think"

    return {
        "json member": (lambda i: json.dumps({"a": 1, assigned(i): i.value, "b": [None, "x"]}), True),
        "json text": (lambda i: json.dumps({"text": f"first line\n{text(i)}\nlast \u00e9 line"}), True),
        "json after newline": (lambda i: json.dumps({"text": f"out:\n{assigned(i) + ': ' if i.name else ''}{i.value}\n"}), True),
        "double-encoded": (lambda i: json.dumps({"arguments": json.dumps({assigned(i): i.value, "n": "v"})}), True),
        "triple-encoded": (lambda i: json.dumps({"x": json.dumps({"y": json.dumps({assigned(i): i.value})})}), True),
        "escaped": (lambda i: '{"' + assigned(i) + '":' + escaped(i.value) + ',"z":"\\u001b[0m"}', True),
        "slashes escaped": (lambda i: json.dumps({assigned(i): i.value, "u": "https://x/y"}).replace("/", "\\/"), True),
        "header": (lambda i: json.dumps({"headers": {"authorization": ["Bearer " + i.value]}}), True),
        "header in text": (lambda i: f"curl -H 'Authorization: Bearer {i.value}' https://host/x", False),
        "environment line": (lambda i: f"export {i.name.upper().replace('-', '_') or 'API_TOKEN'}={i.value}\n", False),
        "flag": (lambda i: f"tool --{i.name.lower().replace('_', '-') or 'token'} {i.value} run", False),
        "yaml": (lambda i: f"a: 1\n{i.name or 'token'}: {i.value}\nb: 2\n", False),
        "plain": (text, False),
    }


def records() -> Iterator[tuple[str, Planted, str, bool]]:
    """Every planted secret in every context."""
    for name, (write, is_json) in contexts().items():
        for item in planted():
            yield name, item, write(item), is_json
