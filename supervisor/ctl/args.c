/*
 * args.c - the command line, and the small words in it
 *
 * Options may stand anywhere. What begins with a minus and a digit is a value ("set loop/ch1/level -6dB"), so the line is
 * gone through word by word here, by the table of options.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/config/suggest.h"
#include "supervisor/ctl/ctl.h"
#include "supervisor/ctl/output.h"

/* ------------------------------------------------------------------ errors */

int
ctl_show_error(struct ctl *ctl, const struct bh_wire_error *err)
{
	static const struct {
		const char *code;
		enum ctl_exit exit;
	} rows[] = {
		{"bad-request", CTL_USAGE},  {"bad-version", CTL_FAILED},  {"unknown-verb", CTL_USAGE}, {"unknown-name", CTL_USAGE},
		{"bad-value", CTL_USAGE},    {"read-only", CTL_USAGE},	   {"refused", CTL_FAILED},	{"busy", CTL_FAILED},
		{"timed-out", CTL_FAILED},   {"not-running", CTL_NOT_RUNNING}, {"bad-config", CTL_BAD_CONFIG}, {"failed", CTL_FAILED},
	};
	const struct ctl_writer *out = ctl->out ? ctl->out : &ctl_text;
	out->error(stdout, err->code, err->text, err->hint);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].code, err->code) == 0)
			return rows[i].exit;
	return CTL_FAILED;
}

int
ctl_error(struct ctl *ctl, const char *code, const char *hint, const char *text, ...)
{
	struct bh_wire_error err = {.code = code};
	va_list ap;
	va_start(ap, text);
	vsnprintf(err.text, sizeof(err.text), text, ap);
	va_end(ap);
	snprintf(err.hint, sizeof(err.hint), "%s", hint ? hint : "");
	return ctl_show_error(ctl, &err);
}

/* ------------------------------------------------------------------ options */

static bool
is_option(const char *word)
{
	/* "-6dB", "-.5", "-inf" are values. */
	return word[0] == '-' && word[1] && !isdigit((unsigned char)word[1]) && word[1] != '.' && strncasecmp(word + 1, "inf", 3) != 0;
}

static const struct ctl_option_row *
find_option(const char *word, const char **value)
{
	*value = NULL;
	for (size_t i = 0; i < ctl_option_count; i++) {
		const struct ctl_option_row *o = &ctl_options[i];
		size_t len = strlen(o->name);
		if (word[1] == '-' && strncmp(word + 2, o->name, len) == 0 && (word[2 + len] == '\0' || word[2 + len] == '=')) {
			*value = word[2 + len] ? word + 3 + len : NULL;
			return o;
		}
		if (word[1] != '-' && o->letter && word[1] == o->letter) {
			*value = word[2] ? word + 2 : NULL;
			return o;
		}
	}
	return NULL;
}

static int
unknown_option(struct ctl *ctl, const char *word)
{
	struct bh_suggest s = {.word = word + strspn(word, "-")};
	char hint[80] = "`bulkhead help` lists them";
	for (size_t i = 0; i < ctl_option_count; i++)
		bh_suggest_offer(&s, ctl_options[i].name);
	if (s.best)
		snprintf(hint, sizeof(hint), "did you mean --%s?", s.best);
	return ctl_error(ctl, "bad-request", hint, "there is no option %s", word);
}

static int
take_option(struct ctl *ctl, const struct ctl_option_row *o, const char *value)
{
	switch (o->bit) {
	case CTL_OPT_JSON:
		ctl->json = true;
		ctl->out = &ctl_json;
		return 0;
	case CTL_OPT_RUNTIME:
		/* Also for the programs that `run` becomes. A relative one is meant from here. */
		if (*value == '/') {
			setenv("BULKHEAD_RUNTIME_DIR", value, 1);
			return 0;
		}
		char *cwd = realpath(".", NULL), path[4096];
		snprintf(path, sizeof(path), "%s/%s", cwd ? cwd : "", value);
		free(cwd);
		setenv("BULKHEAD_RUNTIME_DIR", path, 1);
		return 0;
	case CTL_OPT_HELP: return 0;
	case CTL_OPT_CONFIG: ctl->config = value; return 0;
	case CTL_OPT_SIGNAL: ctl->signal = value; return 0;
	case CTL_OPT_ALL: ctl->all = true; return 0;
	case CTL_OPT_LAST:
		if (ctl_parse_int(value, 0, 100000, &ctl->last) < 0)
			return ctl_error(ctl, "bad-value", NULL, "--last takes a number, not \"%s\"", value);
		return 0;
	case CTL_OPT_ONCE: ctl->once = true; return 0;
	case CTL_OPT_AS: ctl->as = value; return 0;
	case CTL_OPT_SURFACE: ctl->surface = value; return 0;
	case CTL_OPT_SECRETS: ctl->secrets = true; return 0;
	case CTL_OPT_AGAINST: ctl->against = value; return 0;
	case CTL_OPT_PROFILE: ctl->profile = value; return 0;
	case CTL_OPT_WATCH:
		if (ctl_parse_int(value, 0, 600000, &ctl->watch_ms) < 0)
			return ctl_error(ctl, "bad-value", NULL, "--watch takes milliseconds, not \"%s\"", value);
		return 0;
	case CTL_OPT_BATCH: ctl->batch = true; return 0;
	case CTL_OPT_RESET: ctl->reset = true; return 0;
	case CTL_OPT_SHOW: ctl->show = true; return 0;
	case CTL_OPT_OUTPUT: ctl->output = value; return 0;
	case CTL_OPT_SECURITY: ctl->security = true; return 0;
	case CTL_OPT_FORCE: ctl->force = true; return 0;
	case CTL_OPT_UPGRADE: ctl->upgrade = true; return 0;
	case CTL_OPT_PORTS: ctl->ports = value; return 0;
	case CTL_OPT_TIMEOUT:
		if (ctl_parse_seconds(value, &ctl->timeout) < 0)
			return ctl_error(ctl, "bad-value", NULL, "--timeout takes seconds, not \"%s\"", value);
		return 0;
	}
	return 0;
}

static int
unknown_verb(struct ctl *ctl, const char *word)
{
	struct bh_suggest s = {.word = word};
	char hint[80] = "`bulkhead help` lists them";
	for (size_t i = 0; i < ctl_verb_count; i++)
		bh_suggest_offer(&s, ctl_verbs[i].name);
	if (s.best)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", s.best);
	return ctl_error(ctl, "unknown-verb", hint, "there is no verb \"%s\"", word);
}

int
ctl_parse(struct ctl *ctl, int argc, char **argv, char **rest, int *nrest)
{
	unsigned given = 0;
	bool only_words = false;
	*ctl = (struct ctl){.out = &ctl_text, .last = -1, .timeout = -1, .watch_ms = -1};
	*nrest = 0;
	for (int i = 1; i < argc; i++) {
		const char *value;
		if (only_words || !is_option(argv[i])) {
			if (ctl->verb) {
				rest[(*nrest)++] = argv[i];
				continue;
			}
			ctl->verb = ctl_find_verb(argv[i]);
			if (!ctl->verb)
				return unknown_verb(ctl, argv[i]);
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			only_words = true;
			continue;
		}
		if (strcmp(argv[i], "--version") == 0 && !ctl->verb) {
			ctl->verb = ctl_find_verb("version");
			continue;
		}
		const struct ctl_option_row *o = find_option(argv[i], &value);
		if (!o)
			return unknown_option(ctl, argv[i]);
		if (o->arg && !value && i + 1 < argc)
			value = argv[++i];
		if (!o->arg != !value)
			return ctl_error(ctl, "bad-request", NULL, "--%s takes %s%s", o->name, o->arg ? "a " : "no value",
					 o->arg ? o->arg : "");
		given |= o->bit;
		int r = take_option(ctl, o, value);
		if (r)
			return r;
	}
	if (given & CTL_OPT_HELP || !ctl->verb) {
		/* `bulkhead status --help` is `bulkhead help status`; nothing at all is a wrong use that gets help. */
		if (!(given & CTL_OPT_HELP)) {
			ctl_usage(stderr);
			return CTL_USAGE;
		}
		*nrest = ctl->verb != NULL;
		if (ctl->verb)
			rest[0] = (char *)(uintptr_t)ctl->verb->name;
		ctl->verb = ctl_find_verb("help");
		return 0;
	}
	unsigned wrong = given & ~(ctl->verb->options | CTL_OPT_RUNTIME);
	for (size_t i = 0; i < ctl_option_count && wrong; i++)
		if (wrong & ctl_options[i].bit)
			return ctl_error(ctl, "bad-request", NULL, "%s has no option --%s", ctl->verb->name, ctl_options[i].name);
	if (*nrest < ctl->verb->min || (ctl->verb->max >= 0 && *nrest > ctl->verb->max))
		return ctl_error(ctl, "bad-request", NULL, "usage: bulkhead %s%s%s", ctl->verb->name, *ctl->verb->args ? " " : "",
				 ctl->verb->args);
	return 0;
}

/* ------------------------------------------------------------------ small words */

int
ctl_parse_int(const char *text, long min, long max, long *out)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (end == text || *end || errno || n < min || n > max)
		return -EINVAL;
	*out = n;
	return 0;
}

static int
hex_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
ctl_parse_hex(int argc, char **argv, uint8_t *out, size_t cap, const char **wrong)
{
	size_t n = 0;
	for (int i = 0; i < argc; i++) {
		const char *w = argv[i];
		*wrong = w;
		if (w[0] == '0' && (w[1] == 'x' || w[1] == 'X'))
			w += 2;
		size_t len = strlen(w);
		if (len && (w[len - 1] == 'h' || w[len - 1] == 'H'))
			len--;
		if (len == 0 || len % 2)
			return -EINVAL;
		for (size_t k = 0; k < len; k += 2) {
			int high = hex_of(w[k]), low = hex_of(w[k + 1]);
			if (high < 0 || low < 0)
				return -EINVAL;
			if (n == cap)
				return -E2BIG;
			out[n++] = (uint8_t)(high << 4 | low);
		}
	}
	return (int)n;
}

int
ctl_parse_seconds(const char *text, double *out)
{
	char *end;
	double d = strtod(text, &end);
	if (end == text || !isfinite(d))
		return -EINVAL;
	if (strcmp(end, "ms") == 0)
		d /= 1000;
	else if (*end && strcmp(end, "s") != 0)
		return -EINVAL;
	if (d < 0 || d > 86400)
		return -EINVAL;
	*out = d;
	return 0;
}

int
ctl_parse_position(const char *text, double *out)
{
	char *end;
	double d = strtod(text, &end);
	if (end == text)
		return -EINVAL;
	if (*end == '%') {
		d /= 100;
		end++;
	}
	if (*end || !(d >= 0 && d <= 1))
		return -EINVAL;
	*out = d;
	return 0;
}

int
ctl_parse_signal(const char *text)
{
	long n;
	if (ctl_parse_int(text, 1, 64, &n) == 0)
		return (int)n;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int s = 1; s < 32; s++) {
		const char *name = sigabbrev_np(s);
		if (name && strcasecmp(name, text) == 0)
			return s;
	}
	return -EINVAL;
}

int
ctl_parse_press(const char *text)
{
	static const struct {
		const char *word;
		int how;
	} rows[] = {{"down", 1}, {"press", 1}, {"1", 1}, {"up", 0}, {"release", 0}, {"0", 0}, {"both", 2}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].word, text) == 0)
			return rows[i].how;
	return -EINVAL;
}

void
ctl_duration(double seconds, char *out, size_t cap)
{
	unsigned long s = seconds > 0 ? (unsigned long)seconds : 0;
	if (seconds < 0.9995)
		snprintf(out, cap, "%.0f ms", seconds > 0 ? seconds * 1000 : 0);
	else if (s < 60)
		snprintf(out, cap, "%lu s", s);
	else if (s < 3600)
		snprintf(out, cap, "%lu min %lu s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, cap, "%lu h %lu min", s / 3600, s / 60 % 60);
	else
		snprintf(out, cap, "%lu d %lu h", s / 86400, s / 3600 % 24);
}
