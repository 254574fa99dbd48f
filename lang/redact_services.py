"""Secrets of registries, build systems, monitoring, payment and other services that show themselves by their shape."""

from __future__ import annotations

from lang.redact_rules import Rule, shape, token, within

_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

REGISTRIES: tuple[Rule, ...] = (
    token("npm", "npm token", "npm_", "npm_[A-Za-z0-9]{36}"),
    shape(
        "npm-registry",
        "npm registry login",
        "_authToken _auth _password",
        # A program that sets such a member names where it comes from; a login has digits or ends as Base64 does.
        r"(?:_authToken|(?<=:)_auth|(?<=:)_password)\s?=\s?\\*[\"']?(?!(?:process|this|self|os)\.)"
        r"(?=[A-Za-z_+/.~-]{0,2000}+[\d=])(?P<v>[\w+/.~-]{16,2000}+={0,2})(?!\()",
        bits=2.5,
    ),
    token("pypi", "PyPI token", "pypi-", r"pypi-AgE[\w-]{50,1000}"),
    token("rubygems", "RubyGems key", "rubygems_", "rubygems_[a-f0-9]{48}"),
    token("clojars", "Clojars token", "CLOJARS_", "CLOJARS_[A-Za-z0-9]{60}"),
    token("crates", "crates.io token", "cio", "cio[A-Za-z0-9]{32}", bits=3.5, chancy=True),
    token("nuget", "NuGet key", "oy2", "oy2[a-z0-9]{43}", bits=3.0, chancy=True),
    token("docker", "Docker token", "dckr_pat_ dckr_oat_", r"dckr_[po]at_[\w-]{27,40}"),
    token("artifactory", "Artifactory key", "AKCp", "AKCp[A-Za-z0-9]{69}", chancy=True),
    token("artifactory-reference", "Artifactory reference token", "cmVmd", "cmVmd[A-Za-z0-9]{59}", chancy=True),
    token("octopus", "Octopus Deploy key", "API-", "API-[A-Z0-9]{25,40}", bits=3.5),
    token("circleci", "CircleCI token", "CCIPAT_ CCIPRJ_", r"CCIP(?:AT|RJ)_[A-Za-z0-9]{10,30}_[a-f0-9]{40}"),
    token("buildkite", "Buildkite token", "bkua_ bkct_ bkaj_", "bk(?:ua|ct|aj)_[a-zA-Z0-9]{40,70}"),
    token("prefect", "Prefect key", "pnu_ pnb_", "pn[ub]_[A-Za-z0-9]{36}"),
    token("infracost", "Infracost key", "ico-", "ico-[A-Za-z0-9]{32}"),
    token("postman", "Postman key", "PMAK-", "PMAK-[a-fA-F0-9]{24}-[a-fA-F0-9]{34}"),
    token("sonar", "Sonar token", "squ_ sqp_ sqa_", "sq[upa]_[a-f0-9]{40}"),
    token("snyk", "Snyk token", "snyk_", r"snyk_(?:uat|sat)\.[a-z0-9]{8}\.[\w.-]{40,400}"),
    token("readme", "ReadMe key", "rdme_", "rdme_[a-z0-9]{70}"),
    token("settlemint", "SettleMint token", "sm_aat_ sm_pat_ sm_sat_", "sm_[aps]at_[A-Za-z0-9]{16}"),
    shape(
        "sidekiq",
        "Sidekiq credentials",
        "contribsys",
        r"contribsys(?:__com)?[\"'\\]{0,4}\s?[=:]\s?[\"'\\]{0,4}(?P<v>[a-f0-9]{8}:[a-f0-9]{8})",
    ),
)

MONITORING: tuple[Rule, ...] = (
    token("grafana-service", "Grafana service account token", "glsa_", "glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}"),
    token("grafana-cloud", "Grafana Cloud token", "glc_", "glc_[A-Za-z0-9+/]{32,400}={0,3}"),
    token("grafana-key", "Grafana key", "eyJrIjoi", "eyJrIjoi[A-Za-z0-9]{60,400}={0,3}"),
    token("newrelic", "New Relic key", "NRAK- NRII- NRJS- NRIQ- NRRA-", "NR(?:AK|II|JS|IQ|RA)-[A-Za-z0-9-]{19,42}"),
    within("newrelic-license", "New Relic licence key", "FFFFNRAL", "[a-f0-9]{32,36}FFFFNRAL", 36, 0),
    token("sentry-org", "Sentry organisation token", "sntrys_", r"sntrys_eyJ[A-Za-z0-9+/=]{40,400}_[A-Za-z0-9+/]{43}"),
    token("sentry-user", "Sentry user token", "sntryu_", "sntryu_[a-f0-9]{64}"),
    token("dynatrace", "Dynatrace token", "dt0", r"dt0[a-zA-Z]\d{2}\.[A-Za-z0-9]{8,24}\.[A-Za-z0-9]{64}"),
    token("elastic", "Elastic key", "essu_", "essu_[A-Za-z0-9+/=_-]{40,400}"),
    token("pagerduty-key", "PagerDuty token", "pdus+ pdeu+", rf"pd(?:us|eu)\+[\w-]{{8,12}}[+_]{_UUID}"),
    token("honeycomb", "Honeycomb key", "hcaik_ hcxik_ hcalk_ hcxlk_", r"hc[ax][il]k_[A-Za-z0-9]{50,70}"),
    token("posthog", "PostHog personal key", "phx_", r"phx_[\w]{40,60}"),
    token("posthog-public", "PostHog project key", "phc_", r"phc_\w{40,60}", usable=False),
    token("axiom", "Axiom token", "xaat- xapt-", f"xa[ap]t-{_UUID}"),
    token("logfire", "Logfire token", "pylf_v", r"pylf_v\d_[a-z]{2}_[A-Za-z0-9]{40,50}"),
    token("launchdarkly-key", "LaunchDarkly key", "api- sdk-", f"(?:api|sdk)-{_UUID}"),
)

MESSAGING: tuple[Rule, ...] = (
    token("slack-bot", "Slack bot token", "xoxb-", r"xoxb-[0-9]{8,14}-[A-Za-z0-9-]{18,60}"),
    token("slack-user", "Slack user token", "xoxp- xoxo- xoxs-", r"xox[pos]-[0-9]{6,14}-[A-Za-z0-9-]{18,120}"),
    token("slack-workspace", "Slack workspace token", "xoxa- xoxr- xoxc-", r"xox[arc]-[A-Za-z0-9%-]{20,250}"),
    token("slack-cookie", "Slack session cookie", "xoxd-", r"xoxd-[\w%+/-]{20,250}={0,2}"),
    token("slack-config", "Slack configuration token", "xoxe", r"xoxe(?:\.xox[bp])?-\d-[A-Za-z0-9]{60,200}"),
    token("slack-app", "Slack app token", "xapp-", r"xapp-\d-[A-Z0-9]{6,20}-\d{8,20}-[a-z0-9]{30,80}"),
    token("slack-workflow", "Slack workflow token", "xwfp-", r"xwfp-[A-Za-z0-9-]{20,120}"),
    shape(
        "slack-webhook",
        "Slack webhook",
        "hooks.slack",
        r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<v>[A-Za-z0-9+/]{24,80})",
    ),
    shape("discord-webhook", "Discord webhook", "api/webhooks/", r"api/webhooks/\d{15,22}/(?P<v>[\w-]{60,80})"),
    shape("discord-bot", "Discord bot token", "Bot", r"Bot (?P<v>[MNO][\w-]{22,27}\.[\w-]{6}\.[\w-]{27,40})", bits=3.5),
    token("discord-mfa", "Discord token", "mfa.", r"mfa\.[\w-]{80,95}"),
    shape(
        "teams-webhook",
        "Teams webhook",
        "/IncomingWebhook/",
        rf"/IncomingWebhook/(?P<v>[a-z0-9]{{32}}/{_UUID})",
    ),
    shape(
        "zapier-webhook", "Zapier webhook", "hooks.zapier.com", r"hooks\.zapier\.com/hooks/catch/(?P<v>\d{5,12}/[a-z0-9]{6,20})"
    ),
    within("telegram", "Telegram bot token", ":AA", r"(?:bot)?(?P<v>\d{8,12}:AA[\w-]{32,33})(?![\w-])", 16, 33, bits=3.5),
    token("sendgrid", "SendGrid key", "SG.", r"SG\.[\w-]{16,32}\.[\w-]{32,64}", bits=3.0),
    token("sendinblue", "Brevo key", "xkeysib- xsmtpsib-", "x(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    token("resend", "Resend key", "re_", r"re_(?=[A-Za-z]*[0-9])[A-Za-z0-9]{8}_[A-Za-z0-9]{24}", bits=3.0),
    within("mailchimp", "Mailchimp key", "-us", r"[a-f0-9]{32}-us\d{1,2}", 33, 2),
    token("mailgun", "Mailgun key", "key-", r"key-[a-f0-9]{32}"),
    token("mailgun-public", "Mailgun validation key", "pubkey-", "pubkey-[a-f0-9]{32}", usable=False),
    token("twilio", "Twilio key", "SK", "SK[0-9a-f]{32}", bits=3.0, usable=False, chancy=True),
    token(
        "messagebird-live",
        "Lob or MessageBird key",
        "live_ test_",
        "(?<![A-Za-z0-9]_)(?:live|test)_(?:pub_)?[A-Za-z0-9]{25,45}",
        bits=3.0,
    ),
)

BUSINESS: tuple[Rule, ...] = (
    token(
        "stripe", "Stripe key", "sk_live sk_test sk_prod rk_live rk_test rk_prod", "[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,120}"
    ),
    token("stripe-webhook", "Stripe webhook secret", "whsec_", "whsec_[A-Za-z0-9+/]{24,64}={0,2}"),
    token("square", "Square token", "sq0atp- sq0csp- sq0idp-", r"sq0(?:atp|csp|idp)-[\w-]{22,60}"),
    token("square-access", "Square access token", "EAAA", r"EAAA[\w-]{56,60}", bits=3.5, chancy=True),
    token("facebook", "Facebook access token", "EAAM EAAC EAAG EAAB", "EAA[MCGB][A-Za-z0-9]{80,400}", bits=3.5, chancy=True),
    token("paypal", "PayPal access token", "access_token$", r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}"),
    token("plaid", "Plaid access token", "access-", f"access-(?:sandbox|development|production)-{_UUID}"),
    token("shopify", "Shopify token", "shpat_ shpca_ shppa_ shpss_ shptka_", "shp(?:at|ca|pa|ss|tka)_[a-fA-F0-9]{32}"),
    token("shippo", "Shippo token", "shippo_", "shippo_(?:live|test)_[a-fA-F0-9]{40}"),
    token("easypost", "EasyPost key", "EZAK EZTK", "EZ[AT]K[A-Za-z0-9]{54}", chancy=True),
    token("duffel", "Duffel token", "duffel_", r"duffel_(?:test|live)_[\w=-]{43}"),
    token("flutterwave", "Flutterwave key", "FLWSECK", "FLWSECK(?:_TEST)?-[A-Za-z0-9]{12,40}(?:-X)?"),
    token("flutterwave-public", "Flutterwave public key", "FLWPUBK", "FLWPUBK(?:_TEST)?-[A-Za-z0-9]{32}-X", usable=False),
    token("adobe", "Adobe client secret", "p8e-", "p8e-[A-Za-z0-9]{32}"),
    token("frameio", "Frame.io token", "fio-u-", r"fio-u-[\w=-]{64}"),
    token("linear", "Linear key", "lin_api_ lin_oauth_ lin_wh_", "lin_(?:api|oauth|wh)_[A-Za-z0-9]{40,64}"),
    token("notion", "Notion token", "ntn_", "ntn_[A-Za-z0-9]{40,60}"),
    token("notion-legacy", "Notion token", "secret_", "secret_(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{43}", bits=3.5),
    token("figma", "Figma token", "figd_ figu_ figo_", r"fig[duo]_[\w-]{36,60}"),
    token("airtable", "Airtable token", "pat", r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    token("asana", "Asana token", "1/ 2/", r"[0-2]/\d{14,20}(?:/\d{14,20})?:[a-f0-9]{32}"),
    token("typeform", "Typeform token", "tfp_", r"tfp_[\w.=-]{40,60}"),
    token("contentful", "Contentful management token", "CFPAT-", r"CFPAT-[\w-]{43}"),
    token("hubspot", "HubSpot token", "pat-", f"pat-(?:na|eu|ap)[0-9]-{_UUID}"),
    token("intra42", "42 client secret", "s-s4t2", "s-s4t2(?:ud|af)-[a-f0-9]{64}"),
    token("mapbox", "Mapbox secret token", "sk.eyJ", r"sk\.eyJ[\w-]{50,200}\.[\w-]{20,30}"),
    token("mapbox-public", "Mapbox public token", "pk.eyJ", r"pk\.eyJ[\w-]{50,200}\.[\w-]{20,30}", usable=False),
    within("maxmind", "MaxMind licence key", "_mmk", "[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk", 37, 0),
    token(
        "authress",
        "Authress key",
        "sc_ ext_ scauth_ authress_",
        r"(?:sc|ext|scauth|authress)_[A-Za-z0-9]{5,30}\.[A-Za-z0-9]{4,6}\.acc[_-][A-Za-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}",
    ),
    token("yandex-iam", "Yandex IAM token", "t1.", r"t1\.[\w-]{20,300}={0,2}\.[\w-]{86}={0,2}"),
    token("yandex", "Yandex Cloud key", "AQVN", r"AQVN[\w-]{35,38}", chancy=True),
    token("yandex-static", "Yandex static key", "YC", r"YC[AMNPS][\w-]{37,38}", bits=3.5, chancy=True),
    token("twitter-bearer", "X bearer token", "AAAAAAAAAAAAAAAAAAAAA", "A{21,24}[A-Za-z0-9%]{60,120}", chancy=True),
    token("adafruit-key", "Adafruit key", "aio_", "aio_[A-Za-z0-9]{28}", bits=3.0),
    token("endor", "Endor Labs key", "endr+", r"endr\+[A-Za-z0-9-]{16}"),
    token("flexport", "Flexport token", "shltm_", r"shltm_[\w-]{40}"),
    token("brave", "Brave Search key", "BSA", r"BSA[\w-]{28}", bits=3.5, chancy=True),
    token("confluent-secret", "Confluent secret", "cflt", "cflt[A-Za-z0-9+/]{60}", bits=3.5, chancy=True),
    token("salesforce", "Salesforce session", "00D", r"00D[A-Za-z0-9]{12,15}!(?:AQ|AR)[\w.]{60,200}", chancy=True),
    token("dropbox", "Dropbox token", "sl.", r"sl\.(?:u\.)?[\w=-]{130,1500}"),
    token("databento", "Databento key", "db-", "db-(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{29}", bits=3.5),
)
