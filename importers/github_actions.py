"""What the actions of GitHub's audit log mean: verbs, the life of credentials, and which actions loosen a safeguard."""

from __future__ import annotations

from functools import lru_cache

from lang.late import late
from model.words import Effect, Phase, Verb

_VERBS: dict[str, Verb] = {
    action: verb
    for verb, actions in (
        (Verb.REPO_WRITE, "git.push repo.create repo.destroy repo.archived repo.unarchived repo.rename repo.update "
         "repo.update_default_branch repo.access repo.transfer repo.transfer_start repo.transfer_outgoing repo.pages_create "
         "repo.restore release.create release.published release.destroy"),
        (Verb.REPO_READ, "git.clone git.fetch repo.download_zip repo.codespaces_trusted_repo_access_granted"),
        (Verb.PR_OPEN, "pull_request.create pull_request.reopen"),
        (Verb.PR_MERGE, "pull_request.merge"),
        (Verb.REPO_MERGE, "merge_queue.merge"),
        (Verb.TICKET_OPEN, "issue.create issues.opened issue.transfer"),
        (Verb.TICKET_UPDATE, "issue.update issue.close issue.destroy issue.pinned issue_comment.create issue_comment.update "
         "issue_comment.destroy"),
        (Verb.PACKAGE_PUBLISH, "packages.package_published packages.package_version_published"),
        (Verb.CI_RUN, "workflows.approve_workflow_job environment.approve"),
        (Verb.CI_MODIFY, "repo.actions_enabled repo.update_actions_settings org.update_actions_settings environment.create "
         "environment.delete repo.configure_self_hosted_jit_runner org.configure_self_hosted_jit_runner "
         "enterprise.configure_self_hosted_jit_runner repo.register_self_hosted_runner org.register_self_hosted_runner "
         "enterprise.register_self_hosted_runner repo.remove_self_hosted_runner org.remove_self_hosted_runner"),
        (Verb.GUARDRAIL_CHANGE, "org.disable_two_factor_requirement two_factor_authentication.disabled "
         "two_factor_authentication.remove_factor ssh_certificate_requirement.disable ssh_certificate_authority.create "
         "business.disable_two_factor_requirement org.disable_oauth_app_restrictions org.saml_disabled org.disable_saml "
         "business.disable_saml ip_allow_list_entry.create environment.update_protection_rule "
         "environment.remove_protection_rule audit_log_streaming.destroy audit_log_streaming.update "
         "auto_approve_personal_access_token_requests.enable org.codeql_disabled org.advanced_security_policy_selected_member_disabled repo.advanced_security_disabled "
         "org.advanced_security_disabled_for_new_repos org.advanced_security_disabled_on_all_repos "
         "repo.add_member repo.update_member repo.remove_member repo.permissions_granted repo.permissions_revoked "
         "team.add_repository team.remove_repository team.update_repository_permission org.update_member "
         "org.update_default_repository_permission role.create role.update role.destroy organization_role.assign "
         "organization_role.revoke organization_role.create organization_role.update organization_role.destroy "
         "enterprise_role.assign enterprise_role.revoke repo.temporary_access_granted repo.staff_unlock user.promote user.demote "
         "org.add_outside_collaborator org.remove_outside_collaborator private_repository_forking.enable "
         "repository_visibility_change.enable org.update_member_repository_creation_permission "
         "org.update_member_repository_invitation_permission integration_installation.repositories_added "
         "integration_installation.repositories_removed integration_installation.version_updated "
         "copilot.content_exclusion_changed copilot.swe_agent_firewall_allowlist_updated copilot.swe_agent_mcp_config_updated "
         "copilot.swe_agent_repo_enabled copilot.swe_agent_repo_disabled copilot.swe_agent_repo_enablement_updated"),
    )
    for action in actions.split()
}  # fmt: skip
_POLICIES = late(
    r"^(?:(?:org|repo|business)\.set_(?:default_workflow_permissions|workflow_permission_can_approve_pr|fork_pr_workflows_policy|"
    r"actions_(?:private_)?fork_pr_approvals_policy)|mcp_registry\.(?:allowlist_\w+|settings_update))$"
)
"""What workflows may do and which tools agents may have: that it was changed is told, and not which way."""
_GUARDS = late(
    r"^(?:protected_branch|repository_ruleset|repository_branch_protection\w*|required_status_check|branch_protection_rule|"
    r"(?:repository_|org_|business_)?(?:secret_scanning|advanced_security|code_scanning|vulnerability_alerts?)\w*|"
    r"dependabot_(?:alerts|security_updates)(?:_new_repos)?|ip_allow_list(?:_entry)?|pull_request_bypass\w*|"
    r"secret_scanning_push_protection\w*)\."
)
_TIGHTENS = late(r"\.(?:create|enable\w*|enabled|open|opened|reopen\w*|report\w*)$")
_LOOSENS = late(
    r"\.(?:destroy|delete|disable\w*|policy_override|dismiss|\w*bypass\w*|update\w*|remove\w*|turn_off|resolve|"
    r"authorized_users_teams|dismissal_restricted_users_teams)$"
)
_FORCED = late(r"\.policy_override$|push_protection\w*\.(?:\w*bypass\w*)$|bypass\w*\.approve\w*$")
_SECRETS = late(r"\.(?:create|update|remove|delete)_(?:actions|codespaces|dependabot|integration|agents)_secret$")
_VARIABLES = late(r"\.(?:create|update|remove|delete)_actions_variable$")
_CREDENTIALS: dict[str, Phase] = {
    action: phase
    for phase, actions in (
        (Phase.REQUESTED, "personal_access_token.request_created"),
        (Phase.ISSUED, "personal_access_token.access_granted personal_access_token.create "
         "personal_access_token.credential_regenerated personal_access_token.request_approved oauth_access.create "
         "oauth_access.regenerate oauth_authorization.create org_credential_authorization.grant public_key.create "
         "deploy_key.create integration_installation.create integration.generate_client_secret "
         "integration.generate_private_key oauth_application.generate_client_secret oauth_application.reset_secret "
         "sandbox.generate_token"),
        (Phase.REVOKED, "personal_access_token.access_revoked personal_access_token.destroy "
         "personal_access_token.credential_revoked oauth_access.destroy oauth_access.revoke oauth_authorization.destroy "
         "org_credential_authorization.revoke org_credential_authorization.deauthorize public_key.delete "
         "public_key.unverify deploy_key.delete integration_installation.destroy integration.revoke_tokens "
         "integration.revoke_all_tokens oauth_application.revoke_tokens oauth_application.revoke_all_tokens "
         "oauth_application.remove_client_secret integration.remove_client_secret"),
    )
    for action in actions.split()
}  # fmt: skip
_ANSWERS: dict[str, Effect] = {
    action: effect
    for effect, actions in (
        (Effect.DENY, "workflows.reject_workflow_job environment.reject personal_access_token.request_denied "
         "org.oauth_app_access_denied org.oauth_app_access_blocked integration_installation_request.deny "
         "secret_scanning_push_protection_request.deny dependabot_alert_dismissal_request.deny "
         "dependabot_closure_request.deny"),
        (Effect.ALLOW, "workflows.approve_workflow_job environment.approve org.oauth_app_access_approved "
         "personal_access_token.request_approved secret_scanning_push_protection_request.approve "
         "dependabot_closure_request.approve"),
    )
    for action in actions.split()
}  # fmt: skip
_HOSTS_OWN = late(r"\.rejected_ref_update$|\.(?:two_factor_)?failed_login$|\.two_factor_challenge_failure$")
_DENIED = late(
    r"bypass_request\w*\.(?:deny|denied|reject|rejected)$|\.rejected_ref_update$|\.(?:two_factor_)?failed_login$|"
    r"\.two_factor_challenge_failure$"
)
_CI = frozenset({"workflows", "workflow_run", "workflow_job", "check_run", "check_suite", "checks"})


@lru_cache(maxsize=4096)
def credential_phase(action: str) -> Phase | None:
    """What an action does to a credential; None where it does nothing to one."""
    return _CREDENTIALS.get(action)


@lru_cache(maxsize=4096)
def action_verb(action: str) -> Verb:
    """The verb of an action; tightening a safeguard, who is a member of an organisation and the like have none of ours."""
    if (phase := _CREDENTIALS.get(action)) is not None:
        return Verb.CREDENTIAL_REVOKE if phase is Phase.REVOKED else Verb.CREDENTIAL_ISSUE
    if (verb := _VERBS.get(action)) is not None:
        return verb
    if _SECRETS.search(action):
        return Verb.SECRET_WRITE
    if _VARIABLES.search(action):
        return Verb.CI_MODIFY
    if action.endswith(".rejected_ref_update"):
        return Verb.REPO_WRITE
    if is_forced(action):
        return Verb.GUARDRAIL_CHANGE
    if _POLICIES.match(action):
        return Verb.GUARDRAIL_CHANGE
    if _GUARDS.match(action):
        return Verb.GUARDRAIL_CHANGE if _LOOSENS.search(action) and not _TIGHTENS.search(action) else Verb.UNKNOWN
    head, _, tail = action.partition(".")
    if head in _CI:
        return Verb.CI_MODIFY if tail.startswith(("disable_", "enable_", "delete_")) else Verb.CI_RUN
    return Verb.UNKNOWN


@lru_cache(maxsize=4096)
def is_forced(action: str) -> bool:
    """Whether an action says that a safeguard was stepped over."""
    return _FORCED.search(action) is not None


@lru_cache(maxsize=4096)
def answer(action: str) -> Effect | None:
    """What an action answers to somebody's request, by a rule of the host or by the person who acts; None where it is no answer."""
    return Effect.DENY if _DENIED.search(action) else _ANSWERS.get(action)


@lru_cache(maxsize=4096)
def by_the_host(action: str) -> bool:
    """Whether the host itself refused what an action tells of, and not somebody who was asked."""
    return _HOSTS_OWN.search(action) is not None
