"""A photograph as a phone takes it: 12 megapixels, lying on its side, with notes of the place."""

from io import BytesIO

from PIL import Image

WIDTH, HEIGHT = 3000, 4000  # held upright
COLOURS = {"top left": (190, 50, 50), "top right": (50, 160, 70)}
COLOURS |= {"bottom left": (50, 80, 190), "bottom right": (210, 180, 40)}
MAKER = "Nachtigall Optik"
GRAIN, QUALITY = 34, 82  # together a file of 2 to 5 MB
ORIENTATION, MAKE, GPS = 0x0112, 0x010F, 0x8825
LYING = 6  # EXIF 2.32, 4.6.4: the first row is at the right


def upright() -> Image.Image:
    """What is on it: a quarter of each colour, with the grain of a lens in bad light."""
    whole = Image.new("RGB", (WIDTH, HEIGHT))
    for place, colour in COLOURS.items():
        left = 0 if "left" in place else WIDTH // 2
        top = 0 if "top" in place else HEIGHT // 2
        whole.paste(colour, (left, top, left + WIDTH // 2, top + HEIGHT // 2))
    grain = Image.effect_noise((WIDTH, HEIGHT), GRAIN).convert("RGB")
    return Image.blend(whole, grain, 0.25)


def jpeg(whole: Image.Image) -> bytes:
    """The file: turned, with orientation, maker and place in its EXIF."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE] = LYING, MAKER
    exif.get_ifd(GPS).update({1: "N", 2: (53.0, 48.0, 4.0), 3: "W", 4: (1.0, 32.0, 56.0)})
    file = BytesIO()
    whole.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", quality=QUALITY, exif=exif)
    return file.getvalue()
