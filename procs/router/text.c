/*
 * text.c - texts as people read them, made to fit a window of a few characters: a scribble strip has seven
 *
 * A character is what a display gives one place: with the marks that sit on it, on a row of digits with the dot behind it. Which
 * of them a device has is the surface process's business.
 */
#include "procs/router/core_int.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define GLYPHS 128u
#define SCROLL_STEP_NS 333333333ull /* a text that wanders: 3 characters a second */
#define SCROLL_REST_NS 1500000000ull /* and rests at both ends */

/* ------------------------------------------------------------------ characters */

struct glyph {
	uint16_t off;
	uint8_t len;
	bool gone;
	uint32_t cp;
};

/* One code point; what is none is one byte and 0. */
static unsigned
decode(const char *s, uint32_t *cp)
{
	const uint8_t *u = (const uint8_t *)s;
	unsigned len = 0;
	if (u[0] < 0x80)
		len = 1;
	else if (u[0] >= 0xc2 && u[0] < 0xf5)
		len = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	*cp = len == 1 ? u[0] : len ? u[0] & (0x7fu >> len) : 0;
	for (unsigned k = 1; k < len; k++) {
		if ((u[k] & 0xc0) != 0x80) {
			*cp = 0;
			return 1;
		}
		*cp = *cp << 6 | (u[k] & 0x3f);
	}
	return len ? len : 1;
}

static bool
is_dot(uint32_t cp)
{
	return cp == '.' || cp == ',' || cp == ':';
}

/* Marks take no place of their own. */
static bool
is_mark(uint32_t cp)
{
	return (cp >= 0x300 && cp <= 0x36f) || (cp >= 0x200b && cp <= 0x200f) || (cp >= 0xfe00 && cp <= 0xfe0f);
}

static bool
is_digit(uint32_t cp)
{
	return cp >= '0' && cp <= '9';
}

/* Take a text apart, without its outer spaces. */
static unsigned
glyphs_of(const char *s, bool dots, struct glyph g[GLYPHS])
{
	unsigned n = 0, off = 0, len;
	for (; s[off] && n < GLYPHS; off += len) {
		uint32_t cp;
		len = decode(s + off, &cp);
		bool joins = n && (is_mark(cp) || (dots && is_dot(cp) && !is_dot(g[n - 1].cp) && g[n - 1].len == 1));
		if (cp == 0 || (n == 0 && cp == ' '))
			continue;
		if (joins && g[n - 1].off + g[n - 1].len == off && g[n - 1].len < 16)
			g[n - 1].len = (uint8_t)(g[n - 1].len + len);
		else if (!is_mark(cp))
			g[n++] = (struct glyph){.off = (uint16_t)off, .len = (uint8_t)len, .cp = cp};
	}
	while (n && g[n - 1].cp == ' ')
		n--;
	return n;
}

struct text_out {
	char *at;
	size_t left;
};

static void
put(struct text_out *o, const char *s, size_t len)
{
	if (len >= o->left)
		return;
	memcpy(o->at, s, len);
	o->at += len;
	o->left -= len;
}

/* Most texts are a few plain letters: at most `width`, nothing to cut, nothing to count but bytes. Their length, or -1. */
static int
plain_length(const char *text, unsigned width)
{
	unsigned n = 0;
	for (; text[n]; n++)
		if (n == width || text[n] < ' ' || text[n] > '~')
			return -1;
	return n && (text[0] == ' ' || text[n - 1] == ' ') ? -1 : (int)n;
}

unsigned
core_text_length(const char *text, bool dots)
{
	struct glyph g[GLYPHS];
	int n = dots ? -1 : plain_length(text, GLYPHS);
	return n >= 0 ? (unsigned)n : glyphs_of(text, dots, g);
}

/* ------------------------------------------------------------------ abbreviating */

/* A word, or a figure: what is kept of it. */
struct word {
	uint8_t first, count, keep;
	bool figure, apart; /* apart: something stood between it and the word before */
};

static bool
is_separator(uint32_t cp)
{
	return cp <= ' ' || (cp < 0x80 && strchr("-_/.:,;()[]{}|\\\"'", (int)cp)) || cp == 0xa0 || (cp >= 0x2000 && cp <= 0x206f);
}

static bool
is_vowel(uint32_t cp)
{
	uint32_t low = cp < 0x80 ? cp | 0x20 : cp >= 0xc0 && cp <= 0xde ? cp + 0x20 : cp;
	if (low < 0x80)
		return strchr("aeiou", (int)low);
	return (low >= 0xe0 && low <= 0xe6) || (low >= 0xe8 && low <= 0xef) || (low >= 0xf2 && low <= 0xf6) || low == 0xf8 ||
	       (low >= 0xf9 && low <= 0xfc);
}

/* "Guest mic 2.5" is two words and a figure. */
static unsigned
words_of(const struct glyph *g, unsigned n, struct word w[GLYPHS])
{
	unsigned words = 0;
	bool apart = false;
	for (unsigned k = 0; k < n; k++) {
		bool figure = is_digit(g[k].cp);
		struct word *last = words ? &w[words - 1] : NULL;
		bool inside = is_dot(g[k].cp) && last && last->figure && !apart && k + 1 < n && is_digit(g[k + 1].cp);
		if (inside) {
			last->count++;
		} else if (is_separator(g[k].cp)) {
			apart = true;
			continue;
		} else if (last && !apart && last->figure == figure) {
			last->count++;
		} else {
			w[words++] = (struct word){.first = (uint8_t)k, .count = 1, .figure = figure, .apart = apart};
		}
		apart = false;
	}
	for (unsigned k = 0; k < words; k++)
		w[k].keep = w[k].count;
	return words;
}

/* Two figures are not one. */
static bool
needs_space(const struct word *w, unsigned k)
{
	return k && w[k].keep && w[k].figure && w[k - 1].keep && w[k - 1].figure;
}

/* The longest word gives way first, the last figure last. */
static struct word *
next_to_shorten(struct word *w, unsigned words)
{
	struct word *longest = NULL;
	for (unsigned k = 0; k < words; k++)
		if (!w[k].figure && w[k].keep > 1 && (!longest || w[k].keep > longest->keep))
			longest = &w[k];
	for (unsigned k = 1; !longest && k < words; k++)
		if (!w[k].figure && w[k].keep)
			longest = &w[k];
	if (!longest && !w[0].figure && w[0].keep)
		longest = &w[0];
	for (unsigned k = 0; !longest && k < words; k++)
		if (w[k].keep)
			longest = &w[k];
	return longest;
}

static void
share(struct word *w, unsigned words, unsigned width)
{
	for (;;) {
		unsigned sum = 0;
		for (unsigned k = 0; k < words; k++)
			sum += w[k].keep + needs_space(w, k);
		if (sum <= width)
			return;
		next_to_shorten(w, words)->keep--;
	}
}

/* Vowels go, from the right; if that is not enough, all but the beginning. Of a figure the end stays. */
static void
shorten(struct glyph *g, const struct word *w)
{
	unsigned left = w->count, vowels = 0;
	for (unsigned k = 1; k < w->count; k++)
		vowels += is_vowel(g[w->first + k].cp);
	bool enough = !w->figure && left - vowels <= w->keep;
	for (unsigned k = w->count; k-- > 1 && left > w->keep && enough;)
		if (is_vowel(g[w->first + k].cp)) {
			g[w->first + k].gone = true;
			left--;
		}
	for (unsigned k = 0; k < w->count && !enough; k++)
		g[w->first + k].gone = w->figure ? k < (unsigned)(w->count - w->keep) : k >= w->keep;
}

static void
put_word(struct text_out *o, const char *text, struct glyph *g, const struct word *w, bool capital)
{
	for (unsigned k = 0; k < w->count; k++) {
		const struct glyph *c = &g[w->first + k];
		char up = (char)(c->cp - 0x20);
		if (c->gone)
			continue;
		if (capital && c->cp >= 'a' && c->cp <= 'z' && c->len == 1)
			put(o, &up, 1);
		else
			put(o, text + c->off, c->len);
		capital = false;
	}
}

static void
abbreviate(const char *text, struct glyph *g, unsigned n, unsigned width, struct text_out *o)
{
	struct word w[GLYPHS];
	unsigned words = words_of(g, n, w);
	if (!words) { /* of nothing but signs: the first ones */
		put(o, text + g[0].off, (size_t)(g[width - 1].off + g[width - 1].len - g[0].off));
		return;
	}
	share(w, words, width);
	bool begun = false;
	for (unsigned k = 0; k < words; k++) {
		if (!w[k].keep)
			continue;
		shorten(g, &w[k]);
		if (needs_space(w, k))
			put(o, " ", 1);
		put_word(o, text, g, &w[k], begun && w[k].apart);
		begun = true;
	}
}

void
core_fit_text(const char *text, unsigned width, bool dots, char *out, size_t cap)
{
	struct glyph g[GLYPHS];
	struct text_out o = {out, cap};
	int plain = plain_length(text, width);
	if (plain >= 0 && (size_t)plain < cap) {
		memcpy(out, text, (size_t)plain + 1);
		return;
	}
	unsigned n = glyphs_of(text, dots, g);
	if (n > width && width) {
		if (dots) /* a dot between words goes with the space */
			n = glyphs_of(text, false, g);
		abbreviate(text, g, n, width, &o);
	} else if (n && width) {
		put(&o, text + g[0].off, (size_t)(g[n - 1].off + g[n - 1].len - g[0].off));
	}
	*o.at = '\0';
}

/* ------------------------------------------------------------------ moving */

static void
put_glyphs(struct text_out *o, const char *text, const struct glyph *g, unsigned n)
{
	for (unsigned k = 0; k < n; k++)
		put(o, text + g[k].off, g[k].len);
}

uint64_t
core_wander(const char *text, unsigned width, uint64_t age_ns, char *out, size_t cap)
{
	struct glyph g[GLYPHS];
	struct text_out o = {out, cap};
	unsigned n = glyphs_of(text, false, g), span = n > width ? n - width : 0, at = 0;
	uint64_t way = (span ? span - 1 : 0) * SCROLL_STEP_NS, lap = 2 * (way + SCROLL_REST_NS);
	uint64_t t = age_ns % lap, next = 0;
	if (span) {
		bool back = t >= lap / 2;
		uint64_t u = back ? t - lap / 2 : t; /* since it began to rest at this end */
		unsigned gone = u < SCROLL_REST_NS ? 0 : 1 + (unsigned)((u - SCROLL_REST_NS) / SCROLL_STEP_NS);
		at = back ? span - gone : gone;
		next = (gone ? SCROLL_REST_NS + gone * SCROLL_STEP_NS : SCROLL_REST_NS) - u;
		if (u + next > lap / 2)
			next = lap / 2 - u;
	}
	put_glyphs(&o, text, g + at, n - at < width ? n - at : width);
	*o.at = '\0';
	return next;
}

void
core_march(const char *text, unsigned width, uint64_t step, char *out, size_t cap)
{
	struct glyph g[GLYPHS];
	struct text_out o = {out, cap};
	unsigned n = glyphs_of(text, true, g), lap = n + 3 > width ? n + 3 : width + 1;
	for (unsigned k = 0; k < width; k++) {
		unsigned at = (unsigned)((step + k) % lap);
		if (at < n)
			put_glyphs(&o, text, g + at, 1);
		else
			put(&o, " ", 1);
	}
	*o.at = '\0';
}

/* ------------------------------------------------------------------ values */

static bool
is_db(const struct core_param *p)
{
	return strcmp(p->unit, "dB") == 0;
}

static int
decimals(const struct core_param *p)
{
	double span = p->range.max - p->range.min;
	return p->type != BH_FLOAT || span >= 1000 ? 0 : span >= 20 || p->range.taper == BH_TAPER_FADER_DB ? 1 : 2;
}

/* A number below a million. printf takes as long for it as all the rest of a strip. "-0.0" says nothing that "0.0" does not. */
static unsigned
write_decimal(double x, int places, bool plus, char out[16])
{
	static const double tens[] = {1, 10, 100};
	uint64_t n = (uint64_t)core_whole(fabs(x) * tens[places]);
	char back[16];
	unsigned len = 0, k = 0;
	if (n && (x < 0 || plus))
		out[k++] = x < 0 ? '-' : '+';
	for (int digit = 0; digit <= places || n; digit++, n /= 10) {
		if (digit == places && places)
			back[len++] = '.';
		back[len++] = (char)('0' + n % 10);
	}
	while (len)
		out[k++] = back[--len];
	out[k] = '\0';
	return k;
}

/* A number with as many decimals as there is room for. Its length; 0: there is no room for the number itself. */
static unsigned
print_number(const struct core_param *p, double x, int places, unsigned width, bool dots, char out[16])
{
	for (; places >= 0; places--) {
		unsigned len, seen;
		if (fabs(x) < 1e6)
			len = write_decimal(x, places, is_db(p), out);
		else
			len = (unsigned)snprintf(out, 16, "%.*g", places + 3, x);
		seen = dots && strchr(out, '.') ? len - 1 : len;
		if (seen <= width)
			return len;
	}
	return 0;
}

static void
number_text(const struct core_param *p, double x, unsigned width, bool dots, char *out, size_t cap)
{
	if (p->type == BH_FLOAT && p->range.taper == BH_TAPER_FADER_DB && x <= p->range.min) {
		snprintf(out, cap, "-inf");
		return; /* has no unit */
	}
	char number[16];
	size_t len = print_number(p, x, decimals(p), width, dots, number), unit = strlen(p->unit);
	if (!len || len >= cap) {
		snprintf(out, cap, "--");
		return;
	}
	memcpy(out, number, len + 1);
	size_t seen = dots && strchr(out, '.') ? len - 1 : len;
	if (unit && seen + core_text_length(p->unit, false) <= width && len + unit < cap)
		memcpy(out + len, p->unit, unit + 1);
}

/* The name of choice k, or its number. */
static void
choice_text(struct bh_core *core, const struct core_param *p, int64_t k, char *out, size_t cap)
{
	const char *s = core->peer[p->slot].strings + p->choices_off, *end = s + p->choices_len;
	for (int64_t n = 0; p->choices_len && k >= 0 && n < k && s < end; n++)
		s += strlen(s) + 1;
	if (p->choices_len && k >= 0 && s < end)
		snprintf(out, cap, "%s", s);
	else
		snprintf(out, cap, "%" PRId64, k);
}

void
core_text(struct bh_core *core, const struct core_param *p, const union bh_val *v, const struct core_fit *fit, char *out,
	  size_t cap)
{
	unsigned width = fit->width > fit->stale ? fit->width - fit->stale : fit->width;
	char whole[BH_NAME_MAX];
	const char *name = whole;
	out[0] = whole[0] = '\0';
	switch ((enum bh_type)p->type) {
	case BH_BOOL: name = v->i ? "on" : "off"; break;
	case BH_INT: number_text(p, (double)v->i, width, fit->dots, out, cap - 1); break;
	case BH_FLOAT: number_text(p, v->f, width, fit->dots, out, cap - 1); break;
	case BH_ENUM: choice_text(core, p, v->i, whole, sizeof(whole)); break;
	case BH_TEXT: snprintf(whole, sizeof(whole), "%.63s", v->s); break;
	case BH_NONE:
	case BH_TRIGGER: break;
	}
	if (name[0] && fit->whole)
		snprintf(out, cap, "%s", name);
	else if (name[0])
		core_fit_text(name, width, fit->dots, out, cap - 1);
	size_t len = fit->stale ? strlen(out) : 0;
	if (fit->stale && len + 2 <= cap)
		memcpy(out + len, "?", 2);
}

/* A bare number is a part of its range. */
static bool
is_bare(const struct core_param *p)
{
	return !p->unit[0] && p->range.max > p->range.min &&
	       (p->type == BH_FLOAT || (p->type == BH_INT && p->range.max - p->range.min >= 100));
}

void
core_change_text(struct bh_core *core, const struct core_param *p, const union bh_val *v, const struct core_fit *fit, char *out,
		 size_t cap)
{
	double x = p->type == BH_FLOAT ? v->f : (double)v->i;
	if (is_bare(p)) {
		bool both = p->range.min == -p->range.max;
		double part = both ? x / p->range.max : bh_taper_position(&p->range, x);
		char number[16];
		unsigned len = write_decimal(part * 100, 0, false, number);
		number[len] = '%';
		number[len + 1] = '\0';
		if (len + 2 <= cap)
			memcpy(out, number, len + 2);
	} else {
		core_text(core, p, v, fit, out, cap);
	}
}

void
core_timecode(double seconds, unsigned rate_hz, char *out, size_t cap)
{
	double most = 99 * 3600.0, s = seconds > -most ? seconds < most ? seconds : most : -most; /* NaN: the least */
	int64_t frames = core_whole(floor(fabs(s) * rate_hz + 1e-6)), whole = frames / rate_hz;
	snprintf(out, cap, "%s%02d:%02d:%02d:%02d", s < 0 ? "-" : "", (int)(whole / 3600), (int)(whole / 60 % 60),
		 (int)(whole % 60), (int)(frames % rate_hz));
}

/* ------------------------------------------------------------------ who is not there */

static const char *
down_word(uint32_t health, bool is_short)
{
	switch ((enum bh_health)health) {
	case BH_HEALTH_CONNECTING: return is_short ? "conn" : "connect";
	case BH_HEALTH_BAD_CONFIG: return is_short ? "conf" : "config";
	case BH_HEALTH_AUTH_FAILED: return "auth";
	case BH_HEALTH_NO_PERMISSION: return is_short ? "deny" : "denied";
	case BH_HEALTH_HELD: return "held";
	case BH_HEALTH_STOPPED: return is_short ? "stop" : "stopped";
	case BH_HEALTH_STARTING:
	case BH_HEALTH_OK:
	case BH_HEALTH_DEGRADED:
	case BH_HEALTH_BACKING_OFF:
	case BH_HEALTH_FAILED:
	case BH_HEALTH_COUNT: break;
	}
	return "down";
}

uint64_t
core_down_text(uint32_t health, uint64_t age_ns, char *out, size_t cap)
{
	static const struct {
		uint64_t s;
		char sign;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}};
	uint64_t age = age_ns / 1000000000ull;
	unsigned k = age >= 100 * 3600 ? 0 : age >= 100 * 60 ? 1 : 2;
	uint64_t n = age / units[k].s;
	if (n)
		snprintf(out, cap, "%s%2u%c", down_word(health, true), (unsigned)(n < 99 ? n : 99), units[k].sign);
	else
		snprintf(out, cap, "%s", down_word(health, false));
	return (n + 1) * units[k].s * 1000000000ull;
}
