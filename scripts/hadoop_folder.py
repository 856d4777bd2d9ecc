"""What a local Hadoop needs before it can run: Java, the jars, and a folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HADOOP_VERSION: Final = "3.4.2"

JAVA_VERSIONS: Final = range(17, 22)
"""Java below 17 does not know the flags below; from 22 on, parts that Hadoop needs are on their way out."""

POM: Final = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>neuralframe</groupId><artifactId>local-hadoop</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>{dependencies}
  </dependencies>
</project>
"""

DEPENDENCY: Final = """
    <dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"""

DEPENDENCIES: Final = (
    ("org.apache.hadoop", "hadoop-minicluster", HADOOP_VERSION),
    ("org.apache.hadoop", "hadoop-yarn-server-timelineservice", HADOOP_VERSION),
    ("org.apache.hadoop", "hadoop-streaming", HADOOP_VERSION),
    ("javax.activation", "javax.activation-api", "1.2.0"),
)
"""The least that brings all four daemons, the client and Hadoop Streaming."""


class ProblemError(Exception):
    """Something that the user can put right; shown without a traceback."""


@dataclass(frozen=True)
class Java:
    """A Java that is fit to run Hadoop."""

    home: Path

    @property
    def command(self) -> str:
        """The path of the ``java`` program."""
        return str(self.home / "bin" / "java")

    @classmethod
    def find(cls) -> Java:
        """Return the Java of JAVA_HOME, or else the one on the PATH."""
        home = os.environ.get("JAVA_HOME")
        command = str(Path(home) / "bin" / "java") if home else "java"
        try:
            told = subprocess.run(
                [command, "-XshowSettings:properties", "-version"], capture_output=True, text=True, check=True
            ).stderr
        except (OSError, subprocess.CalledProcessError) as problem:
            raise ProblemError(
                f"no Java: {command!r} does not run ({problem}). Install Java 17 (Debian: "
                "openjdk-17-jre-headless, macOS: brew install openjdk@17) and set JAVA_HOME to it."
            ) from problem
        settings = dict(re.findall(r"^ *([\w.]+) = (.*)$", told, re.MULTILINE))
        version = settings.get("java.specification.version", "?")
        if not version.isdigit() or int(version) not in JAVA_VERSIONS:
            raise ProblemError(
                f"{command!r} is Java {version}; Hadoop {HADOOP_VERSION} needs Java {JAVA_VERSIONS[0]} "
                f"(up to {JAVA_VERSIONS[-1]} will do). Install it and set JAVA_HOME to it."
            )
        return cls(Path(settings["java.home"]))


@dataclass(frozen=True)
class Folder:
    """Where a cluster keeps its things."""

    root: Path
    jars: Path

    def check(self) -> None:
        """Refuse names that Java's class path and YARN's shell scripts would cut in two."""
        for path in (self.root, self.jars):
            if re.search(r"[\s:,*$'\"]", str(path)):
                raise ProblemError(
                    f"Hadoop cannot live in {str(path)!r}: use a folder without spaces or signs"
                )

    @property
    def conf(self) -> Path:
        """Hadoop's configuration files."""
        return self.root / "conf"

    @property
    def logs(self) -> Path:
        """One log file for each daemon, and the containers' logs."""
        return self.root / "logs"

    @property
    def data(self) -> Path:
        """HDFS's name table and blocks, and YARN's working directories."""
        return self.root / "data"

    @property
    def classpath(self) -> str:
        """The configuration and the jars, as Java wants them."""
        return f"{self.conf}:{self.jars}/*"

    @property
    def streaming_jar(self) -> Path:
        """Hadoop Streaming."""
        return self.jars / f"hadoop-streaming-{HADOOP_VERSION}.jar"

    def archive(self, name: str) -> Path:
        """Return an archive of loaded classes, which the JVMs of a job map instead of reading jars."""
        return self.root / "classes" / f"{name}.jsa"

    def state(self) -> dict[str, Any]:
        """Return what the last start left: ports, processes, jars."""
        path = self.root / "state.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def keep(self, state: dict[str, Any]) -> None:
        """Write the state; a reader sees the old one or the new one."""
        new = self.root / "state.json.new"
        new.write_text(json.dumps(state, indent=2))
        new.replace(self.root / "state.json")


def fetch(folder: Folder) -> None:
    """Have Maven copy Hadoop's jars into the folder; it checks their checksums."""
    java = Java.find()
    maven = shutil.which("mvn")
    if maven is None:
        raise ProblemError(
            "no Maven: the program 'mvn' fetches Hadoop's jars and checks them. Install it (Debian: "
            "apt install maven, macOS: brew install maven); it is needed for 'fetch' only."
        )
    folder.root.mkdir(parents=True, exist_ok=True)
    pom = folder.root / "pom.xml"
    pom.write_text(POM.format(dependencies="".join(DEPENDENCY.format(*names) for names in DEPENDENCIES)))
    print(f"fetching Hadoop {HADOOP_VERSION} (about 100 MB) into {folder.jars}", flush=True)
    fresh = folder.root / "jars.new"
    shutil.rmtree(fresh, ignore_errors=True)
    command = [maven, "-B", "-q", "-C", "-f", str(pom), "dependency:copy-dependencies"]
    command.append(f"-DoutputDirectory={fresh}")
    if subprocess.run(command, check=False, env=os.environ | {"JAVA_HOME": str(java.home)}).returncode:
        raise ProblemError(
            f"Maven could not fetch the jars; its messages are above. Try again: {' '.join(command)}"
        )
    shutil.rmtree(folder.jars, ignore_errors=True)
    fresh.rename(folder.jars)
    shutil.rmtree(folder.root / "classes", ignore_errors=True)
    print(f"{len(list(folder.jars.glob('*.jar')))} jars in {folder.jars}")
