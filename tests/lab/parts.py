"""The parts of the lab: how each is started, when it is ready, and what it is filled with."""

import seed_pipelines


def codepipeline(lab):
    """The stand-in of CodePipeline and STS."""
    port = lab.port()
    lab.spawn("codepipeline", lab.python, lab.here / "codepipeline.py", port)
    yield
    url = f"http://127.0.0.1:{port}"
    lab.wait_http("codepipeline", f"{url}/lab/calls")
    seed_pipelines.seed(url)
    lab.env["LAB_CODEPIPELINE_URL"] = url


PARTS = {part.__name__: part for part in (codepipeline,)}
