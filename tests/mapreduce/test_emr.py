"""The EMR runner against moto: what it asks of AWS is answered by moto, and its steps are really run.

This proves the requests, the files on S3, the commands and the way of the result. It proves nothing of AWS
itself: permissions, machines, bootstrapping, YARN (docs/emr.md says so too).
"""

from __future__ import annotations

import importlib
import logging
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest

import neuralframe as nf

boto3 = pytest.importorskip("boto3", reason="EMR needs boto3: pip install 'neuralframe[aws]'")
pytest.importorskip("moto.server", reason="EMR is tested with moto: pip install 'neuralframe[cluster]'")

from neuralframe.mapreduce.mrjob_emr_runner import EMRCluster  # noqa: E402
from neuralframe.mapreduce.mrjob_job import SumJob  # noqa: E402
from tests.mapreduce.emr_steps import StepExecutor, moto_server  # noqa: E402

pytestmark = [
    pytest.mark.emr,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:moto"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:werkzeug"),
]

# What moto takes for whose they are when it is a server: it reads no region from a request to EMR.
REGION, ACCOUNT = "us-east-1", "123456789012"
FOLDER = "s3://training/work"
CONF = """
runners:
  emr:
    release_label: emr-7.5.0
    image_version: 7.5.0
    applications: [Hadoop]
    check_cluster_every: 0.05
    python_bin: {python}
    cmdenv: {{PYTHONPATH: "{path}"}}
"""

OWN_FUNCTIONS = '''
import os

import attrs

import neuralframe as nf


@attrs.frozen
class Halved(nf.Tanh):
    """A transfer function of the user's own."""

    def value(self, net):
        return 0.5 * super().value(net)

    def derivative(self, net, output):
        return 0.5 * super().derivative(net, 2 * output)


@attrs.frozen
class Broken(nf.Tanh):
    """Raises in tasks."""

    def value(self, net):
        if "mapreduce_task_attempt_id" in os.environ:
            raise ZeroDivisionError("as it must")
        return super().value(net)


@attrs.frozen
class Crashing(nf.Tanh):
    """Ends the process of a task."""

    def value(self, net):
        if "mapreduce_task_attempt_id" in os.environ:
            os._exit(3)
        return super().value(net)
'''


@pytest.fixture(scope="module")
def aws():
    """Moto's server, with the credentials of nobody in the environment, and what runs steps."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "MRJOB_CONF"):
            patch.delenv(name, raising=False)
        patch.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        address = stack.enter_context(moto_server())
        # another server of this process may have begun without the managed policies
        urlopen(Request(f"{address}/moto-api/reset", method="POST")).close()  # noqa: S310 - our own server
        for name, value in {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }.items():
            patch.setenv(name, value)
        yield address


@pytest.fixture
def s3(aws):
    client = boto3.client("s3")
    client.create_bucket(Bucket="training")
    yield client
    for key in keys(client):
        client.delete_object(Bucket="training", Key=key)
    client.delete_bucket(Bucket="training")


@pytest.fixture
def backend(aws):
    from moto.emr.models import emr_backends

    found = emr_backends[ACCOUNT][REGION]
    found.clusters.clear()
    return found


@pytest.fixture
def executor(s3, backend):
    found = StepExecutor(backend, s3)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def conf(tmp_path):
    path = tmp_path / "mrjob.conf"
    package = importlib.import_module("neuralframe").__path__[0]
    path.write_text(CONF.format(python=sys.executable, path=package.rpartition("/")[0]))
    return path


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Give a module of the user's own, which tasks cannot import unless it is sent along."""
    (tmp_path / "own_functions.py").write_text(OWN_FUNCTIONS)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("own_functions")
    sys.modules.pop("own_functions")


def keys(client):
    return [found["Key"] for found in client.list_objects_v2(Bucket="training").get("Contents", ())]


def samples(n=300):
    random = np.random.default_rng(0)
    return nf.DataSet(random.normal(size=(n, 5)), np.eye(3)[random.integers(0, 3, n)], block_size=32)


def network(hidden="tanh"):
    return nf.MultilayerPerceptron(5, 4, 3, hidden=hidden, output="softmax", seed=1)


def test_a_gradient_has_the_bits_of_the_in_process_engine(executor, conf, own):
    """With two maps, and a transfer function of the user's own."""
    data, net = samples(), network(own.Halved())
    expected = nf.error_and_gradient(net, data)
    found = nf.error_and_gradient(net, data, engine=nf.MRJobEngine("emr", conf=conf, maps=2, folder=FOLDER))
    assert found[0] == expected[0]
    np.testing.assert_array_equal(found[1], expected[1])
    (step,) = executor.done
    assert len([argument for argument in step.args if argument == "-input"]) == 2


def test_a_training_runs_on_one_cluster_of_its_own_and_leaves_nothing_behind(executor, conf, backend, s3):
    data = samples()
    options = {"stop": nf.MaxIterations(3), "validation": samples(50), "sessions": 2, "seed": 3}
    here, there = network(), network()
    here.learn(data, **options)
    there.learn(data, engine=nf.MRJobEngine("emr", conf=conf, maps=2, folder=FOLDER), **options)
    np.testing.assert_array_equal(there.weights, here.weights)
    assert len(executor.done) == 4
    assert [step.state for step in executor.done] == ["COMPLETED"] * 4
    (cluster,) = backend.clusters.values()
    assert cluster.state == "TERMINATED"
    assert [application.name for application in cluster.applications] == ["Hadoop"]
    assert [key for key in keys(s3) if "/logs/" not in key] == []


def test_a_cluster_that_the_options_name_is_used_and_left_running(executor, conf, backend):
    made = boto3.client("emr").run_job_flow(
        Name="mine",
        ReleaseLabel="emr-7.5.0",
        Applications=[{"Name": "Hadoop"}],
        Instances={"KeepJobFlowAliveWhenNoSteps": True, "InstanceGroups": []},
        JobFlowRole="EMR_EC2_DefaultRole",
        ServiceRole="EMR_DefaultRole",
    )["JobFlowId"]
    engine = nf.MRJobEngine("emr", conf=conf, maps=1, folder=FOLDER, options=["--cluster-id", made])
    nf.error_and_gradient(network(), samples(40), engine=engine)
    assert list(backend.clusters) == [made]
    assert backend.clusters[made].state in ("WAITING", "RUNNING")


def test_the_traceback_of_a_mapper_comes_to_the_user(executor, conf, own):
    engine = nf.MRJobEngine("emr", conf=conf, maps=1, attempts=1, folder=FOLDER)
    with pytest.raises(nf.EngineError, match="ZeroDivisionError: as it must") as caught:
        nf.error_and_gradient(network(own.Broken()), samples(40), engine=engine)
    notes = "\n".join(caught.value.__notes__)
    assert "while mapping block 0 of 2" in notes
    assert 'raise ZeroDivisionError("as it must")' in notes


def test_the_reason_why_a_step_failed_comes_to_the_user(executor, conf, own, s3):
    engine = nf.MRJobEngine("emr", conf=conf, maps=1, attempts=1, folder=FOLDER)
    reason = r"(?s)is FAILED \(mapper m_000000 ended with 3: .*Logs, minutes"
    with pytest.raises(nf.EngineError, match=reason):
        nf.error_and_gradient(network(own.Crashing()), samples(40), engine=engine)
    assert [key for key in keys(s3) if "/logs/" not in key] == []


def test_a_step_that_does_not_end_is_given_up(executor, conf, backend, caplog):
    executor.hold = True
    engine = nf.MRJobEngine("emr", conf=conf, maps=1, attempts=1, folder=FOLDER, timeout=1)
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(nf.EngineError, match="cancelled after 1 s, its timeout; the cluster is"),
    ):
        nf.error_and_gradient(network(), samples(40), engine=engine)
    (cluster,) = backend.clusters.values()
    assert cluster.state == "TERMINATED"


def test_a_cluster_that_ended_between_two_jobs_is_replaced(executor, conf, backend):
    data, net = samples(40), network()
    with nf.MRJobEngine("emr", conf=conf, maps=1, folder=FOLDER) as engine:
        first = nf.error_and_gradient(net, data, engine=engine)
        (cluster,) = backend.clusters.values()
        boto3.client("emr").terminate_job_flows(JobFlowIds=[cluster.id])
        again = nf.error_and_gradient(net, data, engine=engine)
    assert first[0] == again[0]
    assert len(backend.clusters) == 2


def test_what_aws_refuses_is_told(executor, conf):
    engine = nf.MRJobEngine(
        "emr", conf=conf, maps=1, attempts=1, folder=FOLDER, options=["--cluster-id", "j-NONE"]
    )
    with pytest.raises(nf.EngineError, match=r"AWS: .*j-NONE"):
        nf.error_and_gradient(network(), samples(40), engine=engine)


def test_data_in_memory_need_a_folder_on_s3(aws, conf):
    engine = nf.MRJobEngine("emr", conf=conf)
    with pytest.raises(nf.EngineError, match=r'folder="s3://bucket/prefix"'):
        nf.error_and_gradient(network(), samples(40), engine=engine)


def test_a_folder_elsewhere_is_refused():
    with (
        pytest.raises(nf.ParameterError, match="on S3"),
        nf.MRJobEngine("emr", folder="hdfs:///data"),
    ):
        pass


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_the_example_configurations_make_clusters(aws, s3, backend, name):
    """As far as mrjob and moto can tell: groups, bootstrap scripts, classifications."""
    place = Path(nf.__file__).parents[1] / "examples" / "emr" / f"{name}.conf"
    if not place.exists():
        pytest.skip("the examples are not beside the package")
    arguments = ["--runner", "emr", "--conf-path", str(place), "--cloud-tmp-dir", f"{FOLDER}/jobs/"]
    cluster = EMRCluster()
    cluster.options(SumJob(arguments).runner_options())
    (made,) = backend.clusters.values()
    assert made.release_label == "emr-7.5.0"
    assert [action.name for action in made.bootstrap_actions] == ["master", "idle timeout"]
    (script,) = [key for key in keys(s3) if key.endswith("b.sh")]
    content = s3.get_object(Bucket="training", Key=script)["Body"].read().decode()
    assert "python3.11 -m venv /opt/neuralframe" in content
    groups = {group.role: group for group in made.instance_groups}
    assert groups["TASK"].market == "SPOT"
    classifications = {found["Classification"] for found in made.configurations}
    gpu = {"yarn-site", "container-executor", "capacity-scheduler"}
    assert classifications == (gpu if name == "gpu" else set())
    cluster.close()
    assert made.state == "TERMINATED"
