"""Apps that use system packages: what each lists, and programs that use one package each.

A program runs in the built image, with `/tmp` writable, and prints what `expected` matches.
"""

from dataclasses import dataclass, field

from tests.support.trees import Files


@dataclass(frozen=True, slots=True)
class Job:
    """A Python program that uses a package."""

    id: str
    code: str
    expected: str
    """A regular expression that matches its output."""


@dataclass(frozen=True, slots=True)
class SystemSample:
    """An app with system packages."""

    id: str
    requirements: tuple[str, ...]
    packages: tuple[str, ...]
    jobs: tuple[Job, ...] = field(repr=False)

    @property
    def files(self) -> Files:
        """The files of the app."""
        listed = ", ".join(f'"{name}"' for name in self.packages)
        return {
            "requirements.txt": "".join(f"{each}\n" for each in self.requirements),
            "Procfile": "web: python -V\n",
            "pyproject.toml": f"[tool.cnb-python]\nsystem-packages = [{listed}]\n",
        }


_OPENCV = """\
import cv2, numpy
assert cv2.imwrite("/tmp/a.png", numpy.full((40, 30, 3), 200, numpy.uint8))
print(cv2.imread("/tmp/a.png").shape)
"""
_MAGIC = r"""
import magic
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x28\0\0\0\x28\x08\x02\0\0\0"
print(magic.from_buffer(PNG, mime=True), magic.from_buffer(PNG))
"""
_SOUND = """\
import numpy, soundfile
for kind in ("wav", "flac", "ogg"):
    soundfile.write(f"/tmp/a.{kind}", numpy.zeros(8000), 8000)
    print(kind, soundfile.read(f"/tmp/a.{kind}")[0].shape)
"""
_PDF = """\
import weasyprint, pdf2image
weasyprint.HTML(string="<h1>Hello</h1>").write_pdf("/tmp/a.pdf")
(page,) = pdf2image.convert_from_path("/tmp/a.pdf")
print(page.size, page.convert("L").getextrema())
print(pdf2image.pdfinfo_from_path("/tmp/a.pdf")["Pages"])
"""
_OCR = """\
import pytesseract
from PIL import Image, ImageDraw, ImageFont
image = Image.new("L", (400, 100), 255)
font = ImageFont.truetype("DejaVuSans.ttf", 48)
ImageDraw.Draw(image).text((20, 20), "Hello", 0, font)
print(pytesseract.get_languages(), pytesseract.image_to_string(image))
"""
_CAIRO = """\
import cairosvg
from PIL import Image
for text in ("", "Hello"):
    svg = ('<svg xmlns="http://www.w3.org/2000/svg" width="99" height="20">'
           f'<text y="15" font-family="DejaVu Sans">{text}</text></svg>')
    cairosvg.svg2png(bytestring=svg.encode(), write_to="/tmp/a.png")
    print(Image.open("/tmp/a.png").getbbox())
"""
# "AB" as Code 128: start B, A, B, check digit, stop.
_ZBAR = """\
from PIL import Image
from pyzbar.pyzbar import decode
bars = "11010010000" "10100011000" "10001011000" "11110101110" "1100011101011"
image = Image.new("L", (3 * len(bars) + 60, 60), 255)
for place, bar in enumerate(bars):
    if bar == "1":
        image.paste(0, (30 + 3 * place, 5, 33 + 3 * place, 55))
print([each.data for each in decode(image)])
"""
_WAND = """\
from wand.color import Color
from wand.image import Image
with Image(width=40, height=30, background=Color("red")) as image:
    for kind in ("png", "jpeg", "webp", "tiff"):
        image.format = kind
        image.save(filename=f"/tmp/a.{kind}")
        print(kind, Image(filename=f"/tmp/a.{kind}").size)
"""
_IMAGEMAGICK = """\
import subprocess
draw = "convert -size 99x20 xc:white -font DejaVu-Sans -annotate +9+15 Hello /tmp/a.png"
subprocess.run(draw.split(), check=True)
subprocess.run("convert /tmp/a.png -trim +repage -resize 200% /tmp/a.webp".split(), check=True)
subprocess.run("identify /tmp/a.png /tmp/a.webp".split(), check=True)
subprocess.run("identify -list policy".split(), check=True)
"""
_GRAPHVIZ = """\
import graphviz
for kind in ("svg", "png", "pdf", "jpg"):
    print(kind, graphviz.Source("digraph { a -> b }").pipe(format=kind)[:5])
"""
_FFMPEG = """\
import ffmpeg, subprocess
source = ffmpeg.input("testsrc=duration=1", f="lavfi").drawtext("Hello")
source.output("/tmp/a.mp4", vcodec="libx264", loglevel="error").run()
subprocess.run("ffmpeg -v error -f lavfi -i sine=d=1 /tmp/a.mp3 /tmp/a.opus".split(), check=True)
for name in ("a.mp4", "a.mp3", "a.opus"):
    print([each["codec_name"] for each in ffmpeg.probe(f"/tmp/{name}")["streams"]])
"""
_FONTS = """\
import subprocess
subprocess.run(["fc-match", "DejaVu Sans"], check=True)
subprocess.run(["fc-match", "serif"], check=True)
"""
_ODBC = """\
import pyodbc
print(pyodbc.drivers())
cursor = pyodbc.connect("Driver=SQLite3;Database=/tmp/a.db").cursor()
cursor.execute("create table names (name text)")
cursor.execute("insert into names values (?)", "Ada")
print(cursor.execute("select name from names").fetchall())
for driver in ("PostgreSQL Unicode", "FreeTDS", "MariaDB Unicode"):
    try:
        pyodbc.connect(f"Driver={driver};Server=127.0.0.1;Port=9;Database=a;Uid=a", timeout=9)
    except pyodbc.Error as error:
        print(driver, "file not found" if "Can't open lib" in str(error) else "looked", error)
"""
_PSYCOPG2 = """\
import psycopg2
print(psycopg2.__libpq_version__, psycopg2.extensions.libpq_version())
try:
    psycopg2.connect("host=127.0.0.1 port=9 user=a dbname=a")
except psycopg2.OperationalError as error:
    print(error)
"""
_MYSQL = """\
import MySQLdb
print(MySQLdb.get_client_info())
try:
    MySQLdb.connect(host="127.0.0.1", port=9, user="a")
except MySQLdb.OperationalError as error:
    print(error)
"""
_GDAL = """\
import subprocess
from osgeo import gdal, osr
gdal.UseExceptions()
raster = gdal.GetDriverByName("GTiff").Create("/tmp/a.tif", 4, 3)
reference = osr.SpatialReference()
reference.ImportFromEPSG(4326)
raster.SetProjection(reference.ExportToWkt())
raster.SetGeoTransform((10, 1, 0, 50, 0, -1))
raster = None
subprocess.run(["gdalwarp", "-q", "-t_srs", "EPSG:3857", "/tmp/a.tif", "/tmp/b.tif"], check=True)
subprocess.run(["gdalinfo", "/tmp/b.tif"], check=True)
print(gdal.Open("/tmp/a.tif").RasterXSize)
"""
_QT = """\
import os
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtGui import QColor, QFontDatabase, QGuiApplication, QImage, QPainter
app = QGuiApplication([])
print(app.platformName(), "DejaVu Sans" in QFontDatabase.families())
image = QImage(99, 20, QImage.Format_RGB32)
image.fill(QColor("white"))
painter = QPainter(image)
painter.drawText(5, 15, "Hello")
painter.end()
print(image.save("/tmp/a.png"), len({image.pixel(x, y) for x in range(99) for y in range(20)}) > 2)
"""
_WKHTMLTOPDF = """\
import pdfkit
print(pdfkit.from_string("<h1>Hello</h1>")[:5])
"""
_GTK = """\
import gi
gi.require_version("GdkPixbuf", "2.0")
gi.require_version("Gtk", "3.0")
from gi.repository import GdkPixbuf, Gio, Gtk
with open("/tmp/a.svg", "w") as file:
    file.write('<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"></svg>')
print(GdkPixbuf.Pixbuf.new_from_file("/tmp/a.svg").get_width())
print({each.get_name() for each in GdkPixbuf.Pixbuf.get_formats()} >= {"gif", "png", "svg"})
schemas = Gio.SettingsSchemaSource.get_default()
print(Gtk.get_major_version(), bool(schemas.lookup("org.gtk.Settings.FileChooser", True)))
print(Gio.content_type_get_description("image/svg+xml"))
"""
_PYCAIRO = """\
import cairo, gi
gi.require_version("PangoCairo", "1.0")
from gi.repository import PangoCairo
surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, 99, 20)
layout = PangoCairo.create_layout(cairo.Context(surface))
layout.set_text("Hello", -1)
names = [each.get_name() for each in PangoCairo.font_map_get_default().list_families()]
print(layout.get_pixel_size().width > 9, "DejaVu Sans" in names)
"""
_GHOSTSCRIPT = """\
import pathlib, subprocess
text = "%!PS\\n/Helvetica findfont 20 scalefont setfont 72 72 moveto (Hello) show showpage"
pathlib.Path("/tmp/a.ps").write_text(text)
subprocess.run("ps2pdf /tmp/a.ps /tmp/a.pdf".split(), check=True)
draw = "gs -q -dNOPAUSE -dBATCH -sDEVICE=png16m -sOutputFile=/tmp/a.png /tmp/a.pdf"
subprocess.run(draw.split(), check=True)
print(pathlib.Path("/tmp/a.pdf").read_bytes()[:5], pathlib.Path("/tmp/a.png").read_bytes()[:4])
"""
_ESPEAK = """\
import subprocess, wave
subprocess.run(["espeak-ng", "-w", "/tmp/a.wav", "Hello"], check=True)
with wave.open("/tmp/a.wav") as sound:
    print(sound.getnframes() > 9000)
"""
MEDIA = SystemSample(
    "media",
    (
        *("cairosvg", "ffmpeg-python", "graphviz", "opencv-python", "pdf2image", "pillow"),
        *("pytesseract", "python-magic", "pyzbar", "soundfile", "Wand", "weasyprint"),
    ),
    (
        *("ffmpeg", "fontconfig", "fonts-dejavu-core", "graphviz", "imagemagick", "libcairo2"),
        *("libgl1", "libglib2.0-0", "libharfbuzz-subset0", "libmagic1", "libmagickwand-6.q16-6"),
        *("libpango-1.0-0", "libpangoft2-1.0-0", "libzbar0", "poppler-utils", "tesseract-ocr"),
    ),
    (
        Job("opencv-python", _OPENCV, r"\(40, 30, 3\)"),
        Job("python-magic", _MAGIC, r"image/png PNG image data, 40 x 40"),
        Job("soundfile", _SOUND, r"(?s)wav \(8000,\).*flac \(8000,\).*ogg \(8000,\)"),
        Job("pdf2image", _PDF, r"\(1654, 2339\) \(0, 255\)\n1\n"),
        Job("pytesseract", _OCR, r"\['eng', 'osd'\] Hello"),
        Job("cairosvg", _CAIRO, r"None\n\(\d, \d, \d\d, \d\d\)"),
        Job("pyzbar", _ZBAR, r"\[b'AB'\]"),
        Job("wand", _WAND, r"(?s)png \(40, 30\).*jpeg \(40, 30\).*webp .*tiff \(40, 30\)"),
        Job("imagemagick", _IMAGEMAGICK, r"(?s)a.png PNG 99x20 .*a.webp WEBP .*pattern: PDF"),
        Job("graphviz", _GRAPHVIZ, r"(?s)svg b'<\?xml'.*png b'.x89PNG.*pdf b'%PDF-'.*jpg b'.xff"),
        Job("ffmpeg-python", _FFMPEG, r"\['h264'\]\n\['mp3'\]\n\['opus'\]"),
        Job("fontconfig", _FONTS, r"DejaVuSans.ttf.*\nDejaVuSerif.ttf"),
    ),
)
DATABASES = SystemSample(
    "databases",
    ("mysqlclient", "psycopg2", "pyodbc"),
    (
        *("default-libmysqlclient-dev", "libpq-dev", "libsqliteodbc", "odbc-mariadb"),
        *("odbc-postgresql", "tdsodbc", "unixodbc"),
    ),
    (
        Job(
            "pyodbc",
            _ODBC,
            r"(?s)'SQLite3'.*\('Ada',\).*Unicode looked .*TDS looked .*code looked",
        ),
        Job("psycopg2", _PSYCOPG2, r"(?s)15\d{4} 15\d{4}\n.*port 9 failed: Connection refused"),
        Job("mysqlclient", _MYSQL, r"3\.3\.\d+\n\(200[23], .*'127.0.0.1'"),
    ),
)
MAPS = SystemSample(
    "maps",
    ("GDAL==3.6.2", "pdfkit", "PySide6-Essentials"),
    (
        *("fonts-dejavu-core", "gdal-bin", "libdbus-1-3", "libegl1", "libfontconfig1"),
        *("libgdal-dev", "libgl1", "libxkbcommon0", "wkhtmltopdf"),
    ),
    (
        Job("gdal", _GDAL, r'(?s)ID\["EPSG",3857\].*\n4\n'),
        Job("qt", _QT, r"offscreen True\nTrue True"),
        Job("pdfkit", _WKHTMLTOPDF, r"b'%PDF-'"),
    ),
)
DESKTOP = SystemSample(
    "desktop",
    ("PyGObject==3.50.0", "pycairo"),
    (
        *("espeak-ng", "fonts-dejavu-core", "ghostscript", "gir1.2-gtk-3.0", "libcairo2-dev"),
        *("libgirepository1.0-dev", "librsvg2-common"),
    ),
    (
        Job("gtk", _GTK, r"40\nTrue\n3 True\nSVG image"),
        Job("pycairo", _PYCAIRO, r"True True"),
        Job("ghostscript", _GHOSTSCRIPT, r"b'%PDF-' b'.x89PNG'"),
        Job("espeak-ng", _ESPEAK, r"True"),
    ),
)
SAMPLES = (MEDIA, DATABASES, MAPS, DESKTOP)
