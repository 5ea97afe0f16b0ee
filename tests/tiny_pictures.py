"""Small pictures for tests, good and bad, written with nothing but the standard library."""

import math
import random
import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG colour type


def chunk(kind, payload):
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def png_header(width, height, bits=8, colour=2):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))


def png(width, height, bits=8, colour=2, seed=1, palette=None, flat=None, extra=b""):
    """A smooth pattern with some noise; `extra` chunks go before the pixels."""
    rng = random.Random(seed)
    channels = CHANNELS[colour]
    top = (1 << bits) - 1
    rows = bytearray()
    for y in range(height):
        samples = []
        for x in range(width):
            for c in range(channels):
                wave = 0.5 + 0.4 * math.sin(x / (3 + c) + y / 5) + rng.uniform(-0.08, 0.08)
                samples.append(flat if flat is not None else round(min(max(wave, 0), 1) * top))
        if palette:
            samples = [s * len(palette) // (top + 1) for s in samples]
        rows.append(0)
        if bits == 16:
            rows += struct.pack(f">{len(samples)}H", *samples)
        elif bits == 8:
            rows += bytes(samples)
        else:
            text = "".join(format(s, f"0{bits}b") for s in samples)
            text += "0" * (-len(text) % 8)
            rows += bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))
    parts = [PNG, png_header(width, height, bits, colour), extra]
    if palette:
        parts.append(chunk(b"PLTE", b"".join(bytes(entry) for entry in palette)))
    return b"".join([*parts, chunk(b"IDAT", zlib.compress(bytes(rows))), chunk(b"IEND", b"")])


def animated_png():
    """Says that it has two frames (acTL)."""
    return png(16, 16, extra=chunk(b"acTL", struct.pack(">II", 2, 0)))


def animated_webp(still):
    """Two frames out of a still of 16 x 16 pixels."""
    at, frame_data = 12, b""
    while at < len(still):  # the pixels' chunk, whatever stands around it
        kind, length = struct.unpack("<4sI", still[at:at + 8])
        end = at + 8 + length + length % 2
        if kind in (b"VP8 ", b"VP8L"):
            frame_data = still[at:end]
        at = end
    size = struct.pack("<I", 15)[:3]  # minus one
    frame = b"\0" * 6 + size + size + struct.pack("<I", 100)[:3] + b"\0" + frame_data
    frame_chunk = b"ANMF" + struct.pack("<I", len(frame)) + frame + b"\0" * (len(frame) % 2)
    extended = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size + size
    animation = b"ANIM" + struct.pack("<I", 6) + b"\0" * 6
    body = b"WEBP" + extended + animation + frame_chunk * 2
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(width, height, pages=1, channels=3):
    """Uncompressed, little-endian, 8 bit."""
    pixels = bytes((x * 7 + y * 13 + c * 40) % 256 for y in range(height) for x in range(width) for c in range(channels))
    out = bytearray(b"II*\0" + b"\0" * 4)
    link = 4
    for _ in range(pages):
        data_at = len(out)
        out += pixels + b"\0" * (len(pixels) % 2)
        bits_at = len(out)
        out += struct.pack(f"<{channels}H", *[8] * channels) + b"\0" * (2 * channels % 4)
        struct.pack_into("<I", out, link, len(out))
        entries = [
            (256, 4, 1, width), (257, 4, 1, height), (258, 3, channels, bits_at if channels > 2 else 8),
            (259, 3, 1, 1), (262, 3, 1, 2 if channels == 3 else 1), (273, 4, 1, data_at), (277, 3, 1, channels),
            (278, 4, 1, height), (279, 4, 1, len(pixels)), (284, 3, 1, 1),
        ]
        out += struct.pack("<H", len(entries))
        for tag, kind, count, value in entries:
            out += struct.pack("<HHII", tag, kind, count, value)
        link = len(out)
        out += b"\0" * 4
    return bytes(out)


def cmyk_tiff(width, height):
    """No profile: reading it needs a default one."""
    data = bytearray(tiff(width, height, channels=4))
    at = data.rfind(struct.pack("<HHII", 262, 3, 1, 1))
    struct.pack_into("<HHII", data, at, 262, 3, 1, 5)
    return bytes(data)


def read_png(data):
    """(width, height, channels, bits, rows of bytes) of a non-interlaced PNG of 8 or 16 bits."""
    assert data.startswith(PNG)
    at, pixels = len(PNG), b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        payload = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, bits, colour = struct.unpack(">IIBB", payload[:10])
        elif kind == b"IDAT":
            pixels += payload
        at += 12 + length
    channels = CHANNELS[colour]
    step, stride = channels * bits // 8, width * channels * bits // 8
    raw, rows, above = zlib.decompress(pixels), [], bytes(stride)
    for y in range(height):
        filtered = raw[y * (stride + 1)]
        line = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride):
            left = line[x - step] if x >= step else 0
            corner = above[x - step] if x >= step else 0
            if filtered == 1:
                line[x] = (line[x] + left) & 255
            elif filtered == 2:
                line[x] = (line[x] + above[x]) & 255
            elif filtered == 3:
                line[x] = (line[x] + (left + above[x]) // 2) & 255
            elif filtered == 4:
                guess = left + above[x] - corner
                near = min((abs(guess - left), 0, left), (abs(guess - above[x]), 1, above[x]), (abs(guess - corner), 2, corner))
                line[x] = (line[x] + near[2]) & 255
        rows.append(bytes(line))
        above = rows[-1]
    return width, height, channels, bits, rows
