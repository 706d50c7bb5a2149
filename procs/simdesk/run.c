/*
 * run - see run.h
 */
#include "procs/simdesk/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/units.h"
#include "procs/simdesk/report.h"

/* A loop of statements that take no time gives way after so many. */
enum { STMTS_AT_ONCE = 100 };
/* What must hold for some time is looked at so many times meanwhile. */
enum { LOOKS = 8 };

void
run_start(struct run *r, struct run_env *env, const struct script *s, uint64_t now_ns)
{
	void (*print)(void *, const char *) = r->print;
	void *data = r->data;
	*r = (struct run){.env = env,
			  .script = s,
			  .print = print,
			  .data = data,
			  .depth = 1,
			  .start_ns = now_ns};
	r->frame[0].block = &s->top;
}

static void
soon(uint64_t *next_ns, uint64_t at_ns)
{
	if (!*next_ns || at_ns < *next_ns)
		*next_ns = at_ns;
}

static void saw(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
saw(struct run *r, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(r->saw, sizeof(r->saw), fmt, args);
	va_end(args);
}

static enum run_result
failed(struct run *r, const struct script_stmt *s)
{
	char why[RUN_SAW];
	snprintf(why, sizeof(why), "%s", r->saw);
	int n = s->source_len > 120 ? 120 : (int)s->source_len;
	saw(r, "%.80s:%d:%d: %.*s: %.300s", r->script->name, s->line, s->col, n,
	    r->script->text + s->source, why);
	return RUN_FAILED;
}

static void
print(struct run *r, const char *text)
{
	if (r->print)
		r->print(r->data, text);
}

static void
print_report(struct run *r, const struct script_stmt *s)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	if (!to)
		return;
	if (s->op == SCRIPT_STATE)
		report_state(to, r->env->desk, r->env->cable);
	else if (s->op == SCRIPT_TARGETS)
		report_targets(to, r->env->desk);
	else
		report_end_state(to, r->env->desk);
	fclose(to);
	if (text)
		print(r, text);
	free(text);
}

static bool
write_end_state(struct run *r, const char *path)
{
	FILE *to = fopen(path, "we");
	if (to)
		report_end_state(to, r->env->desk);
	bool ok = to && !ferror(to);
	if (to && fclose(to) != 0)
		ok = false;
	if (!ok)
		saw(r, "%s: %m", path);
	return ok;
}

/* ---- expectations ---------------------------------------------------------------------------- */

static bool
compare(enum script_cmp cmp, uint64_t a, uint64_t b)
{
	switch (cmp) {
	case SCRIPT_EQ: return a == b;
	case SCRIPT_NE: return a != b;
	case SCRIPT_LT: return a < b;
	case SCRIPT_LE: return a <= b;
	case SCRIPT_GT: return a > b;
	case SCRIPT_GE: return a >= b;
	}
	return false;
}

/* Equal but for blanks at both ends. */
static bool
same_text(const char *a, const char *b)
{
	while (*a == ' ')
		a++;
	while (*b == ' ')
		b++;
	size_t n = strlen(a), m = strlen(b);
	while (n > 0 && a[n - 1] == ' ')
		n--;
	while (m > 0 && b[m - 1] == ' ')
		m--;
	return n == m && memcmp(a, b, n) == 0;
}

static bool
near(unsigned a, unsigned b, unsigned tol)
{
	return (a > b ? a - b : b - a) <= tol;
}

static bool
holds_fader(struct run *r, const struct script_stmt *s)
{
	const struct desk_fader *f = &r->env->desk->fader[s->index];
	if (s->cond == SCRIPT_C_TARGET) {
		if (!f->has_target)
			saw(r, "the host wrote no value");
		else
			saw(r, "it is %u (%.4f)", f->target, (double)f->target / DESK_TOP);
		return f->has_target && near(f->target, s->pos, s->tol);
	}
	saw(r, "it is at %u (%.4f)%s", desk_pos(f), (double)desk_pos(f) / DESK_TOP,
	    desk_held(f)	? ", in a hand"
	    : f->driving	? ", on its way"
	    : f->run_back_ns ? ", about to run back"
				: "");
	return near(desk_pos(f), s->pos, s->tol);
}

static bool
holds_ring(struct run *r, const struct script_stmt *s)
{
	const struct desk_ring *ring = &r->env->desk->ring[s->index];
	saw(r, "it is %s %u%s", desk_ring_name(ring->mode), ring->pos, ring->extra ? " extra" : "");
	if (ring->extra != s->ring.extra)
		return false;
	if (s->ring.mode < 0)
		return ring->pos == 0;
	return (int)ring->mode == s->ring.mode && ring->pos == s->number;
}

static bool
holds_strip(struct run *r, const struct script_stmt *s)
{
	const struct desk *d = r->env->desk;
	if (s->line_no == 2) {
		saw(r, "it is %s", desk_colour_name(d->colour[s->index]));
		return d->colour[s->index] == s->number;
	}
	char text[BH_MCU_CELL_WIDTH + 1];
	desk_strip_text(d, (unsigned)s->index, (unsigned)s->line_no, text);
	saw(r, "it is \"%s\"", text);
	return same_text(text, s->text);
}

static bool
holds_digits(struct run *r, const struct script_stmt *s)
{
	char text[2 * BH_MCU_DIGITS + 1];
	desk_digits(r->env->desk, s->line_no ? 10 : 0, s->line_no ? 2 : 10, text, sizeof(text));
	saw(r, "it is \"%s\"", text);
	return same_text(text, s->text);
}

static bool
holds_meter(struct run *r, const struct script_stmt *s)
{
	const struct desk *d = r->env->desk;
	unsigned level = desk_meter_level(d, (unsigned)s->index);
	bool over = d->meter[s->index].over;
	saw(r, "it is %u%s", level, over ? ", over" : "");
	return s->line_no ? over : compare(s->cmp, level, (uint64_t)s->number);
}

static bool
holds(struct run *r, const struct script_stmt *s)
{
	struct desk *d = r->env->desk;
	uint64_t n;
	bool ok;
	switch (s->cond) {
	case SCRIPT_C_FADER:
	case SCRIPT_C_TARGET: return holds_fader(r, s);
	case SCRIPT_C_LED:
		saw(r, "it is %s", desk_led_name(d->led[s->note]));
		return (int)d->led[s->note] == s->led;
	case SCRIPT_C_RING: return holds_ring(r, s);
	case SCRIPT_C_STRIP: return holds_strip(r, s);
	case SCRIPT_C_DIGITS: return holds_digits(r, s);
	case SCRIPT_C_METER: return holds_meter(r, s);
	case SCRIPT_C_PEER:
		saw(r, "the host is %s", r->env->cable->peer ? "here" : "gone");
		return r->env->cable->peer == s->flag;
	case SCRIPT_C_QUIET:
		n = d->count[DESK_C_BYTES] - r->quiet_bytes;
		ok = n == 0;
		if (!ok)
			saw(r, "%" PRIu64 " bytes came", n);
		r->quiet_bytes += n;
		return ok;
	case SCRIPT_C_HANDS:
		saw(r, "hands are busy");
		return !desk_hands_busy(d) && !r->load.on;
	case SCRIPT_C_MOTORS: saw(r, "motors run, or are about to"); return !desk_motors_busy(d);
	case SCRIPT_C_COUNT:
		n = d->count[s->index] - (s->flag ? r->env->mark[s->index] : 0);
		saw(r, "it is %" PRIu64, n);
		return compare(s->cmp, n, (uint64_t)s->number);
	}
	return false;
}

static enum run_result
do_expect(struct run *r, const struct script_stmt *s, uint64_t now_ns, uint64_t *next_ns)
{
	uint64_t limit = r->began_ns + (s->has_within ? s->within_ns : r->env->within_ns);
	/* Of time in which we were not asked little counts: while the machine stands still no host can say anything. */
	uint64_t look_ns = s->for_ns / LOOKS;
	if (!r->began) {
		r->quiet_bytes = r->env->desk->count[DESK_C_BYTES];
		r->holds = false;
	}
	if (!holds(r, s)) {
		r->holds = false;
		if (now_ns >= limit)
			return failed(r, s);
		/* Quiet may begin with nothing happening. */
		soon(next_ns, s->cond == SCRIPT_C_QUIET ? now_ns + 1 : limit);
		return RUN_WAITING;
	}
	if (!r->holds)
		r->hold_ns = now_ns;
	else if (now_ns - r->looked_ns > 2 * look_ns)
		r->hold_ns += now_ns - r->looked_ns - look_ns;
	r->holds = true;
	r->looked_ns = now_ns;
	if (now_ns >= r->hold_ns + s->for_ns)
		return RUN_DONE;
	soon(next_ns, r->hold_ns + s->for_ns < now_ns + look_ns ? r->hold_ns + s->for_ns : now_ns + look_ns);
	return RUN_WAITING;
}

/* ---- random load ----------------------------------------------------------------------------- */

/* splitmix64 */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static uint64_t
draw_below(uint64_t *state, uint64_t n)
{
	return draw(state) % n;
}

static void
load_gesture(struct run_load *l, struct desk *d, uint64_t at_ns)
{
	const struct script_control *list = l->stmt->controls;
	size_t n = l->stmt->n_controls;
	if (!list)
		n = script_default_controls(&list);
	const struct script_control *c = &list[draw_below(&l->rng, n)];
	/* Each gesture takes as many numbers, so that the next one does not depend on this one's fate. */
	uint16_t pos = (uint16_t)draw_below(&l->rng, DESK_TOP + 1);
	uint64_t dur = (20 + draw_below(&l->rng, 280)) * BH_NS_PER_MS;
	int ticks = (int)draw_below(&l->rng, 10) - 5;
	ticks += ticks >= 0;
	switch (c->kind) {
	case SCRIPT_ON_FADER:
		if (!desk_held(&d->fader[c->index]))
			desk_move(d, at_ns, c->index, pos, dur, true);
		break;
	case SCRIPT_ON_VPOT: desk_turn(d, at_ns, c->index, ticks); break;
	case SCRIPT_ON_JOG: desk_jog(d, at_ns, ticks); break;
	case SCRIPT_ON_BUTTON:
		if (!d->pressed[c->index])
			desk_tap(d, at_ns, c->index, 30 * BH_NS_PER_MS);
		break;
	}
}

static void
load_step(struct run_load *l, struct desk *d, uint64_t now_ns, uint64_t *next_ns)
{
	uint64_t mean = (uint64_t)((double)BH_NS_PER_S / l->stmt->rate);
	while (l->on && l->next_ns < l->end_ns && l->next_ns <= now_ns) {
		load_gesture(l, d, l->next_ns > d->now_ns ? l->next_ns : d->now_ns);
		l->next_ns += mean / 2 + draw_below(&l->rng, mean + 1);
	}
	if (l->next_ns < l->end_ns)
		soon(next_ns, l->next_ns);
	else if (now_ns < l->end_ns)
		soon(next_ns, l->end_ns);
	else if (!desk_hands_busy(d))
		l->on = false;
}

/* ---- statements ------------------------------------------------------------------------------ */

static enum run_result
until(uint64_t end_ns, uint64_t now_ns, uint64_t *next_ns)
{
	if (now_ns >= end_ns)
		return RUN_DONE;
	soon(next_ns, end_ns);
	return RUN_WAITING;
}

static enum run_result
do_turn(struct run *r, const struct script_stmt *s, uint64_t now_ns, uint64_t *next_ns)
{
	if (!r->began)
		r->done = 0;
	int64_t due = s->number;
	if (now_ns < r->began_ns + s->dur_ns)
		due = (int64_t)((double)s->number * (double)(now_ns - r->began_ns) / (double)s->dur_ns);
	if (due != r->done)
		desk_turn(r->env->desk, now_ns, (unsigned)s->index, (int)(due - r->done));
	r->done = due;
	if (now_ns >= r->began_ns + s->dur_ns)
		return RUN_DONE;
	uint64_t step = now_ns + r->env->desk->opts.tick_ns, end = r->began_ns + s->dur_ns;
	soon(next_ns, step < end ? step : end);
	return RUN_WAITING;
}

static void
do_garbage(struct run *r, const struct script_stmt *s)
{
	uint64_t rng = s->seed;
	uint8_t bytes[256];
	for (int64_t left = s->number; left > 0;) {
		size_t n = left < (int64_t)sizeof(bytes) ? (size_t)left : sizeof(bytes);
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)draw(&rng);
		cable_send(r->env->cable, bytes, n);
		left -= (int64_t)n;
	}
}

static void
do_set(struct run_env *env, const struct script_stmt *s, uint64_t now_ns)
{
	struct desk_opts *o = &env->desk->opts;
	switch ((enum script_setting)s->index) {
	case SCRIPT_S_THROW: o->throw_ns = s->dur_ns; break;
	case SCRIPT_S_SETTLE: o->throw_ns = s->flag ? 0 : desk_defaults.throw_ns; break;
	case SCRIPT_S_RETURN: o->return_ns = s->dur_ns; break;
	case SCRIPT_S_REPORT: o->reports_motor = s->flag; break;
	case SCRIPT_S_ANSWERS: o->answers = s->flag; break;
	case SCRIPT_S_JUMP: o->jump = s->pos; break;
	case SCRIPT_S_TRAVEL: desk_travel(env->desk, now_ns, s->pos, s->tol); break;
	case SCRIPT_S_WITHIN: env->within_ns = s->dur_ns; break;
	}
}

static enum run_result
do_plug(struct run *r, const struct script_stmt *s, bool in, uint64_t now_ns)
{
	if (in && s->flag)
		desk_power_cycle(r->env->desk, now_ns);
	r->env->cable->wanted = in;
	int e = r->env->plug ? r->env->plug(r->env->data, in) : 0;
	if (e == 0)
		return RUN_DONE;
	saw(r, "%s", strerror(-e));
	return failed(r, s);
}

static enum run_result
do_move(struct run *r, const struct script_stmt *s, uint64_t now_ns)
{
	struct desk *d = r->env->desk;
	if (!r->began)
		desk_move(d, now_ns, (unsigned)s->index, s->pos, s->dur_ns, s->flag);
	return s->no_wait || !d->fader[s->index].hand.on ? RUN_DONE : RUN_WAITING;
}

static enum run_result
do_tap(struct run *r, const struct script_stmt *s, uint64_t now_ns)
{
	struct desk *d = r->env->desk;
	if (!r->began)
		desk_tap(d, now_ns, (unsigned)s->note, s->dur_ns);
	return s->no_wait || !d->release_ns[s->note] ? RUN_DONE : RUN_WAITING;
}

static enum run_result
do_load(struct run *r, const struct script_stmt *s, uint64_t now_ns, uint64_t *next_ns)
{
	if (!r->began) {
		if (r->load.on)
			return RUN_WAITING; /* one after the other */
		r->load = (struct run_load){.on = true,
					    .stmt = s,
					    .rng = s->seed,
					    .next_ns = now_ns,
					    .end_ns = now_ns + s->dur_ns};
		r->began = true;
		soon(next_ns, now_ns);
	}
	return s->no_wait || !r->load.on ? RUN_DONE : RUN_WAITING;
}

static enum run_result
do_repeat(struct run *r, const struct script_stmt *s)
{
	if (s->number > 0 && s->body.n > 0 && r->depth < RUN_DEPTH)
		r->frame[r->depth++] = (struct run_frame){.block = &s->body, .left = s->number - 1};
	return RUN_DONE;
}

static enum run_result
do_stmt(struct run *r, const struct script_stmt *s, uint64_t now_ns, uint64_t *next_ns)
{
	struct run_env *env = r->env;
	struct desk *d = env->desk;
	switch (s->op) {
	case SCRIPT_AT: return until(r->start_ns + s->dur_ns, now_ns, next_ns);
	case SCRIPT_WAIT: return until(r->began_ns + s->dur_ns, now_ns, next_ns);
	case SCRIPT_TOUCH: desk_touch(d, now_ns, (unsigned)s->index, true); break;
	case SCRIPT_RELEASE:
		if (s->note >= 0)
			desk_button(d, now_ns, (unsigned)s->note, false);
		else
			desk_touch(d, now_ns, (unsigned)s->index, false);
		break;
	case SCRIPT_MOVE: return do_move(r, s, now_ns);
	case SCRIPT_PRESS: desk_button(d, now_ns, (unsigned)s->note, true); break;
	case SCRIPT_TAP: return do_tap(r, s, now_ns);
	case SCRIPT_TURN: return do_turn(r, s, now_ns, next_ns);
	case SCRIPT_JOG: desk_jog(d, now_ns, (int)s->number); break;
	case SCRIPT_PEDAL: desk_pedal(d, now_ns, (uint8_t)s->number); break;
	case SCRIPT_EXPECT: return do_expect(r, s, now_ns, next_ns);
	case SCRIPT_MARK: memcpy(env->mark, d->count, sizeof(env->mark)); break;
	case SCRIPT_UNPLUG: return do_plug(r, s, false, now_ns);
	case SCRIPT_PLUG: return do_plug(r, s, true, now_ns);
	case SCRIPT_LIMIT: cable_limit(env->cable, (uint64_t)s->number); break;
	case SCRIPT_SPLIT: cable_split(env->cable, s->flag, s->dur_ns); break;
	case SCRIPT_SENSING: cable_sensing(env->cable, s->flag, now_ns); break;
	case SCRIPT_SEND: cable_send(env->cable, s->bytes, s->n_bytes); break;
	case SCRIPT_GARBAGE: do_garbage(r, s); break;
	case SCRIPT_LOAD: return do_load(r, s, now_ns, next_ns);
	case SCRIPT_REPEAT: return do_repeat(r, s);
	case SCRIPT_SET: do_set(env, s, now_ns); break;
	case SCRIPT_PRINT: {
		char line[256];
		snprintf(line, sizeof(line), "# %.250s\n", s->text);
		print(r, line);
		break;
	}
	case SCRIPT_STATE:
	case SCRIPT_TARGETS: print_report(r, s); break;
	case SCRIPT_END_STATE:
		if (!s->text)
			print_report(r, s);
		else if (!write_end_state(r, s->text))
			return failed(r, s);
		break;
	case SCRIPT_QUIT:
		env->quit = true;
		r->depth = 0;
		r->load.on = false;
		break;
	}
	return RUN_DONE;
}

/* The statement to do, or NULL at the end. */
static const struct script_stmt *
current(struct run *r)
{
	while (r->depth > 0) {
		struct run_frame *f = &r->frame[r->depth - 1];
		if (f->at < f->block->n)
			return &f->block->stmt[f->at];
		f->at = 0;
		if (f->left-- <= 0)
			r->depth--;
	}
	return NULL;
}

enum run_result
run_step(struct run *r, uint64_t now_ns, uint64_t *next_ns)
{
	*next_ns = 0;
	desk_advance(r->env->desk, now_ns);
	for (unsigned n = 0;; n++) {
		if (r->load.on)
			load_step(&r->load, r->env->desk, now_ns, next_ns);
		const struct script_stmt *s = current(r);
		if (!s)
			return r->load.on ? RUN_WAITING : RUN_DONE;
		if (n == STMTS_AT_ONCE) {
			*next_ns = now_ns;
			return RUN_WAITING;
		}
		if (!r->began)
			r->began_ns = now_ns;
		struct run_frame *f = &r->frame[r->depth - 1];
		enum run_result result = do_stmt(r, s, now_ns, next_ns);
		if (result == RUN_FAILED)
			r->depth = 0;
		if (result != RUN_DONE) {
			/* A load that waits for another one has not begun. */
			if (s->op != SCRIPT_LOAD)
				r->began = true;
			return result;
		}
		r->began = false;
		f->at++;
	}
}
