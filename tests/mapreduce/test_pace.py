"""When an engine hands blocks to its pool."""

from __future__ import annotations

from neuralframe.mapreduce.pace import LEAST_GAIN, RESTS, WORTH_A_HAND_OFF, Pace


def test_nothing_is_shared_before_a_block_was_timed():
    assert not Pace().is_worth_sharing(1000)


def test_work_is_shared_from_a_hand_off_on_and_never_a_single_block():
    pace = Pace()
    pace.mapped_alone(4, 4 * WORTH_A_HAND_OFF)
    assert pace.block_seconds == WORTH_A_HAND_OFF
    assert pace.is_worth_sharing(2)
    assert not pace.is_worth_sharing(1)
    pace.mapped_alone(1, WORTH_A_HAND_OFF / 10)
    assert not pace.is_worth_sharing(9)
    assert pace.is_worth_sharing(10)


def test_a_pool_that_did_not_gain_rests_and_is_tried_again():
    pace = Pace()
    pace.mapped_alone(1, 1.0)
    pace.mapped_together(10, 10.0)
    assert [pace.is_worth_sharing(10) for _ in range(RESTS + 1)].index(True) == RESTS


def test_a_pool_that_gained_is_used_again_at_once():
    pace = Pace()
    pace.mapped_alone(1, 1.0)
    pace.mapped_together(10, 10.0 / (LEAST_GAIN + 0.1))
    assert pace.is_worth_sharing(10)
