"""The front end from its formulas: one frame at a time, in float64, with the whole recording at hand."""

from __future__ import annotations

import math
import statistics

import numpy as np


def frames_of(samples, length, hop):
    """All whole frames, as a list of float64 rows."""
    samples = np.asarray(samples, np.float64)
    rows = []
    start = 0
    while start + length <= len(samples):
        rows.append(samples[start : start + length])
        start += hop
    return rows


def window_of(shape, length, periodic):
    """Weights, one by one."""
    period = max(length if periodic else length - 1, 1)
    weights = []
    for n in range(length):
        cosine = math.cos(2 * math.pi * n / period)
        weights.append(
            {
                "hann": 0.5 - 0.5 * cosine,
                "hamming": 0.54 - 0.46 * cosine,
                "povey": max(0.5 - 0.5 * cosine, 0.0) ** 0.85,
                "blackman": 0.42 - 0.5 * cosine + 0.08 * math.cos(4 * math.pi * n / period),
                "rectangular": 1.0,
            }[shape]
        )
    return np.array(weights)


def mel_of(hertz, scale):
    """Hertz to mel."""
    if scale == "htk":
        return 1127.0 * math.log(1 + hertz / 700)
    if hertz < 1000:
        return hertz / (200 / 3)
    return 15 + math.log(hertz / 1000) / (math.log(6.4) / 27)


def hertz_of(mel, scale):
    """Mel to hertz."""
    if scale == "htk":
        return 700 * (math.exp(mel / 1127.0) - 1)
    if mel < 15:
        return mel * 200 / 3
    return 1000 * math.exp((mel - 15) * math.log(6.4) / 27)


def filters_of(frontend, rate, n_fft):
    """Mel filters, weight by weight, shape (n_mels, n_bins)."""
    fmin, fmax = frontend.band(rate)
    scale = frontend.mel_scale
    low, high = mel_of(fmin, scale), mel_of(fmax, scale)
    edges = [low + (high - low) * i / (frontend.n_mels + 1) for i in range(frontend.n_mels + 2)]
    in_hertz = [hertz_of(edge, scale) for edge in edges]
    filters = np.zeros((frontend.n_mels, n_fft // 2 + 1))
    for band in range(frontend.n_mels):
        for k in range(n_fft // 2 + 1):
            x = k * rate / n_fft
            left, center, right = in_hertz[band : band + 3]
            if frontend.mel_triangles == "mel":
                x = mel_of(x, scale)
                left, center, right = edges[band : band + 3]
            if left < x <= center:
                filters[band, k] = (x - left) / (center - left)
            elif center < x < right:
                filters[band, k] = (right - x) / (right - center)
        if frontend.mel_norm == "slaney":
            filters[band] *= 2 / (in_hertz[band + 2] - in_hertz[band])
    return filters


def static_features(frontend, samples, rate):
    """Log-mel energies or cepstra, and levels in decibels; mel energies beside. No dither."""
    length, hop, n_fft = frontend.sizes(rate)
    weights = window_of(frontend.window, length, frontend.window_periodic)
    filters = filters_of(frontend, rate, n_fft)
    used = np.flatnonzero(filters.any(axis=0))

    def log(x):
        value = math.log(max(x, frontend.log_floor))
        return value * 10 / math.log(10) if frontend.log_scale == "db" else value

    features, levels, energies = [], [], []
    for frame in frames_of(samples, length, hop):
        silent = not frame.any()
        x = frame * (frontend.sample_scale or 1.0)
        if frontend.remove_dc:
            x = x - x.mean()
        raw = float(np.sum(x**2))
        before = np.concatenate([x[:1], x[:-1]])
        x = (x - frontend.preemphasis * before) * weights
        windowed = float(np.sum(x**2))
        power = np.abs(np.fft.rfft(x, n_fft)) ** 2
        if frontend.spectrum == "magnitude":
            power = np.sqrt(power)
        mel = filters @ power
        row = [log(e) for e in mel]
        if frontend.feature == "mfcc":
            first = 0 if frontend.include_c0 else 1
            row = [cepstrum(row, k, frontend.lifter) for k in range(first, first + frontend.n_mfcc)]
        if frontend.energy != "none":
            energy = log(raw if frontend.energy == "raw" else windowed)
            row = [energy, *(row[1:] if frontend.feature == "mfcc" else row)]
        features.append(row)
        energies.append(mel)
        total = float(np.sum(power[used[0] : used[-1] + 1]))
        levels.append(-math.inf if silent else 10 * math.log10(total + 1e-200))
    return np.array(features), np.array(levels), np.array(energies)


def cepstrum(row, k, lifter):
    """One coefficient of the orthonormal DCT-II, liftered."""
    n = len(row)
    total = sum(x * math.cos(math.pi * k * (i + 0.5) / n) for i, x in enumerate(row))
    total *= math.sqrt((1 if k == 0 else 2) / n)
    return total * (1 + lifter / 2 * math.sin(math.pi * k / lifter)) if lifter else total


def with_deltas(rows, order, window):
    """Rows and deltas: each order is one filter over the rows, which repeat at the edges."""
    n = len(rows)
    slope = {j: j / sum(i * i for i in range(-window, window + 1)) for j in range(-window, window + 1)}
    weights = {0: 1.0}
    blocks = []
    for _ in range(order + 1):
        block = np.zeros(rows.shape)
        for t in range(n):
            for j, weight in weights.items():
                block[t] += weight * rows[min(max(t + j, 0), n - 1)]
        blocks.append(block)
        wider = {}
        for j, weight in weights.items():
            for i, factor in slope.items():
                wider[i + j] = wider.get(i + j, 0.0) + weight * factor
        weights = wider
    return np.concatenate(blocks, axis=1)


def centered_window(t, window, n):
    """Kaldi's rule: [begin, end) with `window // 2` rows before t, pushed inwards at the edges."""
    begin = t - window // 2
    end = begin + window
    if begin < 0:
        begin, end = 0, end - begin
    if end > n:
        begin, end = max(begin - (end - n), 0), n
    return begin, end


def normalized(rows, window, variance, causal):
    """Sliding (or causal) mean and variance normalization, each window summed anew."""
    out = np.zeros(rows.shape)
    for t in range(len(rows)):
        begin, end = (max(t - window + 1, 0), t + 1) if causal else centered_window(t, window, len(rows))
        part = rows[begin:end].astype(np.float64)
        out[t] = rows[t] - part.mean(axis=0)
        if variance:
            out[t] /= np.sqrt(np.maximum(part.var(axis=0), 1e-10))
    return out


def warped(rows, window):
    """Feature warping: each window sorted anew, equal numbers sharing the mean of the ranks they take up."""
    normal = statistics.NormalDist()
    out = np.zeros(rows.shape)
    for t in range(len(rows)):
        begin, end = centered_window(t, window, len(rows))
        for i in range(rows.shape[1]):
            part = sorted(rows[begin:end, i].tolist())
            ranks = [r for r, x in enumerate(part, 1) if x == rows[t, i]]
            out[t, i] = normal.inv_cdf((sum(ranks) / len(ranks) - 0.5) / len(part))
    return out


def marked(levels, window, margin, depth, before, after, quiet=0.1, loud=0.95, step=0.25):
    """The energy detector: quantiles by sorting each window."""
    n = len(levels)

    def quantile(part, share):
        value = part[int(share * (len(part) - 1))]
        return (math.floor(value / step) + 0.5) * step

    states = []
    for t in range(n):
        begin, end = centered_window(t, window, n)
        part = sorted(x for x in levels[begin:end] if x > -math.inf)
        threshold = math.inf
        if part:
            threshold = quantile(part, loud) - depth
            if 3 * len(part) >= window:
                threshold = max(quantile(part, quiet) + margin, threshold)
        states.append(levels[t] > threshold)
    voiced = []
    for t in range(n):
        near = any(states[max(t - after, 0) : t + before + 1])
        voiced.append(near and levels[t] > -math.inf)
    return np.array(voiced)
