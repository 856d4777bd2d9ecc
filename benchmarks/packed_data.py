"""Packed data: how fast blocks are written and read, beside CSV, JSON and pickle; and the memory it takes.

python benchmarks/packed_data.py
"""

from __future__ import annotations

import binascii
import json
import pickle
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
from measure import keep, medians, table

import neuralframe as nf
from neuralframe.data import packed_data_set
from neuralframe.data.block_record import KEY_BYTES, read_block, write_block
from neuralframe.data.text_samples import blocks_of_file

MB = 1e6
SAMPLES, INPUTS, CLASSES = 4096, 400, 10
BLOCK_SIZE = 1024
TOKEN = b"8 bytes!"
REPEATS = 15


def samples(dtype: str = "float64", *, digits: int | None = None) -> nf.DataSet:
    """Return random inputs, perhaps of so many digits after the point, and classes."""
    random = np.random.default_rng(0)
    inputs = random.standard_normal((SAMPLES, INPUTS)).astype(dtype)
    inputs = inputs if digits is None else np.round(inputs, digits)
    targets = np.eye(CLASSES)[random.integers(0, CLASSES, SAMPLES)]
    return nf.DataSet(inputs, targets, block_size=BLOCK_SIZE)


def megabytes(data: nf.DataSet) -> float:
    """Return the size of the samples as numbers in memory."""
    return (data.inputs.nbytes + data.targets.nbytes) / MB


def write_csv(data: nf.DataSet, path: Path) -> None:
    """Write the samples as text with a column for the class."""
    names = [f"x{column}" for column in range(INPUTS)]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join([*names, "class"]) + "\n")
        for row, label in zip(data.inputs.tolist(), data.classes.tolist(), strict=True):
            file.write(",".join(map(repr, row)) + f",c{label}\n")


def unpickled(text: bytes) -> object:
    """Return what our own pickle in base64 holds."""
    return pickle.loads(binascii.a2b_base64(text))  # noqa: S301


def formats() -> str:
    """Compare records of one block: bytes, and the time to write and to read them."""
    parts = []
    for dtype in ("float64", "float32"):
        block = samples(dtype).blocks[0]
        size = (block.inputs.nbytes + block.targets.nbytes) / MB
        arrays = (block.inputs, block.targets)
        written = {
            "packed": write_block(block, TOKEN),
            "pickle in base64": binascii.b2a_base64(pickle.dumps(arrays)),
            "JSON": json.dumps([array.tolist() for array in arrays]).encode(),
        }
        found = medians(
            {
                "write packed": lambda b=block: write_block(b, TOKEN),
                "write pickle in base64": lambda a=arrays: binascii.b2a_base64(pickle.dumps(a)),
                "write JSON": lambda a=arrays: json.dumps([array.tolist() for array in a]),
                "read packed": lambda w=written: read_block(w["packed"], ""),
                "read pickle in base64": lambda w=written: unpickled(w["pickle in base64"]),
                "read JSON": lambda w=written: [np.array(rows) for rows in json.loads(w["JSON"])],
            },
            REPEATS,
        )
        rows = [
            [name, f"{len(text) / MB / size:.2f}"]
            + [f"{size / found[f'{way} {name}'][0]:,.0f}" for way in ("write", "read")]
            for name, text in written.items()
        ]
        head = [
            f"one block of {dtype}, {size:.1f} MB",
            "bytes, times those in memory",
            "write MB/s",
            "read MB/s",
        ]
        parts.append(table(head, rows))
    return "## A record\n\nMB of numbers in memory a second.\n\n" + "\n\n".join(parts)


def stages() -> str:
    """Tell what reading a record consists of."""
    block = samples().blocks[0]
    record = write_block(block, TOKEN)
    text = memoryview(record)[KEY_BYTES:-1]
    content = binascii.a2b_base64(text)
    values = np.frombuffer(content, np.float64, len(content) // 8)
    size = (block.inputs.nbytes + block.targets.nbytes) / MB
    found = medians(
        {
            "all of it": lambda: read_block(record, ""),
            "base64": lambda: binascii.a2b_base64(text, strict_mode=True),
            "checksum": lambda: zlib.crc32(content),
            "are all numbers finite": lambda: np.isfinite(values).all(),
        },
        30,
    )
    rows = [
        [name, f"{took * 1e3:.2f} ± {iqr * 1e3:.2f}", f"{size / took:,.0f}"]
        for name, (took, iqr) in found.items()
    ]
    return "## The stages of reading a block\n\n" + table([f"{size:.1f} MB", "ms", "MB/s"], rows)


def ways(folder: Path) -> str:
    """Compare ways from files to blocks and back, end to end."""
    data = samples(digits=4)
    text, packed = folder / "data.csv", folder / "data.nfd"
    write_csv(data, text)
    data.pack(packed)
    source = nf.DataSet.open_csv(text, "class", block_size=BLOCK_SIZE).blocks.parts[0]
    description = source.description(source.files[0])
    packed_data_set.KEPT_BYTES = 0
    network = nf.MultilayerPerceptron(INPUTS, 25, CLASSES, hidden="sigmoid", output="softmax", seed=0)
    engine = nf.InProcessEngine(1)
    opened = nf.DataSet.open(packed)
    found = medians(
        {
            "pack arrays": lambda: data.pack(folder / "a.nfd", replace=True),
            "pack CSV as it goes by": lambda: nf.pack_csv(text, folder / "b.nfd", "class", replace=True),
            "pack CSV, standardized": lambda: nf.pack_csv(
                text, folder / "c.nfd", "class", normalize="standardizer", replace=True
            ),
            "read packed blocks, nothing kept": lambda: list(opened.blocks),
            "encode CSV in the mapper": lambda: list(blocks_of_file(text, description)),
            "gradient of 400-25-10, in memory": lambda: nf.error_and_gradient(network, data, engine=engine),
            "the same, packed, nothing kept": lambda: nf.error_and_gradient(network, opened, engine=engine),
        },
        5,
    )
    size = megabytes(data)
    rows = [
        [name, f"{took:.3f} ± {iqr:.3f}", f"{size / took:,.1f}", f"{took / size * 1e3:.1f}"]
        for name, (took, iqr) in found.items()
    ]
    head = [f"{SAMPLES:,} x {INPUTS}, {size:.0f} MB", "seconds", "MB/s", "ms/MB"]
    note = (
        f"The text, of four digits after the point, has {text.stat().st_size / MB:.0f} MB; MB/s are of "
        "numbers in memory. Writing includes fsync."
    )
    return f"## Data sets\n\n{note}\n\n" + table(head, rows)


PROGRAM = """
import re, sys
import neuralframe as nf
def peak():  # getrusage would tell the largest of this program and the one that started it
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
network = nf.MultilayerPerceptron(400, 25, 10, output="softmax", seed=0)
nf.error_and_gradient(network, nf.DataSet([[0.0] * 400], [[1.0] + [0.0] * 9]), engine=nf.InProcessEngine(1))
before = peak()
exec(sys.argv[1])
print(peak() - before)
"""


def memory(folder: Path) -> str:
    """Measure what work on data adds to the largest resident memory, in processes of their own."""
    small, large = folder / "small.nfd", folder / "large.nfd"
    samples().pack(small)
    random = np.random.default_rng(0)
    inputs = random.standard_normal((2**15, INPUTS))
    nf.DataSet(inputs, np.eye(CLASSES)[np.arange(2**15) % CLASSES], block_size=BLOCK_SIZE).pack(large)
    none = "import neuralframe.data.packed_data_set as p; p.KEPT_BYTES = 0; "
    gradient = "nf.error_and_gradient(network, nf.DataSet.open({path!r}), engine=nf.InProcessEngine(1))"
    cases = {
        "gradient, 13 MB packed, nothing kept": none + gradient.format(path=str(small)),
        "gradient, 107 MB packed, nothing kept": none + gradient.format(path=str(large)),
        "all of 107 MB as arrays": none + f"nf.DataSet.open({str(large)!r}).inputs",
        "pack 107 MB again": none + f"nf.DataSet.open({str(large)!r}).pack({str(folder / 'again.nfd')!r})",
        "pack CSV": f"nf.pack_csv({str(folder / 'data.csv')!r}, {str(folder / 'd.nfd')!r}, 'class', "
        f"block_size={BLOCK_SIZE}, normalize='standardizer')",
    }
    rows = []
    for name, code in cases.items():
        command = [sys.executable, "-c", PROGRAM, code]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        rows.append([name, f"{float(done.stdout):.0f}"])
    head = "## Memory\n\nWhat is added to the largest resident memory of a process; a block has 3.4 MB.\n\n"
    return head + table(["work", "MiB"], rows)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        keep("packed_data", "Packed data", [formats(), stages(), ways(Path(name)), memory(Path(name))])
