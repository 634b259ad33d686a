import threading

import pytest
import torch

from fxkit_signal.compiled.threads import spread


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("items", [0, 1, 2, 7, 16])
def test_shares_cover_every_item_once(threads, items):
    seen, lock = [], threading.Lock()

    def work(first, stop):
        with lock:
            seen.extend(range(first, stop))

    spread(work, items)
    assert sorted(seen) == list(range(items))


def test_no_more_threads_work_than_torch_may_use(threads):
    names = set()
    spread(lambda first, stop: names.add(threading.get_ident()), 12)
    assert len(names) <= threads


def test_an_error_in_any_share_is_raised_after_all_have_ended(threads):
    ended = []

    def work(first, stop):
        ended.append(first)
        if stop == 12:
            raise ValueError("last share")

    with pytest.raises(ValueError, match="last share"):
        spread(work, 12)
    assert len(ended) == threads
