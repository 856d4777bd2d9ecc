"""examples/breast_cancer.py, with settings that are too small to learn much, and what it stands on."""

from __future__ import annotations

import numpy as np
import pytest

SMALL = ("--folds", "2", "--repeats", "2", "--ensemble", "2", "--iterations", "2")


def test_an_endpoint_is_told_with_its_seeds_its_constant_answer_and_four_pictures(run_example, pictures):
    said = run_example("breast_cancer.py", *SMALL, "--endpoint", "24 months")
    assert "seeds of the folds: 0 1" in said
    assert "seeds of the networks in each fold: 0 1" in said
    assert "0.8165" in said, "always N: 129 of 158"
    assert pictures() == [
        "24_months_calibration",
        "24_months_confusion",
        "24_months_error_curves",
        "24_months_roc",
    ]


@pytest.mark.usefixtures("public_data", "examples_on_path")
class TestTheProblem:
    """What `prognosis` says of the three endpoints."""

    def test_the_cube_root_has_an_inverse_and_takes_zeros_and_another_unit(self):
        from prognosis import CubeRootStandardizer

        x = np.array([[0.0, 1.0], [8.0, 27.0], [64.0, 1000.0]])
        fitted = CubeRootStandardizer().fit(x)
        np.testing.assert_allclose(fitted.inverse(fitted.transform(x)), x, atol=1e-12)
        np.testing.assert_allclose(fitted.transform(x)[:, 0], np.array([-2, 0, 2]) / np.sqrt(8 / 3))
        np.testing.assert_allclose(
            CubeRootStandardizer().fit(1000 * x).transform(1000 * x), fitted.transform(x)
        )

    def test_the_median_is_off_by_the_literatures_17_7_months(self):
        """Each case is predicted by the median of the others."""
        from prognosis import ENDPOINTS

        endpoint = ENDPOINTS["time"]
        data = endpoint.data()
        answers = np.empty(data.targets.shape)
        for rows in endpoint.folds(data, 10, 0):
            answers[rows] = endpoint.constant_answer(data.rows(np.setdiff1d(np.arange(len(data)), rows)))
        assert endpoint.report(data, answers).scores["MAE"] == pytest.approx(17.7, abs=0.05)

    @pytest.mark.parametrize(("name", "majority"), [("24 months", 129 / 158), ("recurrence", 151 / 198)])
    def test_the_constant_answer_is_the_majority_line_and_ranks_nobody(self, name, majority):
        from prognosis import ENDPOINTS

        endpoint = ENDPOINTS[name]
        data = endpoint.data()
        scores = endpoint.report(data, np.tile(endpoint.constant_answer(data), (len(data), 1))).scores
        assert scores["accuracy"] == pytest.approx(majority)
        assert scores["AUC"] == 0.5

    def test_times_are_left_out_one_by_one_and_classes_in_equal_shares(self):
        from prognosis import ENDPOINTS

        times = ENDPOINTS["time"].data()
        assert [len(rows) for rows in ENDPOINTS["time"].folds(times, 10, 0)] == [1] * 47
        cases = ENDPOINTS["24 months"].data()
        for rows in ENDPOINTS["24 months"].folds(cases, 10, 0):
            assert cases.rows(rows).class_counts["R"] in (2, 3)

    def test_no_test_case_has_a_part_in_the_choice_or_the_scales(self):
        """Test cases that are changed beyond recognition leave the trained weights as they are."""
        import argparse

        from breast_cancer import chosen, train
        from prognosis import ENDPOINTS

        import neuralframe as nf

        endpoint, options = (
            ENDPOINTS["24 months"],
            argparse.Namespace(
                rule=None,
                engine="threads",
                workers=1,
                iterations=3,
                ensemble=1,
                normalizer="cube_root_standardizer",
            ),
        )
        data = endpoint.data()
        rows = endpoint.folds(data, 5, 0)[0]
        training = data.rows(np.setdiff1d(np.arange(len(data)), rows)).refilled()
        test = data.rows(rows)
        other = nf.DataSet(np.zeros_like(test.inputs), test.targets[::-1], encoding=test.encoding)
        setting = chosen(endpoint, training, options)
        weights = [
            train(endpoint, setting, training, watched, options)[0].network.weights
            for watched in (test.refilled(like=training), other)
        ]
        np.testing.assert_array_equal(*weights)
