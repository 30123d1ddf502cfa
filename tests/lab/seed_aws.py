#!/usr/bin/env python3
"""Fills the AWS emulator: metrics, alarms and their history, feature flags and deployments."""

import json
import math
import random
import sys
import time

import botocore.session

CHECKOUT = [{"Name": "Service", "Value": "checkout"}]
FLAGS = {
    "version": "1",
    "flags": {
        "one-click": {
            "name": "One-click checkout",
            "attributes": {"limit": {"constraints": {"type": "number", "required": True}}},
        },
        "old-basket": {"name": "The old basket", "_deprecation": {"status": "planned"}},
        "gift-cards": {"name": "Gift cards"},
    },
    "values": {
        "one-click": {"enabled": True, "limit": 500},
        "old-basket": {"enabled": True},
        "gift-cards": {"enabled": False},
    },
}


def client(url, service):
    return botocore.session.get_session().create_client(
        service,
        "eu-west-1",
        endpoint_url=url,
        aws_access_key_id="LABALICE",
        aws_secret_access_key="lab",
    )


def cloudwatch(api):
    """Three hours of a metric by the minute, alarms in each state, one made of others."""
    dice = random.Random("cloudwatch 1")
    now = int(time.time()) // 60 * 60
    data = []
    for minute in range(180, -1, -1):
        requests = dice.gauss(600, 20)
        for name, value, unit in (
            ("Requests", round(requests), "Count"),
            ("Errors", round(requests * 0.004), "Count"),
            ("Latency", round(0.18 * math.exp(dice.gauss(0, 0.1)), 4), "Seconds"),
        ):
            datum = {"MetricName": name, "Dimensions": CHECKOUT, "Value": value, "Unit": unit}
            data.append(datum | {"Timestamp": now - 60 * minute})
    for at in range(0, len(data), 500):
        api.put_metric_data(Namespace="Shop", MetricData=data[at : at + 500])
    for name, metric, threshold in (
        ("checkout-errors", "Errors", 1_000),
        ("checkout-latency", "Latency", 0.01),
        ("checkout-silent", "Nothing", 1),
    ):
        api.put_metric_alarm(
            AlarmName=name,
            AlarmDescription=f"{metric} of the checkout",
            Namespace="Shop",
            MetricName=metric,
            Dimensions=CHECKOUT,
            Statistic="Average",
            Period=60,
            EvaluationPeriods=3,
            Threshold=threshold,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="missing",
            Tags=[{"Key": "service", "Value": "checkout"}],
        )
    words = {"OK": "errors are few", "ALARM": "latency is high", "INSUFFICIENT_DATA": "no data"}
    names = {"OK": "checkout-errors", "ALARM": "checkout-latency", "INSUFFICIENT_DATA": "checkout-silent"}
    for state, name in names.items():
        api.set_alarm_state(AlarmName=name, StateValue=state, StateReason=words[state])
    api.put_composite_alarm(
        AlarmName="checkout",
        AlarmDescription="Anything about the checkout",
        AlarmRule='ALARM("checkout-errors") OR ALARM("checkout-latency")',
    )


def appconfig(api):
    """One application with flags in two environments, deployed in one and under way in the other."""
    shop = api.create_application(Name="shop")["Id"]
    environments = [
        api.create_environment(ApplicationId=shop, Name=name)["Id"] for name in ("staging", "production")
    ]
    profile = api.create_configuration_profile(
        ApplicationId=shop, Name="flags", LocationUri="hosted", Type="AWS.AppConfig.FeatureFlags"
    )["Id"]
    strategies = [
        api.create_deployment_strategy(
            Name=name, DeploymentDurationInMinutes=minutes, GrowthFactor=growth,
            FinalBakeTimeInMinutes=bake, ReplicateTo="NONE",
        )["Id"]
        for name, minutes, growth, bake in (("all-at-once", 0, 100.0, 0), ("slowly", 60, 10.0, 30))
    ]
    for enabled in (False, True):
        FLAGS["values"]["gift-cards"]["enabled"] = enabled
        version = api.create_hosted_configuration_version(
            ApplicationId=shop,
            ConfigurationProfileId=profile,
            Content=json.dumps(FLAGS).encode(),
            ContentType="application/json",
            Description=f"gift-cards {'on' if enabled else 'off'}",
        )["VersionNumber"]
        for environment in environments:
            slowly = enabled and environment == environments[1]
            api.start_deployment(
                ApplicationId=shop,
                EnvironmentId=environment,
                DeploymentStrategyId=strategies[slowly],
                ConfigurationProfileId=profile,
                ConfigurationVersion=str(version),
                Description=f"version {version}",
            )


if __name__ == "__main__":
    cloudwatch(client(sys.argv[1], "cloudwatch"))
    appconfig(client(sys.argv[1], "appconfig"))
