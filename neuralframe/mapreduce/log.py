"""The logger of the engines, ``neuralframe.mapreduce``: how jobs go, for whoever listens."""

import logging

log = logging.getLogger("neuralframe.mapreduce")
# What mrjob has to say is for who listens to its logger; without a listener it would go to standard error.
logging.getLogger("mrjob").addHandler(logging.NullHandler())
