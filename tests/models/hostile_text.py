"""Deterministic strings, real and hostile. tests/models/hostile_text.h makes the same ones: change both together."""
MASK = (1 << 64) - 1

SEPARATORS = [" ", "  ", ", ", ". ", "\n", "-", "'s ", "'LL ", "'\u017f ", "_", "\t", "\r\n", "/", " '", "'re", "   "]
MARKS = [0x300, 0x301, 0x302, 0x303, 0x304, 0x307, 0x308, 0x30A, 0x30B, 0x30C, 0x316, 0x323, 0x327, 0x328, 0x334, 0x338,
         0x344, 0x345, 0x5B0, 0x5BC, 0x5C1, 0x64B, 0x653, 0x654, 0x670, 0x93C, 0x94D, 0x9BE, 0x9D7, 0xBBE, 0xDDF, 0xE38,
         0xF71, 0xF72, 0xFB2, 0x1037, 0x1AB0, 0x1DCE, 0x20D0, 0x20E3, 0x302A, 0x3099, 0x309A, 0xFE20, 0x11099, 0x110BA,
         0x1D165, 0x1D16E, 0x897, 0x1ACF, 0x10EFD, 0x1E08F]
BASES = [0x61, 0x65, 0x69, 0x6F, 0x75, 0x41, 0x45, 0x49, 0x4F, 0x55, 0x6E, 0x4E, 0x63, 0x43, 0x73, 0x53, 0x130, 0x131,
         0x1C5, 0xDF, 0xC5, 0x212B, 0x3B1, 0x3C9, 0x415, 0x627, 0x915, 0x928, 0xF40, 0x1100, 0x1161, 0x11A8, 0xAC00,
         0xAC01, 0x304B, 0x306F, 0x1E9B, 0x1EA5, 0xFB1D, 0x1D15E, 0x11935, 0x105D2, 0x0, 0x20]
EMOJI = [0x1F468, 0x1F469, 0x1F467, 0x1F680, 0x1F3FB, 0x1F3FD, 0x200D, 0x200D, 0xFE0F, 0x2764, 0x1F525, 0x1F1E9,
         0x1F1EA, 0x1F3F3, 0x1F308, 0x20E3, 0x31, 0x263A, 0x1F9D1, 0x1FAE8, 0x1F6DC, 0xE0067, 0xE007F, 0x1F4A9]
BLANKS = [0x0, 0x1, 0x7, 0x8, 0x9, 0xA, 0xB, 0xC, 0xD, 0x1B, 0x1C, 0x1F, 0x20, 0x7F, 0x80, 0x85, 0x9F, 0xA0, 0xAD, 0x61C,
          0x1680, 0x180E, 0x2000, 0x2007, 0x200A, 0x200B, 0x200C, 0x200E, 0x200F, 0x2028, 0x2029, 0x202E, 0x202F, 0x205F,
          0x2060, 0x2066, 0x3000, 0xFEFF, 0xFFF9, 0xFFFD, 0xFFFE, 0xE0001, 0xE000, 0xF0000, 0x10FFFF]
BROKEN = [b"\xc0\x80", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xed\xa0\xbd\xed\xb8\x80", b"\xf0\x80\x80\x80", b"\xf4\x90\x80\x80",
          b"\xf8\x88\x80\x80\x80", b"\xe2\x82", b"\xf0\x9f\x98", b"\xf0\x9f", b"\xf0", b"\xc3", b"\x80", b"\xbf\xbf", b"\xfe",
          b"\xff", b"\xe2\x28\xa1", b"\xf0\x28\x8c\xbc", b"\xf0\x90\x28\xbc", b"\xc3\x28", b"\xef\xbf\xbe", b"\xe1\xa0\xc3"]
SPECIALS = ["[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "[mask]", "[CLS", "SEP]", " [MASK] ", "<|end|>", "<|endoftext|>",
            "<s>", "</s>", "<unk>", "<mask>", "  <mask>  ", "<pad>", "<0x41>", "<0xE2>", "##ing", "\u0120the", "\u2581the",
            "\u2581", "\u2581\u2581", "Word", "words", "aWord", "Word\u00e9", " Word.", "<|en", "<", "[[SEP]]"]
SYMBOLS = "0123456789.,:;!?$%&()[]{}<>+-*/=^~`|@#_'\"\\" "\u00b2\u00bd\u0660\u0661\u0967\u2160\u2460\uff11\u3007\u2014\u201c\u201d\u2026\u20ac"
SCRIPTS = [0x41, 0xC0, 0x100, 0x180, 0x370, 0x400, 0x460, 0x500, 0x531, 0x10A0, 0x10D0, 0x13A0, 0x1C80, 0x1C90, 0x1E00,
           0x1F00, 0x1F80, 0x2160, 0x24B6, 0x2C00, 0x2C80, 0xA640, 0xA720, 0xA7C0, 0xAB70, 0xFB00, 0xFF21, 0x10400,
           0x104B0, 0x10C80, 0x118A0, 0x16E40, 0x1E900]
EAST = [(0x4E00, 0x5200), (0x3040, 0xC0), (0xAC00, 0x2BA4), (0x3400, 0x100), (0x20000, 0x100), (0xF900, 0x200),
        (0x2B700, 0x300), (0x2CE90, 0x100), (0x3000, 0x40), (0xFF00, 0xF0)]


class Random:
    """splitmix64"""

    def __init__(self, state):
        self.state = state & MASK

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, n):
        return self.next() % n

    def pick(self, items):
        return items[self.below(len(items))]


def encode(c):
    """UTF-8 of any number below 0x110000, surrogates too (which is then not valid)."""
    return chr(c).encode("utf-8", "surrogatepass")


def letters(r, count):
    return bytes(0x61 + r.below(26) for _ in range(count))


def real(r, lines):
    line = r.pick(lines)
    if r.below(3) == 0:  # cut anywhere, within characters too
        begin = r.below(len(line))
        return line[begin:begin + 1 + r.below(60)]
    return line


def words(r, lines):
    out = b""
    for _ in range(1 + r.below(8)):
        word = letters(r, 1 + r.below(9))
        style = r.below(4)
        if style == 1:
            word = word.upper()
        elif style == 2:
            word = word[:1].upper() + word[1:]
        out += word + r.pick(SEPARATORS).encode()
    return out


def block(r, lines):
    base = r.below([0x3000, 0x20000, 0x110000][r.below(3)])
    return b"".join(encode(min(base + r.below(128), 0x10FFFF)) for _ in range(1 + r.below(12)))


def combining(r, lines):
    out = b""
    for _ in range(1 + r.below(3)):
        out += encode(r.pick(BASES))
        for _ in range(r.below(5)):
            out += encode(r.pick(MARKS) if r.below(3) else 0x300 + r.below(0x70))
    return out


def emoji(r, lines):
    return b"".join(encode(r.pick(EMOJI)) for _ in range(1 + r.below(7)))


def blanks(r, lines):
    return b"".join(encode(r.pick(BLANKS)) for _ in range(1 + r.below(5)))


def noise(r, lines):
    return bytes(0x80 + r.below(0x80) for _ in range(1 + r.below(6)))


def broken(r, lines):
    return r.pick(BROKEN)


def special(r, lines):
    return r.pick(SPECIALS).encode()


def long_word(r, lines):
    count = 1 + r.below(1500) if r.below(16) == 0 else 30 + r.below(120)
    if r.below(2):
        return letters(r, count)
    return encode(r.pick([0x61, 0x2D, 0x20, 0xE9, 0x4E2D, 0x31, 0x5F, 0xA, 0x1F600])) * count


def symbols(r, lines):
    return "".join(r.pick(SYMBOLS) for _ in range(1 + r.below(10))).encode()


def script(r, lines):
    base = r.pick(SCRIPTS)
    return b"".join(encode(base + r.below(64)) for _ in range(1 + r.below(10)))


def east(r, lines):
    first, count = r.pick(EAST)
    return b"".join(encode(first + r.below(count)) for _ in range(1 + r.below(10)))


PARTS = [real, real, real, words, words, block, combining, emoji, blanks, noise, broken, special, special, long_word,
         symbols, script, east]


def sequential(r, index):
    """40 code points in order, so that 112,000 strings have all of Unicode."""
    out = b""
    for i in range(40):
        out += encode((index // 4 * 40 + i) % 0x110000)
        out += [b"", b"", b"a", b" ", b"E"][r.below(5)]
    return out


def make(index, lines):
    """The string of a number, as bytes; `lines` are those of real.txt."""
    r = Random((index + 1) * 0xD1342543DE82EF95)
    if index % 4 == 0:
        return sequential(r, index)
    return b"".join(r.pick(PARTS)(r, lines) for _ in range(1 + r.below(4)))
