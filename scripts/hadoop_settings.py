"""The configuration of a local Hadoop: addresses on 127.0.0.1, short waits, small containers."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from hadoop_folder import Folder, Java

OPENED_PACKAGES: Final = (
    "java.lang", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util", "java.util.concurrent",
    "sun.nio.ch",
)  # fmt: skip
"""Hadoop 3.4 looks into these packages of Java 17."""

JAVA_FLAGS: Final = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Xshare:auto",
    "-Djava.net.preferIPv4Stack=true",
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED_PACKAGES),
)
"""For processes that live for seconds on few cores: what takes least time to start."""

COMMANDS: Final = {
    "version": "org.apache.hadoop.util.VersionInfo",
    "fs": "org.apache.hadoop.fs.FsShell",
    "jar": "org.apache.hadoop.util.RunJar",
    "job": "org.apache.hadoop.mapred.JobClient",
    "dfsadmin": "org.apache.hadoop.hdfs.tools.DFSAdmin",
}
"""What the launcher ``bin/hadoop`` understands beside ``classpath``."""

LAUNCHER: Final = """\
#!/bin/sh
# The `hadoop` command over the jars of this folder; written by local_hadoop.py.
classpath={classpath}"${{HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}}"
command=${{1:-}}
[ $# -gt 0 ] && shift
case $command in
  classpath) printf '%s\\n' "$classpath"; exit ;;
{cases}
  *) echo "hadoop: knows the commands classpath {commands}; not '$command'" >&2; exit 2 ;;
esac
exec {java} -Xmx512m {flags} $HADOOP_CLIENT_OPTS -cp "$classpath" "$main" "$@"
"""

LOG4J: Final = """\
log4j.rootLogger=INFO,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{yy/MM/dd HH:mm:ss} %p %c{2}: %m%n
# mrjob takes any warning on stderr for a failure, and there never are native libraries here.
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
log4j.logger.org.apache.hadoop.hdfs.protocol.datatransfer.sasl=WARN
"""


def core_site(folder: Folder, ports: dict[str, int]) -> dict[str, object]:
    """Return core-site.xml's settings."""
    return {
        "fs.defaultFS": f"hdfs://127.0.0.1:{ports['namenode']}",
        "hadoop.tmp.dir": folder.data / "tmp",
        # Two tries, not fifty: everything is on this machine, so what does not answer is not there.
        "ipc.client.connect.max.retries": 2,
        "ipc.client.connect.retry.interval": 200,
    }


def hdfs_site(folder: Folder, ports: dict[str, int]) -> dict[str, object]:
    """Return hdfs-site.xml's settings."""
    return {
        "dfs.replication": 1,
        "dfs.namenode.name.dir": (folder.data / "name").as_uri(),
        "dfs.datanode.data.dir": (folder.data / "blocks").as_uri(),
        "dfs.namenode.rpc-address": f"127.0.0.1:{ports['namenode']}",
        "dfs.namenode.http-address": f"127.0.0.1:{ports['namenode-http']}",
        "dfs.datanode.address": f"127.0.0.1:{ports['datanode']}",
        "dfs.datanode.http.address": f"127.0.0.1:{ports['datanode-http']}",
        "dfs.datanode.ipc.address": f"127.0.0.1:{ports['datanode-ipc']}",
        "dfs.datanode.hostname": "127.0.0.1",
        "dfs.namenode.datanode.registration.ip-hostname-check": "false",
        "dfs.namenode.safemode.extension": 0,
        "dfs.permissions.enabled": "false",
        # A file is closed as soon as its last block is known to the NameNode, and not 400 ms later.
        "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": 5,
        "dfs.namenode.file.close.num-committed-allowed": 1,
    }


def yarn_site(folder: Folder, ports: dict[str, int], memory: int) -> dict[str, object]:
    """Return yarn-site.xml's settings."""
    return {
        "yarn.resourcemanager.hostname": "127.0.0.1",
        "yarn.resourcemanager.bind-host": "127.0.0.1",
        "yarn.resourcemanager.address": f"127.0.0.1:{ports['resourcemanager']}",
        "yarn.resourcemanager.scheduler.address": f"127.0.0.1:{ports['resourcemanager-scheduler']}",
        "yarn.resourcemanager.resource-tracker.address": f"127.0.0.1:{ports['resourcemanager-tracker']}",
        "yarn.resourcemanager.admin.address": f"127.0.0.1:{ports['resourcemanager-admin']}",
        "yarn.resourcemanager.webapp.address": f"127.0.0.1:{ports['resourcemanager-http']}",
        "yarn.nodemanager.hostname": "127.0.0.1",
        "yarn.nodemanager.bind-host": "127.0.0.1",
        "yarn.nodemanager.address": f"127.0.0.1:{ports['nodemanager']}",
        "yarn.nodemanager.localizer.address": f"127.0.0.1:{ports['nodemanager-localizer']}",
        "yarn.nodemanager.webapp.address": f"127.0.0.1:{ports['nodemanager-http']}",
        "yarn.nodemanager.local-dirs": folder.data / "local",
        "yarn.nodemanager.log-dirs": folder.logs / "containers",
        "yarn.nodemanager.aux-services": "mapreduce_shuffle",
        "yarn.nodemanager.aux-services.mapreduce_shuffle.class": "org.apache.hadoop.mapred.ShuffleHandler",
        "yarn.nodemanager.resource.memory-mb": memory,
        "yarn.nodemanager.vmem-check-enabled": "false",
        "yarn.nodemanager.pmem-check-enabled": "false",
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": 99,
        "yarn.scheduler.minimum-allocation-mb": 256,
        "yarn.scheduler.maximum-allocation-mb": memory,
        "yarn.application.classpath": folder.classpath.replace(":", ","),
        # Answers within a tenth of a second instead of one to five.
        "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": 100,
        "yarn.client.application-client-protocol.poll-interval-ms": 50,
        # A NodeManager that is up before the ResourceManager asks again at once.
        "yarn.resourcemanager.connect.retry-interval.ms": 250,
        "yarn.resourcemanager.connect.max-wait.ms": 30_000,
    }


def capacity_scheduler() -> dict[str, object]:
    """Return capacity-scheduler.xml's settings: a single queue."""
    return {
        "yarn.scheduler.capacity.root.queues": "default",
        "yarn.scheduler.capacity.root.default.capacity": 100,
        # A job's master stays five seconds after the job, so the next job's must fit in beside it.
        "yarn.scheduler.capacity.maximum-am-resource-percent": 0.7,
        "yarn.scheduler.capacity.root.default.user-limit-factor": 2,
    }


def mapred_site(folder: Folder, ports: dict[str, int]) -> dict[str, object]:
    """Return mapred-site.xml's settings."""
    return {
        "mapreduce.framework.name": "yarn",
        "mapreduce.application.classpath": folder.classpath.replace(":", ","),
        "mapreduce.shuffle.port": ports["shuffle"],
        "yarn.app.mapreduce.am.staging-dir": "/tmp/hadoop-yarn/staging",  # noqa: S108 - a folder of HDFS
        "yarn.app.mapreduce.am.resource.mb": 512,
        "yarn.app.mapreduce.am.command-opts": master_flags(folder),
        "mapreduce.map.memory.mb": 512,
        "mapreduce.reduce.memory.mb": 512,
        "mapreduce.map.java.opts": task_flags(folder),
        "mapreduce.reduce.java.opts": task_flags(folder),
        "mapreduce.task.io.sort.mb": 64,
        "mapreduce.client.submit.file.replication": 1,
        "yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms": 100,
        "mapreduce.client.progressmonitor.pollinterval": 100,
        "mapreduce.client.completion.pollinterval": 100,
    }


def master_flags(folder: Folder, *, archive: str = "SharedArchiveFile") -> str:
    """Return Java's flags for a job's application master."""
    return container_flags(folder, "384m", f"-XX:{archive}={folder.archive('master')}")


def task_flags(folder: Folder, *, archive: str = "SharedArchiveFile") -> str:
    """Return Java's flags for a map or reduce task."""
    return container_flags(folder, "256m", f"-XX:{archive}={folder.archive('task')}")


def container_flags(folder: Folder, heap: str, archive: str) -> str:
    """Return Java's flags for a container.

    An archive of classes holds for one order of jars, so this names them before what a container adds of
    its own; YARN's CLASSPATH begins with the container's folder.
    """
    own = "job.jar/job.jar:job.jar/classes:job.jar/lib/*:.:./*"
    return f"-Xmx{heap} {' '.join(JAVA_FLAGS)} {archive} -cp {folder.jars}/*:{folder.conf}:{own}"


def configure(folder: Folder, java: Java, ports: dict[str, int], memory: int) -> None:
    """Write the configuration, the launcher and the environment."""
    for name in ("conf", "bin", "logs", "data", "classes"):
        (folder.root / name).mkdir(parents=True, exist_ok=True)
    files = {
        "core-site.xml": core_site(folder, ports),
        "hdfs-site.xml": hdfs_site(folder, ports),
        "yarn-site.xml": yarn_site(folder, ports, memory),
        "capacity-scheduler.xml": capacity_scheduler(),
        "mapred-site.xml": mapred_site(folder, ports),
    }
    for name, settings in files.items():
        (folder.conf / name).write_text(as_xml(settings))
    (folder.conf / "log4j.properties").write_text(LOG4J)
    launcher = folder.root / "bin" / "hadoop"
    launcher.write_text(launcher_text(folder, java))
    launcher.chmod(0o755)
    variables = environment(folder, java)
    (folder.root / "env.json").write_text(json.dumps(variables, indent=2))
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    (folder.root / "env.sh").write_text("".join(lines) + 'export PATH="$HADOOP_HOME/bin:$PATH"\n')


def as_xml(settings: dict[str, object]) -> str:
    """Return a Hadoop configuration file."""
    properties = "".join(
        f"  <property><name>{name}</name><value>{escape(str(value))}</value></property>\n"
        for name, value in settings.items()
    )
    return f'<?xml version="1.0"?>\n<configuration>\n{properties}</configuration>\n'


def launcher_text(folder: Folder, java: Java) -> str:
    """Return the shell script ``bin/hadoop``."""
    return LAUNCHER.format(
        classpath=shlex.quote(folder.classpath),
        java=shlex.quote(java.command),
        flags=" ".join(JAVA_FLAGS),
        cases="\n".join(f"  {name}) main={main} ;;" for name, main in COMMANDS.items()),
        commands=" ".join(COMMANDS),
    )


def environment(folder: Folder, java: Java) -> dict[str, str]:
    """Return the environment in which clients find the cluster."""
    return {
        "JAVA_HOME": str(java.home),
        "HADOOP_HOME": str(folder.root),
        "HADOOP_CONF_DIR": str(folder.conf),
        "HADOOP_STREAMING_JAR": str(folder.streaming_jar),
    }
