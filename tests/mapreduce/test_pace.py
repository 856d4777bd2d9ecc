"""When an engine hands blocks to its pool."""

from __future__ import annotations

from neuralframe.mapreduce.pace import BELIEVED_GAIN, LEAST_GAIN, LONGEST_REST, WORTH_A_HAND_OFF, Pace


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


def rest_after_failure(pace):
    """Return for how many jobs the pool is not used after it did not gain."""
    pace.mapped_together(10, 10.0, 2)
    return [pace.is_worth_sharing(10) for _ in range(LONGEST_REST + 1)].index(True)


def test_a_pool_that_did_not_gain_rests_longer_each_time_and_is_tried_again():
    """One failure may be a neighbour's doing; a network too narrow for threads fails each time."""
    pace = Pace()
    pace.mapped_alone(1, 1.0)
    assert [rest_after_failure(pace) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 32, 32]
    pace.mapped_together(10, 5.0, 2)
    assert rest_after_failure(pace) == 1


def test_a_pool_that_gained_is_used_again_at_once():
    pace = Pace()
    pace.mapped_alone(1, 1.0)
    pace.mapped_together(10, 10.0 / (LEAST_GAIN + 0.1), 2)
    assert pace.is_worth_sharing(10)


def test_a_gain_beyond_belief_has_the_next_job_time_a_block_again():
    """The first block is slow where a kernel is compiled for it; what it taught must not last."""
    pace = Pace()
    pace.mapped_alone(1, 1.0)
    pace.mapped_together(10, 10.0 / (2 * BELIEVED_GAIN + 0.1), 2)
    assert pace.block_seconds is None
    assert not pace.is_worth_sharing(10)


def test_work_is_too_small_only_where_that_is_known():
    pace = Pace()
    assert pace.is_too_small(1)
    assert not pace.is_too_small(2)
    pace.mapped_alone(1, WORTH_A_HAND_OFF / 4)
    assert pace.is_too_small(3)
    assert not pace.is_too_small(4)
