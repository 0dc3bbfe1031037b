"""Draws throughput over time as one self-contained SVG: a panel a program, the same axes in all."""

from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP = 900, 64, 20, 64
PANEL, GAP, BOTTOM = 96, 40, 46
READ, WRITTEN, INK, FAINT = "#1f6fb4", "#d9700c", "#222", "#ddd"
MEGA = 1e6


def _step(longest, most_ticks):
    """A round distance between ticks."""
    step = 10 ** -3
    while True:
        for factor in (1, 2, 5):
            if longest / (step * factor) <= most_ticks:
                return step * factor
        step *= 10


def _total_at(samples, time, column):
    """A counter's value at a time, by interpolation."""
    before = (0, 0, 0)
    for sample in samples:
        if sample[0] >= time:
            span = sample[0] - before[0]
            part = (time - before[0]) / span if span > 0 else 1
            return before[column] + part * (sample[column] - before[column])
        before = sample
    return before[column]


def _rates(run, end, slot):
    """[(start of a slot, MB/s read, MB/s written)]"""
    rates = []
    start = 0
    while start < min(end, run.seconds):
        stop = min(start + slot, run.seconds)
        moved = [_total_at(run.samples, stop, column) - _total_at(run.samples, start, column)
                 for column in (1, 2)]
        rates.append((start, *(m / max(1e-9, stop - start) / MEGA for m in moved)))
        start += slot
    return rates


def _text(x, y, words, size=12, anchor="start", fill=INK, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{fill}" font-weight="{weight}">{escape(words)}</text>')


def _line(x1, y1, x2, y2, colour, extra=""):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" {extra}/>')


def draw(path, title, subtitle, runs, limit):
    """runs: [(caption, Run)]; limit: bytes a second that the disk does, drawn as a dashed line."""
    # A program that takes far longer than most would squeeze the others: it is cut off.
    times = sorted(run.seconds for _, run in runs)
    end = min(times[-1], 3 * times[len(times) // 2]) or 1
    slot = max(0.1, end / 240)
    rates = [_rates(run, end, slot) for _, run in runs]
    # So that one burst out of a cache does not flatten all else.
    seen = sorted(max(r[1], r[2]) for each in rates for r in each) or [1]
    top = 1.15 * max(limit / MEGA, min(seen[-1], 1.5 * seen[int(len(seen) * 0.98)]))
    x_step, y_step = _step(end, 12), _step(top, 4)

    def x(seconds):
        return LEFT + seconds / end * (WIDTH - LEFT - RIGHT)

    height = TOP + len(runs) * (PANEL + GAP) + BOTTOM - GAP + 24
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
           f'width="{WIDTH}" height="{height}" font-family="sans-serif">',
           f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
           _text(LEFT, 22, title, 16, weight="bold"), _text(LEFT, 40, subtitle, 12, fill="#555")]
    key = WIDTH - RIGHT - 250
    for offset, colour, words in ((0, READ, "read"), (60, WRITTEN, "written")):
        out.append(f'<rect x="{key + offset}" y="13" width="12" height="12" fill="{colour}"/>')
        out.append(_text(key + offset + 16, 23, words))
    out.append(_line(key + 140, 19, key + 164, 19, "#555", 'stroke-dasharray="5 4"'))
    out.append(_text(key + 170, 23, "disk's rate"))

    for index, (caption, run) in enumerate(runs):
        base = TOP + 20 + index * (PANEL + GAP) + PANEL

        def y(rate):
            return base - min(rate, top) / top * PANEL

        out.append(_text(LEFT, base - PANEL - 7, caption, 12, weight="bold"))
        tick = 0
        while tick <= top:
            out.append(_line(LEFT, y(tick), WIDTH - RIGHT, y(tick), FAINT))
            out.append(_text(LEFT - 6, y(tick) + 4, f"{tick:g}", 11, "end"))
            tick += y_step
        out.append(f'<text transform="translate(18 {base - PANEL / 2:.1f}) rotate(-90)" '
                   f'font-size="11" text-anchor="middle" fill="{INK}">MB/s</text>')
        tick = 0
        while tick <= end * 1.0001:
            out.append(_line(x(tick), base, x(tick), base + 4, INK))
            out.append(_text(x(tick), base + 16, f"{tick:g}", 11, "middle"))
            tick += x_step
        for column, colour in ((1, READ), (2, WRITTEN)):
            points = [(x(0), base)]
            for rate in rates[index]:
                right = x(min(rate[0] + slot, run.seconds, end))
                points += [(x(rate[0]), y(rate[column])), (right, y(rate[column]))]
            points.append((points[-1][0], base))
            shape = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
            out.append(f'<polygon points="{shape}" fill="{colour}" fill-opacity="0.18" '
                       f'stroke="{colour}" stroke-width="1.2"/>')
        out.append(_line(LEFT, y(limit / MEGA), WIDTH - RIGHT, y(limit / MEGA), "#555",
                         'stroke-dasharray="5 4"'))
        out.append(_line(LEFT, base, WIDTH - RIGHT, base, INK))
        if run.seconds > end * 1.001:
            out.append(_text(WIDTH - RIGHT, base - PANEL - 7, f"goes on to {run.seconds:.0f} s →",
                             12, "end", "#555"))
    out.append(_text((LEFT + WIDTH - RIGHT) / 2, height - 12, "seconds", 12, "middle"))
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")
