"""Makes the two typefaces of the plots and the table of their widths.

usage: subset_inter.py FOLDER_OF_THE_PACKAGE

The package is @expo-google-fonts/inter 0.4.2 of npm, unpacked; fontTools 4.68 cuts the typefaces
down to the characters that Turkish and English labels use. Writes Inter-Regular.ttf and
Inter-SemiBold.ttf beside this script, and crates/models/src/explain/plot/advances.rs.
"""
import pathlib
import subprocess
import sys

from fontTools.ttLib import TTFont

PACKAGE = pathlib.Path(sys.argv[1])
HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parents[1] / "models/src/explain/plot/advances.rs"
FACES = {"Regular": "400Regular/Inter_400Regular.ttf", "SemiBold": "600SemiBold/Inter_600SemiBold.ttf"}
# Latin with Turkish, the Greek letters of formulas, punctuation, arrows, comparisons, shapes.
RANGES = [(0x20, 0x7E), (0xA0, 0x17F), (0x391, 0x3A9), (0x3B1, 0x3C9), (0x2010, 0x2026)]
SINGLE = "\u202f\u2032\u2033\u2039\u203a\u20ac\u20ba\u2116\u2122\u2190\u2191\u2192\u2193\u2206\u2211\u2212\u221a\u221e\u2248\u2260\u2264\u2265\u25a0\u25b2\u25bc\u25cf"
wanted = sorted({c for a, b in RANGES for c in range(a, b + 1)} | {ord(c) for c in SINGLE})


def subset(name, source):
    target = HERE / f"Inter-{name}.ttf"
    subprocess.run(
        [sys.executable, "-m", "fontTools.subset", str(source), f"--output-file={target}",
         "--unicodes=" + ",".join(f"{c:x}" for c in wanted), "--no-hinting", "--desubroutinize",
         "--layout-features=kern,ccmp,locl,mark,mkmk", "--name-IDs=0,1,2,3,4,5,6,13,14,16,17",
         "--notdef-outline"],
        check=True,
    )
    return TTFont(target)


fonts = {name: subset(name, PACKAGE / path) for name, path in FACES.items()}
maps = {name: font.getBestCmap() for name, font in fonts.items()}
widths = {name: {c: font["hmtx"][maps[name][c]][0] for c in maps[name]} for name, font in fonts.items()}
assert {font["head"].unitsPerEm for font in fonts.values()} == {2048}
# Both faces must have the same characters for one table to do.
assert widths["Regular"].keys() == widths["SemiBold"].keys()
lines = [f"    ('\\u{{{c:04x}}}', {widths['Regular'][c]}, {widths['SemiBold'][c]})," for c in sorted(widths["Regular"])]
TABLE.parent.mkdir(parents=True, exist_ok=True)
TABLE.write_text(
    "//! How far each character of the plots' typeface moves the pen.\n"
    "//!\n"
    "//! Written by `crates/app/fonts/subset_inter.py` from Inter (SIL Open Font License 1.1); not by hand.\n"
    "\n"
    "/// Units of the typeface in an em.\n"
    "pub(super) const UNITS_PER_EM: f64 = 2048.0;\n"
    "\n"
    "/// Characters in order, each with its advance in the regular and the semi-bold weight, units.\n"
    "#[rustfmt::skip]\n"
    f"pub(super) const ADVANCES: [(char, u16, u16); {len(lines)}] = [\n" + "\n".join(lines) + "\n];\n"
)
print({name: (HERE / f"Inter-{name}.ttf").stat().st_size for name in FACES}, len(lines))
