"""What prefect.yaml names can be loaded and started with the parameters that a page or a trigger would send."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.server import Server
from infra.objects.uri import ObjectUri
from manifests.errors import BadInput

FILE = Path(__file__).parents[2] / "prefect.yaml"
DEPLOYMENTS = yaml.safe_load(FILE.read_text())["deployments"]
PARAMETERS: dict[str, dict[str, Any]] = {
    "dub-lecture": {"source": "lecture.mp4", "to": ["fr"], "preset_name": "draft"},
    "dub-lecture-gpu": {"source": "lecture.mp4", "to": ["fr"]},
    "dub-on-upload": {"source": "s3://lectures/lecture.mp4"},
    "dub-archive": {"hours": 10.0},
    "evaluate": {"clips": ["clips/"], "out": "scores", "protocol": "cross", "limit": 2},
    "train": {"data": "shards", "out": "run", "kind": "expert", "preset_name": "tiny", "steps": 2},
    "talk": {"face": "face.png", "out": "out.mp4", "text": "Bonjour.", "language": "fr"},
}


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: each["name"])
def test_an_entry_point_loads_and_takes_its_parameters(server: Server, deployment: dict[str, Any]) -> None:
    from prefect.flows import load_flow_from_entrypoint

    flow = load_flow_from_entrypoint(deployment["entrypoint"])
    known = set(flow.parameters.properties)
    given = {**deployment.get("parameters", {}), **PARAMETERS[deployment["name"]]}
    assert set(given) <= known
    assert set(flow.parameters.required) <= set(given)
    flow.validate_parameters(given)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: each["name"])
def test_it_deploys_to_a_real_server_and_a_run_can_be_scheduled(server: Server, deployment: dict[str, Any]) -> None:
    from prefect.client.orchestration import get_client
    from prefect.flows import load_flow_from_entrypoint

    flow = load_flow_from_entrypoint(deployment["entrypoint"])
    with get_client(sync_client=True) as client:
        flow_id = client.create_flow(flow)
        made = client.create_deployment(
            flow_id,
            name=deployment["name"],
            entrypoint=deployment["entrypoint"],
            parameters=deployment.get("parameters", {}),
            parameter_openapi_schema=flow.parameters.model_dump(),
            enforce_parameter_schema=True,
        )
        run = client.create_flow_run_from_deployment(made, parameters=PARAMETERS[deployment["name"]])
    assert run.state is not None
    assert run.state.is_scheduled()


def test_each_one_goes_to_a_pool_that_is_made_and_is_imported_not_pulled(server: Server) -> None:
    from flows.stack import ARCHIVE_POOL, CPU_POOL, GPU_POOL

    whole = yaml.safe_load(FILE.read_text())
    assert whole["pull"] == []
    for deployment in DEPLOYMENTS:
        assert deployment["work_pool"]["name"] in (CPU_POOL, GPU_POOL, ARCHIVE_POOL)
        assert "/" not in deployment["entrypoint"]
        assert "redub" in deployment["tags"]


def test_an_upload_starts_a_dub_of_what_was_uploaded(server: Server) -> None:
    from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger

    (deployment,) = (each for each in DEPLOYMENTS if each["name"] == "dub-on-upload")
    (declared,) = deployment["triggers"]
    trigger = DeploymentEventTrigger.model_validate(declared)
    assert trigger.expect == {"redub.lecture.uploaded"}
    assert trigger.match.matches({"prefect.resource.id": "s3://lectures/a.mp4"})
    assert not trigger.match.matches({"prefect.resource.id": "prefect.flow-run.1"})
    assert declared["parameters"]["source"] == "{{ event.payload.source }}"


@pytest.mark.parametrize(
    ("key", "out"),
    [("a.mp4", "s3://lectures/dubbed/"), ("physics/1/a b ü&.mp4", "s3://lectures/dubbed/physics/1/")],
    ids=["at the top", "in folders"],
)
def test_an_uploads_dub_lies_where_the_archive_would_put_it(server: Server, key: str, out: str) -> None:
    from prefect.server.utilities.user_templates import render_user_template_sync

    from flows.stack import DUBS
    from flows.watch.uploads import Upload, event_of

    by_name = {each["name"]: each for each in DEPLOYMENTS}
    upload = Upload(uri=ObjectUri("lectures", key), etag="e", version=None, size_bytes=1)
    event = event_of(upload, uuid.uuid4(), datetime.now(UTC))
    template = by_name["dub-on-upload"]["triggers"][0]["parameters"]["out"]
    assert render_user_template_sync(template, {"event": event}) == out
    assert by_name["dub-archive"]["parameters"]["out"] == f"s3://lectures/{DUBS}"
    assert out.startswith(by_name["dub-archive"]["parameters"]["out"])


def test_another_bucket_and_other_languages_are_put_in_their_places(server: Server, tmp_path: Path) -> None:
    from flows.setup import declared

    text = declared(FILE.parent, bucket="talks", languages=("es", "fr"))
    for each in yaml.safe_load(text)["deployments"]:
        given = each.get("parameters", {})
        assert given.get("to", ["es", "fr"]) == ["es", "fr"]
        assert "s3://lectures" not in str(given)
    assert "s3://talks/dubbed/archive.parquet" in text
    assert yaml.safe_load(declared(FILE.parent)) == yaml.safe_load(FILE.read_text())
    with pytest.raises(BadInput, match="xx"):
        declared(FILE.parent, languages=("xx",))
