"""mrjob's EMR runner, with a time limit, reasons for failures, and a cluster that serves many jobs."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from mrjob.emr import EMRJobRunner
from mrjob.step import StepFailedException

from neuralframe.exceptions import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

AWS_ERRORS = (BotoCoreError, ClientError)

ENDED = ("TERMINATING", "TERMINATED", "TERMINATED_WITH_ERRORS")


class EMRRunner(EMRJobRunner):  # type: ignore[misc]  # mrjob has no types
    """Runs jobs as steps of a cluster on EMR.

    Attributes
    ----------
    timeout : float or None
        Seconds that a job may take, the start of a cluster included.

    """

    timeout: float | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._started = time.monotonic()

    @classmethod
    def _default_opts(cls) -> dict[str, Any]:
        found: dict[str, Any] = super()._default_opts()
        region = boto3.Session().region_name
        return found | {
            # S3 has shown what was written at once since December 2020.
            "cloud_fs_sync_secs": 0.0,
            # Without a key for SSH mrjob waits ten minutes for the logs of each job, to read counters there.
            "read_logs": False,
            **({"region": region} if region else {}),
        }

    @property
    def has_cluster(self) -> bool:
        """Whether the options name a cluster, or a pool of them."""
        return bool(self._opts["cluster_id"] or self._opts["pool_clusters"])

    @property
    def has_ended(self) -> bool:
        """Whether the runner's cluster serves no more jobs."""
        return self._describe_cluster()["Status"]["State"] in ENDED

    def _wait_for_step_to_complete(self, step_id: str, step_num: int | None = None) -> None:
        try:
            super()._wait_for_step_to_complete(step_id, step_num)
        except StepFailedException:
            raise EngineError(self._reason(step_id)) from None
        except BaseException:
            self._cancel(step_id)
            raise

    def _log_address_of_master_once(self) -> None:
        # mrjob calls this whenever it has looked at a step.
        super()._log_address_of_master_once()
        if self.timeout is not None and time.monotonic() - self._started > self.timeout:
            raise EngineError(
                f"the job on cluster {self._cluster_id} was cancelled after {self.timeout:g} s, its timeout; "
                f"the cluster is {self._described(self._describe_cluster()['Status'])}"
            )

    def _cancel(self, step_id: str) -> None:
        """Cancel a step; it is a warning if that is not possible, as on a cluster that has ended."""
        client = self.make_emr_client()
        try:
            client.cancel_steps(
                ClusterId=self._cluster_id,
                StepIds=[step_id],
                StepCancellationOption="TERMINATE_PROCESS",
            )
        except AWS_ERRORS as problem:
            log.warning("step %s of %s could not be cancelled: %s", step_id, self._cluster_id, problem)

    def _reason(self, step_id: str) -> str:
        """Return why a step failed, as far as EMR tells."""
        step = self.make_emr_client().describe_step(ClusterId=self._cluster_id, StepId=step_id)["Step"]
        cluster = self._describe_cluster()
        logs = cluster.get("LogUri") or "nowhere: give the cluster a cloud_log_dir"
        return (
            f"step {step_id} of cluster {self._cluster_id} is {self._described(step['Status'])}. "
            f"The cluster is {self._described(cluster['Status'])}. Logs, minutes later: {logs}"
        )

    @staticmethod
    def _described(status: Mapping[str, Any]) -> str:
        """Return the state of a step or a cluster and what led to it."""
        change, failure = status.get("StateChangeReason", {}), status.get("FailureDetails", {})
        told = [failure.get("Reason"), failure.get("Message"), failure.get("LogFile"), change.get("Message")]
        reasons = "; ".join(text for text in told if text)
        return f"{status['State']} ({reasons})" if reasons else str(status["State"])


class EMRCluster:
    """The cluster on which an engine's jobs run: one that the options name, or a new one of its own.

    A cluster of its own ends with `close`; if nobody is left to call that, after ``max_mins_idle`` minutes.
    """

    def __init__(self) -> None:
        self._owner: EMRRunner | None = None

    def options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a job with the cluster in them; the first job starts one."""
        if self._owner is not None and self._owner.has_ended:
            log.warning("the cluster %s has ended; another is started", self._owner.get_cluster_id())
            self.close()
        if self._owner is None:
            self._owner = EMRRunner(**options)
            if not self._owner.has_cluster:
                log.info("starting the cluster %s", self._owner.make_persistent_cluster())
        if self._owner.has_cluster:
            return dict(options)
        return {**options, "cluster_id": self._owner.get_cluster_id()}

    def close(self) -> None:
        """End the cluster, if it was started here."""
        if self._owner is not None:
            self._owner.cleanup(mode=["TMP"])
            self._owner = None
