/*
 * output_text.c - answers as tables and sentences
 *
 * Colour only on a terminal and never alone: the word says the same. NO_COLOR is honoured.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/ctl/ctl.h"
#include "supervisor/ctl/output.h"

/* A member as text; "" if it is not there. Rotating buffers: a few may be used in one printf. */
static const char *
text_of(const msgpack_object *map, const char *key)
{
	static char buf[6][512];
	static unsigned turn;
	char *b = buf[turn++ % 6];
	bh_wire_get_str(map, key, b, sizeof(buf[0]));
	/* Names come from peers: what would move the cursor is not printed. */
	for (char *p = b; *p; p++)
		if ((unsigned char)*p < 0x20 && *p != '\n')
			*p = '?';
	return b;
}

static bool
has_colour(FILE *out)
{
	const char *no = getenv("NO_COLOR");
	return isatty(fileno(out)) && !(no && *no);
}

static const char *
colour_of(const char *health)
{
	if (strcmp(health, "ok") == 0)
		return "\033[32m";
	if (strcmp(health, "failed") == 0 || strncmp(health, "bad", 3) == 0 || strncmp(health, "auth", 4) == 0 ||
	    strncmp(health, "no-", 3) == 0)
		return "\033[31m";
	return strcmp(health, "stopped") == 0 || strcmp(health, "held") == 0 ? "\033[2m" : "\033[33m";
}

static void
put_health(FILE *out, const char *health, int width)
{
	bool colour = has_colour(out);
	fprintf(out, "%s%-*s%s", colour ? colour_of(health) : "", width, health, colour ? "\033[0m" : "");
}

/* ------------------------------------------------------------------ status */

static void
put_deaths(FILE *out, const msgpack_object *p)
{
	const msgpack_object *d = bh_wire_get(p, "deaths");
	for (uint32_t i = 0; d && d->type == MSGPACK_OBJECT_ARRAY && i < d->via.array.size; i++) {
		const msgpack_object *o = &d->via.array.ptr[i];
		char ago[40];
		ctl_duration(bh_wire_get_float(o, "ago_s", 0), ago, sizeof(ago));
		fprintf(out, "  died %s ago: %s ", ago, text_of(o, "cause"));
		if (*text_of(o, "limit"))
			fprintf(out, "of %s", text_of(o, "limit"));
		else
			fprintf(out, "%" PRId64, bh_wire_get_int(o, "code", 0));
		fprintf(out, " (pid %" PRId64 ")\n", bh_wire_get_int(o, "pid", 0));
	}
}

/* One process, in full. */
static void
put_process(FILE *out, const msgpack_object *p)
{
	char since[40], up[40];
	ctl_duration(bh_wire_get_float(p, "since_s", 0), since, sizeof(since));
	ctl_duration(bh_wire_get_float(p, "up_s", 0), up, sizeof(up));
	fprintf(out, "%s (%s, bh-%s): ", text_of(p, "name"), text_of(p, "role"), text_of(p, "kind"));
	put_health(out, text_of(p, "health"), 0);
	fprintf(out, " since %s%s%s\n", since, *text_of(p, "reason") ? ": " : "", text_of(p, "reason"));
	if (bh_wire_get_bool(p, "alive", false))
		fprintf(out, "  pid %" PRId64 ", up %s\n", bh_wire_get_int(p, "pid", 0), up);
	fprintf(out, "  restarts %" PRId64 " (%" PRId64 " by a spare), hangs %" PRId64, bh_wire_get_int(p, "restarts", 0),
		bh_wire_get_int(p, "warm_starts", 0), bh_wire_get_int(p, "hangs", 0));
	if (bh_wire_get_int(p, "spare_pid", 0))
		fprintf(out, ", spare parked (pid %" PRId64 ")", bh_wire_get_int(p, "spare_pid", 0));
	if (bh_wire_get_float(p, "last_recovery_ms", 0) > 0)
		fprintf(out, ", last outage %.1f ms", bh_wire_get_float(p, "last_recovery_ms", 0));
	if (bh_wire_get(p, "next_start_s"))
		fprintf(out, ", next start in %.1f s", bh_wire_get_float(p, "next_start_s", 0));
	fputc('\n', out);
	put_deaths(out, p);
	const msgpack_object *c = bh_wire_get(p, "counters");
	for (uint32_t i = 0, n = 0; c && c->type == MSGPACK_OBJECT_MAP && i < c->via.map.size; i++) {
		const msgpack_object_kv *kv = &c->via.map.ptr[i];
		if (kv->val.via.u64)
			fprintf(out, "%s%.*s %" PRIu64, n++ ? ", " : "  ", (int)kv->key.via.str.size, kv->key.via.str.ptr, kv->val.via.u64);
		if (i + 1 == c->via.map.size && n)
			fputc('\n', out);
	}
}

static void
put_rows(FILE *out, const msgpack_object *procs)
{
	fprintf(out, "%-14s %-14s %-12s %8s %9s  %s\n", "NAME", "HEALTH", "SINCE", "PID", "RESTARTS", "REASON");
	for (uint32_t i = 0; i < procs->via.array.size; i++) {
		const msgpack_object *p = &procs->via.array.ptr[i];
		char since[40];
		ctl_duration(bh_wire_get_float(p, "since_s", 0), since, sizeof(since));
		fprintf(out, "%-14s ", text_of(p, "name"));
		put_health(out, text_of(p, "health"), 14);
		fprintf(out, " %-12s %8" PRId64 " %9" PRId64 "  %s\n", since, bh_wire_get_int(p, "pid", 0),
			bh_wire_get_int(p, "restarts", 0), text_of(p, "reason"));
	}
}

/* Names in the configuration that this driver does not have. */
static void
put_missing(FILE *out, const msgpack_object *p)
{
	int64_t n = bh_wire_get_int(p, "missing", 0);
	const msgpack_object *names = bh_wire_get(p, "missing_names");
	if (!n || !names || names->type != MSGPACK_OBJECT_ARRAY)
		return;
	fprintf(out, "note: %s: the configuration names %" PRId64 " parameter%s that it does not have:\n", text_of(p, "name"), n, n == 1 ? "" : "s");
	for (uint32_t i = 0; i < names->via.array.size; i++) {
		const msgpack_object *m = &names->via.array.ptr[i];
		fprintf(out, "  %s (%s:%" PRId64 ":%" PRId64 ")", text_of(m, "name"), text_of(m, "file"), bh_wire_get_int(m, "line", 0),
			bh_wire_get_int(m, "column", 0));
		if (bh_wire_get(m, "meant"))
			fprintf(out, "; did you mean \"%s\"?", text_of(m, "meant"));
		fputc('\n', out);
	}
	if (n > names->via.array.size)
		fprintf(out, "  and %" PRId64 " more\n", n - names->via.array.size);
}

static void
text_status(FILE *out, const msgpack_object *a)
{
	const msgpack_object *procs = bh_wire_get(a, "processes");
	char up[40];
	if (!procs || procs->type != MSGPACK_OBJECT_ARRAY)
		return;
	if (procs->via.array.size == 1) {
		put_process(out, &procs->via.array.ptr[0]);
	} else {
		ctl_duration(bh_wire_get_float(a, "up_s", 0), up, sizeof(up));
		fprintf(out, "Bulkhead %s, up %s, %s", text_of(a, "version"), up, text_of(a, "config"));
		if (*text_of(a, "profile") && strcmp(text_of(a, "profile"), "default") != 0)
			fprintf(out, ", profile %s", text_of(a, "profile"));
		fprintf(out, "\n\n");
		put_rows(out, procs);
	}
	for (uint32_t i = 0; i < procs->via.array.size; i++) {
		const msgpack_object *p = &procs->via.array.ptr[i];
		if (*text_of(p, "hint"))
			fprintf(out, "hint: %s: %s\n", text_of(p, "name"), text_of(p, "hint"));
		if (*text_of(p, "lost"))
			fprintf(out, "lost: %s: %s\n", text_of(p, "name"), text_of(p, "lost"));
		put_missing(out, p);
	}
	if (!bh_wire_get_bool(a, "control_answers", true))
		fprintf(out, "note: bh-control does not answer; this was read from shared memory. Reading goes on, acts wait for it\n");
}

/* ------------------------------------------------------------------ pages and parameters */

static void
text_pages(FILE *out, const msgpack_object *a)
{
	const msgpack_object *pages = bh_wire_get(a, "pages");
	for (uint32_t i = 0; pages && pages->type == MSGPACK_OBJECT_ARRAY && i < pages->via.array.size; i++) {
		const msgpack_object *p = &pages->via.array.ptr[i];
		fprintf(out, "%c %3" PRId64 "  %-24s %" PRId64 " bindings\n", bh_wire_get_bool(p, "shown", false) ? '*' : ' ',
			bh_wire_get_int(p, "number", 0), text_of(p, "name"), bh_wire_get_int(p, "bindings", 0));
	}
	const msgpack_object *groups = bh_wire_get(a, "groups");
	for (uint32_t i = 1; groups && groups->type == MSGPACK_OBJECT_ARRAY && i < groups->via.array.size; i++) {
		const msgpack_object *g = &groups->via.array.ptr[i], *s = bh_wire_get(g, "surfaces");
		fprintf(out, "  %s shows %s:", text_of(g, "name"), bh_wire_get(g, "shown") ? text_of(g, "shown") : "no page yet");
		for (uint32_t k = 0; s && s->type == MSGPACK_OBJECT_ARRAY && k < s->via.array.size; k++)
			fprintf(out, " %.*s", (int)s->via.array.ptr[k].via.str.size, s->via.array.ptr[k].via.str.ptr);
		fputc('\n', out);
	}
}

/* What must be known to believe the value. */
static void
put_doubts(FILE *out, const msgpack_object *p)
{
	if (!bh_wire_get(p, "value"))
		fprintf(out, " (not known)");
	if (bh_wire_get_bool(p, "stale", false))
		fprintf(out, " (stale: from a snapshot, not confirmed)");
	if (bh_wire_get_bool(p, "refused", false))
		fprintf(out, " (refused by the driver)");
	else if (bh_wire_get_bool(p, "pending", false))
		fprintf(out, " (wanted, not confirmed)");
	if (!bh_wire_get_bool(p, "driver_ok", true))
		fprintf(out, " (driver is down)");
}

static void
text_params(FILE *out, const msgpack_object *a)
{
	const msgpack_object *params = bh_wire_get(a, "params");
	for (uint32_t i = 0; params && params->type == MSGPACK_OBJECT_ARRAY && i < params->via.array.size; i++) {
		const msgpack_object *p = &params->via.array.ptr[i];
		fprintf(out, "%-40s %-4s %s", text_of(p, "name"), text_of(p, "access"), text_of(p, "text"));
		put_doubts(out, p);
		fputc('\n', out);
	}
}

static void
text_get(FILE *out, const msgpack_object *p)
{
	const msgpack_object *choices = bh_wire_get(p, "choices");
	fprintf(out, "%s", text_of(p, "text"));
	put_doubts(out, p);
	fprintf(out, "\n  %s %s, access %s", text_of(p, "name"), text_of(p, "type"), text_of(p, "access"));
	if (bh_wire_get(p, "min") && !choices)
		fprintf(out, ", %g to %g %s", bh_wire_get_float(p, "min", 0), bh_wire_get_float(p, "max", 0), text_of(p, "unit"));
	for (uint32_t i = 0; choices && choices->type == MSGPACK_OBJECT_ARRAY && i < choices->via.array.size; i++)
		fprintf(out, "%s%.*s", i ? ", " : ", one of: ", (int)choices->via.array.ptr[i].via.str.size,
			choices->via.array.ptr[i].via.str.ptr);
	fputc('\n', out);
	static const char *const keys[][2] = {{"wanted", "wanted_ago_s"}, {"reported", "reported_ago_s"}};
	for (unsigned i = 0; i < 2; i++) {
		const msgpack_object *v = bh_wire_get(p, keys[i][0]);
		char ago[40];
		if (!v)
			continue;
		ctl_duration(bh_wire_get_float(p, keys[i][1], 0), ago, sizeof(ago));
		fprintf(out, "  %s ", keys[i][0]);
		ctl_json_object(out, v);
		fprintf(out, ", %s ago\n", ago);
	}
}

static void
text_names(FILE *out, const msgpack_object *a)
{
	const msgpack_object *n = bh_wire_get(a, "names");
	for (uint32_t i = 0; n && n->type == MSGPACK_OBJECT_ARRAY && i < n->via.array.size; i++)
		if (n->via.array.ptr[i].type == MSGPACK_OBJECT_STR)
			fprintf(out, "%.*s\n", (int)n->via.array.ptr[i].via.str.size, n->via.array.ptr[i].via.str.ptr);
}

static void
text_version(FILE *out, const msgpack_object *a)
{
	fprintf(out, "bulkhead %s\n", text_of(a, "version"));
	if (*text_of(a, "running"))
		fprintf(out, "running: %s, protocol %" PRId64 "\n", text_of(a, "running"), bh_wire_get_int(a, "protocol", 0));
}

static void
text_done(FILE *out, const msgpack_object *a)
{
	if (*text_of(a, "text"))
		fprintf(out, "%s\n", text_of(a, "text"));
}

/* ------------------------------------------------------------------ events */

static void
put_clock(FILE *out, const msgpack_object *e)
{
	double t = bh_wire_get_float(e, "time_s", 0);
	time_t s = (time_t)t;
	struct tm tm;
	char text[16];
	localtime_r(&s, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	fprintf(out, "%s.%06u", text, (unsigned)((t - (double)s) * 1e6) % 1000000u);
}

static void
text_words(FILE *out, const msgpack_object *e)
{
	put_clock(out, e);
	fprintf(out, "  %s\n", text_of(e, "words"));
	fflush(out);
}

static void
text_learned(FILE *out, const msgpack_object *l)
{
	const msgpack_object *page = bh_wire_get(l, "page"), *b = bh_wire_get(l, "binding");
	fprintf(out, "%s: a %s, %s\n", text_of(l, "control"), text_of(l, "kind"), text_of(l, "happened"));
	fprintf(out, "  on page %" PRId64 " (%s) ", bh_wire_get_int(page, "number", 0), text_of(page, "name"));
	if (b)
		fprintf(out, "%s%s, %s:%" PRId64 ":%" PRId64 "\n", text_of(b, "words"),
			bh_wire_get_bool(b, "global", false) ? " (global)" : "", text_of(b, "file"), bh_wire_get_int(b, "line", 0),
			bh_wire_get_int(b, "column", 0));
	else
		fprintf(out, "not bound\n");
	fprintf(out, "  %s\n", text_of(l, "line"));
}

/* "-6.0 dB, 2.1 s ago by desk/fader1" */
static void
put_side(FILE *out, const char *word, const msgpack_object *side)
{
	if (!side)
		return;
	fprintf(out, "  %-9s %s", word, text_of(side, "text"));
	if (bh_wire_get(side, "age_s"))
		fprintf(out, ", %.1f s ago", bh_wire_get_float(side, "age_s", 0));
	if (*text_of(side, "by"))
		fprintf(out, " by %s%s", text_of(side, "by"), bh_wire_get_bool(side, "confirmed", true) ? "" : ", not confirmed");
	fputc('\n', out);
}

static void
put_bound(FILE *out, const msgpack_object *b)
{
	fprintf(out, "  %-9s %s", text_of(b, "part"), text_of(b, "words"));
	if (*text_of(b, "label"))
		fprintf(out, " (%s)", text_of(b, "label"));
	fprintf(out, "%s  %s:%" PRId64 ":%" PRId64 "\n", bh_wire_get_bool(b, "global", false) ? " (global)" : "", text_of(b, "file"),
		bh_wire_get_int(b, "line", 0), bh_wire_get_int(b, "column", 0));
}

static void
text_explained(FILE *out, const msgpack_object *l)
{
	const msgpack_object *page = bh_wire_get(l, "page"), *bindings = bh_wire_get(l, "bindings"), *why = bh_wire_get(l, "why");
	const msgpack_object *param = bh_wire_get(l, "parameter"), *hand = bh_wire_get(l, "hand"), *layers = bh_wire_get(l, "layers");
	fprintf(out, "%s: a %s on page %" PRId64 " (%s)", text_of(l, "control"), text_of(l, "kind"), bh_wire_get_int(page, "number", 0),
		text_of(page, "name"));
	for (uint32_t k = 0; layers && k < layers->via.array.size; k++)
		fprintf(out, "%s%.*s", k ? ", " : ", ", (int)layers->via.array.ptr[k].via.str.size, layers->via.array.ptr[k].via.str.ptr);
	fputc('\n', out);
	for (uint32_t k = 0; bindings && k < bindings->via.array.size; k++)
		put_bound(out, &bindings->via.array.ptr[k]);
	if (param)
		fprintf(out, "  %-9s %s %s\n", "value", text_of(param, "name"), text_of(param, "text"));
	put_side(out, "wanted", bh_wire_get(param, "wanted"));
	put_side(out, "reported", bh_wire_get(param, "reported"));
	if (hand)
		fprintf(out, "  %-9s %s%.1f s ago\n", "hand", bh_wire_get_bool(hand, "on_it", false) ? "is on it, since or last moved " : "",
			bh_wire_get_float(hand, "age_s", 0));
	fprintf(out, "  %-9s %s\n", "shows", text_of(l, "shown"));
	for (uint32_t k = 0; why && k < why->via.array.size; k++)
		fprintf(out, "  %-9s %.*s\n", k ? "" : "because", (int)why->via.array.ptr[k].via.str.size, why->via.array.ptr[k].via.str.ptr);
}

static void
text_latency(FILE *out, const msgpack_object *l)
{
	const msgpack_object *rows = bh_wire_get(l, "latency");
	fprintf(out, "%-16s %-16s %10s %10s %10s %10s %10s\n", "process", "from", "count", "p50 us", "p90 us", "p99 us", "max us");
	for (uint32_t k = 0; rows && k < rows->via.array.size; k++) {
		const msgpack_object *r = &rows->via.array.ptr[k];
		fprintf(out, "%-16s %-16s %10" PRId64 " %10.1f %10.1f %10.1f %10.1f\n", text_of(r, "process"), text_of(r, "measure"),
			bh_wire_get_int(r, "count", 0), bh_wire_get_float(r, "p50_us", 0), bh_wire_get_float(r, "p90_us", 0),
			bh_wire_get_float(r, "p99_us", 0), bh_wire_get_float(r, "max_us", 0));
	}
}

static void
text_trace(FILE *out, const msgpack_object *e)
{
	put_clock(out, e);
	fprintf(out, "  %s>%s #%" PRId64 " %s", text_of(e, "from"), text_of(e, "to"), bh_wire_get_int(e, "seq", 0), text_of(e, "kind"));
	if (*text_of(e, "name"))
		fprintf(out, " %s", text_of(e, "name"));
	if (bh_wire_get(e, "text"))
		fprintf(out, " %s", text_of(e, "text"));
	fprintf(out, "  (id %" PRId64 ", gen %" PRId64 ", total %" PRId64 ")\n", bh_wire_get_int(e, "id", 0), bh_wire_get_int(e, "gen", 0),
		bh_wire_get_int(e, "total", 0));
	fflush(out);
}

static void
text_error(FILE *out, const char *code, const char *text, const char *hint)
{
	(void)out, (void)code;
	fprintf(stderr, "bulkhead: %s%s%s\n", text, *hint ? "; " : "", hint);
}

const struct ctl_writer ctl_text = {
	.status = text_status,
	.pages = text_pages,
	.params = text_params,
	.get = text_get,
	.names = text_names,
	.version = text_version,
	.done = text_done,
	.words = text_words,
	.learned = text_learned,
	.explained = text_explained,
	.latency = text_latency,
	.trace = text_trace,
	.error = text_error,
};
