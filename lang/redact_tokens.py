"""Secrets that show what they are by their own shape, one row each.

Shapes come from the vendors' documentation and from what public secret scanners look for. An identifier that is no
secret (an AWS access key id, a Vault accessor, a key's fingerprint) has no row: it joins records and stays in clear.
"""

from __future__ import annotations

from lang.redact_rules import Rule, shape, token, within

_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

GITHUB_KINDS = frozenset({"github-pat", "github-oauth", "github-user", "github-app", "github-refresh", "github-fine-grained"})
"""Kinds whose SHA-256 GitHub writes into its audit log as `hashed_token`."""

CODE_HOSTS: tuple[Rule, ...] = (
    token("github-pat", "GitHub personal access token", "ghp_", "ghp_[A-Za-z0-9]{36,251}"),
    token("github-oauth", "GitHub OAuth token", "gho_", "gho_[A-Za-z0-9]{36,251}"),
    token("github-user", "GitHub user-to-server token", "ghu_", "ghu_[A-Za-z0-9]{36,251}"),
    token("github-app", "GitHub App installation token", "ghs_", r"ghs_[A-Za-z0-9_.-]{35,1000}[A-Za-z0-9_-]"),
    token("github-refresh", "GitHub refresh token", "ghr_", "ghr_[A-Za-z0-9]{36,251}"),
    token("github-fine-grained", "GitHub fine-grained token", "github_pat_", r"github_pat_\w{22,255}"),
    token("gitlab-pat", "GitLab personal access token", "glpat-", r"glpat-[\w-]{20,300}(?:\.[0-9a-z]{2}\.?[0-9a-z]{7,20})?"),
    token("gitlab-deploy", "GitLab deploy token", "gldt-", r"gldt-[\w-]{20,300}"),
    token("gitlab-runner", "GitLab runner token", "glrt- glrtr-", r"glrtr?-[\w-]{20,300}(?:\.[0-9a-z]{9,20})?"),
    token("gitlab-job", "GitLab CI job token", "glcbt-", r"glcbt-[A-Za-z0-9]{1,5}_[\w-]{20,300}"),
    token("gitlab-trigger", "GitLab pipeline trigger token", "glptt-", r"glptt-[\w-]{40,300}"),
    token("gitlab-feed", "GitLab feed token", "glft-", r"glft-[\w-]{20,300}"),
    token("gitlab-scim", "GitLab SCIM token", "glsoat-", r"glsoat-[\w-]{20,300}"),
    token("gitlab-feature-flag", "GitLab feature flag client token", "glffct-", r"glffct-[\w-]{20,300}"),
    token("gitlab-agent", "GitLab Kubernetes agent token", "glagent-", r"glagent-[\w-]{50,300}"),
    token("gitlab-mail", "GitLab incoming mail token", "glimt-", r"glimt-[\w-]{25,300}"),
    token("gitlab-oauth-app", "GitLab OAuth application secret", "gloas-", r"gloas-[\w-]{64,300}"),
    token("gitlab-runner-registration", "GitLab runner registration token", "GR1348941", r"GR1348941[\w-]{20,60}", chancy=True),
    shape("gitlab-session", "GitLab session cookie", "_gitlab_session=", "_gitlab_session=(?P<v>[0-9a-z]{32})", bits=2.5),
    token("bitbucket-app", "Bitbucket app password", "ATBB", "ATBB[A-Za-z0-9]{28,40}", chancy=True),
    token("bitbucket-access", "Bitbucket access token", "ATCTT3", "ATCTT3[A-Za-z0-9_=-]{60,400}", chancy=True),
    token("atlassian", "Atlassian API token", "ATATT3", "ATATT3[A-Za-z0-9_=-]{60,400}", chancy=True),
    token("sourcegraph", "Sourcegraph access token", "sgp_ sgd_", "sg[pd]_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40,64}"),
    within("azure-devops", "Azure DevOps token", "AZDO", "[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}", 76),
)

MODELS: tuple[Rule, ...] = (
    token("anthropic", "Anthropic key", "sk-ant-", r"sk-ant-[a-z0-9]{3,10}-[\w-]{60,160}"),
    token(
        "openai",
        "OpenAI key",
        "sk-",
        r"sk-(?:(?:proj|svcacct|service|admin|None)-[\w-]{40,240}|(?!ant-|or-v1-|lf-)[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"
        r"|(?=[A-Za-z]*[0-9])[A-Za-z0-9]{32,64})",
        bits=3.0,
    ),
    token("openai-session", "OpenAI session key", "sess-", "sess-[A-Za-z0-9]{40}"),
    token("openrouter", "OpenRouter key", "sk-or-v1-", "sk-or-v1-[0-9a-f]{64}"),
    token("langfuse", "Langfuse secret key", "sk-lf-", f"sk-lf-{_UUID}"),
    token("langsmith", "LangSmith key", "lsv2_", "lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    token("google-api-key", "Google API key", "AIza", r"AIza[\w-]{35}", bits=3.0, chancy=True),
    token("xai", "xAI key", "xai-", "xai-[A-Za-z0-9]{70,90}"),
    token("groq", "Groq key", "gsk_", "gsk_[A-Za-z0-9]{48,60}"),
    token("perplexity", "Perplexity key", "pplx-", "pplx-[A-Za-z0-9]{40,60}"),
    token("huggingface", "Hugging Face token", "hf_", "hf_[A-Za-z0-9]{30,45}", bits=3.0),
    token("huggingface-org", "Hugging Face organisation token", "api_org_", "api_org_[A-Za-z0-9]{34}"),
    token("replicate", "Replicate token", "r8_", "r8_[A-Za-z0-9]{37,40}"),
    token("nvidia", "NVIDIA key", "nvapi-", r"nvapi-[\w-]{60,80}"),
    token("cerebras", "Cerebras key", "csk-", "csk-[a-z0-9]{40,60}"),
    token("elevenlabs", "ElevenLabs key", "sk_", "sk_[0-9a-f]{48}"),
    token("pinecone", "Pinecone key", "pcsk_", "pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{50,70}"),
    token("tavily", "Tavily key", "tvly-", "tvly-(?:dev-|prod-)?[A-Za-z0-9-]{28,60}"),
    token("firecrawl", "Firecrawl key", "fc-", "fc-[0-9a-f]{32}"),
    token("voyage", "Voyage key", "pa-", r"pa-[\w-]{43}", bits=4.0),
    token("cursor", "Cursor key", "key_", "key_[0-9a-f]{64}"),
    token("anyscale", "Anyscale key", "esecret_", "esecret_[a-z0-9]{20,40}"),
    token("e2b", "E2B key", "e2b_", "e2b_[0-9a-f]{40}"),
    token("bedrock", "Amazon Bedrock key", "ABSK", r"ABSK[A-Za-z0-9+/]{100,280}={0,2}", chancy=True),
    token("bedrock-short", "Amazon Bedrock short-lived key", "bedrock-api-key-", r"bedrock-api-key-[A-Za-z0-9+/=_-]{40,4000}"),
)

CLOUDS: tuple[Rule, ...] = (
    within("aws-session-token", "AWS session token", "IQoJb3JpZ2lu", r"IQoJb3JpZ2lu[A-Za-z0-9+/=%_-]{100,3000}", 0),
    within(
        "aws-session-token", "AWS session token", "FwoGZXIvYXdz FQoGZXIvYXdz", r"F[wQ]oGZXIvYXdz[A-Za-z0-9+/=%_-]{100,3000}", 0
    ),
    token("aws-mws", "AWS marketplace token", "amzn.mws.", rf"amzn\.mws\.{_UUID}"),
    token("google-oauth-token", "Google OAuth access token", "ya29.", r"ya29\.[\w.-]{20,2100}", bits=3.0),
    token("google-oauth-secret", "Google OAuth client secret", "GOCSPX-", r"GOCSPX-[\w-]{28}"),
    token("google-refresh-token", "Google refresh token", "1//0", r"1//0[\w-]{40,300}", bits=3.5),
    shape("azure-storage-key", "Azure storage key", "AccountKey=", r"AccountKey=(?P<v>[A-Za-z0-9+/]{86}==)", bits=3.5),
    shape(
        "azure-shared-access-key",
        "Azure shared access key",
        "SharedAccessKey= SharedSecretKey=",
        r"Shared(?:Access|Secret)Key=(?P<v>[A-Za-z0-9+/]{40,90}={0,2})",
        bits=3.5,
    ),
    within("azure-client-secret", "Azure client secret", "Q~", r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}", 4, bits=3.0),
    within(
        "azure-key",
        "Azure service key",
        "+ASt +AMC +ABa ACDb",
        r"[A-Za-z0-9+/]{76}(?:\+ASt|\+AMC|\+ABa|ACDb)[A-Za-z0-9+/]{5}[AQgw]==",
        76,
        bits=3.5,
    ),
    within(
        "azure-key",
        "Azure service key",
        "AzSe AzFu",
        r"[A-Za-z0-9_-]{42,44}Az(?:Se|Fu)[A-D][A-Za-z0-9_-]{5,7}={0,2}",
        44,
        bits=3.5,
    ),
    within(
        "azure-key",
        "Azure service key",
        "+ASb +AEh +ARm AIoT APIM",
        r"[A-Za-z0-9+/]{33}(?:\+ASb|\+AEh|\+ARm|AIoT|APIM)[A-P][A-Za-z0-9+/]{5}=",
        33,
        bits=3.5,
    ),
    shape(
        "azure-sas",
        "Azure SAS signature",
        "sig=",
        r"sig=(?P<v>[A-Za-z0-9+/]{0,60}(?:%[0-9A-Fa-f]{2}[A-Za-z0-9+/]{0,44}){1,8}|[A-Za-z0-9+/]{43}=)",
        bits=3.5,
    ),
    token("alibaba-key-id", "Alibaba Cloud access key", "LTAI", "LTAI[A-Za-z0-9]{16,24}", usable=False, chancy=True),
    token("digitalocean", "DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", "do[opr]_v1_[a-f0-9]{64}"),
    token("heroku", "Heroku key", "HRKU-", r"HRKU-[\w-]{36,64}"),
    token("fly", "Fly.io token", "fo1_ fm1a_ fm1r_ fm2_", r"(?:fo1_[\w-]{43}|fm(?:1[ar]|2)_[A-Za-z0-9+/]{100,2000}={0,3})"),
    token("cloudflare-origin-ca", "Cloudflare origin CA key", "v1.0-", r"v1\.0-[a-f0-9]{24}-[a-f0-9]{146}"),
    token("supabase", "Supabase token", "sbp_", "sbp_(?:oauth_)?[a-f0-9]{40}"),
    token("supabase-secret", "Supabase secret key", "sb_secret_", r"sb_secret_[\w-]{30,60}"),
    token("netlify", "Netlify token", "nfp_ nfc_ nfo_ nfb_ nfu_", "nf[pcobu]_[A-Za-z0-9]{36,60}"),
    token("vercel", "Vercel token", "vcp_ vci_ vca_ vcr_ vck_", r"vc[piark]_[A-Za-z0-9]{24,80}"),
    token("render", "Render key", "rnd_", "rnd_[A-Za-z0-9]{28,40}"),
    token("neon", "Neon key", "napi_", "napi_[a-z0-9]{40,80}"),
    token("planetscale", "PlanetScale token", "pscale_", r"pscale_(?:tkn|oauth|pw)_[\w=.-]{32,64}"),
    token("scalingo", "Scalingo token", "tk-us-", r"tk-us-[\w-]{48}"),
    token("tailscale", "Tailscale key", "tskey-", r"tskey-(?:[a-z]+-)?[A-Za-z0-9]{6,20}-[A-Za-z0-9]{20,40}"),
    token("defined-networking", "Defined Networking key", "dnkey-", r"dnkey-[A-Za-z0-9=_-]{26}-[A-Za-z0-9=_-]{52}"),
    token("databricks", "Databricks token", "dapi dose dkea", r"(?:dapi|dose|dkea)[a-f0-9]{32}(?:-\d)?"),
    token("clickhouse", "ClickHouse Cloud key", "4b1d", "4b1d[A-Za-z0-9]{38}", bits=3.5, chancy=True),
    token("openshift", "OpenShift token", "sha256~", r"sha256~[\w-]{43}", bits=3.5),
    token("pulumi", "Pulumi token", "pul-", "pul-[a-f0-9]{40}"),
    within("terraform-cloud", "Terraform Cloud token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9=_-]{60,70}", 14),
    token("vault-service", "Vault service token", "hvs.", r"hvs\.[\w-]{20,300}", bits=3.0),
    token("vault-batch", "Vault batch token", "hvb.", r"hvb\.[\w-]{60,400}", bits=3.0),
    token("vault-recovery", "Vault recovery token", "hvr.", r"hvr\.[\w-]{20,300}", bits=3.0),
    shape(
        "vault-legacy",
        "Vault token (before 1.10)",
        ('"s.', "'s.", "=s.", ":s.", " s.", "\\ns.", "\\ts.", "\ns.", "`s."),
        r"""(?:["=':\s`]|\\[nt])(?P<v>s\.(?=[A-Za-z]*[0-9])(?=[a-z0-9]*[A-Z])[A-Za-z0-9]{24}(?:\.[A-Za-z0-9]{5})?)(?![\w.-])""",
        bits=3.5,
    ),
    token("doppler", "Doppler token", "dp.", r"dp\.(?:pt|st(?:\.[a-z0-9_-]{2,35})?|ct|sa|said|scim|audit)\.[A-Za-z0-9]{40,44}"),
    token("onepassword-service", "1Password service account token", "ops_eyJ", r"ops_eyJ[A-Za-z0-9+/_-]{80,2000}={0,3}"),
    token(
        "onepassword-secret-key",
        "1Password secret key",
        "A3-",
        r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}",
    ),
    token("age", "age secret key", "AGE-SECRET-KEY-1", "AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    token("harness", "Harness token", "pat. sat.", r"[ps]at\.[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}"),
)
