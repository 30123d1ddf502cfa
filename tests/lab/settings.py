"""The configuration files of the lab's servers, with places for addresses."""

HAPROXY = """\
global
    stats socket ipv4@127.0.0.1:{stats} level admin
    stats socket {socket} mode 600 level admin
    maxconn 200
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
frontend shop
    bind 127.0.0.1:{front}
    default_backend be_checkout
backend be_checkout
    balance roundrobin
    option httpchk GET /health
    default-server check inter 1s rise 1 fall 2
    server blue {blue} weight 90
    server green {green} weight 10
backend be_search
    balance roundrobin
    server blue {blue} weight 100
"""

ALERTMANAGER = """\
route:
  receiver: nobody
receivers:
  - name: nobody
"""

RULES = """\
groups:
  - name: shop
    rules:
      - alert: CanaryErrors
        expr: >-
          sum by (service, version) (rate(http_requests_total{version="green",code="500"}[2m]))
          / sum by (service, version) (rate(http_requests_total{version="green"}[2m])) > 0.005
        labels: { severity: page, service: checkout }
        annotations:
          summary: The canary of the checkout answers too many errors
      - alert: TargetGone
        expr: up == 0
        labels: { severity: warn }
        annotations:
          summary: "{{ $labels.job }} is not reachable"
      - alert: NeverFires
        expr: vector(0) > 1
        labels: { severity: page }
"""

PROMETHEUS = """\
global:
  scrape_interval: 5s
  evaluation_interval: 5s
alerting:
  alertmanagers:
    - static_configs: [{{ targets: ["{manager}"] }}]
rule_files: [rules.yml]
scrape_configs:
  - job_name: shop
    static_configs: [{{ targets: ["{shop}"] }}]
  - job_name: gone
    static_configs: [{{ targets: ["127.0.0.1:{nobody}"] }}]
"""
