"""Images that look like photos to a decoder, in every format and kind that both browsers and the trainer read."""

import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageDraw

ORIENTATION = 0x0112


def scene(number, width, height):
    """Patches of colour, edges and noise."""
    random = np.random.default_rng(number)
    patches = random.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    image = Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        left, top = random.integers(0, width), random.integers(0, height)
        right, bottom = left + width // 4, top + height // 4
        draw.ellipse((left, top, right, bottom), fill=tuple(int(value) for value in random.integers(0, 256, 3)))
    noise = random.normal(0, 3, (height, width, 3))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def exif(orientation):
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    return tags.tobytes()


def with_alpha(image):
    alpha = Image.linear_gradient("L").resize(image.size)
    image.putalpha(alpha)
    return image


def other_colours():
    """A colour profile whose red is the green of sRGB."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    entries = {bytes(profile[at:at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, green = entries[b"rXYZ"] + 4, entries[b"gXYZ"] + 4
    profile[red:red + 8], profile[green:green + 8] = profile[green:green + 8], profile[red:red + 8]
    return bytes(profile)


def write(folder):
    """Writes the images, and returns those that every decoder decodes to the same pixels, and the others."""
    folder = Path(folder)
    folder.mkdir()
    exact, others = [], []

    def save(name, image, paths=others, **options):
        image.save(folder / name, **options)
        paths.append(folder / name)

    for orientation in range(1, 9):
        save(f"exif_{orientation}.jpg", scene(orientation, 1200, 800), exif=exif(orientation), quality=92)
    save("large.jpg", scene(9, 4000, 3000), quality=90)
    save("large_turned.jpg", scene(10, 4032, 3024), quality=95, exif=exif(6))
    save("progressive.jpg", scene(11, 1600, 1067), quality=85, progressive=True)
    save("full_chroma.jpg", scene(12, 1024, 768), quality=85, subsampling=0)
    save("grey.jpg", scene(13, 900, 1200).convert("L"), quality=90)
    save("cmyk.jpg", scene(14, 800, 600).convert("CMYK"), quality=90)
    save("profile.jpg", scene(15, 1000, 750), quality=90, icc_profile=other_colours())
    save("lossy.webp", scene(16, 1280, 960), quality=85)
    save("alpha.webp", with_alpha(scene(17, 640, 480)), lossless=True)
    save("alpha.png", with_alpha(scene(18, 640, 480)))
    save("grey_alpha.png", with_alpha(scene(19, 500, 400).convert("L")))
    deep = np.asarray(scene(20, 500, 400).convert("L")).astype(np.uint16) * 257 + 100
    save("deep.png", Image.fromarray(deep))
    for name, size in (("landscape.png", (900, 600)), ("small.png", (31, 17)), ("narrow.bmp", (90, 1400)),
                       ("lossless.webp", (333, 777))):
        save(name, scene(len(name), *size), exact, **({"lossless": True} if name.endswith("webp") else {}))
    save("turned.png", scene(23, 400, 300), exact, exif=exif(6))
    save("grey.png", scene(21, 300, 400).convert("L"), exact)
    save("palette.gif", scene(22, 300, 200).convert("P", palette=Image.Palette.ADAPTIVE), exact)
    return exact, others
