"""What pytest leaves out of the doctests where an optional package is missing."""

from importlib.util import find_spec

NEEDS = {"boto3": ["neuralframe/mapreduce/mrjob_emr_runner.py"]}

collect_ignore = [path for package, paths in NEEDS.items() if find_spec(package) is None for path in paths]
