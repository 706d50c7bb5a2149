/*
 * script - see script.h
 */
#include "procs/simdesk/script.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/units.h"
#include "procs/simdesk/cable.h"
#include "procs/simdesk/model.h"

enum {
	ERRORS_MAX = 20,
	DEPTH_MAX = 8,
	REPEAT_MAX = 1000000,
	GARBAGE_MAX = 65536,
	TICKS_MAX = 100000,
	WORD_MAX = 40,
};

static const uint64_t time_max_ns = 24ull * 3600 * BH_NS_PER_S;

/* ---- tokens ---------------------------------------------------------------------------------- */

enum token_kind { T_ATOM, T_STRING, T_MARK, T_SEPARATOR, T_END };

struct token {
	enum token_kind kind;
	const char *at;
	size_t len;
	int line, col;
};

struct parser {
	const char *name;
	const char *text, *at, *end, *line_start;
	const char *stmt_end; /* behind the token taken last */
	int line;
	struct token tok;  /* the one to look at */
	FILE *errors;      /* borrowed */
	unsigned n_errors;
	unsigned depth;
};

static bool
is_atom_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '%' || c == '/';
}

static void error_at(struct parser *p, const struct token *t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void
error_at(struct parser *p, const struct token *t, const char *fmt, ...)
{
	if (p->n_errors++ >= ERRORS_MAX)
		return;
	fprintf(p->errors, "%s:%d:%d: ", p->name, t->line, t->col);
	va_list args;
	va_start(args, fmt);
	vfprintf(p->errors, fmt, args);
	va_end(args);
	fputc('\n', p->errors);
}

static void
skip_blanks(struct parser *p)
{
	for (; p->at < p->end; p->at++) {
		if (*p->at == '#') {
			while (p->at + 1 < p->end && p->at[1] != '\n')
				p->at++;
		} else if (*p->at == '\\' && p->at + 1 < p->end && p->at[1] == '\n') {
			p->at++;
			p->line++;
			p->line_start = p->at + 1;
		} else if (*p->at != ' ' && *p->at != '\t' && *p->at != '\r') {
			break;
		}
	}
}

static size_t
string_len(struct parser *p)
{
	const char *s = p->at + 1;
	while (s < p->end && *s != '"' && *s != '\n')
		s += *s == '\\' && s + 1 < p->end && s[1] != '\n' ? 2 : 1;
	if (s >= p->end || *s != '"') {
		error_at(p, &p->tok, "this text has no closing \"");
		return (size_t)((s < p->end ? s : p->end) - p->at);
	}
	return (size_t)(s + 1 - p->at);
}

static size_t
atom_len(const struct parser *p)
{
	const char *s = p->at + 1;
	/* A dash joins words: active-sensing. */
	while (s < p->end &&
	       (is_atom_char(*s) || (*s == '-' && s + 1 < p->end && isalpha((unsigned char)s[1]))))
		s++;
	return (size_t)(s - p->at);
}

static size_t
mark_len(const struct parser *p)
{
	static const char *const marks[] = {"<=", ">=", "!=", "+-", "<", ">", "=", "{", "}", "&"};
	for (size_t i = 0; i < BH_ARRAY_LEN(marks); i++) {
		size_t n = strlen(marks[i]);
		if ((size_t)(p->end - p->at) >= n && memcmp(p->at, marks[i], n) == 0)
			return n;
	}
	return 0;
}

static void
next(struct parser *p)
{
	p->stmt_end = p->tok.at + p->tok.len;
	for (;;) {
		skip_blanks(p);
		p->tok = (struct token){.kind = T_END,
					.at = p->at,
					.line = p->line,
					.col = (int)(p->at - p->line_start) + 1};
		if (p->at >= p->end)
			return;
		char c = *p->at;
		char after = p->at + 1 < p->end ? p->at[1] : '\0';
		if (c == '\n' || c == ';') {
			p->tok.kind = T_SEPARATOR;
			p->tok.len = 1;
		} else if (c == '"') {
			p->tok.kind = T_STRING;
			p->tok.len = string_len(p);
		} else if (is_atom_char(c) ||
			   ((c == '-' || c == '+') && (isdigit((unsigned char)after) || after == '.'))) {
			p->tok.kind = T_ATOM;
			p->tok.len = atom_len(p);
		} else {
			p->tok.kind = T_MARK;
			p->tok.len = mark_len(p);
		}
		if (p->tok.len > 0)
			break;
		error_at(p, &p->tok, "what is '%c'?", isprint((unsigned char)c) ? c : '?');
		p->at++;
	}
	if (*p->at == '\n') {
		p->line++;
		p->line_start = p->at + 1;
	}
	p->at += p->tok.len;
}

static bool
at_end(const struct parser *p)
{
	return p->tok.kind == T_SEPARATOR || p->tok.kind == T_END ||
	       (p->tok.kind == T_MARK && (*p->tok.at == '}' || *p->tok.at == '{'));
}

static bool
is(const struct parser *p, const char *word)
{
	return (p->tok.kind == T_ATOM || p->tok.kind == T_MARK) && p->tok.len == strlen(word) &&
	       memcmp(p->tok.at, word, p->tok.len) == 0;
}

static bool
accept(struct parser *p, const char *word)
{
	if (!is(p, word))
		return false;
	next(p);
	return true;
}

/* The token in quotes, for messages. */
struct shown {
	char text[WORD_MAX + 8];
};

static struct shown
show(const struct parser *p)
{
	struct shown s;
	int n = p->tok.len > WORD_MAX ? WORD_MAX : (int)p->tok.len;
	if (p->tok.kind == T_END || p->tok.kind == T_SEPARATOR)
		snprintf(s.text, sizeof(s.text), "the end");
	else
		snprintf(s.text, sizeof(s.text), "'%.*s'", n, p->tok.at);
	return s;
}

static bool
word_of(const struct parser *p, char word[WORD_MAX])
{
	if (p->tok.kind != T_ATOM || p->tok.len >= WORD_MAX)
		return false;
	memcpy(word, p->tok.at, p->tok.len);
	word[p->tok.len] = '\0';
	return true;
}

/* ---- did you mean ---------------------------------------------------------------------------- */

static unsigned
edit_distance(const char *a, const char *b)
{
	unsigned row[WORD_MAX + 1];
	size_t n = strlen(b);
	if (n > WORD_MAX || strlen(a) > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			unsigned cost = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < cost)
				cost = row[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
		}
	}
	return row[n];
}

struct guess {
	const char *word;
	unsigned distance;
};

static void
guess_try(struct guess *g, const char *typed, const char *word)
{
	unsigned d = edit_distance(typed, word);
	if (!g->word || d < g->distance)
		*g = (struct guess){word, d};
}

static void
error_word(struct parser *p, const char *what, const struct guess *g)
{
	char typed[WORD_MAX];
	if (g->word && word_of(p, typed) && g->distance * 3 <= strlen(typed) + 1)
		error_at(p, &p->tok, "%s is no %s; did you mean \"%s\"?", show(p).text, what, g->word);
	else
		error_at(p, &p->tok, "%s is no %s", show(p).text, what);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* Each takes its tokens, or reports an error and returns false. */

static bool
get_double(struct parser *p, const char *what, double *out, const char **suffix)
{
	char word[WORD_MAX];
	static char rest[WORD_MAX];
	char *end = word;
	bool ok = word_of(p, word) && !strpbrk(word, "xXnN") && (isdigit((unsigned char)word[0]) ||
								   strchr("+-.", word[0]));
	if (ok)
		*out = strtod(word, &end);
	if (!ok || end == word) {
		error_at(p, &p->tok, "%s is missing: here is %s", what, show(p).text);
		return false;
	}
	snprintf(rest, sizeof(rest), "%s", end);
	*suffix = rest;
	return true;
}

static bool
get_int(struct parser *p, const char *what, int64_t min, int64_t max, int64_t *out)
{
	const char *suffix;
	double v;
	struct token at = p->tok;
	if (!get_double(p, what, &v, &suffix))
		return false;
	if (*suffix || v < (double)min || v > (double)max || v != (double)(int64_t)v) {
		error_at(p, &at, "%s must be a whole number from %lld to %lld, not %s", what,
			 (long long)min, (long long)max, show(p).text);
		return false;
	}
	*out = (int64_t)v;
	next(p);
	return true;
}

static bool
get_time(struct parser *p, uint64_t *out)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 60e9}};
	const char *suffix;
	double v;
	char word[WORD_MAX];
	/* "min" has an n, which get_double() refuses together with nan and inf. */
	if (word_of(p, word) && strlen(word) > 3 && strcmp(word + strlen(word) - 3, "min") == 0) {
		char *end;
		v = strtod(word, &end);
		suffix = "min";
		if (strcmp(end, "min") != 0 || !isdigit((unsigned char)word[0])) {
			error_at(p, &p->tok, "%s is no time", show(p).text);
			return false;
		}
	} else if (!get_double(p, "a time", &v, &suffix)) {
		return false;
	}
	for (size_t i = 0; i < BH_ARRAY_LEN(units); i++) {
		if (strcmp(suffix, units[i].unit) != 0)
			continue;
		if (v < 0 || v * units[i].ns > (double)time_max_ns) {
			error_at(p, &p->tok, "%s is no time from 0 to 24 hours", show(p).text);
			return false;
		}
		*out = (uint64_t)(v * units[i].ns + 0.5);
		next(p);
		return true;
	}
	error_at(p, &p->tok, "a time needs a unit, as in 0.2s, 200ms or 2min; here is %s",
		 show(p).text);
	return false;
}

/* 0.75 or 75% of the way; above 1, the 14-bit value. */
static bool
get_pos(struct parser *p, uint16_t *out)
{
	const char *suffix;
	double v;
	if (!get_double(p, "a position", &v, &suffix))
		return false;
	if (strcmp(suffix, "%") == 0)
		v /= 100;
	bool is_part = v <= 1;
	if ((*suffix && strcmp(suffix, "%") != 0) || v < 0 || v > BH_MCU_POS_MAX ||
	    (!is_part && (*suffix || v != (double)(int)v))) {
		error_at(p, &p->tok,
			 "a position is 0 to 1, 0%% to 100%%, or a 14-bit value up to %d, not %s",
			 BH_MCU_POS_MAX, show(p).text);
		return false;
	}
	*out = is_part ? (uint16_t)(v * DESK_TOP + 0.5) : (uint16_t)v;
	next(p);
	return true;
}

static bool
get_text(struct parser *p, char **out)
{
	if (p->tok.kind != T_STRING || p->tok.len < 2) {
		error_at(p, &p->tok, "text in \"quotes\" is missing: here is %s", show(p).text);
		return false;
	}
	char *text = calloc(1, p->tok.len);
	if (!text)
		return false;
	size_t n = 0;
	for (size_t i = 1; i + 1 < p->tok.len; i++) {
		char c = p->tok.at[i];
		if (c == '\\') {
			c = p->tok.at[++i];
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
		}
		text[n++] = c;
	}
	free(*out);
	*out = text;
	next(p);
	return true;
}

static bool
get_choice(struct parser *p, const char *what, const char *const *words, size_t n, int *out)
{
	char word[WORD_MAX] = "";
	struct guess g = {0};
	word_of(p, word);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(word, words[i]) == 0) {
			*out = (int)i;
			next(p);
			return true;
		}
		guess_try(&g, word, words[i]);
	}
	error_word(p, what, &g);
	return false;
}

static bool
get_on_off(struct parser *p, bool *out)
{
	static const char *const words[] = {"off", "on"};
	int v = 0;
	if (!get_choice(p, "on or off", words, 2, &v))
		return false;
	*out = v;
	return true;
}

/* 1-8, 9 or main; and the names that the control has elsewhere. */
static int
fader_of(const char *word)
{
	if (strcmp(word, "main") == 0 || strcmp(word, "fader_main") == 0)
		return 8;
	if (strncmp(word, "fader", 5) == 0)
		word += 5;
	return strlen(word) == 1 && word[0] >= '1' && word[0] <= '9' ? word[0] - '1' : -1;
}

static bool
get_fader(struct parser *p, int *out)
{
	char word[WORD_MAX];
	int i = word_of(p, word) ? fader_of(word) : -1;
	if (i < 0) {
		error_at(p, &p->tok, "a fader is 1 to 9 or main, not %s", show(p).text);
		return false;
	}
	*out = i;
	next(p);
	return true;
}

static int
numbered(const char *word, const char *prefix)
{
	if (strncmp(word, prefix, strlen(prefix)) == 0)
		word += strlen(prefix);
	return strlen(word) == 1 && word[0] >= '1' && word[0] <= '8' ? word[0] - '1' : -1;
}

static bool
get_strip(struct parser *p, const char *what, const char *prefix, int *out)
{
	char word[WORD_MAX];
	int i = word_of(p, word) ? numbered(word, prefix) : -1;
	if (i < 0) {
		error_at(p, &p->tok, "a %s is 1 to 8, not %s", what, show(p).text);
		return false;
	}
	*out = i;
	next(p);
	return true;
}

static bool
get_note(struct parser *p, const char *what, bool is_light, int *out)
{
	char word[WORD_MAX] = "";
	struct guess g = {0};
	word_of(p, word);
	for (unsigned n = 0; n < DESK_BUTTONS; n++) {
		const char *name = bh_mcu_note_name((uint8_t)n);
		if (!name || (n >= BH_MCU_NOTE_TOUCH && n <= BH_MCU_NOTE_TOUCH + 8) ||
		    (!is_light && !desk_has_button(n)))
			continue;
		if (strcmp(word, name) == 0) {
			*out = (int)n;
			next(p);
			return true;
		}
		guess_try(&g, word, name);
	}
	error_word(p, what, &g);
	return false;
}

static bool
get_cmp(struct parser *p, enum script_cmp *out)
{
	static const char *const marks[] = {"=", "!=", "<", "<=", ">", ">="};
	for (size_t i = 0; i < BH_ARRAY_LEN(marks); i++) {
		if (accept(p, marks[i])) {
			*out = (enum script_cmp)i;
			return true;
		}
	}
	error_at(p, &p->tok, "one of = != < <= > >= is missing: here is %s", show(p).text);
	return false;
}

/* ---- conditions ------------------------------------------------------------------------------ */

static bool
cond_fader(struct parser *p, struct script_stmt *s)
{
	s->tol = DESK_STEP;
	if (!get_fader(p, &s->index) || !get_pos(p, &s->pos))
		return false;
	return !accept(p, "+-") || get_pos(p, &s->tol);
}

static bool
cond_led(struct parser *p, struct script_stmt *s)
{
	static const char *const words[] = {"off", "flash", "on"};
	return get_note(p, "light", true, &s->note) &&
	       get_choice(p, "state of a light (on, off, flash)", words, 3, &s->led);
}

static bool
cond_ring(struct parser *p, struct script_stmt *s)
{
	static const char *const modes[] = {"dot", "boost", "wrap", "spread"};
	if (!get_strip(p, "ring", "vpot", &s->index))
		return false;
	s->ring.mode = -1;
	if (!accept(p, "off") &&
	    (!get_choice(p, "ring mode (off, dot, boost, wrap, spread)", modes, 4, &s->ring.mode) ||
	     !get_int(p, "the position of a ring", 0, BH_MCU_RING_POS_MAX, &s->number)))
		return false;
	s->ring.extra = accept(p, "extra");
	return true;
}

static bool
cond_strip(struct parser *p, struct script_stmt *s)
{
	static const char *const parts[] = {"upper", "lower", "color"};
	if (!get_strip(p, "strip", "strip", &s->index) ||
	    !get_choice(p, "part of a strip (upper, lower, color)", parts, 3, &s->line_no))
		return false;
	if (s->line_no < 2)
		return get_text(p, &s->text);
	const char *colours[8];
	for (unsigned i = 0; i < 8; i++)
		colours[i] = desk_colour_name(i);
	int colour = 0;
	if (!get_choice(p, "colour", colours, 8, &colour))
		return false;
	s->number = colour;
	return true;
}

static bool
cond_digits(struct parser *p, struct script_stmt *s)
{
	static const char *const parts[] = {"timecode", "assignment"};
	return get_choice(p, "display (timecode, assignment)", parts, 2, &s->line_no) &&
	       get_text(p, &s->text);
}

static bool
cond_meter(struct parser *p, struct script_stmt *s)
{
	if (!get_strip(p, "meter", "meter", &s->index))
		return false;
	s->line_no = accept(p, "over");
	return s->line_no || (get_cmp(p, &s->cmp) && get_int(p, "the level of a meter", 0,
							     BH_MCU_METER_MAX, &s->number));
}

static bool
cond_peer(struct parser *p, struct script_stmt *s)
{
	static const char *const words[] = {"gone", "here"};
	int v = 0;
	if (!get_choice(p, "state of the host (here, gone)", words, 2, &v))
		return false;
	s->flag = v;
	return true;
}

static bool
cond_nothing(struct parser *p, struct script_stmt *s)
{
	(void)p;
	(void)s;
	return true;
}

static const struct {
	const char *name, *syntax, *help;
	enum script_cond cond;
	bool (*parse)(struct parser *, struct script_stmt *);
} conds[] = {
	{"fader", "fader FADER POS [+-TOL]", "the cap is there, give or take one step or TOL",
	 SCRIPT_C_FADER, cond_fader},
	{"target", "target FADER POS [+-TOL]", "the host wrote that value to the fader last",
	 SCRIPT_C_TARGET, cond_fader},
	{"led", "led NAME on|off|flash", "the light of a button", SCRIPT_C_LED, cond_led},
	{"ring", "ring VPOT off | dot|boost|wrap|spread POS [extra]", "the ring of a V-Pot, POS 0 to 11",
	 SCRIPT_C_RING, cond_ring},
	{"strip", "strip STRIP upper|lower \"TEXT\" | color COLOR", "a scribble strip, without blanks at the ends",
	 SCRIPT_C_STRIP, cond_strip},
	{"digits", "digits timecode|assignment \"TEXT\"", "the 7-segment displays, without blanks at the ends",
	 SCRIPT_C_DIGITS, cond_digits},
	{"meter", "meter STRIP CMP LEVEL | over", "a meter as it has fallen by now, 0 to 13",
	 SCRIPT_C_METER, cond_meter},
	{"peer", "peer here|gone", "a host is connected", SCRIPT_C_PEER, cond_peer},
	{"quiet", "quiet for T", "no byte comes from the host", SCRIPT_C_QUIET, cond_nothing},
	{"hands", "hands", "no hand moves a fader, no tap lasts", SCRIPT_C_HANDS, cond_nothing},
	{"motors", "motors", "no motor runs, none is about to run back", SCRIPT_C_MOTORS, cond_nothing},
	{"COUNTER", "COUNTER CMP N [since mark]", "a counter; `state` shows them all", SCRIPT_C_COUNT, NULL},
};

static bool
cond_count(struct parser *p, struct script_stmt *s)
{
	if (!get_cmp(p, &s->cmp) || !get_int(p, "a count", 0, INT64_C(1) << 50, &s->number))
		return false;
	if (!accept(p, "since"))
		return true;
	s->flag = accept(p, "mark");
	if (!s->flag)
		error_at(p, &p->tok, "\"mark\" is missing after \"since\": here is %s", show(p).text);
	return s->flag;
}

static bool
parse_cond(struct parser *p, struct script_stmt *s)
{
	char word[WORD_MAX] = "";
	struct guess g = {0};
	word_of(p, word);
	for (size_t i = 0; i < BH_ARRAY_LEN(conds); i++) {
		if (!conds[i].parse)
			continue;
		if (strcmp(word, conds[i].name) == 0) {
			s->cond = conds[i].cond;
			next(p);
			return conds[i].parse(p, s);
		}
		guess_try(&g, word, conds[i].name);
	}
	for (unsigned c = 0; c < DESK_COUNTS; c++) {
		if (strcmp(word, desk_count_name(c)) == 0) {
			s->cond = SCRIPT_C_COUNT;
			s->index = (int)c;
			next(p);
			return cond_count(p, s);
		}
		guess_try(&g, word, desk_count_name(c));
	}
	error_word(p, "thing that can be expected", &g);
	return false;
}

/* ---- statements ------------------------------------------------------------------------------ */

static bool parse_block(struct parser *p, struct script_block *b, bool is_top);

static bool
stmt_at(struct parser *p, struct script_stmt *s)
{
	return get_time(p, &s->dur_ns);
}

static bool
stmt_expect(struct parser *p, struct script_stmt *s)
{
	if (!parse_cond(p, s))
		return false;
	for (;;) {
		if (accept(p, "within")) {
			s->has_within = true;
			if (!get_time(p, &s->within_ns))
				return false;
		} else if (accept(p, "for")) {
			if (!get_time(p, &s->for_ns))
				return false;
		} else {
			break;
		}
	}
	if (s->cond == SCRIPT_C_QUIET && !s->for_ns) {
		error_at(p, &p->tok, "quiet for how long? As in: expect quiet for 200ms");
		return false;
	}
	return true;
}

static bool
stmt_wait(struct parser *p, struct script_stmt *s)
{
	if (p->tok.kind == T_ATOM && isdigit((unsigned char)*p->tok.at))
		return get_time(p, &s->dur_ns);
	s->op = SCRIPT_EXPECT;
	s->has_within = true;
	s->within_ns = 60 * BH_NS_PER_S;
	if (accept(p, "peer")) {
		s->cond = SCRIPT_C_PEER;
		s->flag = true;
	} else if (accept(p, "hands")) {
		s->cond = SCRIPT_C_HANDS;
	} else if (accept(p, "motors")) {
		s->cond = SCRIPT_C_MOTORS;
	} else {
		error_at(p, &p->tok, "wait for a time, or for peer, hands or motors; not %s",
			 show(p).text);
		return false;
	}
	return !accept(p, "within") || get_time(p, &s->within_ns);
}

static bool
stmt_touch(struct parser *p, struct script_stmt *s)
{
	return get_fader(p, &s->index);
}

static bool
stmt_release(struct parser *p, struct script_stmt *s)
{
	char word[WORD_MAX];
	if (word_of(p, word) && fader_of(word) >= 0)
		return get_fader(p, &s->index);
	return get_note(p, "fader or button", false, &s->note);
}

static bool
stmt_move(struct parser *p, struct script_stmt *s)
{
	if (!get_fader(p, &s->index) || !get_pos(p, &s->pos))
		return false;
	for (;;) {
		if (accept(p, "over")) {
			if (!get_time(p, &s->dur_ns))
				return false;
		} else if (accept(p, "touching")) {
			s->flag = true;
		} else if (accept(p, "&")) {
			s->no_wait = true;
		} else {
			return true;
		}
	}
}

static bool
stmt_press(struct parser *p, struct script_stmt *s)
{
	return get_note(p, "button", false, &s->note);
}

static bool
stmt_tap(struct parser *p, struct script_stmt *s)
{
	s->dur_ns = 30 * BH_NS_PER_MS;
	if (!get_note(p, "button", false, &s->note) ||
	    (accept(p, "for") && !get_time(p, &s->dur_ns)))
		return false;
	s->no_wait = accept(p, "&");
	return true;
}

static bool
stmt_turn(struct parser *p, struct script_stmt *s)
{
	return get_strip(p, "V-Pot", "vpot", &s->index) &&
	       get_int(p, "the number of ticks", -TICKS_MAX, TICKS_MAX, &s->number) &&
	       (!accept(p, "over") || get_time(p, &s->dur_ns));
}

static bool
stmt_jog(struct parser *p, struct script_stmt *s)
{
	return get_int(p, "the number of ticks", -TICKS_MAX, TICKS_MAX, &s->number);
}

static bool
stmt_pedal(struct parser *p, struct script_stmt *s)
{
	return get_int(p, "the pedal's value", 0, 127, &s->number);
}

static bool
stmt_alone(struct parser *p, struct script_stmt *s)
{
	(void)p;
	(void)s;
	return true;
}

static bool
stmt_plug(struct parser *p, struct script_stmt *s)
{
	s->flag = accept(p, "fresh");
	return true;
}

static bool
stmt_limit(struct parser *p, struct script_stmt *s)
{
	if (accept(p, "off"))
		return true;
	s->number = CABLE_DIN_RATE;
	return accept(p, "din") ||
	       get_int(p, "a limit (din, off, or bytes a second)", 1, 1000000000, &s->number);
}

static bool
stmt_split(struct parser *p, struct script_stmt *s)
{
	s->dur_ns = BH_NS_PER_MS;
	return get_on_off(p, &s->flag) && (!accept(p, "every") || get_time(p, &s->dur_ns));
}

static bool
stmt_sensing(struct parser *p, struct script_stmt *s)
{
	return get_on_off(p, &s->flag);
}

static bool
stmt_send(struct parser *p, struct script_stmt *s)
{
	uint8_t bytes[1024];
	while (!at_end(p)) {
		char word[WORD_MAX], *end = word;
		unsigned long v = word_of(p, word) ? strtoul(word, &end, 16) : 256;
		if (*end || v > 255 || strlen(word) > 2) {
			error_at(p, &p->tok, "%s is no byte in hexadecimal", show(p).text);
			return false;
		}
		if (s->n_bytes == sizeof(bytes)) {
			error_at(p, &p->tok, "more than %zu bytes", sizeof(bytes));
			return false;
		}
		bytes[s->n_bytes++] = (uint8_t)v;
		next(p);
	}
	if (!s->n_bytes) {
		error_at(p, &p->tok, "send which bytes? As in: send 90 5E 7F");
		return false;
	}
	s->bytes = malloc(s->n_bytes);
	if (s->bytes)
		memcpy(s->bytes, bytes, s->n_bytes);
	return s->bytes != NULL;
}

static bool
get_seed(struct parser *p, uint64_t *out)
{
	int64_t v;
	if (!get_int(p, "a seed", 0, INT64_C(1) << 50, &v))
		return false;
	*out = (uint64_t)v;
	return true;
}

static bool
stmt_garbage(struct parser *p, struct script_stmt *s)
{
	s->seed = 1;
	return get_int(p, "the number of bytes", 1, GARBAGE_MAX, &s->number) &&
	       (!accept(p, "seed") || get_seed(p, &s->seed));
}

bool
script_control_by_name(const char *name, struct script_control *c)
{
	int i = strncmp(name, "fader", 5) == 0 ? fader_of(name) : -1;
	*c = (struct script_control){.kind = SCRIPT_ON_FADER, .index = (uint8_t)i};
	if (i >= 0)
		return true;
	i = strncmp(name, "vpot", 4) == 0 ? numbered(name, "vpot") : -1;
	*c = (struct script_control){.kind = SCRIPT_ON_VPOT, .index = (uint8_t)i};
	if (i >= 0)
		return true;
	c->kind = SCRIPT_ON_JOG;
	if (strcmp(name, "jog") == 0)
		return true;
	i = bh_mcu_note_by_name(name);
	*c = (struct script_control){.kind = SCRIPT_ON_BUTTON, .index = (uint8_t)i};
	return i >= 0 && desk_has_button((unsigned)i);
}

size_t
script_default_controls(const struct script_control **list)
{
	static struct script_control all[BH_MCU_FADERS + 5 * BH_MCU_STRIPS];
	size_t n = 0;
	for (uint8_t i = 0; i < BH_MCU_FADERS; i++)
		all[n++] = (struct script_control){SCRIPT_ON_FADER, i};
	for (uint8_t i = 0; i < BH_MCU_STRIPS; i++)
		all[n++] = (struct script_control){SCRIPT_ON_VPOT, i};
	/* Notes 00 to 1F: rec, solo, mute and select of the strips. */
	for (uint8_t note = 0; note < 4 * BH_MCU_STRIPS; note++)
		all[n++] = (struct script_control){SCRIPT_ON_BUTTON, note};
	*list = all;
	return n;
}

static bool
get_controls(struct parser *p, struct script_stmt *s)
{
	struct script_control list[128];
	if (s->controls) {
		error_at(p, &p->tok, "\"using\" twice");
		return false;
	}
	while (p->tok.kind == T_ATOM && !is(p, "for") && !is(p, "seed") && !is(p, "rate")) {
		char word[WORD_MAX];
		if (s->n_controls == BH_ARRAY_LEN(list) || !word_of(p, word) ||
		    !script_control_by_name(word, &list[s->n_controls])) {
			error_at(p, &p->tok, "%s is no control (fader1, vpot2, jog, mute3)",
				 show(p).text);
			return false;
		}
		s->n_controls++;
		next(p);
	}
	if (!s->n_controls) {
		error_at(p, &p->tok, "using which controls? As in: using fader1 vpot2 mute3 jog");
		return false;
	}
	s->controls = calloc(s->n_controls, sizeof(list[0]));
	if (s->controls)
		memcpy(s->controls, list, s->n_controls * sizeof(list[0]));
	return s->controls != NULL;
}

static bool
stmt_load(struct parser *p, struct script_stmt *s)
{
	s->seed = 1;
	s->rate = 20;
	for (;;) {
		if (accept(p, "seed")) {
			if (!get_seed(p, &s->seed))
				return false;
		} else if (accept(p, "for")) {
			if (!get_time(p, &s->dur_ns))
				return false;
		} else if (accept(p, "rate")) {
			int64_t v;
			if (!get_int(p, "a rate (gestures a second)", 1, 10000, &v))
				return false;
			s->rate = (double)v;
		} else if (accept(p, "using")) {
			if (!get_controls(p, s))
				return false;
		} else if (accept(p, "&")) {
			s->no_wait = true;
		} else {
			break;
		}
	}
	if (!s->dur_ns)
		error_at(p, &p->tok, "load for how long? As in: random-load seed 7 for 5s");
	return s->dur_ns != 0;
}

static bool
stmt_repeat(struct parser *p, struct script_stmt *s)
{
	if (!get_int(p, "how often", 0, REPEAT_MAX, &s->number))
		return false;
	while (p->tok.kind == T_SEPARATOR)
		next(p);
	struct token open = p->tok;
	if (!accept(p, "{")) {
		error_at(p, &p->tok, "'{' is missing: here is %s", show(p).text);
		return false;
	}
	if (++p->depth > DEPTH_MAX) {
		error_at(p, &open, "blocks are nested deeper than %d", DEPTH_MAX);
		return false;
	}
	bool ok = parse_block(p, &s->body, false);
	p->depth--;
	if (!accept(p, "}")) {
		error_at(p, &open, "this '{' is not closed");
		return false;
	}
	return ok;
}

static const struct {
	const char *name, *syntax, *help;
	enum script_setting setting;
} settings[] = {
	{"throw", "set throw T", "time of a motor from bottom to top (250ms)", SCRIPT_S_THROW},
	{"settle", "set settle instant|real", "motors need no time, or 250ms", SCRIPT_S_SETTLE},
	{"return", "set return T", "from letting go to running back to the host's value (1s)", SCRIPT_S_RETURN},
	{"report", "set report on|off", "report what motors do, as some paths do (off)", SCRIPT_S_REPORT},
	{"answers", "set answers on|off", "answer queries of the host (on)", SCRIPT_S_ANSWERS},
	{"jump", "set jump POS", "a target further away than this counts as a jump (0.01)", SCRIPT_S_JUMP},
	{"travel", "set travel POS POS", "the ends of the faders' travel, as units differ: 12 15935 (0 16380)", SCRIPT_S_TRAVEL},
	{"within", "set within T", "deadline of each expect that names none (0s)", SCRIPT_S_WITHIN},
};

static bool
stmt_set(struct parser *p, struct script_stmt *s)
{
	static const char *const settle[] = {"real", "instant"};
	const char *names[BH_ARRAY_LEN(settings)];
	for (size_t i = 0; i < BH_ARRAY_LEN(settings); i++)
		names[i] = settings[i].name;
	int i = 0, v = 0;
	if (!get_choice(p, "setting", names, BH_ARRAY_LEN(names), &i))
		return false;
	s->index = settings[i].setting;
	switch (settings[i].setting) {
	case SCRIPT_S_THROW:
	case SCRIPT_S_RETURN:
	case SCRIPT_S_WITHIN: return get_time(p, &s->dur_ns);
	case SCRIPT_S_SETTLE:
		if (!get_choice(p, "way to settle (instant, real)", settle, 2, &v))
			return false;
		s->flag = v;
		return true;
	case SCRIPT_S_REPORT:
	case SCRIPT_S_ANSWERS: return get_on_off(p, &s->flag);
	case SCRIPT_S_JUMP: return get_pos(p, &s->pos);
	case SCRIPT_S_TRAVEL:
		if (!get_pos(p, &s->pos) || !get_pos(p, &s->tol))
			return false;
		if (s->pos < s->tol && s->tol <= DESK_TOP)
			return true;
		error_at(p, &p->tok, "the travel goes from a lower position to a higher one, up to %d", DESK_TOP);
		return false;
	}
	return false;
}

static bool
stmt_text(struct parser *p, struct script_stmt *s)
{
	return get_text(p, &s->text);
}

static bool
stmt_end_state(struct parser *p, struct script_stmt *s)
{
	return p->tok.kind != T_STRING || get_text(p, &s->text);
}

static const struct {
	const char *name, *syntax, *help;
	enum script_op op;
	bool (*parse)(struct parser *, struct script_stmt *);
} stmts[] = {
	{"at", "at T", "wait until T after the script's start; a statement may follow on the same line", SCRIPT_AT, stmt_at},
	{"wait", "wait T | peer|hands|motors [within T]", "wait for a time; or for a host, the end of all hands' moves, the end of all motors' (60s, then it fails)", SCRIPT_WAIT, stmt_wait},
	{"touch", "touch FADER", "a finger on the cap: it tells the host, and holds the cap", SCRIPT_TOUCH, stmt_touch},
	{"release", "release FADER | BUTTON", "the finger leaves", SCRIPT_RELEASE, stmt_release},
	{"move", "move FADER POS [over T] [touching] [&]", "move the cap by hand, at 200 steps a second; without a touch if nobody touched it; touching: touch first, release in the end; &: go on meanwhile", SCRIPT_MOVE, stmt_move},
	{"press", "press BUTTON", "push a button, and hold it", SCRIPT_PRESS, stmt_press},
	{"tap", "tap BUTTON [for T] [&]", "press and release (after 30ms)", SCRIPT_TAP, stmt_tap},
	{"turn", "turn VPOT TICKS [over T]", "clockwise is positive; at most 15 ticks in one message", SCRIPT_TURN, stmt_turn},
	{"jog", "jog TICKS", "the jog wheel", SCRIPT_JOG, stmt_jog},
	{"pedal", "pedal N", "the pedal, 0 to 127", SCRIPT_PEDAL, stmt_pedal},
	{"expect", "expect COND [within T] [for T]", "COND is true; within T: becomes true until then; for T: and stays so for that long", SCRIPT_EXPECT, stmt_expect},
	{"mark", "mark", "remember all counters, for `since mark`", SCRIPT_MARK, stmt_alone},
	{"unplug", "unplug", "pull the cable", SCRIPT_UNPLUG, stmt_alone},
	{"plug", "plug [fresh]", "put it back; fresh: after power was off, so dark", SCRIPT_PLUG, stmt_plug},
	{"limit", "limit din|off|N", "3125 bytes a second each way, any number, or N", SCRIPT_LIMIT, stmt_limit},
	{"split", "split on|off [every T]", "send byte by byte (1ms apart)", SCRIPT_SPLIT, stmt_split},
	{"active-sensing", "active-sensing on|off", "send FE when idle", SCRIPT_SENSING, stmt_sensing},
	{"send", "send HEX..", "these bytes, as they are", SCRIPT_SEND, stmt_send},
	{"garbage", "garbage N [seed S]", "N random bytes", SCRIPT_GARBAGE, stmt_garbage},
	{"random-load", "random-load [seed S] for T [rate N] [using CONTROL..] [&]", "N gestures a second (20): moves, turns and taps at random; ends with all hands off; &: go on meanwhile", SCRIPT_LOAD, stmt_load},
	{"repeat", "repeat N { .. }", "N times", SCRIPT_REPEAT, stmt_repeat},
	{"set", "set SETTING VALUE", "see the settings", SCRIPT_SET, stmt_set},
	{"print", "print \"TEXT\"", "say so", SCRIPT_PRINT, stmt_text},
	{"state", "state", "print all that the desk shows and has counted, as one line of JSON", SCRIPT_STATE, stmt_alone},
	{"targets", "targets", "print the host's fader values of late with their times, as one line of JSON", SCRIPT_TARGETS, stmt_alone},
	{"end-state", "end-state [\"FILE\"]", "print or write what hands did in the end: positions, ticks sent, presses", SCRIPT_END_STATE, stmt_end_state},
	{"quit", "quit", "end the program", SCRIPT_QUIT, stmt_alone},
};

static bool
parse_stmt(struct parser *p, struct script_stmt *s)
{
	char word[WORD_MAX] = "";
	struct guess g = {0};
	const char *start = p->tok.at;
	word_of(p, word);
	*s = (struct script_stmt){.line = p->tok.line, .col = p->tok.col, .note = -1};
	for (size_t i = 0; i < BH_ARRAY_LEN(stmts); i++) {
		if (strcmp(word, stmts[i].name) == 0) {
			s->op = stmts[i].op;
			next(p);
			bool ok = stmts[i].parse(p, s);
			s->source = (size_t)(start - p->text);
			s->source_len = (size_t)(p->stmt_end - start);
			return ok;
		}
		guess_try(&g, word, stmts[i].name);
	}
	error_word(p, "statement", &g);
	return false;
}

static void
stmt_fini(struct script_stmt *s)
{
	for (size_t i = 0; i < s->body.n; i++)
		stmt_fini(&s->body.stmt[i]);
	free(s->body.stmt);
	free(s->text);
	free(s->bytes);
	free(s->controls);
}

static struct script_stmt *
block_add(struct script_block *b)
{
	if ((b->n & (b->n - 1)) == 0) {
		size_t cap = b->n ? 2 * b->n : 1;
		struct script_stmt *more = reallocarray(b->stmt, cap, sizeof(*more));
		if (!more)
			return NULL;
		b->stmt = more;
	}
	return &b->stmt[b->n++];
}

/* After an error: on to the next statement. */
static void
skip_stmt(struct parser *p)
{
	while (p->tok.kind != T_SEPARATOR && p->tok.kind != T_END && !is(p, "}"))
		next(p);
}

static bool
parse_block(struct parser *p, struct script_block *b, bool is_top)
{
	for (;;) {
		while (p->tok.kind == T_SEPARATOR)
			next(p);
		if (p->tok.kind == T_END || (!is_top && is(p, "}")))
			return true;
		struct script_stmt *s = block_add(b);
		if (!s)
			return false;
		if (!parse_stmt(p, s)) {
			skip_stmt(p);
			if (is_top && is(p, "}"))
				next(p);
			continue;
		}
		if (s->op != SCRIPT_AT && !at_end(p)) {
			error_at(p, &p->tok, "%s is too much here", show(p).text);
			skip_stmt(p);
		}
		if (is_top && (is(p, "}") || is(p, "{"))) {
			error_at(p, &p->tok, "%s is too much here", show(p).text);
			next(p);
		}
	}
}

int
script_parse(const char *name, const char *text, size_t len, struct script **out, char **errors)
{
	size_t size = 0;
	*out = NULL;
	*errors = NULL;
	struct script *s = calloc(1, sizeof(*s));
	FILE *to = open_memstream(errors, &size);
	struct parser p = {.tok = {.at = text},
			   .name = name, .text = text, .at = text, .end = text + len, .line_start = text, .line = 1,
			   .errors = to};
	bool ok = s && to && (s->name = strdup(name)) && (s->text = malloc(len + 1));
	if (ok) {
		memcpy(s->text, text, len);
		s->text[len] = '\0';
		next(&p);
		ok = parse_block(&p, &s->top, true);
		if (p.n_errors > ERRORS_MAX)
			fprintf(to, "%s: and %u more errors\n", name, p.n_errors - ERRORS_MAX);
	}
	if (to)
		fclose(to);
	if (ok && !p.n_errors) {
		free(*errors);
		*errors = NULL;
		*out = s;
		return 0;
	}
	script_free(s);
	return p.n_errors ? -EINVAL : -ENOMEM;
}

void
script_free(struct script *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->top.n; i++)
		stmt_fini(&s->top.stmt[i]);
	free(s->top.stmt);
	free(s->text);
	free(s->name);
	free(s);
}

const char *
script_help_row(unsigned row, const char **help)
{
	if (row < BH_ARRAY_LEN(stmts)) {
		*help = stmts[row].help;
		return stmts[row].syntax;
	}
	row -= (unsigned)BH_ARRAY_LEN(stmts);
	if (row < BH_ARRAY_LEN(conds)) {
		*help = conds[row].help;
		return conds[row].syntax;
	}
	row -= (unsigned)BH_ARRAY_LEN(conds);
	if (row < BH_ARRAY_LEN(settings)) {
		*help = settings[row].help;
		return settings[row].syntax;
	}
	return NULL;
}

void
script_help(FILE *to)
{
	static const struct {
		const char *title;
		size_t n;
	} parts[] = {
		{"Statements, one on a line or separated by ';' (# begins a comment):", BH_ARRAY_LEN(stmts)},
		{"Conditions:", BH_ARRAY_LEN(conds)},
		{"Settings:", BH_ARRAY_LEN(settings)},
	};
	unsigned row = 0;
	for (size_t part = 0; part < BH_ARRAY_LEN(parts); part++) {
		fprintf(to, "%s%s\n", part ? "\n" : "", parts[part].title);
		for (size_t i = 0; i < parts[part].n; i++) {
			const char *help = "", *syntax = script_help_row(row++, &help);
			fprintf(to, "  %s\n        %s\n", syntax, help);
		}
	}
	fputs("\nFADER: 1 to 8, 9 or main. VPOT, STRIP: 1 to 8. POS: 0 to 1, 0% to 100%, or a 14-bit value above 1.\n"
	      "T: 0.2s, 200ms, 2min. CMP: = != < <= > >=. BUTTON, NAME: rec1 solo1 mute1 select1 vpot1_push f1\n"
	      "bank_left play record ... CONTROL: fader1 vpot2 jog mute3.\nCOUNTER:",
	      to);
	for (unsigned c = 0; c < DESK_COUNTS; c++)
		fprintf(to, "%s%s", c % 8 ? " " : "\n  ", desk_count_name(c));
	fputc('\n', to);
}
