"""A flow run that fails says on its page what is wrong, where, and what to do: the error's own words, no traceback."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast
from uuid import UUID

import httpx
from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectException, PrefectHTTPStatusError
from prefect.runtime import flow_run
from prefect.states import Failed

from flows import logs
from manifests.errors import RedubError

ERROR_LABEL = "redub.error"
"""The label of a failed flow run that holds the name of its error's class."""

Given = ParamSpec("Given")
Gives = TypeVar("Gives")


def worded(body: Callable[Given, Gives]) -> Callable[Given, Gives]:
    """The body of a flow (below `@flow`) whose errors become the message of the run's state, word for word.

    Whoever calls the flow gets the error itself raised, as ever.
    """

    @functools.wraps(body)
    def told(*args: Given.args, **kwargs: Given.kwargs) -> Gives:
        try:
            logs.set_up(os.environ)
            return body(*args, **kwargs)
        except PrefectException:
            raise
        except RedubError as error:
            get_run_logger().error(str(error))
            return cast("Gives", _failed(error, str(error)))
        except Exception as fault:  # noqa: BLE001 (the page gets it in words, the log its traceback, the caller itself)
            get_run_logger().exception("a fault in redub itself")
            what = f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__
            words = f"a fault in redub itself ({what}); its traceback is in this run's log: please report it"
            return cast("Gives", _failed(fault, words))

    # Prefect looks the types of parameters up where a function was written, which for this one is here: so, resolved.
    told.__signature__ = inspect.signature(body, eval_str=True)  # type: ignore[attr-defined]
    return told


def _failed(error: Exception, words: str) -> object:
    """The state of a run that ends with `error`: a flow that returns it fails, and raises it where it is called."""
    try:
        with get_client(sync_client=True) as client:
            client.update_flow_run_labels(UUID(flow_run.get_id()), {ERROR_LABEL: type(error).__name__})
    except (httpx.HTTPError, PrefectHTTPStatusError):
        get_run_logger().debug("the run's label was not taken", exc_info=True)
    return Failed(message=words, data=error)
