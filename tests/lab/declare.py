"""Writes a full pipeline declaration from a short one, so that tests stay readable."""

ROLE = "arn:aws:iam::123456789012:role/pipeline"
PROVIDERS = {
    "Source": "CodeStarSourceConnection",
    "Build": "CodeBuild",
    "Deploy": "CodeDeploy",
    "Test": "CodeBuild",
    "Invoke": "Lambda",
    "Approval": "Manual",
    "Compute": "Commands",
}
DEFAULT_STAGES = [
    {"name": "Source", "actions": ["Code:Source"]},
    {"name": "Build", "actions": ["Package:Build"]},
    {"name": "Staging", "actions": ["Deploy:Deploy"]},
    {"name": "Production", "actions": ["Approve:Approval", "Deploy:Deploy"]},
]


def declaration(short):
    """The PipelineDeclaration of `{name, type, mode, stages: [{name, actions: ["Name:Category"]}]}`.

    An action may also be an object of the service's own shape; it is kept as it is.
    """
    stages = []
    for stage in short.get("stages") or DEFAULT_STAGES:
        actions = [
            entry if isinstance(entry, dict) else action(entry, order)
            for order, entry in enumerate(stage["actions"], start=1)
        ]
        rest = {key: value for key, value in stage.items() if key != "actions"}
        stages.append(rest | {"actions": actions})
    return {
        "name": short["name"],
        "roleArn": ROLE,
        "artifactStore": {"type": "S3", "location": "lab-artifacts"},
        "stages": stages,
        "version": short.get("version", 1),
        "executionMode": short.get("mode", "SUPERSEDED"),
        "pipelineType": short.get("type", "V2"),
    } | ({"variables": short["variables"]} if "variables" in short else {})


def action(words, order):
    """`Name:Category`, optionally `Name:Category@order` to run beside another one."""
    name, _, kind = words.partition(":")
    category, _, at = kind.partition("@")
    return {
        "name": name,
        "actionTypeId": {
            "category": category,
            "owner": "AWS",
            "provider": PROVIDERS[category],
            "version": "1",
        },
        "runOrder": int(at or order),
        "configuration": {},
        "inputArtifacts": [],
        "outputArtifacts": [],
    }


def conditions(result, *rules):
    """The value of `beforeEntry`, `onSuccess` or (with its own result) `onFailure`."""
    return {
        "conditions": [
            {
                "result": result,
                "rules": [
                    {
                        "name": rule,
                        "ruleTypeId": {
                            "category": "Rule",
                            "owner": "AWS",
                            "provider": "CloudWatchAlarm",
                            "version": "1",
                        },
                        "configuration": {"AlarmName": rule},
                    }
                    for rule in rules
                ],
            }
        ]
    }
