"""examples/abalone.py, with settings that are too small to learn much."""

from __future__ import annotations

SMALL = ("--seeds", "2", "--iterations", "3", "--folds", "2", "--repeats", "1")


def test_both_tasks_are_told_with_their_seeds_their_constant_answers_and_four_pictures(run_example, pictures):
    said = run_example("abalone.py", *SMALL)
    assert "one network, mean of 2 seed(s)" in said
    assert "always the largest class: 37.07%" in said, "387 of 1044, counted in the file"
    assert "always the mean of the 3133: 3.0665" in said
    assert "4177 samples, 2 stratified folds, once, 1 network in each; seed 0" in said
    assert pictures() == [
        "classes_confusion",
        "classes_error_curves",
        "rings_error_curves",
        "rings_predicted",
    ]


def test_another_rule_and_another_engine_are_taken_by_name(run_example):
    options = ("--task", "rings", "--rule", "gradient_descent", "--engine", "mrjob:inline")
    assert "rings: all samples, in folds" in run_example("abalone.py", *SMALL, *options)
