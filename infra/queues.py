"""Message queues in Amazon's SQS and its kin, through boto3; credentials from the usual AWS environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from infra.objects.client import region
from manifests.errors import BadInput, Unavailable

_AT_ONCE = 10
_CONNECT_S = 10
_REGION = re.compile(r"sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_PERMANENT = {
    "AWS.SimpleQueueService.NonExistentQueue": "there is no such queue;",
    "QueueDoesNotExist": "there is no such queue;",
    "AccessDenied": "access is denied;",
    "AccessDeniedException": "access is denied;",
    "InvalidClientTokenId": "the credentials are not valid;",
    "UnrecognizedClientException": "the credentials are not valid;",
    "SignatureDoesNotMatch": "the credentials are not valid;",
    "ExpiredToken": "the session has expired;",
    "InvalidAddress": "that is no address of a queue;",
}
_REMEDY = "check the queue's address, the region and the credentials (docs/watching.md)"


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message; whoever does not say `Queue.done` in time gets it again. `receipt` is good for this delivery."""

    body: str
    receipt: str


class Queue:
    """The queue at `url`. Every call may raise Unavailable, or BadInput where the store refuses for good."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not parts.path.strip("/"):
            raise BadInput(
                "that is no address of a queue;", where=url, remedy="as in https://sqs.REGION.amazonaws.com/..."
            )
        self.url = url
        named = _REGION.fullmatch(parts.hostname)
        self._region = named[1] if named else region(os.environ)
        self._client: Any = None

    def receive(self, wait_s: int) -> tuple[QueueMessage, ...]:
        """Up to ten messages; none where `wait_s` (20 at most) pass without one."""
        with self._told():
            answer = self._connected(wait_s).receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=_AT_ONCE, WaitTimeSeconds=wait_s
            )
        return tuple(QueueMessage(each["Body"], each["ReceiptHandle"]) for each in answer.get("Messages", ()))

    def done(self, message: QueueMessage) -> None:
        """The message is dealt with: it does not come again."""
        with self._told():
            self._connected(0).delete_message(QueueUrl=self.url, ReceiptHandle=message.receipt)

    def _connected(self, wait_s: int) -> Any:
        if self._client is None:
            import boto3
            from botocore.config import Config

            config = Config(
                connect_timeout=_CONNECT_S,
                read_timeout=wait_s + 20,
                retries={"mode": "standard", "total_max_attempts": 2},
            )
            self._client = boto3.session.Session().client("sqs", region_name=self._region, config=config)
        return self._client

    @contextmanager
    def _told(self) -> Iterator[None]:
        from botocore import exceptions as boto

        try:
            yield
        except boto.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _PERMANENT:
                raise BadInput(_PERMANENT[code], where=self.url, remedy=_REMEDY) from error
            raise Unavailable(f"{self.url}: the queue answers {code}") from error
        except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound) as error:
            raise BadInput("there are no usable credentials for the queue;", where=self.url, remedy=_REMEDY) from error
        except (boto.NoRegionError, boto.InvalidRegionError) as error:
            raise BadInput("its region is not known;", where=self.url, remedy="set AWS_REGION") from error
        except boto.BotoCoreError as error:
            raise Unavailable(f"{self.url}: the queue does not answer ({type(error).__name__})") from error
