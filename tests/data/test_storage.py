"""Packed data on HDFS and S3: the same samples, few requests, nothing left after a failure."""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import subprocess
import threading
import uuid
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.data import hadoop_storage, remote_storage, s3_storage, storage
from neuralframe.data.packed_header import HEADER_NAME
from neuralframe.exceptions import DataError, MissingPackageError, PackedDataError


def some_data(n=50, seed=0):
    random = np.random.default_rng(seed)
    return nf.DataSet(random.standard_normal((n, 3)), np.eye(3)[np.arange(n) % 3], block_size=8)


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Temporary files go to a folder of their own; remote systems are looked for anew."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    for cached in (remote_storage._s3, remote_storage._hadoop):
        cached.cache_clear()
    yield folder
    gc.collect()
    assert list(folder.iterdir()) == [], "temporary files were left"
    for cached in (remote_storage._s3, remote_storage._hadoop):
        cached.cache_clear()


class TestAddresses:
    @pytest.mark.parametrize(
        ("address", "folder", "name"),
        [
            ("hdfs:///data/a.nfd/", "hdfs:///data/a.nfd", "hdfs:///data/a.nfd/part-00000"),
            ("s3://bucket/a.nfd", "s3://bucket/a.nfd", "s3://bucket/a.nfd/part-00000"),
            ("/data/a.nfd/", "/data/a.nfd", "/data/a.nfd/part-00000"),
            ("file:///data/a%20b.nfd", "/data/a b.nfd", "/data/a b.nfd/part-00000"),
        ],
    )
    def test_addresses_hold_anywhere(self, address, folder, name):
        assert storage.absolute(address) == folder
        assert storage.joined(folder, "part-00000") == name

    def test_a_relative_path_becomes_absolute(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        some_data().pack("a.nfd")
        opened = nf.DataSet.open("a.nfd")
        monkeypatch.chdir("/")
        assert opened.source == str(tmp_path / "a.nfd")
        assert np.array_equal(opened.inputs, some_data().inputs)
        assert nf.DataSet.open((tmp_path / "a.nfd").as_uri()).n_samples == 50


@pytest.fixture(scope="module")
def s3_server():
    """Return the address of a server that speaks as S3 does."""
    server = pytest.importorskip("moto.server", reason="moto stands in for S3: pip install 'moto[server]'")
    started = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    yield f"http://{host}:{port}"
    started.stop()


@pytest.fixture
def bucket(s3_server, monkeypatch):
    """Return an empty bucket and its address."""
    boto3 = pytest.importorskip("boto3")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{uuid.uuid4().hex}"
    made = boto3.resource("s3").Bucket(name)
    made.create()
    return made


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
class TestS3:
    def test_what_is_packed_is_opened(self, bucket, temporary):
        data, address = some_data(), f"s3://{bucket.name}/folder/data.nfd"
        data.pack(address, parts=3)
        names = [HEADER_NAME, "part-00000", "part-00001", "part-00002"][: len(list(bucket.objects.all()))]
        assert {item.key for item in bucket.objects.all()} == {f"folder/data.nfd/{name}" for name in names}
        opened = nf.DataSet.open(address + "/")
        assert opened.source == address
        assert list(temporary.iterdir()) == []
        assert np.array_equal(opened.inputs, data.inputs)
        network = nf.MultilayerPerceptron(3, 3, output="softmax", seed=0)
        mine, theirs = (nf.error_and_gradient(network, each) for each in (opened, data))
        assert mine[0] == theirs[0]
        assert np.array_equal(mine[1], theirs[1])

    def test_a_file_is_copied_once_and_the_copies_go_with_the_data_set(self, bucket, temporary, monkeypatch):
        """Four threads that want the same file wait for one copy."""
        some_data(400).pack(f"s3://{bucket.name}/data.nfd", parts=2)
        copied = []
        download = s3_storage.S3Storage.download
        monkeypatch.setattr(s3_storage.S3Storage, "download", lambda *a: copied.append(a[1]) or download(*a))
        opened = [nf.DataSet.open(f"s3://{bucket.name}/data.nfd")]
        threads = [threading.Thread(target=lambda: list(opened[0].blocks)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(Path(address).name for address in copied) == ["part-00000", "part-00001"]
        assert len(list(temporary.glob("*/part-*"))) == 2
        opened.clear()
        gc.collect()
        assert list(temporary.iterdir()) == []

    def test_what_exists_stays(self, bucket):
        address = f"s3://{bucket.name}/data.nfd"
        some_data().pack(address)
        for options, message in (({}, "exists already"), ({"replace": True}, "cannot replace a folder")):
            with pytest.raises(DataError, match=message):
                some_data(seed=1).pack(address, **options)
        assert np.array_equal(nf.DataSet.open(address).inputs, some_data().inputs)
        some_data().pack(address.removesuffix("d"))

    def test_a_failure_leaves_nothing(self, bucket, monkeypatch):
        """The header is the last to arrive; when it does not, the part files go again."""
        client = remote_storage.storage_of(f"s3://{bucket.name}/data.nfd")._client
        upload = client.upload_file

        def fail(path, name, key):
            if key.endswith(HEADER_NAME):
                raise OSError("the cable was pulled")
            upload(path, name, key)

        monkeypatch.setattr(client, "upload_file", fail, raising=False)
        with pytest.raises(OSError, match="cable"):
            some_data().pack(f"s3://{bucket.name}/data.nfd")
        assert list(bucket.objects.all()) == []

    def test_what_is_missing_is_told(self, bucket):
        for address in (f"s3://{bucket.name}/nothing", f"s3://{bucket.name}"):
            with pytest.raises(PackedDataError, match="is no packed data"):
                nf.DataSet.open(address)
        with pytest.raises(DataError, match="no-such-bucket"):
            nf.DataSet.open("s3://no-such-bucket-anywhere/data.nfd")
        some_data().pack(f"s3://{bucket.name}/data.nfd", parts=2)
        bucket.Object("data.nfd/part-00001").delete()
        with pytest.raises(PackedDataError, match=r"s3://.*/part-00001 is missing"):
            nf.DataSet.open(f"s3://{bucket.name}/data.nfd")

    def test_text_is_read_from_there(self, bucket, tmp_path):
        text = "a,b\n" + "".join(f"{number},{number % 7}\n" for number in range(40))
        bucket.put_object(Key="texts/one.csv", Body=text.encode())
        (tmp_path / "one.csv").write_text(text)
        opened = nf.DataSet.open_csv(f"s3://{bucket.name}/texts/one.csv", "b", block_size=16)
        assert opened.source == f"s3://{bucket.name}/texts/one.csv"
        here = nf.DataSet.from_csv(tmp_path / "one.csv", "b")
        assert np.array_equal(opened.inputs, here.inputs)


def test_s3_without_boto3_says_how_to_install_it(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(s3_storage, "find_spec", lambda name: None if name == "boto3" else find(name))
    with pytest.raises(MissingPackageError, match=r"neuralframe\[aws\]"):
        nf.DataSet.open("s3://bucket/data.nfd")


FAKE_HADOOP = """#!/bin/sh
# `hadoop fs` over local folders: hdfs://fake/x is the folder $FAKE_ROOT/x.
echo "$@" >> "$FAKE_ROOT/../calls"
[ "$1" = fs ] && shift
command=$1; shift
case "$FAKE_FAILS" in *"$command"*) echo "$command: Connection refused" >&2; exit 1;; esac
exec python3 "$FAKE_ROOT/../fake.py" "$command" "$@"
"""

FAKE_FS = r"""
import os, shutil, sys
root = os.environ["FAKE_ROOT"]
def local(path):
    return root + path.removeprefix("hdfs://fake") if path.startswith("hdfs://fake") else path
command, *arguments = sys.argv[1:]
paths = [path for path in arguments if not path.startswith("-")]
status = 0
def missing(path):
    global status
    status = 1
    print(f"{command[1:]}: `{path}': No such file or directory", file=sys.stderr)
if command == "-cat":
    path = local(paths[0])
    sys.stdout.write(open(path).read()) if os.path.isfile(path) else missing(paths[0])
elif command == "-ls":
    for path in paths:
        if not os.path.exists(local(path)):
            missing(path)
            continue
        inside = os.path.isdir(local(path)) and "-d" not in arguments
        for name in sorted(os.listdir(local(path))) if inside else [""]:
            full = os.path.join(local(path), name).rstrip("/")
            kind, size = ("d", 0) if os.path.isdir(full) else ("-", os.path.getsize(full))
            shown = (path.rstrip("/") + "/" + name).rstrip("/")
            print(f"{kind}rw-r--r--   1 me us {size:10} 2026-01-01 00:00 {shown}")
elif command == "-put":
    shutil.copytree(paths[0], local(paths[1]))
elif command == "-get":
    shutil.copy(local(paths[0]), paths[1])
elif command == "-mv":
    os.rename(local(paths[0]), local(paths[1])) if os.path.exists(local(paths[0])) else missing(paths[0])
elif command == "-rm":
    shutil.rmtree(local(paths[0]), ignore_errors=True)
sys.exit(status)
"""


class FakeHadoop:
    """A program named hadoop, for what can be tested without a cluster."""

    def __init__(self, folder, monkeypatch):
        self.root = folder / "hdfs"
        self.root.mkdir(parents=True)
        self._monkeypatch = monkeypatch
        (folder / "fake.py").write_text(FAKE_FS)
        program = folder / "bin" / "hadoop"
        program.parent.mkdir()
        program.write_text(FAKE_HADOOP)
        program.chmod(0o755)
        monkeypatch.setenv("FAKE_ROOT", str(self.root))
        monkeypatch.setenv("HADOOP_HOME", str(folder))

    @contextmanager
    def failing(self, *commands):
        """Let some commands fail."""
        self._monkeypatch.setenv("FAKE_FAILS", " ".join(commands))
        yield
        self._monkeypatch.delenv("FAKE_FAILS")

    def calls(self):
        """Return the commands since the last call."""
        path = self.root.parent / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line.split()[1] for line in lines]


@pytest.fixture
def hadoop(tmp_path, monkeypatch):
    return FakeHadoop(tmp_path / "fake", monkeypatch)


class TestHadoop:
    def test_what_is_packed_is_opened_with_few_commands(self, hadoop):
        """Each is a Java process, so they are counted."""
        data = some_data()
        data.pack("hdfs://fake/data.nfd", parts=2)
        assert hadoop.calls() == ["-ls", "-put", "-mv"]
        opened = nf.DataSet.open("hdfs://fake/data.nfd")
        assert hadoop.calls() == ["-cat", "-ls"]
        assert np.array_equal(opened.inputs, data.inputs)
        list(opened.blocks)
        assert hadoop.calls() == ["-get", "-get"]

    def test_what_exists_stays_unless_it_is_to_be_replaced(self, hadoop):
        address = "hdfs://fake/data.nfd"
        some_data().pack(address)
        with pytest.raises(DataError, match="exists already"):
            some_data(seed=1).pack(address)
        some_data(seed=1).pack(address, replace=True)
        assert np.array_equal(nf.DataSet.open(address).inputs, some_data(seed=1).inputs)
        (hadoop.root / "letters").mkdir()
        with pytest.raises(DataError, match="is not packed data"):
            some_data().pack("hdfs://fake/letters", replace=True)
        assert sorted(path.name for path in hadoop.root.iterdir()) == ["data.nfd", "letters"]

    @pytest.mark.parametrize("command", ["-put", "-mv"])
    @pytest.mark.parametrize("replace", [False, True])
    def test_a_failure_leaves_nothing_and_loses_nothing(self, hadoop, command, replace):
        if replace:
            some_data().pack("hdfs://fake/data.nfd")
        with hadoop.failing(command), pytest.raises(DataError, match="Connection refused"):
            some_data(seed=1).pack("hdfs://fake/data.nfd", replace=replace)
        assert [path.name for path in hadoop.root.iterdir()] == ["data.nfd"] * replace
        if replace:
            assert np.array_equal(nf.DataSet.open("hdfs://fake/data.nfd").inputs, some_data().inputs)

    def test_what_is_missing_is_told(self, hadoop):
        with pytest.raises(PackedDataError, match="is no packed data"):
            nf.DataSet.open("hdfs://fake/nothing")
        with pytest.raises(DataError, match="there is no folder 'hdfs://fake/nowhere/'"):
            some_data().pack("hdfs://fake/nowhere/data.nfd")
        with hadoop.failing("-cat"), pytest.raises(DataError, match="Connection refused"):
            nf.DataSet.open("hdfs://fake/data.nfd")

    def test_without_the_program_it_is_told_what_to_install(self, monkeypatch, tmp_path):
        for name in os.environ:
            if name.startswith("HADOOP"):
                monkeypatch.delenv(name)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(DataError, match="needs the program hadoop"):
            nf.DataSet.open("hdfs://fake/data.nfd")

    def test_the_program_is_that_which_mrjob_finds(self, hadoop):
        assert hadoop_storage.HadoopStorage()._program == [str(hadoop.root.parent / "bin" / "hadoop")]


@pytest.fixture
def cluster(monkeypatch):
    """Return the address of an empty folder on a cluster that runs."""
    folder = os.environ.get("NEURALFRAME_HADOOP")
    if folder is None:
        pytest.skip("NEURALFRAME_HADOOP names no folder of a cluster (scripts/local_hadoop.py)")
    for name, value in json.loads((Path(folder) / "env.json").read_text()).items():
        monkeypatch.setenv(name, value)
    hadoop = str(Path(folder) / "bin" / "hadoop")
    address = f"hdfs:///test-{uuid.uuid4().hex}"
    subprocess.run([hadoop, "fs", "-mkdir", address], check=True, capture_output=True)
    yield address
    subprocess.run([hadoop, "fs", "-rm", "-r", "-skipTrash", address], check=True, capture_output=True)


@pytest.mark.hadoop
class TestCluster:
    def test_real_hdfs_does_what_the_fake_does(self, cluster):
        """Packed, opened, refused, replaced, read; and nothing else is in the folder then."""
        data, address = some_data(), f"{cluster}/data.nfd"
        data.pack(address, parts=2)
        opened = nf.DataSet.open(address)
        assert np.array_equal(opened.inputs, data.inputs)
        with pytest.raises(DataError, match="exists already"):
            data.pack(address)
        some_data(seed=1).pack(address, replace=True)
        assert np.array_equal(nf.DataSet.open(address).inputs, some_data(seed=1).inputs)
        assert storage.lengths(cluster) == {}
        assert set(storage.lengths(address)) == {HEADER_NAME, "part-00000"}
        with pytest.raises(PackedDataError, match="is no packed data"):
            nf.DataSet.open(f"{cluster}/nothing")
        with pytest.raises(DataError, match="there is no folder"):
            data.pack(f"{cluster}/nowhere/data.nfd")
