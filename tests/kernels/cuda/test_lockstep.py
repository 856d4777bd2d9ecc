"""The emulator itself: it must compute what a device computes, and fail where a device may do anything."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.kernels.cuda.lockstep import DivergenceError, launch
from tests.kernels.cuda.watched import RaceError

cuda = None  # the emulator puts its own in place
float32, float64, int32, uint64 = np.float32, np.float64, np.int32, np.uint64


def block_sums(n_threads, *, waits=True):
    """Return a kernel that adds each block's numbers in a tree through shared memory."""

    def kernel(numbers, sums):
        t = uint64(cuda.threadIdx.x)
        parts = cuda.shared.array(n_threads, float32)
        parts[t] = numbers[uint64(cuda.grid(1))]
        step = n_threads // 2
        while step > 0:
            if waits:
                cuda.syncthreads()
            if t < step:
                parts[t] += parts[t + uint64(step)]
            step //= 2
        if t == 0:
            sums[cuda.blockIdx.x] = parts[0]

    return kernel


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("watch", [False, True])
def test_barriers_order_what_threads_do_in_shared_memory(seed, watch):
    numbers = np.arange(256, dtype=np.float32)
    sums = np.full(4, np.nan, np.float32)
    launch(block_sums(64), 4, 64, numbers, sums, seed=seed, watch=watch)
    assert sums.tolist() == numbers.reshape(4, 64).sum(axis=1).tolist()


def test_a_missing_barrier_shows_in_the_numbers():
    numbers = np.ones(64, np.float32)
    found = []
    for seed in range(4):
        sums = np.full(1, np.nan, np.float32)
        launch(block_sums(64, waits=False), 1, 64, numbers, sums, seed=seed)
        found.append(float(sums[0]))
    assert any(found_sum != 64.0 for found_sum in found)


def test_a_missing_barrier_is_named():
    with pytest.raises(RaceError, match="no barrier lies between"):
        launch(
            block_sums(64, waits=False), 1, 64, np.ones(64, np.float32), np.ones(1, np.float32), watch=True
        )


def test_a_write_over_what_another_thread_has_read_is_a_race():
    def kernel(result):
        t = cuda.threadIdx.x
        shared = cuda.shared.array(64, float32)
        shared[t] = float32(t)
        cuda.syncthreads()
        result[t] = shared[63 - t]
        shared[t] = float32(0)

    launch(kernel, 1, 64, np.empty(64, np.float32))
    with pytest.raises(RaceError, match="no barrier lies between"):
        launch(kernel, 1, 64, np.empty(64, np.float32), watch=True)


def test_two_blocks_that_write_to_one_place_are_a_race():
    def kernel(result):
        result[cuda.threadIdx.x] = float32(1)

    with pytest.raises(RaceError, match="block 1 writes"):
        launch(kernel, 2, 8, np.empty(8, np.float32), watch=True)


def test_an_index_below_zero_is_refused_when_watched():
    def kernel(result):
        result[cuda.threadIdx.x - 1] = float32(1)

    with pytest.raises(IndexError, match="-1"):
        launch(kernel, 1, 8, np.empty(8, np.float32), watch=True)


def test_a_barrier_that_some_threads_pass_by_is_refused():
    def kernel(result):
        if cuda.threadIdx.x < 40:
            cuda.syncthreads()
        result[cuda.threadIdx.x] = float32(1)

    with pytest.raises(DivergenceError, match=r"kernel, line \d+"):
        launch(kernel, 1, 64, np.empty(64, np.float32))


def test_a_barrier_that_whole_warps_pass_by_is_refused():
    def kernel(result):
        if cuda.threadIdx.x < 32:
            cuda.syncthreads()
        result[cuda.threadIdx.x] = float32(1)

    with pytest.raises(DivergenceError, match="warps of a block"):
        launch(kernel, 1, 64, np.empty(64, np.float32))


def test_a_shuffle_that_half_a_warp_takes_part_in_is_refused():
    def kernel(result):
        if cuda.threadIdx.x < 16:
            result[cuda.threadIdx.x] = cuda.shfl_xor_sync(0xFFFFFFFF, float32(1), 1)

    with pytest.raises(DivergenceError, match="threads of a warp"):
        launch(kernel, 1, 32, np.empty(32, np.float32))


def test_sums_in_floating_point_atomics_are_refused():
    def kernel(result):
        cuda.atomic.add(result, 0, float32(1))

    with pytest.raises(AssertionError, match="depends on the order"):
        launch(kernel, 1, 32, np.zeros(1, np.float32))


def test_integer_atomics_hand_out_every_ticket_once():
    def kernel(tickets, given):
        given[cuda.grid(1)] = cuda.atomic.add(tickets, 0, 1)

    tickets, given = np.zeros(1, np.int32), np.full(96, -1, np.int32)
    launch(kernel, 3, 32, tickets, given, seed=5)
    assert sorted(given) == list(range(96))
    assert tickets[0] == 96


def test_shuffles_hand_numbers_across_a_warp():
    def kernel(across, down, up, first, votes):
        t = cuda.threadIdx.x
        value = float32(t)
        across[t] = cuda.shfl_xor_sync(0xFFFFFFFF, value, 3)
        down[t] = cuda.shfl_down_sync(0xFFFFFFFF, value, 4)
        up[t] = cuda.shfl_up_sync(0xFFFFFFFF, value, 4)
        first[t] = cuda.shfl_sync(0xFFFFFFFF, value, 0)
        votes[t] = cuda.ballot_sync(0xFFFFFFFF, t % 2 == 0)

    across, down, up, first, votes = np.empty((5, 64))
    launch(kernel, 1, 64, across, down, up, first, votes)
    lane, start = np.arange(64) % 32, np.arange(64) // 32 * 32
    assert np.array_equal(across, start + (lane ^ 3))
    assert np.array_equal(down, start + np.where(lane + 4 < 32, lane + 4, lane))
    assert np.array_equal(up, start + np.where(lane >= 4, lane - 4, lane))
    assert np.array_equal(first, start)
    assert set(votes) == {float(0x55555555)}


def test_device_functions_may_wait_and_share_memory():
    def warp_sum(value):
        for step in (16, 8, 4, 2, 1):
            value += cuda.shfl_xor_sync(0xFFFFFFFF, value, step)
        return value

    def kernel(numbers, sums):
        total = warp_sum(numbers[cuda.grid(1)])
        if cuda.laneid == 0:
            sums[cuda.threadIdx.x // 32] = total

    sums = np.empty(2, np.float32)
    launch(kernel, 1, 64, np.arange(64, dtype=np.float32), sums)
    assert sums.tolist() == [496.0, 1520.0]


def test_numbers_have_the_types_that_a_device_gives_them():
    seen = []

    def kernel(values):
        x = values[0]
        seen.append(type(x * float32(2.0)))
        seen.append(type(math.exp(x)))
        seen.append(type(x * 2.0))  # a float64 constant: a trap that costs a GPU dearly
        seen.append(type(uint64(3)))

    launch(kernel, 1, 1, np.ones(1, np.float32))
    assert seen == [np.float32, np.float32, np.float64, int]


def test_memory_starts_poisoned_in_every_block():
    def kernel(shared_values, local_values, dynamic_values):
        t = cuda.threadIdx.x
        shared = cuda.shared.array((2, 4), float32)
        local = cuda.local.array(4, float64)
        dynamic = cuda.shared.array(0, float32)
        shared_values[cuda.blockIdx.x, t] = shared[0, t]
        local_values[cuda.blockIdx.x, t] = local[t]
        dynamic_values[cuda.blockIdx.x, t] = dynamic[t]
        cuda.syncthreads()
        shared[0, t] = local[t] = dynamic[t] = float32(1)

    arrays = np.zeros((3, 2, 4))
    launch(kernel, 2, 4, *arrays, shared_bytes=16)
    assert np.isnan(arrays).all()


def test_a_kernel_of_many_dimensions_sees_its_place():
    def kernel(places):
        x, y = cuda.grid(2)
        places[x, y] = cuda.gridsize(1) * 100 + cuda.blockIdx.y * 10 + cuda.threadIdx.x

    places = np.full((6, 2), -1, int32)
    launch(kernel, (2, 2), 3, places, seed=1)
    assert places.T.tolist() == [[600, 601, 602] * 2, [610, 611, 612] * 2]
