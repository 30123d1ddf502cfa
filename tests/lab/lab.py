#!/usr/bin/env python3
"""Starts and stops the lab: real servers and stand-ins on free loopback ports.

    lab.py start RUN     starts everything, writes RUN/lab.env (KEY=VALUE), ends when all answers
    lab.py stop RUN      stops what that start has started, and only that
    lab.py kill RUN NAME    ends one server at once, without a goodbye
    lab.py again RUN NAME   starts it again, where it was
    lab.py parts         names the parts; LAB_PARTS="codepipeline prometheus" starts only some

RUN is a folder of its own for every run: logs, data and the list of processes are kept there.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import parts

HERE = Path(__file__).resolve().parent
MARK = "this-is-a-lab"
# The processes of this process, to take notice of their ends.
CHILDREN = []
# What a user of the lab needs beyond addresses; the keys are good for nothing elsewhere.
AWS = {
    "AWS_ACCESS_KEY_ID": "LABALICE",
    "AWS_SECRET_ACCESS_KEY": "lab",
    "AWS_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Lab:
    """What the parts use to start themselves."""

    def __init__(self, run):
        self.run = Path(run).resolve()
        self.here = HERE
        self.cache = Path(os.environ.get("LAB_CACHE", HERE.parent.parent / ".cache/lab")).resolve()
        self.python = self.cache / "venv/bin/python"
        self.env = {}
        self.processes = []
        self.ports = set()

    def port(self):
        """A port that was free a moment ago and is nobody else's in this lab."""
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            if port not in self.ports:
                self.ports.add(port)
                return port

    def folder(self, name):
        folder = self.run / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def temporary(self, user=None):
        """A folder with a short path that another user may enter; gone when the lab stops."""
        folder = tempfile.mkdtemp(prefix="flightdeck-lab-")
        with open(self.run / "temporary", "a") as out:
            out.write(f"{folder}\n")
        if user:
            shutil.chown(folder, user, user)
        return Path(folder)

    def spawn(self, name, *command, env=None, **more):
        """A process in a session of its own, written down before anything else can happen."""
        recipe = {"command": [str(word) for word in command], "env": env or {}}
        recipe["more"] = {key: str(v) if key == "cwd" else v for key, v in more.items()}
        process = launch(self.run, name, recipe)
        self.processes.append((name, process))
        return process

    def wait(self, name, ready, seconds=90):
        """Until `ready()` is true; a server that ends or never answers is an error with its log."""
        process = next(p for n, p in self.processes if n == name)
        end = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None:
                raise LabError(f"{name} ended with {process.returncode}:\n{self.tail(name)}")
            if time.monotonic() > end:
                raise LabError(f"{name} does not answer after {seconds} s:\n{self.tail(name)}")
            time.sleep(0.1)

    def wait_http(self, name, url, seconds=90):
        self.wait(name, lambda: answers(url), seconds)

    def run_python(self, name, script, *arguments):
        """One of the lab's programs that needs its packages, to its end."""
        with open(self.run / f"{name}.log", "ab") as log:
            command = [str(word) for word in (self.python, self.here / script, *arguments)]
            if subprocess.run(command, stdout=log, stderr=log, timeout=120).returncode:
                raise LabError(f"{script} failed:\n{self.tail(name)}")

    def tail(self, name):
        return "".join((self.run / f"{name}.log").read_text(errors="replace").splitlines(True)[-15:])

    def write(self, path, text):
        path = self.run / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


class LabError(Exception):
    """A part of the lab did not come up."""


def launch(run, name, recipe):
    with open(run / f"{name}.log", "ab") as log:
        process = subprocess.Popen(
            recipe["command"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **recipe["env"]},
            **recipe["more"],
        )
    CHILDREN.append(process)
    line = {"name": name, "pid": process.pid, "born": born(process.pid), "recipe": recipe}
    with open(run / "processes", "a") as out:
        out.write(json.dumps(line) + "\n")
    return process


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status < 400
    except (urllib.error.URLError, OSError):
        return False


def born(pid):
    """When the process started, in ticks since boot; None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def clear(run):
    """Makes room in a folder that an earlier lab has used; any other folder must be empty."""
    run = Path(run)
    if (run / MARK).exists():
        stop(run)
        shutil.rmtree(run)
    elif run.exists() and any(run.iterdir()):
        raise LabError(f"{run} is not empty, and no lab was there before")
    run.mkdir(parents=True, exist_ok=True)
    (run / MARK).touch()


def start(run):
    try:
        clear(run)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    lab = Lab(run)
    wanted = os.environ.get("LAB_PARTS", "").split() or list(parts.PARTS)
    if unknown := set(wanted) - set(parts.PARTS):
        print(f"lab: no part {', '.join(unknown)}; there are {', '.join(parts.PARTS)}", file=sys.stderr)
        return 1
    try:
        # Each part is a generator: up to its first yield it spawns, then it waits and seeds.
        steps = [parts.PARTS[name](lab) for name in wanted]
        for step in steps:
            next(step)
        for step in steps:
            next(step, None)
    except (LabError, OSError, subprocess.CalledProcessError) as error:
        print(f"lab: {error}", file=sys.stderr)
        stop(run)
        return 1
    lines = [f"{key}={value}\n" for key, value in (AWS | lab.env).items()]
    (lab.run / "lab.env").write_text("".join(lines))
    print(f"lab: {len(lab.processes)} servers answer; addresses are in {lab.run / 'lab.env'}")
    return 0


def stop(run):
    """Asks every recorded process that is still the same one to end, then insists."""
    ours = started(run)
    for how, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
        left = [process for process in ours if lives(process)]
        for process in left:
            # Its whole session: servers have workers.
            os.killpg(process["pid"], how)
        end = time.monotonic() + seconds
        while any(map(lives, left)) and time.monotonic() < end:
            time.sleep(0.05)
    notice()
    stuck = [process["name"] for process in ours if lives(process)]
    if stuck:
        print(f"lab: could not stop {', '.join(stuck)}", file=sys.stderr)
        return 1
    (Path(run) / "processes").unlink(missing_ok=True)
    folders = Path(run) / "temporary"
    for folder in folders.read_text().splitlines() if folders.exists() else []:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def started(run):
    """What was started in this folder, newest first."""
    path = Path(run) / "processes"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in reversed(lines)]


def notice():
    """Takes notice of children that have ended; until then they are zombies."""
    for child in CHILDREN:
        child.poll()


def lives(process):
    return process["born"] is not None and born(process["pid"]) == process["born"]


def one(how, run, name):
    """Ends or restarts the server of this name."""
    known = [process for process in started(run) if process["name"] == name]
    if not known:
        names = sorted({process["name"] for process in started(run)})
        print(f"lab: no server {name} here; there are {', '.join(names)}", file=sys.stderr)
        return 1
    if how == "kill" and lives(known[0]):
        os.killpg(known[0]["pid"], signal.SIGKILL)
        # Until its parent has taken notice: PostgreSQL does not start beside its own zombie.
        end = time.monotonic() + 10
        while Path(f"/proc/{known[0]['pid']}").exists() and time.monotonic() < end:
            notice()
            time.sleep(0.02)
    elif how == "again" and not lives(known[0]):
        launch(Path(run).resolve(), name, known[0]["recipe"])
    return 0


def main(arguments):
    if arguments == ["parts"]:
        print("\n".join(parts.PARTS))
        return 0
    if len(arguments) == 2 and arguments[0] in ("start", "stop"):
        return {"start": start, "stop": stop}[arguments[0]](arguments[1])
    if len(arguments) == 3 and arguments[0] in ("kill", "again"):
        return one(*arguments)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
