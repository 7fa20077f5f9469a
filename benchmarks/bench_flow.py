"""Optical flow beside its peers, on pairs with known flow: error, confidence, processor time.

`python benchmarks/bench_flow.py [--parameters] [--unseen]`: scenes that the parameters never saw,
the stereo motorcycle and Grove3; with `--parameters` the scenes that they were fixed by; with
`--unseen` scenes in which part or all of the motion can't be seen. Everybody gets one
thread and one setting for all pairs; times are the least of three, of the processor.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from common.flow_light import light_scenes
from common.flow_scenes import Scene, end_point_error, grove3, motorcycle, synthetic
from common.flow_unseen import Unseen, noisy_scenes, unseen_scenes
from numpy.typing import NDArray
from skimage.color import rgb2gray
from skimage.registration import optical_flow_ilk, optical_flow_tvl1
from threadpoolctl import threadpool_limits

from napari_framewise.numerics.flow import FlowSettings, Ranking, estimate, planes_of, warm_up

try:
    import cv2
except ImportError:
    cv2 = None

Method = Callable[[Scene], NDArray[Any]]
_SHARES = (1.0, 0.9, 0.8, 0.7, 0.5, 0.3)
_REPEATS = 3


def ours(**options: Any) -> Method:
    settings = FlowSettings(**options)

    def flow(scene: Scene) -> NDArray[Any]:
        first, second = (planes_of(f, channels_last=True) for f in (scene.first, scene.second))
        return estimate(first, second, settings, ranking="residual").displacement

    return flow


def peers() -> dict[str, Method]:
    found: dict[str, Method] = {
        "scikit-image iLK": lambda s: np.stack(optical_flow_ilk(*_grey(s))),
        "scikit-image TV-L1": lambda s: np.stack(optical_flow_tvl1(*_grey(s))),
    }
    if cv2 is not None:
        cv2.setNumThreads(1)
        dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        found["OpenCV DIS medium"] = lambda s: _turned(dis.calc(*_bytes(s), None))
        found["OpenCV Farneback"] = lambda s: _turned(
            cv2.calcOpticalFlowFarneback(*_bytes(s), None, 0.5, 3, 15, 3, 5, 1.2, 0)
        )
        if hasattr(getattr(cv2, "optflow", None), "createOptFlow_DeepFlow"):
            deep = cv2.optflow.createOptFlow_DeepFlow()
            found["OpenCV DeepFlow"] = lambda s: _turned(deep.calc(*_bytes(s), None))
    return found


def measured(method: Method, scene: Scene) -> tuple[float, float]:
    """Mean end-point error in pixels, and seconds of the processor."""
    seconds = []
    for _ in range(_REPEATS):
        began = time.process_time()
        flow = method(scene)
        seconds.append(time.process_time() - began)
    return float(end_point_error(scene, flow).mean()), min(seconds)


def errors_by_confidence(scene: Scene, ranking: Ranking, **options: Any) -> list[float]:
    """Mean error of the most confident share of the pixels."""
    first, second = (planes_of(f, channels_last=True) for f in (scene.first, scene.second))
    found = estimate(first, second, FlowSettings(**options), ranking=ranking)
    known = np.isfinite(scene.truth).all(axis=0)
    errors = end_point_error(scene, found.displacement)
    order = np.argsort(found.uncertainty()[known], kind="stable")
    return [float(errors[order][: int(share * errors.size)].mean()) for share in _SHARES]


def coloured(scene: Unseen) -> Scene:
    """The same as frames of bytes in colour, for the peers."""
    pair = np.stack([scene.first, scene.second])
    low, high = pair.min(), pair.max()
    bytes_of = np.rint(255 * (pair - low) / (high - low)).astype(np.uint8)
    frames = np.repeat(bytes_of[..., None], 3, axis=-1)
    truth = np.zeros((2, *pair.shape[1:])) if scene.truth is None else scene.truth
    return Scene(scene.kind, *frames, truth, np.ones(pair.shape[1:], bool))


def unseen(first_seed: int) -> None:
    """Error where little can be seen, and what confidence says; no motion counts as 0 px."""
    everything = unseen_scenes(first_seed) + noisy_scenes(first_seed) + light_scenes(first_seed)
    kinds: dict[str, list[Unseen]] = {}
    for scene in everything:
        kinds.setdefault(scene.kind, []).append(scene)
    others = {k: v for k, v in peers().items() if "DIS" not in k and "Farneback" not in k}
    print("mean end-point error in px; of ours: confident share, share of these over 1 px off")
    print(" " * 14 + "".join(f"{name:>20s}" for name in others) + f"{'ours':>20s}")
    for kind, scenes in kinds.items():
        line = []
        for method in others.values():
            means = [end_point_error(s, method(s)).mean() for s in map(coloured, scenes)]
            line.append(float(np.mean(means)))
        off, confident, wrong = [], 0, 0
        for scene in scenes:
            found = estimate(scene.first[None], scene.second[None])
            error = np.hypot(*(found.displacement - coloured(scene).truth))
            known = found.confidence() > 0.5
            off.append(error.mean())
            confident += int(known.sum())
            # Where the frames share nothing, whatever is called confident is wrong.
            wrong += int(((error > 1) | (scene.truth is None))[known].sum())
        share = confident / sum(scene.first.size for scene in scenes)
        said = f"{np.mean(off):8.2f} {share:5.1%} {wrong / max(confident, 1):5.1%}"
        print(f"{kind:14s}" + "".join(f"{each:20.2f}" for each in line) + said, flush=True)


def main() -> None:
    warm_up()
    if "--unseen" in sys.argv:
        with threadpool_limits(1):
            unseen(0 if "--parameters" in sys.argv else 100)
        return
    seen = "--parameters" in sys.argv
    sets = {"synthetic": synthetic(0 if seen else 100)}
    if not seen:
        sets["motorcycle"] = [motorcycle()]
        known = grove3()
        if known is not None:
            sets["Grove3"] = [known]
    methods = {
        "ours, fast": ours(),
        "ours, thorough": ours(quality="thorough"),
        "ours, plain Lucas-Kanade": ours(smoothing="none"),
        **peers(),
    }
    with threadpool_limits(1):
        for title, scenes in sets.items():
            print(f"\n{title}: mean end-point error in px, seconds, seconds over TV-L1's")
            rows = {name: [measured(m, s) for s in scenes] for name, m in methods.items()}
            limit = np.mean([seconds for _, seconds in rows["scikit-image TV-L1"]])
            for name, row in rows.items():
                error, seconds = np.mean(row, axis=0)
                each = " ".join(f"{one:7.3f}" for one, _ in row) if len(row) > 1 else ""
                print(f"  {name:26s}{error:8.3f}{seconds:9.3f}{seconds / limit:8.2f}   {each}")
            print("  mean error of the most confident " + " ".join(f"{s:6.0%}" for s in _SHARES))
            for quality in ("fast", "thorough"):
                for ranking in ("combined", "forward_backward", "residual", "eigenvalue"):
                    rows_by = [errors_by_confidence(s, ranking, quality=quality) for s in scenes]  # type: ignore[arg-type]
                    line = " ".join(f"{each:6.3f}" for each in np.mean(rows_by, axis=0))
                    print(f"    {quality + ', ' + ranking:29s} {line}")


def _grey(scene: Scene) -> tuple[NDArray[Any], NDArray[Any]]:
    return rgb2gray(scene.first), rgb2gray(scene.second)


def _bytes(scene: Scene) -> tuple[NDArray[Any], NDArray[Any]]:
    first, second = (np.rint(255 * grey).astype(np.uint8) for grey in _grey(scene))
    return first, second


def _turned(flow: NDArray[Any]) -> NDArray[Any]:
    return np.stack([flow[..., 1], flow[..., 0]])


if __name__ == "__main__":
    main()
