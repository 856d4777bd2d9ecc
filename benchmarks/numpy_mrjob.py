"""The same mapper as `numpy_mapper`, as an `MRJob`: what mrjob itself takes comes on top."""

# ruff: noqa: ANN001, ANN201

import binascii

from mrjob.job import MRJob
from mrjob.protocol import BytesValueProtocol
from numpy_mapper import decoded, gradient, read_weights


class SumGradients(MRJob):
    """Sums gradients; a mapper only."""

    INPUT_PROTOCOL = BytesValueProtocol
    OUTPUT_PROTOCOL = BytesValueProtocol

    def configure_args(self):
        """Take the file of the weights."""
        super().configure_args()
        self.add_file_arg("--weights")

    def mapper_init(self):
        """Begin at nothing."""
        self.weights = read_weights(self.options.weights)
        self.total = 0.0

    def mapper(self, _, record):
        """Add a record's gradient."""
        self.total += gradient(self.weights, *decoded(record))

    def mapper_final(self):
        """Hand on the sum."""
        yield None, binascii.b2a_base64(self.total.tobytes(), newline=False)


if __name__ == "__main__":
    SumGradients.run()
