"""Log-mel features against slow sums; normalising, slopes, and changes in training."""

import numpy as np
import pytest
import torch

from birnn.data.audio.features import FeatureOptions, hertz, log_mel, mel, mel_filters
from birnn.nn.audio.augment import Augmentation, Changed, augmented, masked, noisy, stretched
from birnn.nn.audio.front import normalised, with_deltas


def slow_log_mel(samples: np.ndarray, options: FeatureOptions) -> np.ndarray:
    """The same by its definition: a sum for each bin, a triangle for each band."""
    size, hop, points = options.window_size, options.hop_size, options.transform_size
    rows = []
    edges = [hertz(m) for m in np.linspace(mel(20.0), mel(options.rate / 2), options.mels + 2)]
    for frame in range(options.frames(len(samples))):
        part = np.zeros(size)
        own = samples[frame * hop : frame * hop + size]
        part[: len(own)] = own
        part *= [0.5 - 0.5 * np.cos(2 * np.pi * n / size) for n in range(size)]
        power = []
        for k in range(points // 2 + 1):
            turn = np.exp(-2j * np.pi * k * np.arange(size) / points)
            power.append(abs((part * turn).sum()) ** 2)
        bands = []
        for band in range(options.mels):
            total = 0.0
            for k, value in enumerate(power):
                at = mel(k * options.rate / points)
                low, tip, high = (mel(edges[band + i]) for i in range(3))
                rise, fall = (at - low) / (tip - low), (high - at) / (high - tip)
                total += max(0.0, min(rise, fall)) * value
            bands.append(total)
        rows.append(bands)
    table = np.array(rows)
    return np.log(np.maximum(table, max(table.max() * 1e-8, 1e-20)))


@pytest.mark.parametrize("count", [1, 50, 160, 161, 500])
def test_features_are_those_of_their_definition(count: int) -> None:
    options = FeatureOptions(4000, 6, 0.04, 0.01)
    samples = np.random.default_rng(count).normal(size=count).astype(np.float32)
    found = log_mel(samples, options)
    assert found.shape == (options.frames(count), 6)
    np.testing.assert_allclose(found, slow_log_mel(samples, options), atol=2e-3)


def test_every_band_hears_something_and_a_tone_is_loudest_in_its_own() -> None:
    options = FeatureOptions(8000, 80)
    filters = mel_filters(options)
    assert (filters.sum(1) > 0).all()
    time = np.arange(4000) / 8000
    tips = hertz(np.linspace(mel(20.0), mel(4000.0), 82))[1:-1]
    for band in (30, 50, 70):
        tone = np.sin(2 * np.pi * tips[band] * time).astype(np.float32)
        assert abs(int(log_mel(tone, options).mean(0).argmax()) - band) <= 1


def test_a_gain_moves_all_alike() -> None:
    samples = np.random.default_rng(0).normal(size=3000).astype(np.float32)
    options = FeatureOptions(8000, 20)
    louder = log_mel(samples * 4, options) - log_mel(samples, options)
    np.testing.assert_allclose(louder, np.log(16), atol=1e-3)


def ragged(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Three items of 3, 9 and 6 frames of 5 bands, garbage beyond."""
    x = torch.randn(3, 9, 5, generator=torch.Generator().manual_seed(seed))
    return x, torch.tensor([3, 9, 6])


def test_normalised_by_the_real_frames_alone() -> None:
    x, lengths = ragged()
    found = normalised(x, lengths)
    for item, length in enumerate(lengths.tolist()):
        own = x[item, :length]
        wanted = (own - own.mean(0)) / own.std(0, unbiased=False)
        torch.testing.assert_close(found[item, :length], wanted, atol=5e-3, rtol=5e-3)
        assert (found[item, length:] == 0).all()


def test_slopes_of_a_line_are_its_slope() -> None:
    line = (torch.arange(9.0) * 3).view(1, 9, 1)
    planes = with_deltas(line, torch.tensor([9]))
    torch.testing.assert_close(planes[0, 1, 2:7, 0], torch.full((5,), 3.0))
    torch.testing.assert_close(planes[0, 2, 4:5, 0], torch.zeros(1))
    x, lengths = ragged()
    alone = with_deltas(x[:1, :3], lengths[:1])
    torch.testing.assert_close(with_deltas(x, lengths)[:1, :, :3], alone)


def test_no_change_asked_for_is_none() -> None:
    x, lengths = ragged()
    same = augmented(Changed(x, lengths), Augmentation())
    assert same.features is x
    assert masked(x, lengths, Augmentation()) is x


def test_stretching_by_nothing_leaves_frames_and_more_moves_them() -> None:
    x, lengths = ragged()
    x = x * (torch.arange(9) < lengths.unsqueeze(1)).unsqueeze(-1)
    still = stretched(Changed(x, lengths), 0.0, 0.0)
    torch.testing.assert_close(still.features, x, atol=1e-5, rtol=1e-5)
    torch.manual_seed(1)
    moved = stretched(Changed(x, lengths), 0.3, 0.2)
    assert (moved.lengths - lengths).abs().max() <= 4
    assert moved.lengths.tolist() != lengths.tolist()
    assert torch.isfinite(moved.features).all()
    for item, length in enumerate(moved.lengths.tolist()):
        assert (moved.features[item, length:] == 0).all()
    torch.manual_seed(1)
    torch.testing.assert_close(stretched(Changed(x, lengths), 0.3, 0.2).features, moved.features)


def test_noise_is_as_loud_as_it_is_drawn() -> None:
    x = torch.zeros(200, 50, 8)
    lengths = torch.full((200,), 50)
    torch.manual_seed(0)
    options = Augmentation(noise=1.0, loudest=10.0, faintest=10.0)
    added = noisy(x, lengths, options).exp() - 1
    level = float(added.mean((1, 2)).median())
    assert 0.07 < level < 0.2  # 10 dB below; a coloured noise has more of it in some bands
    kept = noisy(x, torch.full((200,), 30), options)
    assert (kept[:, 30:] == 0).all()


def test_masks_hide_whole_bands_and_whole_frames() -> None:
    x, lengths = torch.ones(50, 20, 10), torch.full((50,), 20)
    torch.manual_seed(0)
    bands = masked(x, lengths, Augmentation(bands=1, band_width=4))
    assert ((bands == 0).sum((1, 2)) % 20 == 0).all()
    assert 0 < float((bands == 0).float().mean()) < 0.4
    spans = masked(x, lengths, Augmentation(spans=1, span_share=0.3))
    assert ((spans == 0).sum((1, 2)) % 10 == 0).all()
    assert int((spans == 0).any(2).sum(1).max()) <= 6
