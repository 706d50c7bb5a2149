/*
 * mcu_text - what people write, as the displays of a surface can show it
 *
 * The displays have 7-bit ASCII; codes below 20 are glyphs that differ from device to device, and an X-Touch
 * mis-shows 5C. So everything else is replaced by its nearest likeness here, once, for all surfaces.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/midi/mcu.h"

bool
bh_mcu_is_display_char(uint8_t c)
{
	return c >= 0x20 && c <= 0x7e && c != '\\';
}

/*
 * One code point from s. Returns the bytes taken (at least 1); *cp is -1 for what is not UTF-8: a stray
 * continuation, a sequence cut off, an overlong form, a surrogate.
 */
static size_t
utf8_next(const char *str, size_t len, int32_t *cp)
{
	const uint8_t *s = (const uint8_t *)str;
	*cp = -1;
	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	size_t need = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 1;
	int32_t v = s[0] & (0x7f >> need);
	for (size_t i = 1; i < need; i++) {
		if (i >= len || (s[i] & 0xc0) != 0x80)
			return i;
		v = v << 6 | (s[i] & 0x3f);
	}
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (v >= least[need] && v <= 0x10ffff && !(v >= 0xd800 && v <= 0xdfff))
		*cp = v;
	return need;
}

/* U+00A0 - U+00FF, then U+0100 - U+017F; one character each, as the longer ones are below. */
static const char latin1[] = " !cLoY|S\"Ca<_-R-o+23'uP.,1o>123?"
			     "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty";
static const char latin_a[] = "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlLlLl"
			      "NnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";
_Static_assert(sizeof(latin1) - 1 == 96, "U+00A0 - U+00FF");
_Static_assert(sizeof(latin_a) - 1 == 128, "U+0100 - U+017F");

static const struct {
	uint16_t cp;
	char as[4];
} special[] = {
	{0x00a9, "(c)"}, {0x00b1, "+-"},  {0x00bc, "1/4"}, {0x00bd, "1/2"}, {0x00be, "3/4"},
	{0x00c6, "AE"},  {0x00de, "Th"},  {0x00df, "ss"},  {0x00e6, "ae"},  {0x00fe, "th"},
	{0x0132, "IJ"},  {0x0133, "ij"},  {0x0152, "OE"},  {0x0153, "oe"},  {0x01cd, "A"},
	{0x0218, "S"},   {0x0219, "s"},   {0x021a, "T"},   {0x021b, "t"},   {0x1e9e, "SS"},
	{0x03bc, "u"},   {0x2010, "-"},   {0x2011, "-"},   {0x2012, "-"},   {0x2013, "-"},
	{0x2014, "-"},   {0x2015, "-"},   {0x2018, "'"},   {0x2019, "'"},   {0x201a, ","},
	{0x201c, "\""},  {0x201d, "\""},  {0x201e, "\""},  {0x2022, "."},   {0x2026, "..."},
	{0x2032, "'"},   {0x2033, "\""},  {0x2039, "<"},   {0x203a, ">"},   {0x20ac, "E"},
	{0x2190, "<"},   {0x2191, "^"},   {0x2192, ">"},   {0x2193, "v"},   {0x2212, "-"},
	{0x221e, "oo"},  {0x2248, "~"},   {0x2260, "#"},   {0x2264, "<"},   {0x2265, ">"},
};

/* Marks that sit on or between letters and take no room of their own. */
static bool
is_zero_width(int32_t cp)
{
	return (cp >= 0x0300 && cp <= 0x036f) || cp == 0x00ad || (cp >= 0x200b && cp <= 0x200f) ||
	       (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x2064) ||
	       (cp >= 0xfe00 && cp <= 0xfe0f) || cp == 0xfeff;
}

static size_t
likeness(int32_t cp, char out[3])
{
	if (is_zero_width(cp))
		return 0;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if (special[i].cp != cp)
			continue;
		size_t n = 0;
		for (; n < 3 && special[i].as[n]; n++)
			out[n] = special[i].as[n];
		return n;
	}
	out[0] = '_';
	if (cp == '\\')
		out[0] = '/';
	else if (cp == '\t' || cp == '\n' || cp == '\r' || (cp >= 0x2000 && cp <= 0x200a) ||
		 cp == 0x202f || cp == 0x3000)
		out[0] = ' ';
	else if (cp >= 0 && cp < 0x80 && bh_mcu_is_display_char((uint8_t)cp))
		out[0] = (char)cp;
	else if (cp >= 0xa0 && cp <= 0xff)
		out[0] = latin1[cp - 0xa0];
	else if (cp >= 0x100 && cp <= 0x17f)
		out[0] = latin_a[cp - 0x100];
	return 1;
}

/* How many places the text takes; `most` for a single character. */
static size_t
places(const char *utf8, size_t len, size_t most)
{
	size_t sum = 0, taken;
	for (; len > 0 && *utf8; utf8 += taken, len -= taken) {
		int32_t cp;
		char as[3];
		taken = utf8_next(utf8, len, &cp);
		size_t n = likeness(cp, as);
		sum += n < most ? n : most;
	}
	return sum;
}

size_t
bh_mcu_text(const char *utf8, size_t len, char *out, size_t width)
{
	/* Who cut the text counted characters: one that is two letters must not push the end out. */
	size_t most = places(utf8, len, 3) > width && places(utf8, len, 1) <= width ? 1 : 3, used = 0;
	while (len > 0 && *utf8 && used < width) {
		int32_t cp;
		size_t taken = utf8_next(utf8, len, &cp);
		utf8 += taken;
		len -= taken;
		char as[3];
		size_t n = likeness(cp, as);
		for (size_t i = 0; i < n && i < most && used < width; i++)
			out[used++] = as[i];
	}
	for (size_t i = used; i < width; i++)
		out[i] = ' ';
	return used;
}

/* Codes are ASCII, with 40 taken off 40-5F; 21-2F and 3A-3F are approximations of punctuation. */
uint8_t
bh_mcu_digit_code(char ch)
{
	uint8_t c = (uint8_t)ch;
	if (c >= 'a' && c <= 'z')
		c = (uint8_t)(c - 'a' + 'A');
	if (c >= 0x40 && c <= 0x5f)
		return (uint8_t)(c - 0x40);
	if (c >= 0x20 && c <= 0x3f)
		return c;
	return BH_MCU_DIGIT_BLANK;
}

char
bh_mcu_digit_char(uint8_t code)
{
	code &= 0x3f;
	return (char)(code < 0x20 ? code + 0x40 : code);
}

void
bh_mcu_digits(const char *text, uint8_t *out, size_t width)
{
	size_t len = 0, at = width;
	while (text[len])
		len++;
	uint8_t dot = 0;
	while (at > 0) {
		char c = len > 0 ? text[--len] : ' ';
		if (len > 0 && !dot && (c == '.' || c == ',' || c == ':')) {
			dot = BH_MCU_DIGIT_DOT;
			continue;
		}
		out[--at] = bh_mcu_digit_code(c) | dot;
		dot = 0;
	}
}
