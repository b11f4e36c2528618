"""What can go wrong with an object store, in redub's own kinds of error, and trying again where that can help.

No message holds a credential, a signature or the query of a URL: only the object's address and what to do.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from infra.objects.uri import ObjectUri
from manifests.errors import BadInput, NoSpace, RedubError, Unavailable

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_PATIENCE_S = 120.0
_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 10.0

_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile with AWS_PROFILE"
_CLOCK = "set this machine's clock (NTP)"
_ALLOWED = (
    "ask for a policy that allows it (docs/security.md); without s3:ListBucket, a name that is not there is denied too"
)
_MEND: dict[str, tuple[str, str]] = {
    "NoSuchBucket": (
        "there is no such bucket;",
        "check the name, and AWS_ENDPOINT_URL where the store is not Amazon's",
    ),
    "AccessDenied": ("access is denied;", _ALLOWED),
    "AllAccessDisabled": ("access is denied;", _ALLOWED),
    "AccountProblem": ("access is denied;", _ALLOWED),
    "KMS.AccessDeniedException": ("its encryption key may not be used;", "grant kms:Decrypt and kms:GenerateDataKey"),
    "InvalidAccessKeyId": ("the store does not know the access key;", _CREDENTIALS),
    "SignatureDoesNotMatch": ("the secret key is wrong;", _CREDENTIALS),
    "InvalidToken": ("the session token is not valid;", "sign in again"),
    "InvalidClientTokenId": ("the session token is not valid;", "sign in again"),
    "ExpiredToken": ("the session has expired;", "sign in again"),
    "ExpiredTokenException": ("the session has expired;", "sign in again"),
    "RequestTimeTooSkewed": ("this machine's clock and the store's differ too much;", _CLOCK),
    "PermanentRedirect": ("the bucket is in another region;", "set AWS_REGION to the bucket's"),
    "AuthorizationHeaderMalformed": ("the bucket is in another region;", "set AWS_REGION to the bucket's"),
    "301": ("the bucket is in another region;", "set AWS_REGION to the bucket's"),
    "InvalidObjectState": ("it is archived and cannot be read;", "restore it from its storage class first"),
    "EntityTooLarge": ("it is larger than the store takes;", "ask for a higher limit"),
    "MethodNotAllowed": ("that version is deleted;", "name an object that is there"),
}
_MISSING = {"NoSuchKey", "NoSuchVersion", "NotFound", "404"}
_UNMET = {"PreconditionFailed", "412"}
_FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507", "ServiceQuotaExceeded"}
_PASSING = {
    *("SlowDown", "SlowDownRead", "SlowDownWrite", "Throttling", "ThrottlingException", "RequestLimitExceeded"),
    *("TooManyRequests", "BandwidthLimitExceeded", "InternalError", "ServiceUnavailable", "RequestTimeout"),
    *("OperationAborted", "ConditionalRequestConflict", "BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"),
    *("XAmzContentChecksumMismatch", "InvalidDigest", "KMS.ThrottlingException", "429"),
}


class Missing(BadInput):
    """There is no such object."""


class Conflict(BadInput):
    """The condition of a write does not hold: someone else has written there."""


class Replaced(BadInput):
    """The object was replaced or removed while it was being read."""


class WrongBytes(Unavailable):
    """What arrives, each time, does not have the checksum that was recorded with it."""


def wrong_bytes(uri: ObjectUri) -> WrongBytes:
    """The error of an object whose bytes are not what was written."""
    return WrongBytes(f"{uri}: what arrives does not have the checksum that was recorded with it")


def replaced(uri: ObjectUri) -> Replaced:
    """The error of an object that is no longer what it was when the work began."""
    what = "it was replaced or removed while redub was working on it;"
    return Replaced(what, where=str(uri), remedy="run again: the new one is then taken from the start")


def translated(uri: ObjectUri, error: Exception) -> RedubError | None:
    """The error of redub's own kind for what boto3 raised about `uri`; None where the store has no part in it."""
    from botocore import exceptions as boto

    if isinstance(error, RedubError):
        return error
    if isinstance(error, boto.ClientError):
        return _answered(uri, error.response)
    where = str(uri)
    without_credentials = (
        *(boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError),
        *(boto.ProfileNotFound, boto.UnauthorizedSSOTokenError, boto.SSOTokenLoadError, boto.TokenRetrievalError),
        *(boto.NoAuthTokenError, boto.ConfigParseError, boto.ConfigNotFound),
    )
    lost = (
        *(boto.HTTPClientError, boto.EndpointConnectionError, boto.ConnectionClosedError, boto.IncompleteReadError),
        *(boto.ResponseStreamingError, ConnectionError, TimeoutError),
    )
    told: RedubError | None = None
    if isinstance(error, without_credentials):
        told = BadInput("there are no usable credentials for the store;", where=where, remedy=_CREDENTIALS)
    elif isinstance(error, boto.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        remedy = "name its authority's certificate in AWS_CA_BUNDLE"
        told = BadInput("the store's certificate cannot be verified;", where=where, remedy=remedy)
    elif isinstance(error, boto.InvalidRegionError) or (
        isinstance(error, ValueError) and str(error).startswith("Invalid endpoint")
    ):
        remedy = "check AWS_ENDPOINT_URL and AWS_REGION"
        told = BadInput("the store's endpoint or region is not well formed;", where=where, remedy=remedy)
    elif isinstance(error, lost) or type(error).__module__.startswith("urllib3"):
        told = Unavailable(f"{uri}: the connection to the store was lost or not made ({type(error).__name__})")
    return told


def _answered(uri: ObjectUri, answer: Mapping[str, Any]) -> RedubError:
    code = str(answer.get("Error", {}).get("Code", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _MISSING:
        return Missing("there is no such object;", where=str(uri), remedy="check the name")
    if code in _UNMET or status == 412:
        return Conflict("another object has been written there;", where=str(uri), remedy="look at it, then run again")
    if code in _FULL or status == 507:
        return NoSpace(f"{uri}: the store is full or the quota is used up; free some space or ask for more")
    if code in _PASSING or status >= 500 or status == 429:
        return Unavailable(f"{uri}: the store answers {code or status}")
    what, remedy = _MEND.get(code, (f"the store refuses ({code or status});", "look it up in the store's manual"))
    if code not in _MEND and status == 403:
        what, remedy = _MEND["AccessDenied"]
    return BadInput(what, where=str(uri), remedy=remedy)


def patience_s() -> float:
    """How long a store that does not answer is waited for: `REDUB_S3_PATIENCE_S`, else two minutes."""
    given = os.environ.get("REDUB_S3_PATIENCE_S", "")
    try:
        return float(given) if given else _PATIENCE_S
    except ValueError as error:
        raise BadInput("this is no number of seconds;", where="REDUB_S3_PATIENCE_S", remedy="set it to 120") from error


class Persistence:
    """Does one thing with an object, again and again while it fails in a way that may pass, as long as patience lasts.

    Waits are random below a limit that doubles, so that many workers do not come back at once.
    """

    def __init__(self, uri: ObjectUri, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self.uri, self._sleep = uri, sleep
        self._deadline = time.monotonic() + patience_s()
        self._failures = 0

    def progressed(self) -> None:
        """Something came of it: patience starts anew."""
        self._deadline = time.monotonic() + patience_s()
        self._failures = 0

    def run(self, action: Callable[[], T]) -> T:
        """What `action` gives. Raises redub's kinds of error: Unavailable once patience is at its end."""
        while True:
            try:
                return action()
            except Exception as error:
                told = translated(self.uri, error)
                if told is None:
                    raise
                if not isinstance(told, Unavailable) or time.monotonic() >= self._deadline:
                    if told is error:
                        raise
                    raise told from error
                self._wait(told)

    def _wait(self, told: Unavailable) -> None:
        limit = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**self._failures)
        self._failures += 1
        seconds = min(random.uniform(limit / 4, limit), max(0.0, self._deadline - time.monotonic()))  # noqa: S311
        if self._failures > 2:
            _LOG.warning("%s; trying again in %.1f s", told, seconds)
        self._sleep(seconds)


def persisted(uri: ObjectUri, action: Callable[[], T]) -> T:
    """What `action` gives, tried again while that may help (see `Persistence`)."""
    return Persistence(uri).run(action)
