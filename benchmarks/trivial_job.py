"""A job as small as one can be, to measure what mrjob itself takes: it counts the bytes of its input."""

# ruff: noqa: ANN001, ANN201

from mrjob.job import MRJob


class CountBytes(MRJob):
    """Mapper, combiner and reducer, as every job of neuralframe has them; the sum is kept in the mapper."""

    def mapper_init(self):
        """Begin to count."""
        self.total = 0

    def mapper(self, _, line):
        """Count a line."""
        self.total += len(line)

    def mapper_final(self):
        """Hand on the count."""
        yield 0, self.total

    def combiner(self, key, values):
        """Add counts."""
        yield key, sum(values)

    def reducer(self, key, values):
        """Add counts."""
        yield key, sum(values)


if __name__ == "__main__":
    CountBytes.run()
