"""What can be known of containers, manifests, policies and Terraform without running them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "infra" / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MANIFESTS = [
    (path, document)
    for path in sorted((DEPLOY / "kubernetes").rglob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in yaml.safe_load_all(path.read_text())
]
PODS = [
    (f"{path.name}:{document['metadata']['name']}", document["spec"]["template"]["spec"])
    for path, document in MANIFESTS
    if document["kind"] in ("Deployment", "StatefulSet", "Job")
]
LONG_LIVED = {"Deployment", "StatefulSet"}


def pinned(image: str) -> bool:
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    return bool(re.search(r"\d+\.\d+", tag)) and "latest" not in tag


def dockerfile() -> list[list[str]]:
    """The instructions, words split, with continued lines joined."""
    text = (DEPLOY / "Dockerfile").read_text()
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return [line.split() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def stages() -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for words in dockerfile():
        if words[0] == "FROM":
            name = words[3]
            found[name] = [words]
        elif found:
            found[name].append(words)
    return found


def test_the_base_image_is_pinned_and_targets_build_on_known_stages() -> None:
    base = next(
        words[1].split("=", 1)[1] for words in dockerfile() if words[0] == "ARG" and words[1].startswith("BASE=")
    )
    assert pinned(base)
    known = set(stages())
    for name, lines in stages().items():
        parent = lines[0][1]
        assert parent == "${BASE}" if name == "base" else parent in known


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_an_image_runs_as_nobody_in_particular_and_can_be_asked_how_it_is(target: str) -> None:
    lines = stages()[target]
    by_name = {words[0]: words for words in lines}
    user = by_name["USER"][1]
    assert all(part.isdigit() and int(part) >= 10_000 for part in user.split(":"))
    assert "HEALTHCHECK" in by_name
    assert "/health" in " ".join(by_name["HEALTHCHECK"])
    assert lines.index(by_name["USER"]) > max(i for i, words in enumerate(lines) if words[0] == "RUN")
    assert by_name["ENTRYPOINT"][1].startswith('["tini"')


def test_the_targets_differ_in_what_they_must_and_in_nothing_else() -> None:
    def settings(target: str) -> dict[str, str]:
        words = next(words for words in stages()[target] if words[0] == "ENV")
        return dict(word.split("=", 1) for word in words[1:])

    cpu, cuda = settings("cpu"), settings("cuda")
    assert (cpu.pop("REDUB_POOL"), cuda.pop("REDUB_POOL")) == ("redub", "redub-gpu")
    assert {name for name in cuda if name not in cpu} == {"NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"}
    assert all(cuda[name] == value for name, value in cpu.items())


def test_an_images_worker_is_set_as_the_stacks_are() -> None:
    from flows.stack import _worker_environment

    image = dict(word.split("=", 1) for words in stages()["cpu"] if words[0] == "ENV" for word in words[1:])
    usual = _worker_environment(Path("/state"))
    for elsewhere in ("PREFECT_HOME", "PREFECT_SERVER_ANALYTICS_ENABLED"):  # other folders; compose and the cluster
        del usual[elsewhere]
    assert usual.items() <= image.items()


def test_an_image_holds_no_secret_and_copies_only_what_is_named() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    assert all((ROOT / line[1:]).exists() for line in ignored if line.startswith("!"))
    assert not re.search(r"(?i)(password|secret|token|api_key)\s*=", (DEPLOY / "Dockerfile").read_text())


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_unprivileged_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert pinned(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", service["image"]))
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service
    assert not str(service.get("user", "10001")).startswith("0")
    assert service["restart"] in ("unless-stopped", "on-failure")
    # A job that ends is waited for; all else says how it is.
    assert "test" in service["healthcheck"] or service["restart"] == "on-failure"


def test_ports_are_published_on_loopback_alone() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_services_wait_for_what_they_need_and_every_volume_is_declared() -> None:
    for service in SERVICES.values():
        for needed, condition in service.get("depends_on", {}).items():
            assert needed in SERVICES
            ends = SERVICES[needed]["restart"] == "on-failure"
            assert condition["condition"] == ("service_completed_successfully" if ends else "service_healthy")
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"]


def test_no_password_is_written_down_and_the_command_makes_every_one_that_is_asked_for(tmp_path: Path) -> None:
    from flows.stack import write_container_secrets

    environment, identities = write_container_secrets(tmp_path / "secrets")
    made = dict(line.split("=", 1) for line in environment.read_text().splitlines())
    text = (DEPLOY / "compose.yaml").read_text()
    assert set(re.findall(r"\$\{(\w+):\?", text)) == set(made)
    assert len(set(made.values())) == len(made)
    assert all(len(value) >= 20 for value in made.values())
    known = json.loads(identities.read_text())["identities"][0]["credentials"][0]
    assert known == {"accessKey": made["REDUB_ACCESS_KEY"], "secretKey": made["REDUB_SECRET_KEY"]}
    assert environment.stat().st_mode & 0o077 == 0
    assert identities.parent.stat().st_mode & 0o077 == 0
    before = environment.read_text()
    write_container_secrets(tmp_path / "secrets")
    assert environment.read_text() == before


@pytest.mark.parametrize(("name", "pod"), PODS, ids=[name for name, _ in PODS])
def test_a_pod_is_unprivileged_bounded_and_holds_no_key_of_the_cluster(name: str, pod: dict[str, Any]) -> None:
    security = pod["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        declared = {each["name"] for each in pod.get("volumes", [])} | {"data"}
        assert {each["name"] for each in container["volumeMounts"]} <= declared
        for variable in container.get("env", []):
            if re.search("PASSWORD|AUTH|SECRET|CONNECTION_URL", variable["name"]):
                assert "secretKeyRef" in variable["valueFrom"]


def test_what_stays_up_is_probed() -> None:
    for _, document in MANIFESTS:
        if document["kind"] in LONG_LIVED:
            for container in document["spec"]["template"]["spec"]["containers"]:
                assert "livenessProbe" in container
                assert "readinessProbe" in container or "startupProbe" in container


def test_a_gpu_worker_asks_for_one_device_and_no_other_does() -> None:
    for name, pod in PODS:
        for container in pod["containers"]:
            asked = container["resources"]["requests"].get("nvidia.com/gpu", 0)
            assert asked == container["resources"]["limits"].get("nvidia.com/gpu", 0)
            works = name.endswith("worker-gpu") and container["name"] == "worker"
            assert asked == (1 if works else 0)


def test_every_worker_of_lectures_has_an_exporter_that_reads_its_records() -> None:
    for service in ("worker-cpu", "worker-gpu"):
        (kept,) = [each for each in SERVICES[service]["volumes"] if each.endswith(":/state")]
        (exporter,) = [each for each in SERVICES.values() if f"{kept}:ro" in each.get("volumes", [])]
        assert exporter["command"] == ["redub", "metrics"]
        assert exporter.get("profiles") == SERVICES[service].get("profiles")
        assert exporter["environment"]["PREFECT_API_URL"] == SERVICES[service]["environment"]["PREFECT_API_URL"]
    for name, pod in PODS:
        if name.endswith(("worker-cpu", "worker-gpu")):
            (exporter,) = [each for each in pod["containers"] if each["name"] == "exporter"]
            assert {"name": "state", "mountPath": "/state", "readOnly": True} in exporter["volumeMounts"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed here")
@pytest.mark.parametrize("overlay", ["base", "gpu"])
def test_kustomize_renders_it_with_every_image_pinned(overlay: str) -> None:
    done = subprocess.run(
        ["kubectl", "kustomize", DEPLOY / "kubernetes" / overlay],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    documents = [each for each in yaml.safe_load_all(done.stdout) if each]
    images = re.findall(r"image: (\S+)", done.stdout)
    assert images
    assert all(pinned(image) for image in images)
    assert {each["metadata"].get("namespace", "redub") for each in documents} == {"redub"}
    policies = [each for each in documents if each["kind"] == "NetworkPolicy"]
    assert any(each["spec"]["podSelector"] == {} and "ingress" not in each["spec"] for each in policies)


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((DEPLOY / "iam").glob("*.json")):
        for statement in json.loads(path.read_text())["Statement"]:
            yield f"{path.stem}:{statement['Sid']}", statement


@pytest.mark.parametrize(("name", "statement"), list(statements()), ids=[name for name, _ in statements()])
def test_a_policy_allows_by_name_and_on_named_things(name: str, statement: dict[str, Any]) -> None:
    assert statement["Effect"] == "Allow"
    assert all("*" not in action for action in statement["Action"])
    assert all(resource != "*" and "${" in resource for resource in statement["Resource"])
    if "s3:ListBucket" in statement["Action"]:
        assert "s3:prefix" in statement["Condition"]["StringLike"]
    removing = {action for action in statement["Action"] if "Delete" in action and action.startswith("s3:")}
    if removing:
        assert all("${cache}" in resource for resource in statement["Resource"]), "only the cache may be thinned"


def test_terraform_parses_and_names_nothing_that_is_not_there() -> None:
    import hcl2

    found: set[str] = set()
    used: set[str] = set()
    for path in sorted((DEPLOY / "terraform").glob("*.tf")):
        with path.open() as stream:
            parsed = hcl2.load(stream)
        for kind in ("resource", "data"):
            for block in parsed.get(kind, []):
                for label, named in block.items():
                    prefix = "data." if kind == "data" else ""
                    found |= {f"{prefix}{label}.{name}".replace('"', "") for name in named}
        text = path.read_text()
        used |= set(re.findall(r"(?<![\w.])((?:data\.)?aws_\w+\.\w+)", text))
        declared = (DEPLOY / "terraform" / "variables.tf").read_text()
        assert set(re.findall(r"var\.(\w+)", text)) <= set(re.findall(r'variable "(\w+)"', declared))
    assert used <= found


def test_terraform_gives_the_policies_every_name_that_they_ask_for() -> None:
    text = (DEPLOY / "terraform" / "main.tf").read_text()
    names = re.search(r"names = \{(.*?)\n  \}", text, re.DOTALL)
    assert names
    given = set(re.findall(r"(\w+) +=", names[1]))
    for path in (DEPLOY / "iam").glob("*.json"):
        assert set(re.findall(r"\$\{(\w+)\}", path.read_text())) <= given
        assert path.name in text


def test_only_the_bucket_may_notify_and_dubs_start_no_dubs() -> None:
    text = (DEPLOY / "terraform" / "main.tf").read_text()
    assert "filter_prefix = var.lectures" in text
    assert "aws:SourceArn" in text
    assert "aws:SourceAccount" in text
    for guard in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"):
        assert re.search(rf"{guard} +=\s+true", text)


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed here")
def test_terraform_is_formatted() -> None:
    done = subprocess.run(
        ["terraform", "fmt", "-check", DEPLOY / "terraform"], check=False, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stdout
